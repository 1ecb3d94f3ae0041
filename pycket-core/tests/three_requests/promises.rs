use std::collections::HashMap;

use pycket_core::{ErrorKind, Outcome};

use crate::gate::{How, Method};
use crate::requests::{Done, Kind, Then, name_of};
use crate::world::{Found, Past, World};

/// What is wrong in a state. `is_last` says that all requests have finished.
pub(crate) fn problem(world: &World, is_last: bool) -> Option<&'static str> {
    let has_end = (0..3).any(|nth| world.has_ended(nth));
    if !is_last && !has_end {
        return None;
    }
    let found = world.sessions();
    (0..3).find_map(|nth| came_back(world, nth, &found)).or_else(|| {
        let checks =
            [id_is_dead, not_listed, too_many, lost_session, lost_write, refused_write, phone];
        checks.iter().filter(|_| is_last).find_map(|check| check(world, &found))
    })
}

/// After a request that ended the session has returned, the session is not live again.
fn came_back(world: &World, nth: usize, found: &[Found]) -> Option<&'static str> {
    if !world.has_ended(nth) {
        return None;
    }
    let ends_all = world.kinds[nth] == Kind::EndAll;
    let is_anonymous = world.setting.past == Past::Anonymous;
    let is_first = |one: &Found| one.id == world.laptop() && one.is_known;
    if found.iter().any(is_first) && !(ends_all && is_anonymous) {
        return Some("an id that was ended is live");
    }
    // A sign-in that was not complete before counts as later.
    let counts_as_later = |other: &usize| {
        let had_finished = ends_all && world.had_finished_before(nth)[*other];
        world.kinds[*other] == Kind::SignIn && !had_finished
    };
    // A sign-out does not find an anonymous session that has got another id, because no index lists it.
    let is_lost_sight_of =
        |other: &usize| is_anonymous && !ends_all && world.kinds[*other].changes_the_id();
    if (0..3).any(|other| counts_as_later(&other) || is_lost_sight_of(&other)) {
        return None;
    }
    // Before the last call of a request its new id may be in the store, but the index does not list it.
    let is_back = |one: &Found| match ends_all {
        true => one.is_listed,
        false => !one.is_phone && (one.is_listed || is_anonymous && one.is_known),
    };
    found.iter().any(is_back).then_some("a session that was ended is live")
}

/// No id works beside the one that replaces it, if the request that replaced it succeeded.
fn id_is_dead(world: &World, found: &[Found]) -> Option<&'static str> {
    let has_replaced = |nth: usize| {
        let done = world.report(nth).and_then(|report| report.result.ok());
        matches!(done, Some(Done::Committed(Outcome::Rotated)))
    };
    let is_live = found.iter().any(|one| one.id == world.laptop());
    ((0..3).any(has_replaced) && is_live).then_some("the id before a rotation is live")
}

fn not_listed(_: &World, found: &[Found]) -> Option<&'static str> {
    let is_hidden = |one: &Found| one.is_known && one.session.user_id().is_some() && !one.is_listed;
    found.iter().any(is_hidden).then_some("a live session of a user is not listed")
}

/// A session has one id. After a fault a request may not know which of two changes of the id ended the old one: then
/// each keeps its own. A request that failed may leave the old id beside the new one.
fn too_many(world: &World, found: &[Found]) -> Option<&'static str> {
    let most = match world.faulted() {
        Some(nth) if world.kinds[nth].changes_the_id() => {
            world.kinds.iter().filter(|kind| kind.changes_the_id()).count().max(2)
        }
        _ => 1,
    };
    let is_crash = crash(world);
    let mut ids = HashMap::new();
    for one in found.iter().filter(|one| !one.is_phone && (one.is_known || !is_crash)) {
        *ids.entry(one.session.handle()).or_insert(0) += 1;
    }
    ids.values().any(|ids| *ids > most).then_some("a session has too many ids")
}

fn crash(world: &World) -> bool {
    let fault = world.faulted().and_then(|nth| world.gate.journal(nth).fault);
    fault.is_some_and(|(_, how, _)| how == How::Crashed)
}

