//! The machine that calls a store: a few ids, two handles, and time.

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
use super::script::Script;

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

/// In real time a case takes as long as the sequence with the most passes.
const MOST_PASSES: usize = 2;

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
    vec((0..2_usize, call).prop_map(|(handle, call)| Step { handle, call }), 1..32).prop_map(
        |mut steps| {
            let mut passes = 0;
            steps.retain(|step| {
                passes += usize::from(step.call.id().is_none());
                step.call.id().is_some() || passes <= MOST_PASSES
            });
            steps
        },
    )
}

pub(crate) async fn run(
    (stores, time): ([Store; 2], Time),
    steps: Vec<Step>,
) -> Result<(), String> {
    let ids = [(); IDS].map(|()| SessionId::generate());
    let mut kept: [Option<Kept>; IDS] = [const { None }; IDS];
    let mut script = Script::new(include_str!("calls/head.rs.txt"));
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
        let may_have_ended = matches!(time, Time::Real)
            && before.as_ref().is_some_and(|kept| kept.ends < now + PASS);
        let (mut expected, mut after) = answer(before, call, now);
        let (code, result) = call.make(*handle, &stores, &ids).await;
        let (got, expires_in) = result.unwrap_or_else(|error| (show_error(&error), None));
        if may_have_ended && got != expected {
            let (other, after_other) = answer(None, call, now);
            if got == other {
                (expected, after) = (other, after_other);
            }
        }
        script.assert_eq(&code, &expected);
        if got != expected {
            return Err(script.failure(&expected, &got));
        }
        let rest = after.as_ref().map(|kept| kept.ends - now);
        if !is_right(expires_in, rest, &time) {
            let load = format!("stores[{handle}].load(&ids[{id}]).await?");
            script.line(&format!("println!(\"{{:?}}\", {load}.unwrap().expires_in);"));
            let expected = format!("to expire in {rest:?}, or up to a second later");
            let got = format!("{expires_in:?}");
            return Err(script.failure(&expected, &got));
        }
        kept[id] = after;
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

    /// Makes the call. Returns it as Rust, in the words that the head of the script defines; its answer as
    /// Rust; and the record's remaining time if the call returns it.
    async fn make(
        &self,
        handle: usize,
        stores: &[Store; 2],
        ids: &[SessionId; IDS],
    ) -> (String, Result<(String, Option<Duration>), Error>) {
        let store = &stores[handle];
        let (code, answer) = match self {
            Self::Create { id, created, values, ttl: millis } => {
                let record = record(*created, values);
                let answer = store.create(&ids[*id], &record, ttl(*millis)).await;
                let values: Vec<_> = values.iter().collect();
                let record = format!("record({created}, &{values:?})");
                let code = format!("create(&ids[{id}], &{record}, ttl({millis}))");
                (code, answer.map(|answer| format!("Creation::{answer:?}")))
            }
            Self::Load { id } => {
                let answer = store.load(&ids[*id]).await.map(|loaded| {
                    let expires_in = loaded.as_ref().map(|loaded| loaded.expires_in);
                    (found(loaded.map(|loaded| loaded.record)), expires_in)
                });
                let load = format!("stores[{handle}].load(&ids[{id}]).await?");
                return (format!("shown({load}.map(|found| found.record))"), answer);
            }
            Self::Update { id, delta, ttl: millis } => {
                let (changes, code) = delta.changes();
                let answer = store.update(&ids[*id], &changes, millis.map(ttl)).await;
                let ttl = millis.map_or("None".to_owned(), |millis| format!("Some(ttl({millis}))"));
                let code = format!("update(&ids[{id}], &{code}, {ttl})");
                (code, answer.map(|answer| format!("Update::{answer:?}")))
            }
            Self::Delete { id } => {
                let answer = store.delete(&ids[*id]).await.map(|record| (found(record), None));
                return (format!("shown(stores[{handle}].delete(&ids[{id}]).await?)"), answer);
            }
            Self::Pass => (String::new(), Ok(String::new())),
        };
        (format!("stores[{handle}].{code}.await?"), answer.map(|answer| (answer, None)))
    }
}

impl Delta {
    /// The changes, and the same as Rust.
    fn changes(&self) -> (Changes, String) {
        let (mut changes, mut code) = (Changes::new(), "Changes::new()".to_owned());
        for (name, value) in &self.writes {
            match *value {
                Some(value) => {
                    changes = changes.set(*name, number(value.into()));
                    code += &format!(".set({name:?}, value({value}))");
                }
                None => {
                    changes = changes.remove(*name);
                    code += &format!(".remove({name:?})");
                }
            }
        }
        for (name, value) in &self.expected {
            changes = changes.expect(*name, value.map(|value| number(value.into())));
            let value = value.map_or("None".to_owned(), |value| format!("Some(value({value}))"));
            code += &format!(".expect({name:?}, {value})");
        }
        if let Some(created) = self.created {
            changes = changes.with_metadata(metadata(created));
            code += &format!(".with_metadata(metadata({created}))");
        }
        (changes, code)
    }
}
