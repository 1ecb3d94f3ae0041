use std::time::Duration;

use pycket_core::ErrorKind;
use tokio::time::timeout;

use super::operation::{Answer, Operation, witness, works};
use crate::check::ensure;
use crate::errors_seen::{all_shown_by, ids_shown};
use crate::steps::{HOUR, Store, fresh_namespace, put};
use crate::{Exchange, FaultProxy, NetworkFault, NetworkHarness};

/// Longer than any timeout of a driver. Where nothing comes it is over at once, by a paused clock.
const LIMIT: Duration = Duration::from_secs(60);

/// What a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Request,
    Answer,
}

/// What the call is made with: a handle whose connection was used before, or one that has to connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Handle {
    Used,
    New,
}

/// Strikes every exchange of the operation, one at a time, with each fault that fits it.
pub(super) async fn survey(
    harness: &impl NetworkHarness,
    operation: Operation,
    side: Side,
    faults: impl Fn(Exchange) -> Vec<NetworkFault>,
) {
    let mut struck = 0;
    for handle in [Handle::Used, Handle::New] {
        let undisturbed = Trial::new(harness, operation, handle).await;
        undisturbed.proxy.take_exchanges();
        undisturbed.is_right().await;
        for (nth, seen) in undisturbed.proxy.take_exchanges().into_iter().enumerate() {
            for fault in faults(seen) {
                let trial = Trial::new(harness, operation, handle).await;
                match side {
                    Side::Request => trial.proxy.fail_request(nth, fault),
                    Side::Answer => trial.proxy.fail_answer(nth, fault),
                }
                let what = format!("{handle:?} handle, exchange {nth}, {side:?}: {fault:?}");
                struck += usize::from(trial.survives(&what, fault).await);
            }
        }
    }
    ensure("faults that struck", "at least one", struck, struck > 0);
}

/// One call of an operation through a proxy.
struct Trial {
    operation: Operation,
    proxy: FaultProxy,
    direct: Store,
    store: Store,
    id: pycket_core::SessionId,
    witness: pycket_core::SessionId,
}

impl Trial {
    async fn new(harness: &impl NetworkHarness, operation: Operation, handle: Handle) -> Self {
        let namespace = fresh_namespace();
        let proxy = FaultProxy::new(harness.server());
        let direct = harness.open_at(harness.server(), &namespace).await;
        let store = harness.open_at(proxy.address(), &namespace).await;
        if handle == Handle::Used {
            let other = operation.prepare(&store).await;
            expect_right("a call before the fault", operation.call(&*store, &other).await);
        }
        let id = operation.prepare(&direct).await;
        let witness = put(&direct, &witness(), HOUR).await;
        Self { operation, proxy, direct, store, id, witness }
    }

    async fn is_right(&self) {
        expect_right("a call without a fault", self.operation.call(&*self.store, &self.id).await);
    }

    /// Whether the fault struck at all.
    async fn survives(self, what: &str, fault: NetworkFault) -> bool {
        let answer = self.call(what, fault).await;
        let has_struck = self.proxy.pending() == 0;
        self.proxy.heal();
        let happened = self.operation.has_happened(&self.direct, &self.id).await;
        match answer {
            Answer::Right => ensure(what, "an acknowledged call happened", happened, happened),
            Answer::Wrong(came) => panic!("{what}\n  expected: the truth\n  came:     {came}"),
            Answer::Failed(error) => {
                ensure(what, "a fault that struck", &error, has_struck);
                let kind = error.kind();
                let is_corrupted = matches!(fault, NetworkFault::Corrupt { .. });
                let may = self.operation.may_fail_as(kind, is_corrupted);
                ensure(what, "an error that says what became of the call", &error, may);
                let is_true = kind != ErrorKind::Unavailable
                    || self.operation == Operation::Load
                    || !happened;
                ensure(what, "`Unavailable` only if it did not happen", &error, is_true);
                let is_shown = ids_shown(&error, &self.id);
                ensure(what, "an error without the id", all_shown_by(&error), !is_shown);
            }
        }
        works(&self.store, &self.witness).await;
        has_struck
    }

    /// The call, which must end. Where the fault leaves nothing to wait for but a timeout, the clock runs
    /// ahead to it.
    async fn call(&self, what: &str, fault: NetworkFault) -> Answer {
        let call = timeout(LIMIT, self.operation.call(&*self.store, &self.id));
        let ended = match fault {
            NetworkFault::Swallow | NetworkFault::Delay => self.proxy.fast_forward(call).await,
            _ => call.await,
        };
        ended
            .unwrap_or_else(|_| panic!("{what}\n  expected: an end\n  came:     none in {LIMIT:?}"))
    }
}

fn expect_right(what: &str, answer: Answer) {
    match answer {
        Answer::Right => {}
        Answer::Wrong(came) => panic!("{what}\n  came: {came}"),
        Answer::Failed(error) => panic!("{what}\n  came: {error:?}"),
    }
}