/// If no request ends the session, the client has an id that works.
fn lost_session(world: &World, found: &[Found]) -> Option<&'static str> {
    let signed_in = |nth: &usize| world.kinds[*nth] == Kind::SignIn && world.is_done(*nth);
    let live = |nth: usize| {
        let issued = world.report(nth).and_then(|report| report.issued);
        found.iter().any(|one| Some(one.id) == issued)
    };
    let sign_ins: Vec<_> = (0..3).filter(signed_in).collect();
    let has_crashed =
        world.faulted().is_some_and(|nth| world.kinds[nth].changes_the_id()) && crash(world);
    if world.kinds.iter().any(|kind| kind.ends()) || has_crashed {
        return None;
    }
    // One that failed may have replaced another one, and its client has got the id.
    let is_live = (0..3).any(|nth| world.kinds[nth] == Kind::SignIn && live(nth));
    if !sign_ins.is_empty() && !is_live {
        return Some("the sign-in is lost");
    }
    let works = found.iter().any(|one| one.id == world.laptop()) || (0..3).any(live);
    (!works).then_some("no client has an id that works")
}

/// What was acknowledged is in the session, unless a request ended it.
fn lost_write(world: &World, found: &[Found]) -> Option<&'static str> {
    let ended = (0..3).any(|nth| world.kinds[nth].ends() && world.gate.journal(nth).has_deleted);
    if ended || is_known_limit(world) {
        return None;
    }
    let updated = Ok(Done::Committed(Outcome::Updated));
    for nth in 0..3 {
        let result = world.report(nth).map(|report| report.result);
        if world.kinds[nth] == Kind::Set && result == Some(updated) {
            let name = name_of(nth);
            if !found.iter().any(|one| one.has(name)) {
                return Some("a value that was stored is lost");
            }
        }
    }
    let results = (0..3).filter(|nth| world.kinds[*nth] == Kind::Increment);
    let results: Vec<_> =
        results.map(|nth| world.report(nth).map(|report| report.result)).collect();
    let is_counted = |result: &&_| matches!(result, Some(Ok(Done::Counted(_))));
    let may_count = |result: &&_| {
        is_counted(result) || matches!(result, None | Some(Err(ErrorKind::Ambiguous)))
    };
    let least = results.iter().filter(is_counted).count();
    let most = results.iter().filter(may_count).count();
    let counts = found.iter().filter(|one| !one.is_phone);
    let count = counts.map(|one| one.session.get_or("n", 0_usize).unwrap()).max().unwrap_or(0);
    (!(least..=most).contains(&count)).then_some("the increments are not counted once each")
}

/// What was refused is not in the session. A request that tries again after a lost reply does not know.
fn refused_write(world: &World, found: &[Found]) -> Option<&'static str> {
    let is_refused = |nth: &usize| {
        let has_tried_twice = world.then == Then::TriesAgain && world.faulted() == Some(*nth);
        let result = world.report(*nth).map(|report| report.result);
        world.kinds[*nth] == Kind::Set
            && result == Some(Ok(Done::Committed(Outcome::Ended)))
            && !has_tried_twice
    };
    let is_stored = |nth: usize| found.iter().any(|one| one.has(name_of(nth)));
    (0..3).filter(is_refused).any(is_stored).then_some("a value that was refused is stored")
}

/// The limits that ARCHITECTURE.md names under "Lost replies". What others wrote to the old record is lost
/// if a change of the id loses the reply to its delete, or if one of its calls fails after it.
fn is_known_limit(world: &World) -> bool {
    let Some(nth) = world.faulted() else { return false };
    let Some((method, how, had_deleted)) = world.gate.journal(nth).fault else { return false };
    let is_lost = method == Method::Delete && matches!(how, How::Lost | How::Unanswered);
    world.kinds[nth].changes_the_id() && (is_lost || had_deleted)
}

fn phone(world: &World, found: &[Found]) -> Option<&'static str> {
    let may_end = world.kinds.contains(&Kind::EndAll);
    let is_live = found.iter().any(|one| one.is_phone);
    (!is_live && !may_end).then_some("the session of another device has ended")
}
