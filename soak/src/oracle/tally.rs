use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

/// So many findings of one kind are kept with their text.
const KEPT: usize = 5;

/// Something that must not happen.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    pub(crate) kind: &'static str,
    pub(crate) text: String,
    pub(crate) after: Duration,
    /// The last fault that had begun, and how long before.
    pub(crate) fault: Option<(String, Duration)>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, text, after) = (self.kind, &self.text, self.after.as_secs_f32());
        write!(f, "FOUND after {after:.1} s: {kind}: {text}")?;
        let Some((fault, before)) = &self.fault else { return Ok(()) };
        write!(f, " (`{fault}` began {:.1} s before)", before.as_secs_f32())
    }
}

/// What was counted.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    pub(crate) begun: Instant,
    pub(crate) requests: u64,
    pub(crate) acknowledged: u64,
    pub(crate) refused: u64,
    pub(crate) in_doubt: u64,
    pub(crate) sessions: u64,
    pub(crate) probes: u64,
    /// Judgements without and with an excuse.
    pub(crate) judged: BTreeMap<&'static str, u64>,
    pub(crate) excused: BTreeMap<&'static str, u64>,
    pub(crate) found: BTreeMap<&'static str, u64>,
    pub(crate) findings: Vec<Finding>,
    /// The request that took longest.
    pub(crate) slowest: (Duration, String),
    last_fault: Option<(String, Instant)>,
}

impl Tally {
    pub(super) fn new() -> Self {
        Self {
            begun: Instant::now(),
            requests: 0,
            acknowledged: 0,
            refused: 0,
            in_doubt: 0,
            sessions: 0,
            probes: 0,
            judged: BTreeMap::new(),
            excused: BTreeMap::new(),
            found: BTreeMap::new(),
            findings: Vec::new(),
            slowest: (Duration::ZERO, String::new()),
            last_fault: None,
        }
    }

    pub(super) fn took(&mut self, request: &str, time: Duration) {
        if time > self.slowest.0 {
            self.slowest = (time, request.to_owned());
        }
    }

    pub(super) fn fault_begins(&mut self, name: String) {
        self.last_fault = Some((name, Instant::now()));
    }

    pub(super) fn find(&mut self, kind: &'static str, text: String) {
        let count = self.found.entry(kind).or_default();
        *count += 1;
        if *count <= KEPT as u64 {
            let fault = self.last_fault.clone().map(|(name, begun)| (name, begun.elapsed()));
            self.findings.push(Finding { kind, text, after: self.begun.elapsed(), fault });
        }
    }

    /// Counts a judgement, and the finding if there is one and no excuse.
    pub(super) fn judge(&mut self, kind: &'static str, is_excused: bool, wrong: Option<String>) {
        let counts = if is_excused { &mut self.excused } else { &mut self.judged };
        *counts.entry(kind).or_default() += 1;
        if let Some(text) = wrong
            && !is_excused
        {
            self.find(kind, text);
        }
    }
}
