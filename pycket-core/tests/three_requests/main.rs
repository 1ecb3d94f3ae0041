//! The commit of a session as a model that is checked exhaustively. The model is the code itself: three requests run
//! over a store that carries out one call at a time, in every order, and one call fails, each in turn in every way.
//!
//! The explorer is 150 lines of our own. Loom and shuttle explore threads and their locks, of which there is none
//! here, and know no state that they have seen; stateright wants states that can be copied, which futures cannot.

#![expect(clippy::unwrap_used, clippy::panic, reason = "test code: a panic is a failure")]
#![expect(clippy::indexing_slicing, reason = "of three requests")]

mod explorer;
mod gate;
mod names;
mod promises;
mod records;
mod requests;
mod sweep;
mod world;

use explorer::{Counts, Finding, Plan};
use promises::problem;
use records::Defect;
use requests::{Kind, Then};
use world::{Past, Setting};

/// Explores all orders of these requests. Panics with the choices that lead to a problem.
fn explore(plan: &Plan<'_>) -> Counts {
    let Plan { setting, kinds, then, with_fault } = plan;
    match plan.explore(problem) {
        Ok(counts) => counts,
        Err(Finding { problem, choices }) => {
            let past = setting.past;
            panic!("{problem}: {kinds:?} {past:?} {then:?} {with_fault} {choices:#?}")
        }
    }
}

/// Every three kinds, each multiset once.
fn triples() -> Vec<[Kind; 3]> {
    let all = Kind::ALL;
    let mut triples = Vec::new();
    for (nth, one) in all.into_iter().enumerate() {
        for (mth, other) in all.into_iter().enumerate().skip(nth) {
            triples.extend(all.into_iter().skip(mth).map(|third| [one, other, third]));
        }
    }
    triples
}

/// How many of the requests write the index, so that many orders of their calls differ.
fn writers_of_the_index(kinds: &[Kind; 3]) -> usize {
    kinds.iter().filter(|kind| kind.changes_the_id() || **kind == Kind::EndAll).count()
}

#[test]
fn in_every_order_three_requests_keep_what_a_session_promises() {
    let mut total = Counts::default();
    for past in [Past::Anonymous, Past::SignedIn] {
        let setting = Setting::new(past);
        let most = if past == Past::SignedIn { 1 } else { 2 };
        for kinds in triples().into_iter().filter(|kinds| writers_of_the_index(kinds) <= most) {
            let (then, with_fault) = (Then::GivesUp, false);
            total += explore(&Plan { setting: &setting, kinds, then, with_fault });
        }
    }
    assert!(total.states > 10_000, "{total:?} is not all");
}

#[test]
fn in_every_order_an_end_beside_a_sign_in_and_another_request_holds() {
    let setting = Setting::new(Past::SignedIn);
    for [one, other] in [[Kind::CycleId, Kind::SignOut], [Kind::SignIn, Kind::EndAll]] {
        for third in [Kind::Set, Kind::Increment, Kind::SignOut] {
            let (kinds, then) = ([one, other, third], Then::GivesUp);
            explore(&Plan { setting: &setting, kinds, then, with_fault: false });
        }
    }
}

/// A renewal may note the id that a rotation is giving the session, as an earlier one.
#[test]
fn in_every_order_a_sign_in_leaves_a_session_that_is_renewed_one_id() {
    let setting = Setting::new(Past::Aged);
    for first in [Kind::Increment, Kind::Set, Kind::Renew] {
        let (kinds, then) = ([first, Kind::CycleId, Kind::SignIn], Then::GivesUp);
        explore(&Plan { setting: &setting, kinds, then, with_fault: false });
    }
}

#[test]
fn with_one_fault_in_every_order_three_requests_keep_their_promises() {
    let setting = Setting::new(Past::SignedIn);
    for then in [Then::GivesUp, Then::TriesAgain] {
        for kinds in [
            [Kind::Increment, Kind::Set, Kind::CycleId],
            [Kind::Increment, Kind::Set, Kind::EndAll],
            [Kind::Set, Kind::SignIn, Kind::Renew],
            [Kind::Increment, Kind::SignOut, Kind::SignOut],
        ] {
            explore(&Plan { setting: &setting, kinds, then, with_fault: true });
        }
    }
}

#[test]
fn with_a_fault_in_every_order_a_rotation_beside_an_end_keeps_its_promise() {
    let setting = Setting::new(Past::SignedIn);
    let (kinds, then) = ([Kind::Set, Kind::CycleId, Kind::EndAll], Then::GivesUp);
    let counts = explore(&Plan { setting: &setting, kinds, then, with_fault: true });
    assert!(counts.states > 10_000, "{counts:?} is not all");
}

/// The same over a broken store: a check that finds nothing there would find nothing in a broken session either.
#[test]
fn over_a_broken_store_the_checks_find_what_is_wrong() {
    for (defect, kinds, expected) in [
        (
            Defect::UpdateCreates,
            [Kind::Set, Kind::SignOut, Kind::Renew],
            "an id that was ended is live",
        ),
        (
            Defect::UpdateExpectsNothing,
            [Kind::Increment, Kind::Increment, Kind::Set],
            "the increments are not counted once each",
        ),
        (
            Defect::UpdateExpectsNothing,
            [Kind::CycleId, Kind::EndAll, Kind::Set],
            "a live session of a user is not listed",
        ),
        (
            Defect::DeleteReturnsAnOldRecord,
            [Kind::Set, Kind::CycleId, Kind::Renew],
            "a value that was stored is lost",
        ),
        (
            Defect::DeleteKeeps,
            [Kind::Renew, Kind::CycleId, Kind::Renew],
            "the id before a rotation is live",
        ),
    ] {
        let setting = Setting::new(Past::SignedIn).with(defect);
        let plan = Plan { setting: &setting, kinds, then: Then::GivesUp, with_fault: false };
        let found = plan.explore(problem).map_err(|finding| finding.problem);
        assert_eq!(found.unwrap_err(), expected, "{defect:?} {kinds:?}");
    }
}
