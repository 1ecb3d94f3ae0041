use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use pycket_testkit::servers::Server;

/// The shop on a free port. It ends when this is dropped, and also when the test process ends in any other way: the
/// shell around it waits for the end of its own input.
pub(crate) struct Shop {
    shell: Child,
    /// Kept open, because the shop may write to it at any time.
    _stdout: BufReader<ChildStdout>,
    pub(crate) url: String,
}

const SCRIPT: &str = r#""$@" </dev/null & cat >/dev/null; kill $!; wait"#;

impl Shop {
    pub(crate) fn in_memory() -> Self {
        Self::start(&[], None)
    }

    pub(crate) fn on(redis: &Server) -> Self {
        Self::start(&["--redis", &redis.url()], None)
    }

    pub(crate) fn with_secret(redis: &Server, secret: &str) -> Self {
        Self::start(&["--redis", &redis.url()], Some(secret))
    }

    fn start(arguments: &[&str], secret: Option<&str>) -> Self {
        let mut shell = Command::new("sh");
        shell.args(["-c", SCRIPT, "sh", env!("CARGO_BIN_EXE_shop"), "--listen", "127.0.0.1:0"]);
        shell.args(arguments).env_remove("SHOP_SECRET").envs(secret.map(|it| ("SHOP_SECRET", it)));
        let mut shell = shell.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(shell.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let url = line.split(' ').find(|word| word.starts_with("http://"));
        let url = url.expect("the shop prints its address").to_owned();
        Self { shell, _stdout: stdout, url }
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        // An error means that it has ended already.
        let _ = self.shell.wait();
    }
}
