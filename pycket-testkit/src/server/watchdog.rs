use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use super::Kind;

const SCRIPT: &str = include_str!("watchdog.sh");

/// A small shell process between the test and the server. Rust runs no destructor when a process is
/// killed or a `static` goes out of use, but the system always closes the pipe that this one reads.
#[derive(Debug)]
pub(super) struct Watchdog {
    process: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    directory: PathBuf,
}

impl Watchdog {
    /// Starts nothing yet but the shell.
    pub(super) fn new(kind: &Kind, port: u16) -> Self {
        require(kind);
        // Kept by us, because the shell removes it, however the test ends.
        let directory = tempfile::Builder::new()
            .prefix("pycket-testkit-")
            .tempdir()
            .expect("a temporary directory for the server")
            .keep();
        let mut process = Command::new("sh")
            .args(["-c", SCRIPT, "watchdog"])
            .arg(&directory)
            .arg(kind.program)
            .args((kind.arguments)(port, &directory))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // An interrupt from the terminal is for the test; the shell ends when the test has ended.
            .process_group(0)
            .spawn()
            .expect("`sh` runs");
        let orders = process.stdin.take();
        let answers = process.stdout.take().map(BufReader::new).expect("stdout is piped");
        Self { process, orders, answers, directory }
    }

    /// Gives an order, waits until it is carried out, and returns the server's process id.
    pub(super) fn tell(&mut self, order: &str) -> String {
        let mut answer = String::new();
        let told = match &mut self.orders {
            Some(orders) => writeln!(orders, "{order}"),
            None => Ok(()),
        };
        let answered = told.and_then(|()| self.answers.read_line(&mut answer));
        if !matches!(answered, Ok(1..)) {
            panic!("the server's watchdog has ended: somebody killed it");
        }
        answer.trim().to_owned()
    }

    /// The server's own, which goes when it goes.
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
        // It has been told to end; if the system cannot say when, there is nothing to be done here.
        let _ = self.process.wait();
    }
}

fn require(kind: &Kind) {
    let version = Command::new(kind.program)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if version.is_err_and(|error| error.kind() == ErrorKind::NotFound) {
        panic!("`{}` is not installed, and this test needs it.\n{}", kind.program, kind.install);
    }
}
