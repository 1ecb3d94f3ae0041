use std::ffi::OsString;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use tokio::net::TcpSocket;

use super::Server;
use super::server::Kind;

/// How to start a server of any kind; from [`Server::command`].
///
/// In every argument `{port}` stands for the server's port and `{directory}` for its directory, which is empty
/// at first and kept over a restart.
#[derive(Clone, Debug)]
#[must_use]
pub struct ServerCommand {
    program: String,
    args: Vec<String>,
    setup: Vec<Vec<String>>,
    scheme: String,
    socket: Option<String>,
    install: String,
}

impl Server {
    /// A server that runs `program`, for example a database for which the kit has no constructor.
    ///
    /// It is ready when it accepts a connection on its port. See [`ServerCommand`] for the arguments.
    ///
    /// ```no_run
    /// use pycket_testkit::servers::Server;
    ///
    /// let server = Server::command("postgres")
    ///     .setup("initdb", ["--auth=trust", "--username=test", "{directory}/data"])
    ///     .args(["-D", "{directory}/data", "-p", "{port}", "-k", "{directory}"])
    ///     .scheme("postgres")
    ///     .install("Debian and Ubuntu: apt-get install postgresql")
    ///     .start();
    /// println!("{}", server.url());
    /// server.pause();
    /// ```
    pub fn command(program: impl Into<String>) -> ServerCommand {
        let program = program.into();
        ServerCommand {
            install: format!("Install `{program}`, or add it to PATH."),
            program,
            args: Vec::new(),
            setup: Vec::new(),
            scheme: "tcp".to_owned(),
            socket: None,
        }
    }
}

impl ServerCommand {
    /// Arguments of the program.
    pub fn args<A: Into<String>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// A program that runs to its end before the first start, for example to create the database.
    pub fn setup<A: Into<String>>(
        mut self,
        program: impl Into<String>,
        args: impl IntoIterator<Item = A>,
    ) -> Self {
        let words = std::iter::once(program.into()).chain(args.into_iter().map(Into::into));
        self.setup.push(words.collect());
        self
    }

    /// The scheme of [`Server::url`], by default `tcp`.
    pub fn scheme(mut self, scheme: impl Into<String>) -> Self {
        self.scheme = scheme.into();
        self
    }

    /// The name of a Unix socket in the [directory](Server::directory). The server is ready when it accepts a
    /// connection there, and need not listen on its port.
    pub fn socket(mut self, name: impl Into<String>) -> Self {
        self.socket = Some(name.into());
        self
    }

    /// How to install the program. The failure shows it where the program is missing.
    pub fn install(mut self, how: impl Into<String>) -> Self {
        self.install = how.into();
        self
    }

    /// Starts the server. What describes it is kept until the test process ends.
    ///
    /// # Panics
    ///
    /// As described for [`Server`]; also if a program of the setup fails.
    pub fn start(self) -> Server {
        let leak = |text: String| -> &'static str { String::leak(text) };
        Server::launch(Box::leak(Box::new(Kind {
            scheme: leak(self.scheme),
            program: leak(self.program),
            variable: None,
            install: leak(self.install),
            arguments: |_, _| Vec::new(),
            template: self.args.leak(),
            setup: self.setup.leak(),
            probe_socket: self.socket.map(leak),
            probe: "",
            pid_label: "",
            ready: "",
        })))
    }
}

impl Kind {
    pub(super) fn arguments(&self, port: u16, directory: &Path) -> Vec<OsString> {
        let fixed = (self.arguments)(port, directory).into_iter();
        fixed.chain(self.template.iter().map(|word| filled(word, port, directory).into())).collect()
    }

    /// Runs what has to run before the first start.
    pub(super) fn set_up(&self, port: u16, directory: &Path) {
        for words in self.setup {
            let words: Vec<_> = words.iter().map(|word| filled(word, port, directory)).collect();
            let output = Command::new(&words[0]).args(&words[1..]).output();
            let output = output.unwrap_or_else(|error| panic!("`{}`: {error}", words.join(" ")));
            let shown = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "`{}` failed:\n{shown}", words.join(" "));
        }
    }
}

fn filled(word: &str, port: u16, directory: &Path) -> String {
    let directory = directory.to_str().expect("the temporary directory has a name in UTF-8");
    word.replace("{port}", &port.to_string()).replace("{directory}", directory)
}

/// Whether the process has not ended. Without /proc every process counts as running.
pub(super) fn is_running(pid: u32) -> bool {
    let state = fs::read_to_string(format!("/proc/{pid}/stat"));
    let has_ended =
        |state: String| state.rsplit(')').next().is_some_and(|rest| rest.starts_with(" Z"));
    if Path::new("/proc/self").exists() { state.is_ok_and(|state| !has_ended(state)) } else { true }
}

/// A loopback address at which nothing listens, for [`Harness::unreachable`](crate::Harness::unreachable). No
/// other process can take its port while this one runs.
pub fn unreachable_address() -> SocketAddr {
    static BOUND: OnceLock<(TcpSocket, SocketAddr)> = OnceLock::new();
    let bind = || {
        let socket = TcpSocket::new_v4().expect("a socket");
        // Bound, but not listening.
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).expect("a free port");
        let address = socket.local_addr().expect("a bound socket has an address");
        (socket, address)
    };
    BOUND.get_or_init(bind).1
}
