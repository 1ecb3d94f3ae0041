//! The servers as processes of their own, and what they use.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use crate::{Result, ServeOptions};

/// A server of the application. It ends when this value is dropped or this program ends.
#[derive(Debug)]
pub(crate) struct ServerProcess {
    program: PathBuf,
    options: ServeOptions,
    pub(crate) address: SocketAddr,
    child: Mutex<Child>,
}

/// What a process holds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    pub(crate) memory_mib: u64,
    pub(crate) descriptors: usize,
}

impl ServerProcess {
    pub(crate) fn start(program: PathBuf, mut options: ServeOptions) -> Result<Self> {
        let (child, address) = spawn(&program, &options)?;
        options.port = address.port();
        Ok(Self { program, options, address, child: Mutex::new(child) })
    }

    /// Kills the process without a warning.
    pub(crate) fn kill(&self) {
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        // The errors say that it has already ended.
        let _ = child.kill();
        let _ = child.wait();
    }

    /// Starts the process again, on the same port.
    pub(crate) fn restart(&self) -> Result<()> {
        let (child, _) = spawn(&self.program, &self.options)?;
        *self.child.lock().unwrap_or_else(PoisonError::into_inner) = child;
        Ok(())
    }

    /// What the process uses now. It needs `/proc`.
    pub(crate) fn usage(&self) -> Result<Usage> {
        let pid = self.child.lock().unwrap_or_else(PoisonError::into_inner).id();
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|rest| rest.trim().strip_suffix(" kB"));
        let kib: u64 = kib.ok_or("`/proc` has no resident memory")?.trim().parse()?;
        let descriptors = fs::read_dir(format!("/proc/{pid}/fd"))?.count();
        Ok(Usage { memory_mib: kib / 1024, descriptors })
    }
}

fn spawn(program: &Path, options: &ServeOptions) -> Result<(Child, SocketAddr)> {
    let mut command = Command::new(program);
    command.arg("serve");
    command.arg(format!("--store={}", options.store.name()));
    command.arg(format!("--url={}", options.url));
    command.arg(format!("--port={}", options.port));
    command.arg(format!("--idle={}", options.idle));
    command.args(options.broken.map(|broken| {
        let name = clap::ValueEnum::to_possible_value(&broken);
        format!("--broken={}", name.map(|name| name.get_name().to_owned()).unwrap_or_default())
    }));
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let stdout = child.stdout.take().ok_or("standard output is not piped")?;
    let mut address = String::new();
    BufReader::new(stdout).read_line(&mut address)?;
    Ok((child, address.trim().parse()?))
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        self.kill();
    }
}
