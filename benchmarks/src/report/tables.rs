#![expect(clippy::print_stdout, reason = "the program reports on standard output")]

use super::Run;
use super::goals::{Goal, Limit};
use super::summary::{Clients, Summary};
use crate::bench::{Route, Sample};
use crate::records::Records;
use crate::servers::{Server, StoreKind};

/// Prints the results of a run as Markdown.
pub(crate) fn print(Run { plan, summary, goals }: &Run) {
    println!("\n## {} workers, {} clients", plan.workers, plan.clients);
    for route in Route::ALL {
        println!("\n### {}\n", route.name());
        table(summary, Clients::Many, route);
    }
    for (clients, name) in
        [(Clients::Half, "half of the floor's rate"), (Clients::One, "a single client")]
    {
        for route in [Route::Read, Route::Write] {
            println!("\n### {}, {name}\n", route.name());
            table(summary, clients, route);
        }
    }
    println!("\n### Memory of the servers\n\n| server | MB |\n|---|---:|");
    for server in summary.servers() {
        let bytes = summary.memory(server).unwrap_or(f64::NAN);
        println!("| {} | {:.1} |", server.name(), bytes / 1e6);
    }
    println!("\n### Goals\n\n{}", goals_table(goals));
}

/// The goals as a Markdown table.
fn goals_table(goals: &[Goal]) -> String {
    let mut table = "| what | goal | measured | |\n|---|---:|---:|---|\n".to_owned();
    for Goal { what, limit, value, unit, reached } in goals {
        let limit = match limit {
            Limit::AtMost(limit) => format!("≤ {limit}"),
            Limit::AtLeast(limit) => format!("≥ {limit}"),
        };
        let reached = if *reached { "reached" } else { "**missed**" };
        table += &format!("| {what} | {limit} {unit} | {value:.2} {unit} | {reached} |\n");
    }
    table
}

fn table(summary: &Summary, clients: Clients, route: Route) {
    println!(
        "| server | requests/s | p50 µs | p99 µs | server CPU µs | added CPU µs | × floor | × tower-sessions | store CPU µs | store commands | to store B | from store B |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
    for server in summary.servers() {
        let Some(line) = summary.line(clients, server, route) else { continue };
        let Sample { requests_per_second: rate, latency_p50_us: p50, latency_p99_us: p99, .. } =
            line.sample;
        let Sample { server_cpu_us: cpu, store_cpu_us, store_commands, .. } = line.sample;
        let Sample { store_bytes_received: to, store_bytes_sent: from, .. } = line.sample;
        let ratio = |other| ratio(summary, clients, route, server, other);
        println!(
            "| {} | {rate:.0} | {p50:.0} | {p99:.0} | {cpu:.1} | {:.1} | {} | {} | {store_cpu_us:.1} | {store_commands:.1} | {to:.0} | {from:.0} |",
            server.name(),
            line.added_cpu_us,
            ratio(floor(server)),
            ratio(peer(server)),
        );
    }
}

/// The added processor time as a multiple of that of `other`, or a dash if that says nothing.
fn ratio(
    summary: &Summary,
    clients: Clients,
    route: Route,
    server: Server,
    other: Server,
) -> String {
    if clients != Clients::Many || route == Route::Untouched || server == server.baseline() {
        return "–".to_owned();
    }
    let ratio = summary.added_cpu_ratio(route, [server, other]);
    ratio.map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.2}"))
}

/// The floor on the same kind of runtime and of store.
fn floor(server: Server) -> Server {
    match server.store() {
        StoreKind::Memcached => Server::FloorMemcached,
        _ if server.is_per_core() => Server::FloorPerCore,
        _ => Server::Floor,
    }
}

/// tower-sessions with the same kind of store.
fn peer(server: Server) -> Server {
    match server.store() {
        StoreKind::Memory => Server::TowerSessionsMemory,
        _ => Server::TowerSessionsRedis,
    }
}

/// Prints the measurements of records as Markdown.
pub(crate) fn print_records(records: &Records, goals: &[Goal]) {
    println!(
        "\n## Records\n\n| bytes per small record | pycket | tower-sessions |\n|---|---:|---:|"
    );
    for (store, bytes) in [("memory", &records.memory_bytes), ("Redis", &records.redis_bytes)] {
        println!("| {store} | {:.0} | {:.0} |", bytes.pycket, bytes.tower_sessions);
    }
    println!("\n| µs per operation | at a thousand records | at a million |\n|---|---:|---:|");
    for growth in records.growth.iter().chain(&records.references) {
        let (thousand, million) = (growth.at_a_thousand_us, growth.at_a_million_us);
        println!("| {} | {thousand:.3} | {million:.3} |", growth.operation);
    }
    println!("\n| a record of {} bytes in Redis | bytes |\n|---|---:|", records.large.record_bytes);
    println!("| sent for one small change | {:.0} |", records.large.bytes_sent_for_a_change);
    println!("| … by tower-sessions | {:.0} |", records.large.bytes_sent_by_tower_sessions);
    println!("\n| values | bytes of each | read µs | from Redis B | change µs | to Redis B |");
    println!("|---:|---:|---:|---:|---:|---:|");
    for size in &records.sizes {
        println!(
            "| {} | {} | {:.0} | {:.0} | {:.0} | {:.0} |",
            size.values,
            size.bytes_per_value,
            size.read_us,
            size.received_for_a_read,
            size.change_us,
            size.sent_for_a_change
        );
    }
    println!("\n{}", goals_table(goals));
}
