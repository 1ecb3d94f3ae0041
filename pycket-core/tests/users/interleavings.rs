//! Every order in which the store calls of two or three requests of one user can follow each other.

use std::thread;

use pycket_testkit::every_order;

use crate::acts::Act;
use crate::promises::{Run, problems};
use crate::world::{Past, Setting, World};

/// Those whose calls differ.
const ACTS: [Act; 9] = [
    Act::CycleId,
    Act::SignInAgain,
    Act::SignInAsOther,
    Act::SignInElsewhere,
    Act::SignOut,
    Act::Set,
    Act::Increment,
    Act::EndAll,
    Act::Expire,
];

/// Runs the requests in every order of their calls. Returns the number of orders.
fn in_every_order(past: Past, acts: &[Act]) -> usize {
    let setting = Setting::new(past);
    every_order(
        || World::new(&setting),
        |world| acts.iter().map(|act| world.request(*act, &[], false)).collect(),
        |world| {
            let run = Run { acts, was_evicted: past.is_evicted, ..Run::default() };
            assert_eq!(problems(world, run), [""; 0], "{past:?} {acts:?}");
        },
    )
}

#[test]
fn in_every_order_of_two_requests_a_users_sessions_are_listed_or_ended() {
    let pasts = [Past::default(), Past { is_aged: true, is_rotated: true, is_evicted: false }];
    // Side by side, because they take longer than all other tests of this program together.
    let orders: usize = thread::scope(|scope| {
        let runs = pasts.map(|past| scope.spawn(move || in_every_order_of_two(past)));
        runs.into_iter().map(|run| run.join().unwrap()).sum()
    });
    assert!(orders > 1000, "{orders} orders are not all");
}

fn in_every_order_of_two(past: Past) -> usize {
    let mut orders = 0;
    for (nth, one) in ACTS.into_iter().enumerate() {
        for other in ACTS.into_iter().skip(nth) {
            orders += in_every_order(past, &[one, other]);
        }
    }
    orders
}

#[test]
fn in_every_order_the_other_ways_to_end_and_to_change_the_id_do_the_same() {
    for act in [Act::CycleId, Act::SignInAgain, Act::EndAll] {
        for other in [Act::EndThis, Act::EndOthers, Act::RestartTimeouts] {
            in_every_order(Past::default(), &[act, other]);
        }
    }
}

#[test]
fn in_every_order_a_session_is_listed_again_after_an_eviction() {
    let past = Past { is_evicted: true, ..Past::default() };
    for other in [Act::SignInAgain, Act::SignOut] {
        in_every_order(past, &[Act::CycleId, other]);
    }
    let past = Past { is_aged: true, ..past };
    for other in [Act::CycleId, Act::SignOut] {
        in_every_order(past, &[Act::Set, other]);
    }
}
