use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use super::server::Kind;

const SCRIPT: &str = include_str!("watchdog.sh");

/// A small shell process between the test and the server. It ends the server when its stdin closes: Rust
/// runs no destructor for a `static` or in a killed process, but the system always closes the pipe.
#[derive(Debug)]
pub(super) struct Watchdog {
    process: Child,
    /// `None` while this is being dropped.
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    directory: PathBuf,
}

impl Watchdog {
    /// Starts the shell, but not the server yet.
    pub(super) fn new(kind: &Kind, port: u16) -> Self {
        require(kind);
        // The shell removes it, so that it also goes when the test process is killed.
        let directory = tempfile::Builder::new()
            .prefix("pycket-testkit-")
            .tempdir()
            .expect("a temporary directory for the server")
            .keep();
        kind.set_up(port, &directory);
        let mut process = Command::new("sh")
            .args(["-c", SCRIPT, "watchdog"])
            .arg(&directory)
            .arg(kind.program())
            .args(kind.arguments(port, &directory))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // An interrupt from the terminal goes to the test only; the shell ends after the test.
            .process_group(0)
            .spawn()
            .expect("`sh` runs");
        let orders = process.stdin.take();
        let answers = process.stdout.take().map(BufReader::new).expect("stdout is piped");
        Self { process, orders, answers, directory }
    }

    /// Gives an order, waits until it is carried out, and returns the server's process id.
    pub(super) fn order(&mut self, order: &str) -> String {
        let mut answer = String::new();
        let sent = self.orders.as_mut().map_or(Ok(()), |orders| writeln!(orders, "{order}"));
        let received = sent.and_then(|()| self.answers.read_line(&mut answer));
        if !matches!(received, Ok(1..)) {
            panic!("the server's watchdog was killed");
        }
        answer.trim().to_owned()
    }

    /// The server's own directory. It is removed when the server ends.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(super) fn end_of_log(&self) -> String {
        let log = std::fs::read(self.directory.join("log")).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(self.orders.take());
        let _ = self.process.wait();
    }
}

fn require(kind: &Kind) {
    let version = Command::new(kind.program())
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let Err(error) = version else { return };
    match kind.chosen() {
        Some((variable, path)) => panic!(
            "`{}`, which `{variable}` names, cannot be started: {error}; set the absolute path of a server, or \
             remove the variable",
            path.display()
        ),
        None if error.kind() == ErrorKind::NotFound => {
            panic!("`{}` is not installed; this test needs it.\n{}", kind.program, kind.install)
        }
        None => {}
    }
}
