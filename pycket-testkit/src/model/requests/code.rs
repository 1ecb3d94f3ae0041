//! What requests do, as Rust, in the words that the script's head defines.

use pycket_core::Outcome;

use crate::model::records::Values;

use super::Act;

pub(super) const PASS: &str = "harness.time().pass(pass).await;";
pub(super) const TICK: &str = "harness.time().pass(tick).await;";

pub(super) fn act(request: usize, act: &Act) -> String {
    let call = match act {
        Act::Set(name, value) => format!("set({name:?}, &{value})?"),
        Act::Delete(name) => format!("delete([{name:?}])"),
        Act::Remember => "set_idle_timeout(remembered)?".to_owned(),
        Act::CycleId => "cycle_id()".to_owned(),
        Act::Destroy => "destroy()".to_owned(),
        Act::Leave(name, value) => format!("notifications().set({name:?}, &{value})?"),
        Act::Push(name, value) => format!("notifications().push({name:?}, &{value})?"),
        Act::Open(_) | Act::Increment(_) | Act::Take(_) | Act::Commit | Act::Pass => String::new(),
    };
    format!("requests[{request}].{call};")
}

pub(super) fn open(request: usize, cookie: Option<usize>) -> String {
    let cookie = cookie.map_or("None".to_owned(), |cookie| format!("Some(cookies[{cookie}])"));
    format!("requests[{request}] = manager.open({cookie}).await?;")
}

pub(super) fn commit(request: usize) -> String {
    format!("requests[{request}].commit().await?")
}

pub(super) fn outcome(outcome: Outcome) -> String {
    format!("Outcome::{outcome:?}")
}

pub(super) fn increment(request: usize, name: &str) -> String {
    format!("requests[{request}].update({name:?}, add_one).await.ok()")
}

pub(super) fn take(request: usize, name: &str) -> String {
    format!("requests[{request}].notifications().get::<u8>({name:?}).await?")
}

pub(super) fn keep_cookie(request: usize) -> String {
    format!("cookies.push(requests[{request}].id().unwrap());")
}

pub(super) fn id_change(request: usize) -> String {
    format!("println!(\"{{:?}}\", requests[{request}].id_change());")
}

pub(super) fn show(request: usize) -> String {
    format!("shown(&requests[{request}])")
}

/// What `shown_values` makes of them once they are stored.
pub(super) fn expected_values(values: &Values) -> String {
    let values = values.iter().map(|(name, value)| format!("{name}={value}"));
    values.collect::<Vec<_>>().join(", ")
}
