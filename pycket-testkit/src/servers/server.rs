use std::env;
use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::command::is_running;
use super::watchdog::Watchdog;
use super::{port, probe};

const START_LIMIT: Duration = Duration::from_secs(20);
const MAX_PORTS: usize = 10;

/// A real server as a child process, with a free loopback port and a directory of its own.
///
/// It ends when this value is dropped. It also ends when the test process ends in another way, for example
/// by a signal, so it may be kept in a `static`.
///
/// # Panics
///
/// The constructors panic if the program is not installed (the message says how to install it) or does not
/// start (the message ends with the last lines of its log). The other methods panic if the server does not
/// obey.
#[derive(Debug)]
pub struct Server {
    kind: &'static Kind,
    port: u16,
    watchdog: Mutex<Watchdog>,
}

/// What differs between the kinds of servers.
#[derive(Debug)]
pub(super) struct Kind {
    pub(super) scheme: &'static str,
    pub(super) program: &'static str,
    /// The environment variable with the path of the program to start instead.
    pub(super) variable: Option<&'static str>,
    /// How to install the program.
    pub(super) install: &'static str,
    pub(super) arguments: fn(port: u16, directory: &Path) -> Vec<OsString>,
    /// More arguments, with `{port}` and `{directory}`.
    pub(super) template: &'static [String],
    /// Programs that run before the first start, with their arguments.
    pub(super) setup: &'static [Vec<String>],
    /// The file name of the Unix socket to probe, where the port speaks TLS only.
    pub(super) probe_socket: Option<&'static str>,
    /// Commands that ask for the process id and whether the server accepts commands. If this is empty, a server
    /// is ready when it accepts a connection.
    pub(super) probe: &'static str,
    /// Stands before the process id in the answer.
    pub(super) pid_label: &'static str,
    /// Ends the answer of a server that accepts commands.
    pub(super) ready: &'static str,
}

impl Kind {
    /// The program to start.
    pub(super) fn program(&self) -> OsString {
        self.chosen().map_or_else(|| self.program.into(), |(_, path)| path)
    }

    /// The variable that names another program, and the path in it.
    pub(super) fn chosen(&self) -> Option<(&'static str, OsString)> {
        let variable = self.variable?;
        let path = env::var_os(variable).filter(|path| !path.is_empty())?;
        Some((variable, path))
    }
}

impl Server {
    /// The URL for a client, such as `redis://127.0.0.1:14321`.
    pub fn url(&self) -> String {
        format!("{}://{}", self.kind.scheme, self.address())
    }

    /// The address on the loopback interface.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }

    /// The port. A [`restart`](Self::restart) keeps it.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The directory of the server, with its data and its Unix sockets. A [`restart`](Self::restart) keeps it.
    pub fn directory(&self) -> PathBuf {
        self.watchdog().directory().to_owned()
    }

    /// Kills the server without a warning (`SIGKILL`). When this returns, nothing listens on the port.
    pub fn kill(&self) {
        self.watchdog().order("kill");
    }

    /// Starts the server again on the same port, after killing it if it still runs. When this returns the
    /// server is ready. Data that it had not stored on disk are lost.
    pub fn restart(&self) {
        let mut watchdog = self.watchdog();
        watchdog.order("kill");
        if !self.start(&mut watchdog) {
            panic!(
                "another process took port {} while `{}` was down",
                self.port, self.kind.program
            );
        }
    }

    /// Stops the server without ending it (`SIGSTOP`): it still accepts connections but never answers.
    pub fn pause(&self) {
        self.watchdog().order("pause");
    }

    /// Continues the server after a [`pause`](Self::pause).
    pub fn resume(&self) {
        self.watchdog().order("resume");
    }

    pub(super) fn launch(kind: &'static Kind) -> Self {
        Self::launch_on(kind, port::free)
    }

    pub(super) fn launch_on(kind: &'static Kind, free_port: fn() -> u16) -> Self {
        for _ in 0..MAX_PORTS {
            let port = free_port();
            let watchdog = Mutex::new(Watchdog::new(kind, port));
            let server = Self { kind, port, watchdog };
            if server.start(&mut server.watchdog()) {
                return server;
            }
        }
        panic!("other processes took {MAX_PORTS} free ports before `{}` started", kind.program);
    }

    /// Returns `false` if another process has the port.
    fn start(&self, watchdog: &mut Watchdog) -> bool {
        let pid = watchdog.order("start").parse().expect("the watchdog answers with a process id");
        let deadline = Instant::now() + START_LIMIT;
        while Instant::now() < deadline {
            match probe::is_ours(self.kind, self.port, watchdog.directory(), pid) {
                Ok(is_ours) => return is_ours,
                Err(_) if !is_running(pid) => break,
                Err(_) => std::thread::sleep(Duration::from_millis(5)),
            }
        }
        panic!(
            "`{}` ended, or was not ready within {START_LIMIT:?}; its log ends with:\n{}",
            self.kind.program,
            watchdog.end_of_log()
        );
    }

    fn watchdog(&self) -> MutexGuard<'_, Watchdog> {
        self.watchdog.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The addresses of several servers, as a URL has them.
pub(super) fn addresses(servers: &[Server]) -> String {
    let addresses: Vec<_> = servers.iter().map(|server| server.address().to_string()).collect();
    addresses.join(",")
}
