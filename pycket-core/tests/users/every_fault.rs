//! Every operation of a user's session with every one of its store calls failing in every way, alone and beside
//! another request, and what is live and listed afterwards.

use std::cell::Cell;

use pycket_testkit::{Fault, every_order};

use crate::acts::Act;
use crate::promises::{Run, problems};
use crate::world::{Fail, Past, Setting, World};

const PASTS: [Past; 2] = [
    Past { is_aged: false, is_rotated: false, is_evicted: false },
    Past { is_aged: true, is_rotated: true, is_evicted: false },
];

/// Runs the requests in every order. The first has these faults. Returns how many calls it made at most.
fn with_faults(
    past: Past,
    setting: &Setting,
    acts: &[Act],
    fails: &[Fail],
    gave_up: bool,
) -> usize {
    let calls = Cell::new(0);
    every_order(
        || World::new(setting),
        |world| {
            let fails = |nth| if nth == 0 { fails } else { &[] };
            let acts = acts.iter().enumerate();
            acts.map(|(nth, act)| world.request(*act, fails(nth), gave_up)).collect()
        },
        |world| {
            let (faults, was_evicted) = (fails.len(), past.is_evicted);
            let run = Run { acts, faults, was_evicted, gave_up };
            assert_eq!(problems(world, run), [""; 0], "{acts:?} {fails:?} {gave_up}");
            calls.set(calls.get().max(world.calls()));
        },
    );
    calls.get()
}

/// With every one and every two of these faults.
fn with_every_fault(past: Past, acts: &[Act], faults: &[Fault], most: usize) {
    let setting = Setting::new(past);
    let mut plans: Vec<Vec<Fail>> = vec![Vec::new()];
    while let Some(plan) = plans.pop() {
        // Alone, a request that failed may also give up.
        let calls = with_faults(past, &setting, acts, &plan, false);
        let calls = match acts {
            [_] => calls.max(with_faults(past, &setting, acts, &plan, true)),
            _ => calls,
        };
        let first = plan.last().map_or(0, |(nth, _)| nth + 1);
        if plan.len() < most {
            let one_more = |nth| faults.iter().map(move |fault| (nth, *fault));
            let more = (first..calls).flat_map(one_more);
            plans.extend(more.map(|fail| [&plan[..], &[fail]].concat()));
        }
    }
}

#[test]
fn with_one_or_two_faults_each_request_of_a_user_keeps_its_promise() {
    let faults = [Fault::Before, Fault::Lost, Fault::After];
    for past in PASTS {
        for act in Act::ALL {
            with_every_fault(past, &[act], &faults, 2);
        }
    }
}

/// In every order of two requests, of which the first has a fault. With the environment variable `PYCKET_ALL_PAIRS`
/// it runs every two requests and every fault, which takes an hour without `--release`.
#[test]
fn with_a_lost_reply_a_rotation_beside_an_end_keeps_nothing_alive() {
    if std::env::var_os("PYCKET_ALL_PAIRS").is_some() {
        let faults = [Fault::Before, Fault::Lost, Fault::After];
        for past in PASTS {
            for one in Act::ALL {
                for other in Act::ALL {
                    with_every_fault(past, &[one, other], &faults, 1);
                }
            }
        }
    }
    for end in [Act::EndAll, Act::SignOut] {
        for acts in [[Act::CycleId, end], [end, Act::CycleId]] {
            with_every_fault(Past::default(), &acts, &[Fault::Lost, Fault::After], 1);
        }
    }
}

#[test]
fn with_a_lost_reply_one_of_two_sign_ins_of_a_session_stays_signed_in() {
    // The call that has the index list the session.
    let fails = [(2, Fault::After)];
    let past = Past::default();
    with_faults(past, &Setting::new(past), &[Act::SignInAgain; 2], &fails, false);
}

#[test]
fn with_a_lost_reply_and_an_evicted_index_a_sign_out_ends_a_rotation() {
    let past = Past { is_evicted: true, ..Past::default() };
    with_every_fault(past, &[Act::CycleId, Act::SignOut], &[Fault::Lost], 1);
}
