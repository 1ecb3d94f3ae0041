use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Result;
use serde::Serialize;

use super::Run;
use super::chart;
use super::goals::Goal;
use super::summary::{Clients, Line, Summary};
use crate::bench::Route;
use crate::cores;
use crate::records::Records;
use crate::servers::Server;

/// All results, for programs.
#[derive(Serialize)]
struct File<'a> {
    /// The day, as in `2025-12-31`.
    date: String,
    machine: Machine,
    runs: Vec<FileRun<'a>>,
    records: &'a Records,
    /// The goals of the records.
    goals: &'a [Goal],
}

#[derive(Serialize)]
struct FileRun<'a> {
    /// The number of worker threads of each server.
    workers: usize,
    rounds: usize,
    turns: usize,
    slice_ms: u128,
    clients: usize,
    busy: BTreeMap<Server, BTreeMap<Route, Line>>,
    half: BTreeMap<Server, BTreeMap<Route, Line>>,
    alone: BTreeMap<Server, BTreeMap<Route, Line>>,
    resident_memory_bytes: BTreeMap<Server, f64>,
    goals: &'a [Goal],
}

/// The machine. Contains nothing that identifies a single machine.
#[derive(Serialize)]
struct Machine {
    processor: String,
    cores: usize,
    kernel: String,
}

/// Writes `performance.json`, `performance.svg` and `growth.svg` into `folder`. `performance.svg` shows the first run.
pub(crate) fn write(folder: &Path, runs: &[Run], records: &Records, goals: &[Goal]) -> Result<()> {
    let file = File {
        date: time::OffsetDateTime::now_utc().date().to_string(),
        machine: machine(),
        runs: runs.iter().map(FileRun::from).collect(),
        records,
        goals,
    };
    fs::create_dir_all(folder)?;
    fs::write(folder.join("performance.json"), serde_json::to_string_pretty(&file)? + "\n")?;
    if let Some(run) = runs.first() {
        fs::write(folder.join("performance.svg"), chart::costs(&run.summary))?;
    }
    fs::write(folder.join("growth.svg"), chart::growth(&records.sizes))?;
    Ok(())
}

impl<'a> From<&'a Run> for FileRun<'a> {
    fn from(Run { plan, summary, goals }: &'a Run) -> Self {
        let memory = |server: &Server| Some((*server, summary.memory(*server)?));
        Self {
            workers: plan.workers,
            rounds: summary.rounds(),
            turns: plan.turns,
            slice_ms: plan.slice.as_millis(),
            clients: plan.clients,
            busy: lines(summary, Clients::Many),
            half: lines(summary, Clients::Half),
            alone: lines(summary, Clients::One),
            resident_memory_bytes: summary.servers().iter().filter_map(memory).collect(),
            goals,
        }
    }
}

fn lines(summary: &Summary, clients: Clients) -> BTreeMap<Server, BTreeMap<Route, Line>> {
    let of = |server: Server| {
        let line = |route| Some((route, summary.line(clients, server, route)?));
        (server, Route::ALL.into_iter().filter_map(line).collect())
    };
    summary.servers().into_iter().map(of).collect()
}

fn machine() -> Machine {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let processors = read("/proc/cpuinfo");
    let model = processors.lines().find_map(|line| line.strip_prefix("model name"));
    let model = model.and_then(|rest| rest.split_once(':')).map(|(_, model)| model.trim());
    let release = read("/proc/sys/kernel/osrelease");
    // The rest after the version names the build of a distribution or a cloud.
    let kernel = release.split('-').next().unwrap_or_default().trim();
    Machine {
        processor: model.unwrap_or("unknown").to_owned(),
        cores: cores::number(),
        kernel: format!("Linux {kernel}"),
    }
}
