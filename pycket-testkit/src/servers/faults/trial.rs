use std::time::Duration;

use pycket_core::{ErrorKind, SessionId};
use tokio::time::timeout;

use super::operation::{Answer, Operation, assert_works, witness};
use crate::check::ensure;
use crate::fixtures::{HOUR, Store, fresh_namespace, put};
use crate::servers::proxy::Side;
use crate::servers::{Exchange, FaultProxy, NetworkFault, NetworkHarness};
use crate::shown::{all_shown_by, shows_id};

/// Longer than any timeout of a driver. The clock is paused where nothing arrives, so no test waits for it.
const LIMIT: Duration = Duration::from_secs(60);

/// Hits every exchange of the operation, one at a time, with each fault that fits it.
pub(super) async fn try_every_exchange(
    harness: &impl NetworkHarness,
    operation: Operation,
    side: Side,
    faults: impl Fn(Exchange) -> Vec<NetworkFault>,
) {
    let mut struck = 0;
    for (handle, is_connected) in [("connected", true), ("new", false)] {
        let without_fault = Trial::new(harness, operation, is_connected).await;
        without_fault.proxy.take_exchanges();
        let answer = operation.call(&*without_fault.store, &without_fault.id).await;
        expect_right("a call without a fault", answer);
        for (nth, seen) in without_fault.proxy.take_exchanges().into_iter().enumerate() {
            for fault in faults(seen) {
                let trial = Trial::new(harness, operation, is_connected).await;
                trial.proxy.fail(side, nth, fault);
                let what = format!("{handle} handle, exchange {nth}, {side:?}: {fault:?}");
                struck += usize::from(trial.run(&what, fault).await);
            }
        }
    }
    ensure("faults that struck", "at least one", struck, struck > 0);
}

/// One call of an operation through a proxy.
struct Trial {
    operation: Operation,
    proxy: FaultProxy,
    /// A handle without the proxy.
    direct: Store,
    store: Store,
    id: SessionId,
    witness: SessionId,
}

impl Trial {
    async fn new(harness: &impl NetworkHarness, operation: Operation, is_connected: bool) -> Self {
        let namespace = fresh_namespace();
        let proxy = FaultProxy::new(harness.server());
        let direct = harness.open_at(harness.server(), &namespace).await;
        let store = harness.open_at(proxy.address(), &namespace).await;
        if is_connected {
            let other = operation.prepare(&store).await;
            expect_right("a call before the fault", operation.call(&*store, &other).await);
        }
        let id = operation.prepare(&direct).await;
        let witness = put(&direct, &witness(), HOUR).await;
        Self { operation, proxy, direct, store, id, witness }
    }

    /// Makes the call and checks what it did. Returns whether the fault struck.
    async fn run(self, what: &str, fault: NetworkFault) -> bool {
        let answer = self.call(what, fault).await;
        let has_struck = self.proxy.pending() == 0;
        self.proxy.heal();
        let happened = self.operation.has_happened(&self.direct, &self.id).await;
        match answer {
            Ok(Ok(())) => ensure(what, "an acknowledged call happened", happened, happened),
            Ok(Err(got)) => {
                panic!("{what}\n  expected: a correct answer or an error\n  got:      {got}")
            }
            Err(error) => {
                ensure(what, "no error without a fault", &error, has_struck);
                let kind = error.kind();
                let is_corrupted = matches!(fault, NetworkFault::Corrupt { .. });
                let may = self.operation.may_fail_as(kind, is_corrupted);
                ensure(what, "an error kind that tells the outcome", &error, may);
                let is_true = kind != ErrorKind::Unavailable
                    || self.operation == Operation::Load
                    || !happened;
                ensure(what, "`Unavailable` only if the call did not happen", &error, is_true);
                let shows_id = shows_id(&error, &self.id);
                ensure(what, "an error without the id", all_shown_by(&error), !shows_id);
            }
        }
        assert_works(&self.store, &self.witness).await;
        has_struck
    }

    /// Makes the call, which must end. If the fault leaves nothing to wait for but a timeout, the clock runs
    /// ahead to it.
    async fn call(&self, what: &str, fault: NetworkFault) -> Answer {
        let call = timeout(LIMIT, self.operation.call(&*self.store, &self.id));
        let answer = match fault {
            NetworkFault::Swallow | NetworkFault::Delay => self.proxy.fast_forward(call).await,
            _ => call.await,
        };
        answer.unwrap_or_else(|_| {
            panic!("{what}\n  expected: an answer or an error\n  got:      none in {LIMIT:?}")
        })
    }
}

fn expect_right(what: &str, answer: Answer) {
    if !matches!(answer, Ok(Ok(()))) {
        panic!("{what}\n  expected: success\n  got:      {answer:?}");
    }
}
