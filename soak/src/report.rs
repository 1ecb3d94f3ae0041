//! What the run shows: a line every few seconds, and a table at the end.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::chaos::Fault;
use crate::oracle::Tally;
use crate::process::Usage;

/// The judgements, in the order of the table.
const JUDGEMENTS: [(&str, &str); 9] = [
    ("wrong count", "each increment counts once"),
    ("lost write", "an acknowledged value is there"),
    ("lost session", "a session is live until something ends it"),
    ("unlisted", "a live session is among those of its user"),
    ("resurrected", "an ended session and an old id stay ended"),
    ("doubled notification", "a notification is handed out at most once"),
    ("lost notification", "an acknowledged notification is handed out"),
    ("refused notification", "a refused notification does not appear"),
    ("wrong user", "a session keeps its user"),
];

/// How often each fault struck.
pub(crate) type Faults = BTreeMap<Fault, usize>;

pub(crate) fn progress(elapsed: Duration, tally: &Tally, faults: &Faults, usage: Usage) {
    let faults: usize = faults.values().sum();
    let found: u64 = tally.found.values().sum();
    println!(
        "{:>6} s  {:>9} requests  {:>5} in doubt  {faults:>4} faults  {found:>3} findings  \
         {:>4} MiB  {:>3} descriptors",
        elapsed.as_secs(),
        tally.requests,
        tally.in_doubt,
        usage.memory_mib,
        usage.descriptors,
    );
}

pub(crate) fn table(tally: &Tally, faults: &Faults, store: &str, seed: u64) {
    println!("\n{:<24}{:>12}{:>12}{:>10}", "judgement", "strict", "excused", "findings");
    for (kind, promise) in JUDGEMENTS {
        let count = |counts: &BTreeMap<&'static str, u64>| counts.get(kind).copied().unwrap_or(0);
        println!(
            "{kind:<24}{:>12}{:>12}{:>10}  {promise}",
            count(&tally.judged),
            count(&tally.excused),
            count(&tally.found),
        );
    }
    let others = tally.found.iter().filter(|(kind, _)| JUDGEMENTS.iter().all(|it| it.0 != **kind));
    for (kind, count) in others {
        println!("{kind:<24}{:>12}{:>12}{count:>10}", "", "");
    }
    let struck = faults.iter().map(|(fault, count)| format!("{} {count}", fault.name()));
    let struck: Vec<String> = struck.collect();
    println!(
        "\n{} requests: {} acknowledged, {} refused, {} in doubt; slowest {:.1} s, {}",
        tally.requests,
        tally.acknowledged,
        tally.refused,
        tally.in_doubt,
        tally.slowest.0.as_secs_f32(),
        tally.slowest.1,
    );
    println!("{} sessions, {} probes of ended ones", tally.sessions, tally.probes);
    println!("faults: {}", if struck.is_empty() { "none".to_owned() } else { struck.join(", ") });
    tally.findings.iter().for_each(|finding| println!("{finding}"));
    let found: u64 = tally.found.values().sum();
    println!("store {store}, seed {seed}: {found} findings");
}
