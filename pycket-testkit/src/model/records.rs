//! What a store must answer, in as few words as there are.

use std::collections::BTreeMap;
use std::time::Duration;

use pycket_core::{Creation, Metadata, Record, Timestamp, Update};

use crate::steps::number;

use super::calls::{Call, Delta};

pub(super) type Values = BTreeMap<&'static str, u8>;

/// A record as the store should have it.
#[derive(Debug)]
pub(super) struct Kept {
    created: u64,
    values: Values,
    pub(super) ends: Duration,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Creation(Creation),
    Update(Update),
    Record(Option<Record>),
}

/// The answer to a call, and what the store has under its id afterwards.
pub(super) fn answer(kept: Option<Kept>, call: &Call, now: Duration) -> (Answer, Option<Kept>) {
    match (call, kept) {
        (Call::Create { .. }, Some(kept)) => (Answer::Creation(Creation::Taken), Some(kept)),
        (Call::Create { created, values, life, .. }, None) => {
            let ends = now + life.duration();
            let kept = Kept { created: *created, values: values.clone(), ends };
            (Answer::Creation(Creation::Created), Some(kept))
        }
        (Call::Load { .. } | Call::Pass, kept) => (found(kept.as_ref()), kept),
        (Call::Delete { .. }, kept) => (found(kept.as_ref()), None),
        (Call::Update { .. }, None) => (Answer::Update(Update::Ended), None),
        (Call::Update { delta, .. }, Some(kept)) if !kept.meets(delta) => {
            (Answer::Update(Update::Conflict), Some(kept))
        }
        (Call::Update { delta, life, .. }, Some(mut kept)) => {
            kept.apply(delta);
            kept.ends = life.map_or(kept.ends, |life| now + life.duration());
            (Answer::Update(Update::Applied), Some(kept))
        }
    }
}

impl Kept {
    fn meets(&self, delta: &Delta) -> bool {
        delta.expected.iter().all(|(name, value)| self.values.get(name) == value.as_ref())
    }

    fn apply(&mut self, delta: &Delta) {
        for (name, value) in &delta.writes {
            match value {
                Some(value) => self.values.insert(name, *value),
                None => self.values.remove(name),
            };
        }
        self.created = delta.created.unwrap_or(self.created);
    }
}

fn found(kept: Option<&Kept>) -> Answer {
    Answer::Record(kept.map(|kept| record(kept.created, &kept.values)))
}

pub(super) fn record(created: u64, values: &Values) -> Record {
    let values = values.iter().map(|(name, value)| (*name, number((*value).into())));
    Record::new(metadata(created), values)
}

pub(super) fn metadata(created: u64) -> Metadata {
    Metadata::new(Timestamp::from_unix_millis(created))
}
