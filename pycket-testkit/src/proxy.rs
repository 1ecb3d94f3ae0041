mod connection;
mod fault;
mod plan;

use std::cell::Cell;
use std::convert::Infallible;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use tokio::runtime::Builder;
use tokio::sync::oneshot;

pub use fault::NetworkFault;
pub use plan::Exchange;
use plan::Plan;

/// A TCP proxy in front of a server, for the faults that only a network has.
///
/// It passes everything on until it is told otherwise. The faults are planned, not left to chance: they
/// strike the request or the answer of the n-th *exchange*. A request is all that the client says before
/// the server answers, and an answer all that the server says before the client asks again; so one call
/// at a time must be under way where faults are planned, and a pipeline is one request. Exchanges are
/// counted over all connections, in the order in which they begin.
///
/// It runs in a thread of its own, so it serves every kind of test, with a runtime or without, and a
/// paused clock does not pause it. It ends, with all its connections, when it is dropped.
///
/// ```
/// use std::io::{Read, Write};
/// use std::net::{TcpListener, TcpStream};
/// use pycket_testkit::{FaultProxy, NetworkFault};
///
/// // A server that answers everything with itself.
/// let server = TcpListener::bind("127.0.0.1:0")?;
/// let proxy = FaultProxy::new(server.local_addr()?);
/// std::thread::spawn(move || {
///     for stream in server.incoming().flatten() {
///         std::thread::spawn(move || std::io::copy(&mut &stream, &mut &stream));
///     }
/// });
/// let ask = |question: &[u8]| {
///     let mut stream = TcpStream::connect(proxy.address())?;
///     stream.write_all(question)?;
///     stream.shutdown(std::net::Shutdown::Write)?;
///     let mut answer = Vec::new();
///     stream.read_to_end(&mut answer).map(|_| answer)
/// };
///
/// assert_eq!(ask(b"hello")?, b"hello");
///
/// proxy.fail_answer(0, NetworkFault::Truncate { after: 2 });
/// proxy.fail_answer(1, NetworkFault::Corrupt { offset: 0, mask: 0x20 });
/// assert_eq!(ask(b"hello")?, b"he");
/// assert_eq!(ask(b"hello")?, b"Hello");
/// assert_eq!(ask(b"hello")?, b"hello");
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct FaultProxy {
    address: SocketAddr,
    plan: Arc<Plan>,
    thread: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl FaultProxy {
    /// A proxy on a free loopback port, in front of whatever listens at `upstream`. A connection that
    /// `upstream` does not take is closed.
    ///
    /// # Panics
    ///
    /// If no port or no thread is to be had.
    pub fn new(upstream: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        listener.set_nonblocking(true).expect("every listener can be made so");
        let address = listener.local_addr().expect("a listener has an address");
        let plan = Arc::new(Plan::default());
        let (stop, stopped) = oneshot::channel();
        let serving = connection::serve_all(listener, upstream, plan.clone());
        let serve = move || {
            let runtime = Builder::new_current_thread().enable_io().build();
            runtime.expect("the machine lets a test wait for sockets").block_on(async {
                tokio::select! { () = serving => {} _ = stopped => {} }
            });
        };
        let thread = thread::Builder::new().name("pycket-fault-proxy".to_owned()).spawn(serve);
        let thread = thread.expect("the machine lets a test start threads");
        Self { address, plan, thread: Some((stop, thread)) }
    }

    /// Where it listens: for the client, in the place of the server's own address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Makes the request of the n-th exchange from now on fail, the next one being number 0.
    pub fn fail_request(&self, n: usize, fault: NetworkFault) {
        self.plan.fail_request(n, fault);
    }

    /// Makes the answer of the n-th exchange from now on fail, the next one being number 0. It strikes
    /// when the first byte of the answer is there, so the server has surely got the request.
    pub fn fail_answer(&self, n: usize, fault: NetworkFault) {
        self.plan.fail_answer(n, fault);
    }

    /// How many planned faults have not struck yet.
    pub fn pending(&self) -> usize {
        self.plan.pending()
    }

    /// Waits until all planned faults have struck, so that a test can go on at exactly that moment.
    pub async fn struck(&self) {
        self.plan.struck().await;
    }

    /// Waits for `call`, but for none of its timeouts: from the moment when all planned faults have struck
    /// until the call ends, tokio's clock is paused, and runs ahead whenever nothing else is left to do.
    ///
    /// For one call and faults that leave a silence. What a call does after its timeout, such as
    /// connecting anew, may find that the next one is over too.
    ///
    /// # Panics
    ///
    /// In a multi-threaded runtime, whose clock cannot be paused, or if it is paused already.
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

    /// Closes all connections. When this returns they are closed; new ones may be made.
    pub fn cut_connections(&self) {
        self.plan.cut_connections();
    }

    /// Takes back every fault that has not struck, and passes on what was [delayed](NetworkFault::Delay).
    /// When this returns the server has answered all requests that were.
    ///
    /// # Panics
    ///
    /// If the server does not answer a delayed request within 20 s.
    pub fn heal(&self) {
        self.plan.heal();
    }

    /// How many connections were made.
    pub fn connections(&self) -> usize {
        self.plan.connections()
    }

    /// The exchanges that began since this was last asked, in this order.
    pub fn take_exchanges(&self) -> Vec<Exchange> {
        self.plan.take_exchanges()
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.thread.take() {
            // An error says that it has ended already.
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
