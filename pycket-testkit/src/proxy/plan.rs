use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::watch;

use super::NetworkFault;

/// Longer than a server takes to answer on a busy machine.
const LIMIT: Duration = Duration::from_secs(20);

/// A request that came to a [`FaultProxy`](crate::FaultProxy), and the answer to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exchange {
    /// How many bytes of the request came from the client.
    pub request: usize,
    /// How many bytes of the answer came from the server; zero if it got no request.
    pub answer: usize,
}

/// What is to happen, and what has happened, on all connections.
#[derive(Default)]
pub(super) struct Plan {
    state: Mutex<State>,
    changed: Condvar,
    /// Faults that have not struck.
    pending: watch::Sender<usize>,
    /// How often it was healed.
    heals: watch::Sender<usize>,
    /// All connections below this number are to be closed.
    cut_below: watch::Sender<usize>,
}

#[derive(Default)]
struct State {
    connections: usize,
    open: BTreeSet<usize>,
    /// How many exchanges have begun.
    begun: usize,
    /// Those that nobody has asked for.
    exchanges: BTreeMap<usize, Exchange>,
    requests: BTreeMap<usize, NetworkFault>,
    answers: BTreeMap<usize, NetworkFault>,
    /// The exchanges whose request was delayed, and is not answered yet.
    late: BTreeSet<usize>,
}

/// For those who command.
impl Plan {
    pub(super) fn fail_request(&self, n: usize, fault: NetworkFault) {
        let mut state = self.state();
        let nth = state.begun + n;
        let replaced = state.requests.insert(nth, fault);
        self.pending.send_modify(|pending| *pending += usize::from(replaced.is_none()));
    }

    pub(super) fn fail_answer(&self, n: usize, fault: NetworkFault) {
        let mut state = self.state();
        let nth = state.begun + n;
        let replaced = state.answers.insert(nth, fault);
        self.pending.send_modify(|pending| *pending += usize::from(replaced.is_none()));
    }

    pub(super) fn pending(&self) -> usize {
        *self.pending.borrow()
    }

    pub(super) async fn struck(&self) {
        let waiting = self.pending.subscribe().wait_for(|pending| *pending == 0).await.is_ok();
        assert!(waiting, "the plan outlives whoever waits for it");
    }

    pub(super) fn cut_connections(&self) {
        let state = self.state();
        let below = state.connections;
        self.cut_below.send_replace(below);
        self.wait("a connection stays open", state, |state| {
            state.open.first().is_none_or(|first| *first >= below)
        });
    }

    pub(super) fn heal(&self) {
        let mut state = self.state();
        state.requests.clear();
        state.answers.clear();
        self.pending.send_replace(0);
        self.heals.send_modify(|heals| *heals += 1);
        self.wait("a delayed request is not answered", state, |state| state.late.is_empty());
    }

    pub(super) fn connections(&self) -> usize {
        self.state().connections
    }

    pub(super) fn take_exchanges(&self) -> Vec<Exchange> {
        mem::take(&mut self.state().exchanges).into_values().collect()
    }

    fn wait(&self, what: &str, state: MutexGuard<'_, State>, is_over: impl Fn(&State) -> bool) {
        let (state, waited) = self
            .changed
            .wait_timeout_while(state, LIMIT, |state| !is_over(state))
            .expect("nobody panics while holding the state");
        drop(state);
        assert!(!waited.timed_out(), "{what} after {LIMIT:?}");
    }
}

/// For the connections.
impl Plan {
    /// The number of a new connection.
    pub(super) fn open(&self) -> usize {
        let mut state = self.state();
        let number = state.connections;
        state.connections += 1;
        state.open.insert(number);
        number
    }

    pub(super) fn close(&self, connection: usize) {
        self.state().open.remove(&connection);
        self.changed.notify_all();
    }

    pub(super) async fn cut(&self, connection: usize) {
        let mut cut_below = self.cut_below.subscribe();
        let _ = cut_below.wait_for(|below| connection < *below).await;
    }

    /// A request has begun: its number, and what becomes of it.
    pub(super) fn begin(&self, length: usize) -> (usize, Option<NetworkFault>) {
        let mut state = self.state();
        let number = state.begun;
        state.begun += 1;
        state.exchanges.insert(number, Exchange { request: length, answer: 0 });
        let fault = state.requests.remove(&number);
        if fault == Some(NetworkFault::Delay) {
            state.late.insert(number);
        }
        (number, fault)
    }

    /// The answer to that request has begun; what becomes of it.
    pub(super) fn begin_answer(&self, number: usize) -> Option<NetworkFault> {
        let fault = self.state().answers.remove(&number);
        self.settle(number);
        fault
    }

    /// The request is answered or never will be.
    pub(super) fn settle(&self, number: usize) {
        self.state().late.remove(&number);
        self.changed.notify_all();
    }

    pub(super) fn note(&self, number: usize, request: usize, answer: usize) {
        if let Some(exchange) = self.state().exchanges.get_mut(&number) {
            exchange.request += request;
            exchange.answer += answer;
        }
    }

    pub(super) fn strike(&self) {
        self.pending.send_modify(|pending| *pending = pending.saturating_sub(1));
    }

    /// What to wait for with a message that is delayed.
    pub(super) fn next_heal(&self) -> impl Future<Output = ()> + use<> {
        let mut heals = self.heals.subscribe();
        async move {
            let _ = heals.changed().await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics while holding the state")
    }
}
