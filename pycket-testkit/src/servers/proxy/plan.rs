use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::NetworkFault;

/// Longer than a server takes to answer on a busy machine.
const LIMIT: Duration = Duration::from_secs(20);

/// A request that reached a [`FaultProxy`](super::FaultProxy), and the answer to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exchange {
    /// How many bytes of the request came from the client.
    pub request: usize,
    /// How many bytes of the answer came from the server; zero if it received no request.
    pub answer: usize,
}

/// Which of the two messages of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    Request,
    Answer,
}

/// The planned faults and the state of all connections, shared by the test and the proxy's thread.
#[derive(Default)]
pub(super) struct Plan {
    state: watch::Sender<State>,
}

#[derive(Default)]
pub(super) struct State {
    /// How many connections were made; each has the number that it found here.
    pub(super) connections: usize,
    pub(super) open: BTreeSet<usize>,
    /// Connections with a smaller number are to be closed.
    pub(super) cut_below: usize,
    /// How many exchanges have begun.
    begun: usize,
    /// The exchanges that the test has not taken yet.
    pub(super) exchanges: BTreeMap<usize, Exchange>,
    /// The faults of messages that have not begun yet.
    pub(super) faults: BTreeMap<(Side, usize), NetworkFault>,
    /// How many faults have not struck yet.
    pub(super) pending: usize,
    /// The exchanges whose request was delayed and is not answered yet.
    pub(super) late: BTreeSet<usize>,
    /// How often the proxy was healed.
    pub(super) heals: usize,
}

impl Plan {
    pub(super) fn read<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&self.state.borrow())
    }

    pub(super) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut result = None;
        self.state.send_modify(|state| result = Some(change(state)));
        result.expect("`send_modify` calls the closure")
    }

    pub(super) async fn until(&self, holds: impl FnMut(&State) -> bool) {
        // It cannot fail: `self` keeps the sender.
        let _ = self.state.subscribe().wait_for(holds).await;
    }

    pub(super) fn block_until(&self, condition: &str, holds: impl Fn(&State) -> bool) {
        let deadline = Instant::now() + LIMIT;
        while !self.read(&holds) {
            assert!(Instant::now() < deadline, "still not true after {LIMIT:?}: {condition}");
            thread::sleep(Duration::from_millis(1));
        }
    }

    pub(super) fn fail(&self, side: Side, n: usize, fault: NetworkFault) {
        self.change(|state| {
            let replaced = state.faults.insert((side, state.begun + n), fault);
            state.pending += usize::from(replaced.is_none());
        });
    }

    /// A new connection; returns its number.
    pub(super) fn open(&self) -> usize {
        self.change(|state| {
            state.open.insert(state.connections);
            state.connections += 1;
            state.connections - 1
        })
    }

    /// A request has begun; returns the number of the exchange and the fault that hits the request.
    pub(super) fn begin_request(&self, length: usize) -> (usize, Option<NetworkFault>) {
        self.change(|state| {
            let exchange = state.begun;
            state.begun += 1;
            state.exchanges.insert(exchange, Exchange { request: length, answer: 0 });
            let fault = state.faults.remove(&(Side::Request, exchange));
            if fault == Some(NetworkFault::Delay) {
                state.late.insert(exchange);
            }
            (exchange, fault)
        })
    }

    /// The answer to a request has begun; returns the fault that hits it.
    pub(super) fn begin_answer(&self, exchange: usize) -> Option<NetworkFault> {
        self.change(|state| {
            state.late.remove(&exchange);
            state.faults.remove(&(Side::Answer, exchange))
        })
    }

    /// More bytes of an exchange have arrived.
    pub(super) fn count(&self, exchange: usize, side: Side, length: usize) {
        self.change(|state| {
            if let Some(exchange) = state.exchanges.get_mut(&exchange) {
                match side {
                    Side::Request => exchange.request += length,
                    Side::Answer => exchange.answer += length,
                }
            }
        });
    }

    pub(super) fn strike(&self) {
        self.change(|state| state.pending = state.pending.saturating_sub(1));
    }
}
