//! The machine that calls a store: a few ids, two handles, and time.

mod code;

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::{Just, Strategy, prop_oneof};
use proptest::sample::select;
use pycket_core::{Changes, Error, SessionId};

use crate::Time;
use crate::check::show_error;
use crate::fixtures::{Store, number, ttl};

use super::records::{Kept, Values, answer, found, metadata, record};
use super::script::{Failure, Script};

const IDS: usize = 3;
const NAMES: [&str; 3] = ["a", "b", "c"];

/// In milliseconds.
const HOUR: u64 = 3_600_000;

/// More than the thirty days that some engines read as a date.
const QUARTER: u64 = 90 * 24 * HOUR;

/// Has passed after [`PASS`].
const SHORT: u64 = 100;

/// After this time a record with the short ttl has ended in every store: it may live a second longer.
const PASS: Duration = Duration::from_millis(1_200);

#[derive(Clone, Debug)]
pub(crate) struct Step {
    handle: usize,
    call: Call,
}

#[derive(Clone, Debug)]
pub(super) enum Call {
    Create { id: usize, created: u64, values: Values, ttl: u64 },
    Load { id: usize },
    Update { id: usize, delta: Delta, ttl: Option<u64> },
    Delete { id: usize },
    Pass,
}

#[derive(Clone, Debug)]
pub(super) struct Delta {
    pub(super) writes: BTreeMap<&'static str, Option<u8>>,
    pub(super) expected: BTreeMap<&'static str, Option<u8>>,
    pub(super) created: Option<u64>,
}

pub(crate) fn sequences() -> impl Strategy<Value = Vec<Step>> {
    let id = || 0..IDS;
    let ttl = || prop_oneof![Just(HOUR), Just(QUARTER), Just(SHORT)];
    let name = || select(&NAMES[..]);
    let values = btree_map(name(), 0..4_u8, 0..3);
    let writes = btree_map(name(), option::of(0..4_u8), 0..3);
    let expected = prop_oneof![
        2 => Just(BTreeMap::new()),
        1 => btree_map(name(), option::of(0..4_u8), 1..3),
    ];
    let created = prop_oneof![4 => Just(None), 1 => (1..4_u64).prop_map(Some)];
    let delta = (writes, expected, created);
    let delta = delta.prop_map(|(writes, expected, created)| Delta { writes, expected, created });
    let call = prop_oneof![
        5 => (id(), 1..4_u64, values, ttl())
            .prop_map(|(id, created, values, ttl)| Call::Create { id, created, values, ttl }),
        6 => id().prop_map(|id| Call::Load { id }),
        9 => (id(), delta, option::of(ttl()))
            .prop_map(|(id, delta, ttl)| Call::Update { id, delta, ttl }),
        3 => id().prop_map(|id| Call::Delete { id }),
        1 => Just(Call::Pass),
    ];
    vec((0..2_usize, call).prop_map(|(handle, call)| Step { handle, call }), 1..32)
}

pub(crate) async fn run(
    (stores, time): ([Store; 2], Time),
    steps: Vec<Step>,
) -> Result<(), Failure> {
    let ids = [(); IDS].map(|()| SessionId::generate());
    let mut kept: [Option<Kept>; IDS] = [const { None }; IDS];
    let mut script = Script::default();
    let mut now = Duration::ZERO;
    for Step { handle, call } in &steps {
        let Some(id) = call.id() else {
            time.pass(PASS).await;
            now += PASS;
            kept = kept.map(|kept| kept.filter(|kept| kept.ends > now));
            script.line("harness.time().pass(pass).await;");
            continue;
        };
        let before = kept[id].take();
        // In real time a short ttl may have passed already.
        let may_have_ended = before.as_ref().is_some_and(|kept| kept.ends < now + PASS)
            && matches!(time, Time::Real);
        let (expected, after) = answer(before, call, now);
        let other = may_have_ended.then(|| answer(None, call, now));
        let code = call.code(*handle);
        match call.make(&stores[*handle], &ids).await {
            Ok((got, expires_in)) if got == expected => {
                script.assert_eq(&code, &expected);
                let rest = after.as_ref().map(|kept| kept.ends - now);
                if !is_right(expires_in, rest, &time) {
                    script.line(call.code_of_expires_in(*handle));
                    let expected = format!("to expire in {rest:?}, or up to a second later");
                    let got = format!("{expires_in:?}");
                    return Err(Failure { script: script.of_calls(), expected, got });
                }
                kept[id] = after;
            }
            Ok((got, _)) if other.as_ref().is_some_and(|(other, _)| *other == got) => {
                script.assert_eq(&code, &got);
                kept[id] = other.and_then(|(_, after)| after);
            }
            wrong => {
                script.assert_eq(&code, &expected);
                let got = wrong.map_or_else(|error| show_error(&error), |(got, _)| got);
                return Err(Failure { script: script.of_calls(), expected, got });
            }
        }
    }
    Ok(())
}

/// Real time passes by itself, so only a manual clock shows that too little time remains.
fn is_right(expires_in: Option<Duration>, rest: Option<Duration>, time: &Time) -> bool {
    let (Some(expires_in), Some(rest)) = (expires_in, rest) else {
        return true;
    };
    let at_least = match time {
        Time::Real => Duration::ZERO,
        Time::Manual(_) => rest,
    };
    (at_least..=rest + Duration::from_secs(1)).contains(&expires_in)
}

impl Call {
    /// The record that the call is about; `None` for the passing of time.
    fn id(&self) -> Option<usize> {
        match *self {
            Self::Create { id, .. }
            | Self::Load { id }
            | Self::Update { id, .. }
            | Self::Delete { id } => Some(id),
            Self::Pass => None,
        }
    }

    /// The answer as Rust, and the record's remaining time if the call returns it.
    async fn make(
        &self,
        store: &Store,
        ids: &[SessionId; IDS],
    ) -> Result<(String, Option<Duration>), Error> {
        let answer = match self {
            Self::Create { id, created, values, ttl: millis } => {
                let record = record(*created, values);
                let answer = store.create(&ids[*id], &record, ttl(*millis)).await?;
                format!("Creation::{answer:?}")
            }
            Self::Load { id } => {
                let loaded = store.load(&ids[*id]).await?;
                let expires_in = loaded.as_ref().map(|loaded| loaded.expires_in);
                return Ok((found(loaded.map(|loaded| loaded.record)), expires_in));
            }
            Self::Update { id, delta, ttl: millis } => {
                let answer = store.update(&ids[*id], &delta.changes(), millis.map(ttl)).await?;
                format!("Update::{answer:?}")
            }
            Self::Delete { id } => found(store.delete(&ids[*id]).await?),
            Self::Pass => String::new(),
        };
        Ok((answer, None))
    }
}

impl Delta {
    fn changes(&self) -> Changes {
        let mut changes = Changes::new();
        for (name, value) in &self.writes {
            changes = match value {
                Some(value) => changes.set(*name, number((*value).into())),
                None => changes.remove(*name),
            };
        }
        for (name, value) in &self.expected {
            changes = changes.expect(*name, value.map(|value| number(value.into())));
        }
        match self.created {
            Some(created) => changes.with_metadata(metadata(created)),
            None => changes,
        }
    }
}
