mod connection;
mod plan;

use std::cell::Cell;
use std::convert::Infallible;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use tokio::runtime::Builder;
use tokio::sync::oneshot;

pub use plan::Exchange;
use plan::Plan;
pub(crate) use plan::Side;

/// A TCP proxy in front of a server that causes faults of the network.
///
/// It passes everything on unless a fault is planned. A fault hits the request or the answer of the n-th
/// *exchange*. A request is everything that the client sends before the server answers; an answer is
/// everything that the server sends before the client asks again. Plan faults only where one call runs at
/// a time; a pipeline is one request. Exchanges are counted over all connections, in the order in which
/// they begin.
///
/// The proxy runs in a thread of its own, so it serves tests with and without a runtime, and a paused clock
/// does not pause it. When it is dropped, all its connections end.
pub struct FaultProxy {
    address: SocketAddr,
    plan: Arc<Plan>,
    thread: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

/// What happens to a request or an answer on its way through a [`FaultProxy`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetworkFault {
    /// The proxy closes the connection on both sides before any byte of the message has passed.
    Cut,
    /// The proxy closes the connection on both sides when so many bytes of the message have passed.
    Truncate {
        /// How many bytes. A message with fewer passes whole, and nothing is closed.
        after: usize,
    },
    /// The message is lost, and all that follows in this direction; the connection stays open. A peer or
    /// firewall that vanished looks like this. After a [heal](FaultProxy::heal) new connections work; this
    /// one stays silent, because TCP has no gaps.
    Swallow,
    /// The message waits, and all that follows in this direction, until the next [heal](FaultProxy::heal).
    /// So it is later than every timeout, and no test has to wait.
    Delay,
    /// Bits of one byte are flipped; the rest passes unchanged.
    Corrupt {
        /// Which byte of the message; the first is number 0.
        offset: usize,
        /// Which bits.
        mask: u8,
    },
}

impl FaultProxy {
    /// A proxy on a free loopback port in front of the server at `upstream`. If `upstream` does not accept
    /// a connection, the proxy closes the client's.
    ///
    /// # Panics
    ///
    /// If no port is free or no thread can be started.
    pub fn new(upstream: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        listener.set_nonblocking(true).expect("a listener can be non-blocking");
        let address = listener.local_addr().expect("a listener has an address");
        let plan = Arc::new(Plan::default());
        let (stop, stopped) = oneshot::channel();
        let serving = connection::serve_all(listener, upstream, plan.clone());
        let serve = move || {
            let runtime = Builder::new_current_thread().enable_io().build();
            runtime.expect("a runtime can be built").block_on(async {
                tokio::select! { () = serving => {} _ = stopped => {} }
            });
        };
        Self { address, plan, thread: Some((stop, thread::spawn(serve))) }
    }

    /// Where the proxy listens: the address for the client.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Makes the request of the n-th exchange from now on fail; the next exchange is number 0.
    pub fn fail_request(&self, n: usize, fault: NetworkFault) {
        self.fail(Side::Request, n, fault);
    }

    /// Makes the answer of the n-th exchange from now on fail; the next exchange is number 0. The fault
    /// strikes when the first byte of the answer arrives, so the server has received the request.
    pub fn fail_answer(&self, n: usize, fault: NetworkFault) {
        self.fail(Side::Answer, n, fault);
    }

    pub(super) fn fail(&self, side: Side, n: usize, fault: NetworkFault) {
        self.plan.fail(side, n, fault);
    }

    /// How many planned faults have not struck yet.
    pub fn pending(&self) -> usize {
        self.plan.read(|state| state.pending)
    }

    /// Waits until all planned faults have struck.
    pub async fn struck(&self) {
        self.plan.until(|state| state.pending == 0).await;
    }

    /// Runs `call` without waiting for its timeouts: once all planned faults have struck, tokio's clock is
    /// paused until the call ends, and runs ahead when nothing else is left to do.
    ///
    /// Use it for one call, and for faults after which nothing arrives. If the call does more after its
    /// timeout, such as connecting again, the next timeout may already have passed.
    ///
    /// # Panics
    ///
    /// In a multi-threaded runtime, whose clock cannot be paused, or if the clock is paused already.
    pub async fn fast_forward<T>(&self, call: impl Future<Output = T>) -> T {
        let is_paused = Cell::new(false);
        let silence = async {
            self.struck().await;
            tokio::time::pause();
            is_paused.set(true);
            std::future::pending::<Infallible>().await
        };
        let answer = tokio::select! {
            biased;
            answer = call => answer,
            never = silence => match never {},
        };
        if is_paused.get() {
            tokio::time::resume();
        }
        answer
    }

    /// Closes all connections. When this returns they are closed; new ones can be made.
    pub fn cut_connections(&self) {
        let below = self.plan.change(|state| {
            state.cut_below = state.connections;
            state.cut_below
        });
        self.plan.block_until("all connections are closed", |state| {
            state.open.first().is_none_or(|first| *first >= below)
        });
    }

    /// Removes all faults that have not struck, and passes on what was [delayed](NetworkFault::Delay). When
    /// this returns the server has answered all delayed requests.
    ///
    /// # Panics
    ///
    /// If the server does not answer a delayed request within 20 s.
    pub fn heal(&self) {
        self.plan.change(|state| {
            state.faults.clear();
            state.pending = 0;
            state.heals += 1;
        });
        self.plan.block_until("all delayed requests are answered", |state| state.late.is_empty());
    }

    /// How many connections were made.
    pub fn connections(&self) -> usize {
        self.plan.read(|state| state.connections)
    }

    /// The exchanges that began since the last call of this method, in this order.
    pub fn take_exchanges(&self) -> Vec<Exchange> {
        self.plan.change(|state| std::mem::take(&mut state.exchanges)).into_values().collect()
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.thread.take() {
            // An error means that the thread has ended already.
            let _ = stop.send(());
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for FaultProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultProxy").field("address", &self.address).finish_non_exhaustive()
    }
}
