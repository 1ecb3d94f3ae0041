use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use pycket_testkit::Server;

use crate::visitor::Visitor;

/// Longer than the program takes for anything on a busy machine; what takes longer hangs.
const LIMIT: Duration = Duration::from_secs(30);

/// The demo as a process of its own, on a free loopback port. It ends when this is dropped, and also when
/// the test process ends in any other way.
pub(crate) struct Demo {
    process: Child,
    watchdog: Child,
    /// Kept open: a program may write to it at any time.
    _stdout: BufReader<ChildStdout>,
    stderr: tempfile::NamedTempFile,
    url: String,
}

/// How a program ended that was not expected to serve.
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) stderr: String,
}

/// Demos that keep their sessions in memory, in Redis, in memcached, and in three of these.
pub(crate) fn one_of_each_store() -> [Demo; 4] {
    let [memory, redis] = one_of_each_store_without_item_limit();
    let [one, two, three] = memcached().each_ref().map(|server| server.address().to_string());
    let single = Demo::start(&["--store", &format!("memcache://{one}")]);
    let several = Demo::start(&["--store", &format!("memcache://{one},{two},{three}")]);
    [memory, redis, single, several]
}

/// Demos that keep their sessions in memory and in Redis: memcached takes 1 MB at most.
pub(crate) fn one_of_each_store_without_item_limit() -> [Demo; 2] {
    [Demo::start(&[]), Demo::start(&["--store", &redis().url()])]
}

fn memcached() -> &'static [Server; 3] {
    static MEMCACHED: OnceLock<[Server; 3]> = OnceLock::new();
    MEMCACHED.get_or_init(|| std::array::from_fn(|_| Server::memcached()))
}

/// One Redis for all tests that leave it as it is.
pub(crate) fn redis() -> &'static Server {
    static REDIS: OnceLock<Server> = OnceLock::new();
    REDIS.get_or_init(Server::redis)
}

impl Demo {
    /// Returns when it accepts connections.
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

    /// The host and port, for those who speak TCP.
    pub(crate) fn address(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    pub(crate) fn visitor(&self) -> Visitor {
        Visitor::new(&self.url)
    }

    /// What it wrote to its standard error.
    pub(crate) fn log(&self) -> String {
        let mut log = String::new();
        self.stderr.reopen().unwrap().read_to_string(&mut log).unwrap();
        log
    }

    /// What Ctrl-C in a terminal does.
    pub(crate) fn interrupt(&self) {
        let pid = self.process.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    }

    /// Waits until it has ended by itself.
    pub(crate) fn end(mut self) -> Ended {
        let status = wait(&mut self.process);
        Ended { status, stderr: self.log() }
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // An error says that it has ended already. The watchdog first: a process id may be used again.
        let _ = self.watchdog.kill();
        let _ = self.watchdog.wait();
        let _ = self.process.kill();
        let _ = self.process.wait();
        let log = self.log();
        if !std::thread::panicking() {
            assert!(!log.contains("panicked"), "no request makes the demo panic: {log}");
        }
    }
}

/// Starts the demo with arguments that it cannot serve with.
pub(crate) fn refuse(arguments: &[&str]) -> Ended {
    let stderr = tempfile::NamedTempFile::new().unwrap();
    let mut process = command(arguments, stderr.as_file()).spawn().unwrap();
    let status = wait(&mut process);
    Ended { status, stderr: std::fs::read_to_string(stderr.path()).unwrap() }
}

fn command(arguments: &[&str], stderr: &File) -> Command {
    let mut command = Command::new(built());
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

/// The system closes the pipe that this one reads, however the test process ends.
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

/// The program, built as these tests were: cargo builds no examples for a single test program.
fn built() -> &'static PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let test = std::env::current_exe().unwrap();
        let profile_dir = test.ancestors().nth(2).unwrap();
        let profile = match profile_dir.file_name().unwrap().to_str().unwrap() {
            "debug" => "dev",
            profile => profile,
        };
        let status = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "-p", "pycket-axum", "--example", "demo"])
            .args(["--profile", profile, "--target-dir"])
            .arg(profile_dir.parent().unwrap())
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status()
            .unwrap();
        assert!(status.success(), "the demo does not build");
        profile_dir.join("examples").join("demo")
    })
}
