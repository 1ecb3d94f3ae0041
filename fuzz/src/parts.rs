//! What several targets need.

use std::collections::BTreeMap;
use std::time::Duration;

use pycket_core::{Clock, SessionId, SessionManager, SessionStore, Timestamp};
use pycket_redis::fuzzing::Addr;
use serde::{Deserialize, Serialize};
use tokio::runtime::{Builder, Runtime};

/// Runs `read`, which must not hold more than `limit` bytes of memory at once.
pub(crate) fn bounded<T>(limit: usize, read: impl FnOnce() -> T) -> T {
    let mut result = None;
    let peak = allocation_counter::measure(|| result = Some(read())).bytes_max;
    assert!(peak <= limit as u64, "it takes {peak} bytes of memory, and {limit} are allowed");
    result.unwrap()
}

thread_local! {
    static RUNTIME: Runtime = Builder::new_current_thread().build().unwrap();
}

/// Runs a future that waits for nothing outside of this thread.
pub(crate) fn run<F: Future>(future: F) -> F::Output {
    RUNTIME.with(|runtime| runtime.block_on(future))
}

pub(crate) fn contains(bytes: &[u8], part: &[u8]) -> bool {
    part.is_empty() || bytes.windows(part.len()).any(|window| window == part)
}

/// Short passwords, and those of letters and `ordinary` bytes, are part of other texts by chance.
pub(crate) fn assert_hidden(password: &str, ordinary: &[u8], text: &str) {
    let is_ordinary =
        password.bytes().all(|byte| byte.is_ascii_alphabetic() || ordinary.contains(&byte));
    assert!(password.len() < 8 || is_ordinary || !text.contains(password), "{text}");
}

/// A session id that is the same in each run.
pub(crate) fn id() -> SessionId {
    "0193b3a4-7c1e-4d2a-9f00-5a1b2c3d4e5f".parse().unwrap()
}

/// The server that a reply comes from.
pub(crate) fn from() -> Addr {
    ("asked".to_owned(), 6379)
}

/// A clock that stands still, so that no session ends meanwhile.
#[derive(Debug)]
pub(crate) struct StoppedClock;

impl Clock for StoppedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_millis(1_800_000_000_000)
    }

    fn elapsed(&self) -> Duration {
        Duration::from_secs(1000)
    }
}

pub(crate) fn manager(store: impl SessionStore) -> SessionManager {
    SessionManager::builder(store).clock(StoppedClock).build().unwrap()
}

/// A value of an application, with what values can be made of.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Node {
    Nothing,
    Flag(bool),
    Number(i64),
    Large(u64),
    Text(String),
    Maybe(Option<char>),
    Pair(Box<(Self, Self)>),
    List(Vec<Self>),
    Map(BTreeMap<String, Self>),
    Fields { one: u8, other: Option<Box<Self>> },
}
