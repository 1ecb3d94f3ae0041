use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::cores::Core;
use crate::servers::Server;

/// A server as a child process on its own core. It ends when this value is dropped or this program ends.
pub(crate) struct ServerProcess {
    child: Child,
    pub(crate) address: String,
}

impl ServerProcess {
    pub(crate) fn start(
        server: Server,
        store: Option<&str>,
        workers: usize,
        core: Option<Core>,
    ) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["serve", server.name()]);
        command.arg(format!("--workers={workers}"));
        command.args(store.map(|store| format!("--store={store}")));
        command.args(core.map(|core| format!("--core={core}")));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut address = String::new();
        let stdout = child.stdout.take().context("standard output is not piped")?;
        BufReader::new(stdout).read_line(&mut address)?;
        let address = address.trim().to_owned();
        let process = Self { child, address };
        anyhow::ensure!(!process.address.is_empty(), "`{}` did not start", server.name());
        Ok(process)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // The errors say that it has already ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The processor time of all threads of a process, as the scheduler counts it.
pub(crate) fn processor_time(pid: u32) -> Result<Duration> {
    let mut sum = Duration::ZERO;
    for task in
        fs::read_dir(format!("/proc/{pid}/task")).context("`/proc` has no processor times")?
    {
        // A thread may end during the loop.
        let Ok(schedstat) = fs::read_to_string(task?.path().join("schedstat")) else { continue };
        let nanos = schedstat.split_whitespace().next().unwrap_or_default();
        sum += Duration::from_nanos(
            nanos.parse().context("`schedstat` does not begin with a number")?,
        );
    }
    Ok(sum)
}

/// The resident memory of a process in bytes.
pub(crate) fn resident_memory(pid: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|rest| rest.trim().strip_suffix(" kB"));
    let kib: u64 = kib.context("`/proc` has no resident memory")?.trim().parse()?;
    Ok(kib * 1024)
}
