//! Plays requests of one client. Each has a session; they begin and end in any order.

mod acts;

use std::fmt::Debug;
use std::time::Duration;

use pycket_core::{Error, ErrorKind, Expiry, IdChange, Session, SessionId, SessionManager};

use crate::check::show_error;
use crate::fixtures::Store;
use crate::{Time, shown_values};

use super::client::{Client, IDLE, REMEMBERED, Request};
use super::records::Values;
use super::script::Script;
use acts::Act;
pub(crate) use acts::{Step, sequences};

const REQUESTS: usize = 3;
const NAMES: [&str; 2] = ["a", "b"];

/// No timeout is a multiple of it, so that no session ends at the moment of a call.
const PASS: Duration = Duration::from_secs(10 * 60);
const TICK: Duration = Duration::from_millis(2);

pub(crate) async fn run(
    ([sessions, notifications], time): ([Store; 2], Time),
    steps: Vec<Step>,
) -> Result<(), String> {
    let mut play = Play {
        manager: manager(sessions, notifications, &time),
        time,
        requests: Default::default(),
        cookies: Vec::new(),
        client: Client::default(),
        expected: Default::default(),
        script: Script::new(include_str!("requests/head.rs.txt")),
    };
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
    let builder = SessionManager::builder(sessions).notifications(notifications).expiry(expiry);
    let builder = match time {
        Time::Real => builder,
        Time::Manual(clock) => builder.clock(clock.clone()),
    };
    builder.build().expect("the settings are valid")
}

