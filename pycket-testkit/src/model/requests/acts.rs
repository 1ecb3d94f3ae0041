//! What the requests of a sequence do.

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, prop_oneof};
use proptest::sample::select;

use crate::Time;

use super::{NAMES, REQUESTS};

const MOVES: [(&str, &str); 2] = [(NAMES[0], NAMES[1]), (NAMES[1], NAMES[0])];

#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(super) request: usize,
    pub(super) act: Act,
}

#[derive(Clone, Debug)]
pub(super) enum Act {
    /// With the newest id, with one of an earlier session (counted back from the newest), or without.
    Open(Option<usize>),
    Set(&'static str, u8),
    Delete(&'static str),
    Increment(&'static str),
    /// `update_all`: moves a value from one name to another.
    Move(&'static str, &'static str),
    /// `take` of a value.
    TakeValue(&'static str),
    Remember,
    CycleId,
    Destroy,
    /// `set` of a notification.
    Leave(&'static str, u8),
    Push(&'static str, u8),
    Take(&'static str),
    Commit,
    Pass,
}

/// In real time no time passes: a timeout of a session takes too long.
pub(crate) fn sequences(time: &Time) -> impl Strategy<Value = Vec<Step>> + use<> {
    let name = || select(&NAMES[..]);
    let cookie = prop_oneof![4 => Just(Some(0)), 2 => (1..4_usize).prop_map(Some), 1 => Just(None)];
    let pass = match time {
        Time::Real => Act::Commit,
        Time::Manual(_) => Act::Pass,
    };
    let act = prop_oneof![
        5 => cookie.prop_map(Act::Open),
        6 => (name(), 0..3_u8).prop_map(|(name, value)| Act::Set(name, value)),
        2 => name().prop_map(Act::Delete),
        5 => name().prop_map(Act::Increment),
        2 => select(&MOVES[..]).prop_map(|(from, to)| Act::Move(from, to)),
        2 => name().prop_map(Act::TakeValue),
        1 => Just(Act::Remember),
        4 => Just(Act::CycleId),
        1 => Just(Act::Destroy),
        2 => (name(), 0..3_u8).prop_map(|(name, value)| Act::Leave(name, value)),
        1 => (name(), 0..3_u8).prop_map(|(name, value)| Act::Push(name, value)),
        3 => name().prop_map(Act::Take),
        9 => Just(Act::Commit),
        2 => Just(pass),
    ];
    vec((0..REQUESTS, act).prop_map(|(request, act)| Step { request, act }), 1..40)
}
