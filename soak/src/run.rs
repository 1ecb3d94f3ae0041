//! One run: it starts all servers, runs the clients and the faults, and judges what is left.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::chaos::Chaos;
use crate::client::{self, Site};
use crate::oracle::Oracle;
use crate::process::{ServerProcess, Usage};
use crate::report;
use crate::store::{Backend, StoreKind};
use crate::{Options, Result, ServeOptions};

/// How often the run shows its progress.
const PROGRESS: Duration = Duration::from_secs(5);

/// Descriptors that a server may hold more than at its start, when all clients have left.
const MORE_DESCRIPTORS: usize = 40;

/// Returns whether nothing was found.
pub(crate) fn run(options: &Options) -> Result<bool> {
    let faults = options.faults()?;
    let seed = options.seed.unwrap_or_else(|| fastrand::u64(..1_000_000));
    let applications = if options.store == StoreKind::Memory { 1 } else { 2 };
    println!("store {}, seed {seed}, {} s", options.store.name(), options.seconds);
    let backend = Backend::start(options.store, applications);
    let servers: Result<Vec<_>> = (0..applications)
        .map(|application| {
            let program = options.beside.as_ref().filter(|_| application == 1);
            let serve = ServeOptions {
                store: options.store,
                url: backend.url(options.store, application),
                port: 0,
                idle: options.idle,
                broken: options.broken,
            };
            ServerProcess::start(program.cloned().map_or_else(std::env::current_exe, Ok)?, serve)
        })
        .collect();
    let servers = servers?;
    let oracle = Arc::new(Oracle::new(options.idle()));
    let site = Arc::new(Site {
        oracle: oracle.clone(),
        servers: servers.iter().map(|server| server.address).collect(),
        browsers: options.browsers,
        limit: Duration::from_secs(options.limit),
        is_over: AtomicBool::new(false),
    });
    let chaos = Chaos::new(options.store, &backend, &servers, &oracle, faults, seed);
    let before = first(&servers)?.usage()?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    thread::scope(|scope| {
        let striking = scope.spawn(|| chaos.strike_until_over());
        let clients = runtime.spawn({
            let site = site.clone();
            async move { client::browse(&site, seed).await }
        });
        let usages = watch(options, &site, &chaos, first(&servers));
        chaos.end();
        let struck = striking.join().map_err(|_| "a server of the store did not obey");
        site.is_over.store(true, Ordering::Relaxed);
        runtime.block_on(clients)?;
        struck?;
        if options.broken.is_none() {
            judge_memory(&oracle, &usages?);
            runtime.block_on(judge_rest(options, &site, &backend, seed))?;
            judge_descriptors(&oracle, first(&servers)?, before)?;
        }
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
    })?;
    let tally = oracle.tally();
    report::table(&tally, &chaos.struck(), &options.store.name(), seed);
    Ok(tally.findings.is_empty())
}

/// The first server is never killed where there are two, so that its memory shows a leak.
fn first(servers: &[ServerProcess]) -> Result<&ServerProcess> {
    servers.first().ok_or_else(|| "there is no server".into())
}

/// Shows the progress until the time is over. Returns what the first server used meanwhile.
fn watch(
    options: &Options,
    site: &Site,
    chaos: &Chaos<'_>,
    server: Result<&ServerProcess>,
) -> Result<Vec<Usage>> {
    let server = server?;
    let begin = Instant::now();
    let (mut shown, mut shown_findings) = (Duration::ZERO, 0);
    let mut usages = Vec::new();
    while begin.elapsed() < Duration::from_secs(options.seconds) {
        thread::sleep(Duration::from_millis(250));
        if options.broken.is_some_and(|broken| site.oracle.has_found(broken.finding())) {
            break;
        }
        if begin.elapsed() > shown + PROGRESS {
            shown = begin.elapsed();
            // A server that is down for a moment is looked at the next time.
            if let Ok(usage) = server.usage() {
                usages.push(usage);
            }
            let usage = usages.last().copied().unwrap_or_default();
            let tally = site.oracle.tally();
            tally.findings.iter().skip(shown_findings).for_each(|it| println!("{it}"));
            shown_findings = tally.findings.len();
            report::progress(shown, &tally, &chaos.struck(), usage);
        }
    }
    Ok(usages)
}

/// In the last third of the run the memory is as in the second, but for a third.
fn judge_memory(oracle: &Oracle, usages: &[Usage]) {
    let third = usages.len() / 3;
    let most = |usages: &[Usage]| usages.iter().map(|usage| usage.memory_mib).max().unwrap_or(0);
    let parts: Vec<u64> = usages.chunks(third.max(1)).map(most).collect();
    if let [_, middle, end, ..] = parts[..]
        && end > middle * 4 / 3 + 8
        && third > 3
    {
        oracle.find("memory", format!("a server grew from {middle} to {end} MiB"));
    }
}

/// After all sessions have ended, none is live and the store is empty.
async fn judge_rest(
    options: &Options,
    site: &Arc<Site>,
    backend: &Backend,
    seed: u64,
) -> Result<()> {
    println!("waiting until all sessions have ended");
    client::probe_all(site, seed, site.oracle.dead().min(2000)).await;
    let begin = Instant::now();
    let longest = options.idle() * 2 + Duration::from_secs(20);
    loop {
        let Some(records) = backend.records(options.store)? else { break };
        if records == 0 {
            println!("the store is empty after {} s", begin.elapsed().as_secs());
            break;
        }
        if begin.elapsed() > longest {
            let text = format!("{records} records are left {longest:?} after the last request");
            site.oracle.find("orphan", text);
            break;
        }
        sleep(Duration::from_secs(1)).await;
    }
    client::probe_all(site, seed + 1, site.oracle.dead().min(2000)).await;
    Ok(())
}

fn judge_descriptors(oracle: &Oracle, server: &ServerProcess, before: Usage) -> Result<()> {
    let after = server.usage()?;
    if after.descriptors > before.descriptors + MORE_DESCRIPTORS {
        let (before, after) = (before.descriptors, after.descriptors);
        oracle.find("descriptors", format!("a server holds {after}, at its start {before}"));
    }
    Ok(())
}
