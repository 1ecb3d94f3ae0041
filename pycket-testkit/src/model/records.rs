//! The model of a store: what each call must answer.

use std::collections::BTreeMap;
use std::time::Duration;

use pycket_core::{Metadata, Record, Timestamp};

use crate::fixtures::number;
use crate::shown;

use super::calls::{Call, Delta};

pub(super) type Values = BTreeMap<&'static str, u8>;

/// A record that the store should have.
#[derive(Debug)]
pub(super) struct Kept {
    created: u64,
    values: Values,
    pub(super) ends: Duration,
}

/// The answer to a call, as Rust, and the record that the store should have afterwards.
pub(super) fn answer(kept: Option<Kept>, call: &Call, now: Duration) -> (String, Option<Kept>) {
    let (answer, kept) = match (call, kept) {
        (Call::Create { .. }, Some(kept)) => ("Creation::Taken", Some(kept)),
        (Call::Create { created, values, ttl, .. }, None) => {
            let ends = now + Duration::from_millis(*ttl);
            let kept = Kept { created: *created, values: values.clone(), ends };
            ("Creation::Created", Some(kept))
        }
        (Call::Load { .. } | Call::Pass, kept) => {
            return (found(kept.as_ref().map(Kept::record)), kept);
        }
        (Call::Delete { .. }, kept) => return (found(kept.as_ref().map(Kept::record)), None),
        (Call::Update { .. }, None) => ("Update::Ended", None),
        (Call::Update { delta, .. }, Some(kept)) if !kept.meets(delta) => {
            ("Update::Conflict", Some(kept))
        }
        (Call::Update { delta, ttl, .. }, Some(mut kept)) => {
            kept.apply(delta);
            kept.ends = ttl.map_or(kept.ends, |ttl| now + Duration::from_millis(ttl));
            ("Update::Applied", Some(kept))
        }
    };
    (answer.to_owned(), kept)
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

    fn record(&self) -> Record {
        record(self.created, &self.values)
    }
}

/// A record in an answer, as Rust.
pub(super) fn found(record: Option<Record>) -> String {
    format!("{:?}", shown(record))
}

pub(super) fn record(created: u64, values: &Values) -> Record {
    let values = values.iter().map(|(name, value)| (*name, number((*value).into())));
    Record::new(metadata(created), values)
}

pub(super) fn metadata(created: u64) -> Metadata {
    Metadata::new(Timestamp::from_unix_millis(created))
}
