//! Plays requests of one client, each with a session, begun and finished in any order.

mod code;

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, prop_oneof};
use proptest::sample::select;
use pycket_core::{Error, ErrorKind, Expiry, IdChange, Session, SessionId, SessionManager};

use crate::check::show_error;
use crate::fixtures::Store;
use crate::{Time, shown_values};

use super::records::Values;
use super::script::{Failure, Script};
use super::visitor::{IDLE, REMEMBERED, Request, Visitor};

const REQUESTS: usize = 3;
const NAMES: [&str; 2] = ["a", "b"];

/// Divides no timeout, so that no session ends at the very moment of a call.
const PASS: Duration = Duration::from_secs(10 * 60);
const TICK: Duration = Duration::from_millis(2);

#[derive(Clone, Debug)]
pub(crate) struct Step {
    request: usize,
    act: Act,
}

#[derive(Clone, Debug)]
enum Act {
    /// With the newest id, or the one so many before it, or none.
    Open(Option<usize>),
    Set(&'static str, u8),
    Delete(&'static str),
    Increment(&'static str),
    Remember,
    CycleId,
    Destroy,
    Leave(&'static str, u8),
    Push(&'static str, u8),
    Take(&'static str),
    Commit,
    Pass,
}

/// In real time none passes: a session's life takes too long.
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

pub(crate) async fn run(
    ([sessions, notifications], time): ([Store; 2], Time),
    steps: Vec<Step>,
) -> Result<(), Failure> {
    let mut play = Play::new(manager(sessions, notifications, &time), time);
    for Step { request, act } in steps {
        play.act(request, act).await?;
    }
    for cookie in 0..play.cookies.len() {
        play.act(0, Act::Commit).await?;
        play.open(0, Some(cookie)).await?;
        for name in NAMES {
            while play.take(0, name).await? {}
        }
    }
    Ok(())
}

fn manager(sessions: Store, notifications: Store, time: &Time) -> SessionManager {
    let expiry = Expiry::builder().idle_timeout(IDLE).build().expect("it is in range");
    let manager = SessionManager::builder(sessions)
        .notifications(notifications)
        .expiry(expiry)
        .build()
        .expect("the settings are right");
    match time {
        Time::Real => manager,
        Time::Manual(clock) => {
            manager.to_builder().clock(clock.clone()).build().expect("the settings are right")
        }
    }
}

/// The sessions, and beside them the model of them.
struct Play {
    manager: SessionManager,
    time: Time,
    requests: [Option<Session>; REQUESTS],
    /// The ids in the order in which they were issued.
    cookies: Vec<SessionId>,
    client: Client,
    expected: [Request; REQUESTS],
    script: Script,
}

impl Play {
    fn new(manager: SessionManager, time: Time) -> Self {
        Self {
            manager,
            time,
            requests: Default::default(),
            cookies: Vec::new(),
            client: Client::default(),
            expected: Default::default(),
            script: Script::default(),
        }
    }

    async fn act(&mut self, request: usize, act: Act) -> Result<(), Failure> {
        if let Act::Pass = act {
            self.time.pass(PASS).await;
            self.client.pass(PASS);
            self.script.line(code::PASS);
            return Ok(());
        }
        if let Act::Open(back) = act {
            // As a layer does, which commits before it drops a request.
            if self.expected[request].has_destroyed_a_session() {
                self.commit(request).await?;
            }
            let newest = self.cookies.len().checked_sub(1);
            let cookie = back.and_then(|back| newest.map(|newest| newest.saturating_sub(back)));
            return self.open(request, cookie).await;
        }
        if self.requests[request].is_none() {
            self.open(request, None).await?;
        }
        match act {
            Act::Increment(name) => return self.increment(request, name).await,
            Act::Take(name) => return self.take(request, name).await.map(drop),
            Act::Commit => return self.commit(request).await,
            _ => {}
        }
        if let Act::Leave(..) | Act::Push(..) = act {
            // At another time than every other one, so that it has its place in the order.
            self.time.pass(TICK).await;
            self.client.pass(TICK);
            self.script.line(code::TICK);
        }
        self.script.line(code::act(request, &act));
        let session = self.session(request);
        let expected = &mut self.expected[request];
        let came = match act {
            Act::Set(name, value) => {
                expected.set(name, value);
                session.set(name, &value)
            }
            Act::Delete(name) => {
                expected.delete(name);
                session.delete([name]);
                Ok(())
            }
            Act::Remember => {
                expected.remember();
                session.set_idle_timeout(REMEMBERED)
            }
            Act::CycleId => {
                expected.cycle_id();
                session.cycle_id();
                Ok(())
            }
            Act::Destroy => {
                expected.destroy();
                session.destroy();
                Ok(())
            }
            Act::Leave(name, value) => {
                self.client.leave(expected, name, value, true);
                session.notifications().set(name, &value)
            }
            Act::Push(name, value) => {
                self.client.leave(expected, name, value, false);
                session.notifications().push(name, &value)
            }
            _ => Ok(()),
        };
        came.map_err(|error| self.failure("no error", show_error(&error)))?;
        let values = self.expected[request].values();
        self.shows(request, &values, false)
    }

    async fn open(&mut self, request: usize, cookie: Option<usize>) -> Result<(), Failure> {
        self.script.line(code::open(request, cookie));
        let presented = cookie.map(|cookie| self.cookies[cookie]);
        let session = self.manager.open(presented).await;
        let session = session.map_err(|error| self.failure("a session", show_error(&error)))?;
        self.requests[request] = Some(session);
        self.expected[request] = self.client.open(cookie);
        let values = self.expected[request].values();
        self.shows(request, &values, true)
    }

    async fn commit(&mut self, request: usize) -> Result<(), Failure> {
        if self.requests[request].is_none() {
            return Ok(());
        }
        let expected = self.client.commit(&mut self.expected[request]);
        let came = self.session(request).commit().await;
        self.script.assert_eq(&code::commit(request), &code::outcome(expected));
        self.answered(expected, came)?;
        self.settle(request)
    }

    async fn increment(&mut self, request: usize, name: &'static str) -> Result<(), Failure> {
        let expected = self.client.increment(&mut self.expected[request], name);
        let add = |n: Option<u8>| n.unwrap_or(0) + 1;
        let came = match self.session(request).update(name, add).await {
            Err(error) if error.kind() == ErrorKind::Ended => Ok(None),
            came => came.map(Some),
        };
        self.script.assert_eq(&code::increment(request, name), &format!("{expected:?}"));
        self.answered(expected, came)?;
        self.settle(request)
    }

    /// Whether there was one.
    async fn take(&mut self, request: usize, name: &'static str) -> Result<bool, Failure> {
        let expected = self.client.take(&mut self.expected[request], name);
        let came = self.session(request).notifications().get(name).await;
        self.script.assert_eq(&code::take(request, name), &format!("{expected:?}"));
        self.answered(expected, came)?;
        Ok(expected.is_some())
    }

    /// What must hold after everything that may have called the store.
    fn settle(&mut self, request: usize) -> Result<(), Failure> {
        let session = self.session(request);
        if self.client.sessions.len() > self.cookies.len() {
            self.script.line(code::keep_cookie(request));
            match session.id() {
                Some(id) if !self.cookies.contains(&id) => self.cookies.push(id),
                _ => return Err(self.failure("a new id", "none".to_owned())),
            }
        }
        let expected = &self.expected[request];
        let id = expected.session().map(|session| self.cookies[session]);
        let told = session.id_change();
        let is_told = match id {
            Some(id) if expected.has_another_id() => told == IdChange::Issued(id),
            Some(id) => told == IdChange::Unchanged || told == IdChange::Renewed(id),
            None => told == IdChange::Unchanged || told == IdChange::Withdrawn,
        };
        if session.id() != id || !is_told {
            self.script.line(code::id_change(request));
            let expected = "the client is told the id that the session has";
            return Err(self.failure(expected, format!("{told:?}")));
        }
        let values = self.expected[request].values();
        self.shows(request, &values, true)
    }

    fn shows(&mut self, request: usize, values: &Values, is_kept: bool) -> Result<(), Failure> {
        let came = shown_values(self.session(request).iter());
        let expected = code::expected_values(values);
        if is_kept || came != expected {
            self.script.assert_eq(&code::show(request), &format!("{expected:?}"));
        }
        if came == expected { Ok(()) } else { Err(self.failure(&expected, came)) }
    }

    fn answered<T: std::fmt::Debug + PartialEq>(
        &self,
        expected: T,
        came: Result<T, Error>,
    ) -> Result<(), Failure> {
        match came {
            Ok(came) if came == expected => Ok(()),
            Ok(came) => Err(self.failure(&format!("{expected:?}"), format!("{came:?}"))),
            Err(error) => Err(self.failure(&format!("{expected:?}"), show_error(&error))),
        }
    }

    fn session(&self, request: usize) -> Session {
        self.requests[request].clone().expect("it was opened")
    }

    fn failure(&self, expected: &str, came: String) -> Failure {
        Failure { script: self.script.of_requests(), expected: expected.to_owned(), came }
    }
}
