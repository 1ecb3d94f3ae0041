use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Result;
use serde::Serialize;

use super::chart::chart;
use super::goals::Goal;
use super::summary::{Clients, Line, Summary};
use crate::bench::{Plan, Route};
use crate::records::Records;
use crate::servers::Server;

/// All results, for programs.
#[derive(Serialize)]
struct File<'a> {
    /// The day, as in `2025-12-31`.
    date: String,
    machine: Machine,
    rounds: usize,
    turns: usize,
    slice_ms: u128,
    clients: usize,
    busy: BTreeMap<Server, BTreeMap<Route, Line>>,
    alone: BTreeMap<Server, BTreeMap<Route, Line>>,
    resident_memory_bytes: BTreeMap<Server, f64>,
    records: &'a Records,
    goals: &'a [Goal],
}

/// The machine. Contains nothing that identifies a single machine.
#[derive(Serialize)]
struct Machine {
    processor: String,
    cores: usize,
    kernel: String,
}

/// Writes `performance.json` and `performance.svg` into `folder`.
pub(crate) fn write(
    folder: &Path,
    plan: &Plan,
    summary: &Summary,
    records: &Records,
    goals: &[Goal],
) -> Result<()> {
    let memory = |server: &Server| Some((*server, summary.memory(*server)?));
    let file = File {
        date: time::OffsetDateTime::now_utc().date().to_string(),
        machine: machine(plan.cores),
        rounds: summary.rounds(),
        turns: plan.turns,
        slice_ms: plan.slice.as_millis(),
        clients: plan.clients,
        busy: lines(summary, Clients::Many),
        alone: lines(summary, Clients::One),
        resident_memory_bytes: summary.servers().iter().filter_map(memory).collect(),
        records,
        goals,
    };
    fs::create_dir_all(folder)?;
    fs::write(folder.join("performance.json"), serde_json::to_string_pretty(&file)? + "\n")?;
    fs::write(folder.join("performance.svg"), chart(summary))?;
    Ok(())
}

fn lines(summary: &Summary, clients: Clients) -> BTreeMap<Server, BTreeMap<Route, Line>> {
    let of = |server: Server| {
        let line = |route| Some((route, summary.line(clients, server, route)?));
        (server, Route::ALL.into_iter().filter_map(line).collect())
    };
    summary.servers().into_iter().map(of).collect()
}

fn machine(cores: usize) -> Machine {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let processors = read("/proc/cpuinfo");
    let model = processors.lines().find_map(|line| line.strip_prefix("model name"));
    let model = model.and_then(|rest| rest.split_once(':')).map(|(_, model)| model.trim());
    let release = read("/proc/sys/kernel/osrelease");
    // The rest after the version names the build of a distribution or a cloud.
    let kernel = release.split('-').next().unwrap_or_default().trim();
    Machine {
        processor: model.unwrap_or("unknown").to_owned(),
        cores,
        kernel: format!("Linux {kernel}"),
    }
}
