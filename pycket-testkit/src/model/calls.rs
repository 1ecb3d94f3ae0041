//! The machine that calls a store: a few ids, two handles, and time.

mod code;

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::collection::{btree_map, vec};
use proptest::prelude::{Just, Strategy, prop_oneof};
use proptest::sample::select;
use pycket_core::{Changes, Error, SessionId, Ttl};

use crate::Time;
use crate::check::show_error;
use crate::steps::{Store, number, ttl};

use super::failure::Failure;
use super::records::{Answer, Kept, Values, answer, metadata, record};
use super::script::Script;

const IDS: usize = 3;
const NAMES: [&str; 3] = ["a", "b", "c"];

/// After this a short life is over, in every store: it may last a second longer than asked.
const PASS: Duration = Duration::from_millis(1_200);

#[derive(Clone, Debug)]
pub(crate) struct Step {
    handle: usize,
    call: Call,
}

#[derive(Clone, Debug)]
pub(super) enum Call {
    Create { id: usize, created: u64, values: Values, life: Life },
    Load { id: usize },
    Update { id: usize, delta: Delta, life: Option<Life> },
    Delete { id: usize },
    Pass,
}

#[derive(Clone, Debug)]
pub(super) struct Delta {
    pub(super) writes: BTreeMap<&'static str, Option<u8>>,
    pub(super) expected: BTreeMap<&'static str, Option<u8>>,
    pub(super) created: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Life {
    /// Over after [`PASS`].
    Short,
    Hour,
    /// More than the thirty days that some engines read as a date.
    Quarter,
}

pub(crate) fn sequences() -> impl Strategy<Value = Vec<Step>> {
    let name = || select(&NAMES[..]);
    let id = || 0..IDS;
    let life = || prop_oneof![Just(Life::Hour), Just(Life::Quarter), Just(Life::Short)];
    let writes = btree_map(name(), proptest::option::of(0..4_u8), 0..3);
    let expected = prop_oneof![
        2 => Just(BTreeMap::new()),
        1 => btree_map(name(), proptest::option::of(0..4_u8), 1..3),
    ];
    let created = prop_oneof![4 => Just(None), 1 => (1..4_u64).prop_map(Some)];
    let delta = (writes, expected, created).prop_map(|(writes, expected, created)| Delta {
        writes,
        expected,
        created,
    });
    let values = btree_map(name(), 0..4_u8, 0..3);
    let call = prop_oneof![
        5 => (id(), 1..4_u64, values, life()).prop_map(|(id, created, values, life)| {
            Call::Create { id, created, values, life }
        }),
        6 => id().prop_map(|id| Call::Load { id }),
        9 => (id(), delta, proptest::option::of(life()))
            .prop_map(|(id, delta, life)| Call::Update { id, delta, life }),
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
        // In real time nobody knows of a short life whether it is over yet.
        let may_be_over = before.as_ref().is_some_and(|kept| kept.ends < now + PASS)
            && matches!(time, Time::Real);
        let (expected, after) = answer(before, call, now);
        let other = may_be_over.then(|| answer(None, call, now));
        let code = call.code(*handle);
        match call.make(&stores[*handle], &ids).await {
            Ok((came, expires_in)) if came == expected => {
                script.assert_eq(&code, &expected.code());
                let rest = after.as_ref().map(|kept| kept.ends - now);
                if !is_right(expires_in, rest, &time) {
                    script.line(call.code_of_expires_in(*handle));
                    let expected = format!("to expire in {rest:?}, or up to a second later");
                    let came = format!("{expires_in:?}");
                    return Err(Failure { script: script.of_calls(), expected, came });
                }
                kept[id] = after;
            }
            Ok((came, _)) if other.as_ref().is_some_and(|(other, _)| *other == came) => {
                script.assert_eq(&code, &came.code());
                kept[id] = other.and_then(|(_, after)| after);
            }
            wrong => {
                script.assert_eq(&code, &expected.code());
                let came = wrong.map_or_else(|error| show_error(&error), |(came, _)| came.show());
                return Err(Failure { script: script.of_calls(), expected: expected.show(), came });
            }
        }
    }
    Ok(())
}

/// Real time passes by itself, so that only a turned clock tells whether too much of a life is left.
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
    /// Whose record it is about; only time is about none.
    fn id(&self) -> Option<usize> {
        match *self {
            Self::Create { id, .. }
            | Self::Load { id }
            | Self::Update { id, .. }
            | Self::Delete { id } => Some(id),
            Self::Pass => None,
        }
    }

    /// The answer, and what is left of the record's life, if the call tells.
    async fn make(
        &self,
        store: &Store,
        ids: &[SessionId; IDS],
    ) -> Result<(Answer, Option<Duration>), Error> {
        let answer = match self {
            Self::Create { id, created, values, life } => {
                let record = record(*created, values);
                Answer::Creation(store.create(&ids[*id], &record, life.ttl()).await?)
            }
            Self::Load { id } => {
                let found = store.load(&ids[*id]).await?;
                let expires_in = found.as_ref().map(|found| found.expires_in);
                return Ok((Answer::Record(found.map(|found| found.record)), expires_in));
            }
            Self::Update { id, delta, life } => {
                let ttl = life.map(Life::ttl);
                Answer::Update(store.update(&ids[*id], &delta.changes(), ttl).await?)
            }
            Self::Delete { id } => Answer::Record(store.delete(&ids[*id]).await?),
            Self::Pass => Answer::Record(None),
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

impl Life {
    fn ttl(self) -> Ttl {
        ttl(self.millis())
    }

    pub(super) fn duration(self) -> Duration {
        self.ttl().as_duration()
    }

    fn millis(self) -> u64 {
        match self {
            Self::Short => 100,
            Self::Hour => 3_600_000,
            Self::Quarter => 90 * 24 * 3_600_000,
        }
    }
}
