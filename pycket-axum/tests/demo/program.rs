use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use pycket_testkit::servers::Server;

use crate::client::Client;

/// The maximum time until the program exits, even on a busy machine.
const LIMIT: Duration = Duration::from_secs(30);

/// The demo as a process on a free loopback port. It ends when this is dropped or when the test process ends.
pub(crate) struct Demo {
    process: Child,
    watchdog: Child,
    /// Kept open, because the program may write to it at any time.
    _stdout: BufReader<ChildStdout>,
    stderr: tempfile::NamedTempFile,
    url: String,
}

/// How the program ended.
pub(crate) struct Exit {
    pub(crate) status: ExitStatus,
    pub(crate) stderr: String,
}

/// Demos with their sessions in memory, in Redis, in one memcached, and in three memcached servers.
pub(crate) fn one_of_each_store() -> [Demo; 4] {
    let [memory, redis] = one_of_each_store_without_item_limit();
    let [one, two, three] = memcached().each_ref().map(|server| server.address().to_string());
    let single = Demo::start(&["--store", &format!("memcache://{one}")]);
    let several = Demo::start(&["--store", &format!("memcache://{one},{two},{three}")]);
    [memory, redis, single, several]
}

/// Demos with their sessions in memory and in Redis. memcached accepts items of at most 1 MB.
pub(crate) fn one_of_each_store_without_item_limit() -> [Demo; 2] {
    [Demo::start(&[]), Demo::start(&["--store", &redis().url()])]
}

fn memcached() -> &'static [Server; 3] {
    static MEMCACHED: OnceLock<[Server; 3]> = OnceLock::new();
    MEMCACHED.get_or_init(|| std::array::from_fn(|_| Server::memcached()))
}

/// The Redis of all tests that do not stop or change the server.
pub(crate) fn redis() -> &'static Server {
    static REDIS: OnceLock<Server> = OnceLock::new();
    REDIS.get_or_init(Server::redis)
}

impl Demo {
    /// Starts the demo and waits until it accepts connections.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let stderr = tempfile::NamedTempFile::new().unwrap();
        let mut process = command(arguments, stderr.as_file()).spawn().unwrap();
        let watchdog = watch(&process);
        let mut stdout = process.stdout.take().map(BufReader::new).unwrap();
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let mut demo = Self { process, watchdog, _stdout: stdout, stderr, url: String::new() };
        let url = line.strip_prefix("Listening on ").and_then(|rest| rest.split(' ').next());
        demo.url = url.unwrap_or_else(|| panic!("{line:?}, {}", demo.log())).to_owned();
        demo
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The host and the port.
    pub(crate) fn address(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(&self.url)
    }

    /// The standard error output of the demo.
    pub(crate) fn log(&self) -> String {
        let mut log = String::new();
        self.stderr.reopen().unwrap().read_to_string(&mut log).unwrap();
        log
    }

    /// Sends the signal of Ctrl-C.
    pub(crate) fn interrupt(&self) {
        let pid = self.process.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    }

    /// Waits until the program exits.
    pub(crate) fn exit(mut self) -> Exit {
        let status = wait(&mut self.process);
        Exit { status, stderr: self.log() }
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // An error means that the process has ended. The watchdog ends first, because it knows the demo by its
        // process id, which the system may use again.
        let _ = self.watchdog.kill();
        let _ = self.watchdog.wait();
        let _ = self.process.kill();
        let _ = self.process.wait();
        let log = self.log();
        if !std::thread::panicking() {
            assert!(!log.contains("panicked"), "the demo panicked: {log}");
        }
    }
}

/// Starts the demo with invalid arguments and waits until it exits.
pub(crate) fn start_invalid(arguments: &[&str]) -> Exit {
    let stderr = tempfile::NamedTempFile::new().unwrap();
    let mut process = command(arguments, stderr.as_file()).spawn().unwrap();
    let status = wait(&mut process);
    Exit { status, stderr: std::fs::read_to_string(stderr.path()).unwrap() }
}

fn command(arguments: &[&str], stderr: &File) -> Command {
    let mut command = Command::new(program());
    if !arguments.contains(&"--listen") {
        command.args(["--listen", "127.0.0.1:0"]);
    }
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(stderr.try_clone().unwrap());
    command
}

/// Starts a process that kills the demo when the test process ends: the system then closes its input.
fn watch(process: &Child) -> Child {
    Command::new("sh")
        .args(["-c", "read -r _; kill -9 \"$0\"", &process.id().to_string()])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap()
}

fn wait(process: &mut Child) -> ExitStatus {
    let deadline = Instant::now() + LIMIT;
    loop {
        if let Some(status) = process.try_wait().unwrap() {
            return status;
        }
        if Instant::now() > deadline {
            let _ = process.kill();
            let _ = process.wait();
            panic!("the demo did not end within {LIMIT:?}");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The program, built with the profile of the tests. Cargo builds no examples for a single test program.
///
/// With all members and features, as in `cargo xtask ci`: there it is built already.
fn program() -> &'static PathBuf {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let test = std::env::current_exe().unwrap();
        let profile_dir = test.ancestors().nth(2).unwrap();
        let profile = match profile_dir.file_name().unwrap().to_str().unwrap() {
            "debug" => "dev",
            profile => profile,
        };
        let mut cargo = Command::new(env!("CARGO"));
        cargo
            .args(["build", "--quiet", "--workspace", "--all-features", "--example", "demo"])
            .args(["--profile", profile, "--target-dir"])
            .arg(profile_dir.parent().unwrap())
            .current_dir(env!("CARGO_MANIFEST_DIR"));
        // Build scripts that watch these variables would rebuild their crates, ring among them.
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
                cargo.env_remove(&name);
            }
        }
        assert!(cargo.status().unwrap().success(), "the demo does not build");
        profile_dir.join("examples").join("demo")
    })
}
