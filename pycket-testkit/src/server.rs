mod cluster;
mod memcached;
mod port;
mod question;
mod redis;
mod sentinel;
mod talk;
#[cfg(feature = "tls")]
mod tls;
mod watchdog;

use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

pub use cluster::RedisCluster;
pub use sentinel::RedisSentinel;
#[cfg(feature = "tls")]
pub use tls::RedisTls;
use watchdog::Watchdog;

const START_LIMIT: Duration = Duration::from_secs(20);
const PORTS_TRIED: usize = 10;

/// A real server as a child process: on a free loopback port, with a directory of its own.
///
/// It ends when this value is dropped, and also when the test process ends in any other way, be it by a
/// signal: a `static` is as good a place for it as any.
///
/// ```no_run
/// use std::sync::OnceLock;
/// use pycket_testkit::Server;
///
/// /// One server for all tests of the process.
/// fn redis() -> &'static Server {
///     static REDIS: OnceLock<Server> = OnceLock::new();
///     REDIS.get_or_init(Server::redis)
/// }
///
/// println!("{}", redis().url());
/// ```
///
/// # Panics
///
/// Every method panics where the server does not do what it says, with the end of the server's log.
#[derive(Debug)]
pub struct Server {
    kind: &'static Kind,
    port: u16,
    watchdog: Mutex<Watchdog>,
}

/// What distinguishes one kind of server from another.
#[derive(Debug)]
struct Kind {
    scheme: &'static str,
    program: &'static str,
    install: &'static str,
    arguments: fn(port: u16, directory: &Path) -> Vec<OsString>,
    door: Door,
    /// What to ask a server, to learn its process id and whether it is ready for work.
    question: &'static str,
    /// `None` as long as the answer is not complete.
    judge: fn(answer: &str, pid: u32) -> Option<State>,
}

/// Where a server is asked whether it is ready.
#[derive(Clone, Copy, Debug)]
enum Door {
    /// Its port.
    Port,
    /// The Unix socket of this name in its directory: its port speaks TLS, and the kit does not.
    #[cfg_attr(not(feature = "tls"), expect(dead_code, reason = "only servers with TLS have one"))]
    Socket(&'static str),
}

/// What a server says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Ready,
    Busy,
    /// It is not ours: the port was taken by another one between our choice and its start.
    Foreign,
}

impl Server {
    /// The URL that a client connects to, such as `redis://127.0.0.1:14321`.
    pub fn url(&self) -> String {
        format!("{}://{}", self.kind.scheme, self.address())
    }

    /// Its address on the loopback interface.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }

    /// Its port, which stays the same over a [`restart`](Self::restart).
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Kills it without a warning (`SIGKILL`). When this returns, nobody listens on the port any more.
    pub fn kill(&self) {
        self.watchdog().tell("kill");
    }

    /// Starts it again on the same port, after killing it if it still runs. When this returns it is
    /// ready; what it had not stored on disk is lost.
    pub fn restart(&self) {
        let mut watchdog = self.watchdog();
        watchdog.tell("kill");
        if !self.start(&mut watchdog) {
            panic!("port {} was taken while `{}` was down", self.port, self.kind.program);
        }
    }

    /// Stops it without ending it (`SIGSTOP`): it still accepts connections and never answers.
    pub fn pause(&self) {
        self.watchdog().tell("pause");
    }

    /// Lets it go on after a [`pause`](Self::pause).
    pub fn resume(&self) {
        self.watchdog().tell("resume");
    }

    fn launch(kind: &'static Kind) -> Self {
        Self::launch_on(kind, port::free)
    }

    fn launch_on(kind: &'static Kind, free_port: fn() -> u16) -> Self {
        for _ in 0..PORTS_TRIED {
            let port = free_port();
            let watchdog = Watchdog::new(kind, port);
            let server = Self { kind, port, watchdog: Mutex::new(watchdog) };
            if server.start(&mut server.watchdog()) {
                return server;
            }
        }
        panic!(
            "all of {PORTS_TRIED} free ports were taken before `{}` could have them",
            kind.program
        );
    }

    /// `false` if somebody else has the port.
    fn start(&self, watchdog: &mut Watchdog) -> bool {
        let answer = watchdog.tell("start");
        let pid = answer.parse().expect("the watchdog tells the server's process id");
        let deadline = Instant::now() + START_LIMIT;
        while Instant::now() < deadline {
            match question::ask(self.kind, self.port, watchdog.directory(), pid) {
                Ok(State::Ready) => return true,
                Ok(State::Foreign) => return false,
                Ok(State::Busy) | Err(_) => std::thread::sleep(Duration::from_millis(5)),
            }
        }
        panic!(
            "`{}` did not get ready within {START_LIMIT:?}; its log ends with:\n{}",
            self.kind.program,
            watchdog.end_of_log()
        );
    }

    #[cfg(feature = "tls")]
    fn directory(&self) -> std::path::PathBuf {
        self.watchdog().directory().to_owned()
    }

    fn watchdog(&self) -> MutexGuard<'_, Watchdog> {
        self.watchdog.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