/// The sessions and their model.
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
    async fn act(&mut self, request: usize, act: Act) -> Result<(), String> {
        if let Act::Pass = act {
            self.pass("pass", PASS).await;
            return Ok(());
        }
        if let Act::Open(back) = act {
            // A layer also commits before it drops a request.
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
        if let Act::Leave(..) | Act::Push(..) = act {
            // Each notification gets a time of its own, so that their order is certain.
            self.pass("tick", TICK).await;
        }
        let session = self.session(request);
        let expected = &mut self.expected[request];
        let (code, result) = match act {
            Act::Set(name, value) => {
                expected.set(name, value);
                (format!("set({name:?}, &{value})?"), session.set(name, &value))
            }
            Act::Delete(name) => {
                expected.delete(name);
                session.delete([name]);
                (format!("delete([{name:?}])"), Ok(()))
            }
            Act::Remember => {
                expected.remember();
                let code = "set_idle_timeout(remembered)?".to_owned();
                (code, session.set_idle_timeout(REMEMBERED))
            }
            Act::CycleId => {
                expected.cycle_id();
                session.cycle_id();
                ("cycle_id()".to_owned(), Ok(()))
            }
            Act::Destroy => {
                expected.destroy();
                session.destroy();
                ("destroy()".to_owned(), Ok(()))
            }
            Act::Leave(name, value) => {
                self.client.leave(expected, name, value, true);
                let code = format!("notifications().set({name:?}, &{value})?");
                (code, session.notifications().set(name, &value))
            }
            Act::Push(name, value) => {
                self.client.leave(expected, name, value, false);
                let code = format!("notifications().push({name:?}, &{value})?");
                (code, session.notifications().push(name, &value))
            }
            Act::Increment(name) => return self.increment(request, name).await,
            Act::Move(from, to) => return self.move_value(request, from, to).await,
            Act::TakeValue(name) => return self.take_value(request, name).await,
            Act::Take(name) => return self.take(request, name).await.map(drop),
            Act::Commit => return self.commit(request).await,
            Act::Open(_) | Act::Pass => unreachable!("done above"),
        };
        self.script.line(&format!("requests[{request}].{code};"));
        result.map_err(|error| self.script.failure("no error", &show_error(&error)))?;
        self.check_values(request, false)
    }

    async fn pass(&mut self, name: &str, duration: Duration) {
        self.time.pass(duration).await;
        self.client.pass(duration);
        self.script.line(&format!("harness.time().pass({name}).await;"));
    }

    async fn open(&mut self, request: usize, cookie: Option<usize>) -> Result<(), String> {
        let code = cookie.map_or("None".to_owned(), |cookie| format!("Some(cookies[{cookie}])"));
        self.script.line(&format!("requests[{request}] = manager.open({code}).await?;"));
        let presented = cookie.map(|cookie| self.cookies[cookie]);
        let session = self.manager.open(presented).await;
        let session =
            session.map_err(|error| self.script.failure("a session", &show_error(&error)))?;
        self.requests[request] = Some(session);
        self.expected[request] = self.client.open(cookie);
        self.check_values(request, true)
    }

    async fn commit(&mut self, request: usize) -> Result<(), String> {
        if self.requests[request].is_none() {
            return Ok(());
        }
        let expected = self.client.commit(&mut self.expected[request]);
        let answer = self.session(request).commit().await;
        self.check("commit().await?", request, "Outcome::", expected, answer)?;
        self.check_session(request)
    }

    async fn increment(&mut self, request: usize, name: &'static str) -> Result<(), String> {
        let add = |n: Option<u8>| n.unwrap_or(0) + 1;
        let model = |values: &Values| {
            let sum = add(values.get(name).copied());
            (vec![(name, Some(sum))], sum)
        };
        let expected = self.client.update_at_once(&mut self.expected[request], &[name], model);
        let answer = self.session(request).update(name, add).await;
        self.check_update(&format!("update({name:?}, add_one)"), request, expected, answer)
    }

    async fn move_value(
        &mut self,
        request: usize,
        from: &'static str,
        to: &'static str,
    ) -> Result<(), String> {
        let model = |values: &Values| match values.get(from).copied() {
            Some(value) => (vec![(to, Some(value)), (from, None)], Some(value)),
            None => (Vec::new(), None),
        };
        let expected = self.client.update_at_once(&mut self.expected[request], &[from, to], model);
        let moving = |values: &mut pycket_core::Values| {
            let value: Option<u8> = values.get(from)?;
            if let Some(value) = value {
                values.set(to, &value)?;
            }
            values.delete(from);
            Ok::<_, Error>(value)
        };
        let answer = self.session(request).update_all(moving).await;
        self.check_update(
            &format!("update_all(moving({from:?}, {to:?}))"),
            request,
            expected,
            answer,
        )
    }

    async fn take_value(&mut self, request: usize, name: &'static str) -> Result<(), String> {
        let model = |values: &Values| (vec![(name, None)], values.get(name).copied());
        let expected = self.client.update_at_once(&mut self.expected[request], &[name], model);
        let answer = self.session(request).take::<u8>(name).await;
        self.check_update(&format!("take::<u8>({name:?})"), request, expected, answer)
    }

    /// Compares the answer of an atomic update; `None` is expected if the session has ended.
    fn check_update<T: Debug>(
        &mut self,
        call: &str,
        request: usize,
        expected: Option<T>,
        answer: Result<T, Error>,
    ) -> Result<(), String> {
        let answer = match answer {
            Err(error) if error.kind() == ErrorKind::Ended => Ok(None),
            answer => answer.map(Some),
        };
        self.check(&format!("{call}.await.ok()"), request, "", expected, answer)?;
        self.check_session(request)
    }

    /// Returns whether there was a notification.
    async fn take(&mut self, request: usize, name: &'static str) -> Result<bool, String> {
        let expected = self.client.take(&mut self.expected[request], name);
        let answer = self.session(request).notifications().get::<u8>(name).await;
        let call = format!("notifications().get::<u8>({name:?}).await?");
        self.check(&call, request, "", expected, answer)?;
        Ok(expected.is_some())
    }

    /// What must hold after every act that may have called the store.
    fn check_session(&mut self, request: usize) -> Result<(), String> {
        let session = self.session(request);
        if self.client.sessions.len() > self.cookies.len() {
            self.script.line(&format!("cookies.push(requests[{request}].id().unwrap());"));
            match session.id() {
                Some(id) if !self.cookies.contains(&id) => self.cookies.push(id),
                _ => return Err(self.script.failure("a new id", "none")),
            }
        }
        let expected = &self.expected[request];
        let id = expected.session().map(|session| self.cookies[session]);
        let change = session.id_change();
        let is_right = match id {
            Some(id) if expected.has_another_id() => change == IdChange::Issued(id),
            Some(id) => change == IdChange::Unchanged || change == IdChange::Renewed(id),
            None => change == IdChange::Unchanged || change == IdChange::Withdrawn,
        };
        if session.id() != id || !is_right {
            self.script.line(&format!("println!(\"{{:?}}\", requests[{request}].id_change());"));
            return Err(self.script.failure("the session's own id", &format!("{change:?}")));
        }
        self.check_values(request, true)
    }

    /// Compares all values. The script gets a line for it if `is_printed`, or if they differ.
    fn check_values(&mut self, request: usize, is_printed: bool) -> Result<(), String> {
        let values = self.expected[request].values();
        let expected: Vec<_> =
            values.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let expected = expected.join(", ");
        let got = shown_values(self.session(request).iter());
        if is_printed || got != expected {
            self.script
                .assert_eq(&format!("shown(&requests[{request}])"), &format!("{expected:?}"));
        }
        if got == expected { Ok(()) } else { Err(self.script.failure(&expected, &got)) }
    }

    /// Compares the answer of a call of a request. After `prefix` the `Debug` of an answer is Rust.
    fn check<T: Debug>(
        &mut self,
        call: &str,
        request: usize,
        prefix: &str,
        expected: T,
        answer: Result<T, Error>,
    ) -> Result<(), String> {
        let expected = format!("{prefix}{expected:?}");
        self.script.assert_eq(&format!("requests[{request}].{call}"), &expected);
        let got = answer.map(|answer| format!("{prefix}{answer:?}"));
        let got = got.unwrap_or_else(|error| show_error(&error));
        if got == expected { Ok(()) } else { Err(self.script.failure(&expected, &got)) }
    }

    fn session(&self, request: usize) -> Session {
        self.requests[request].clone().expect("it was opened")
    }
}
