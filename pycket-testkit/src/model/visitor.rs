//! What requests of one visitor must see, as if each call of a session happened at one moment.

use std::collections::BTreeMap;
use std::mem;
use std::time::Duration;

use pycket_core::Outcome;

use super::records::Values;

pub(super) const IDLE: Duration = Duration::from_secs(35 * 60);
pub(super) const REMEMBERED: Duration = Duration::from_secs(65 * 60);

/// The visitor's sessions, in the order in which they were created; a new id is a new session.
#[derive(Default)]
pub(super) struct Visitor {
    pub(super) sessions: Vec<Kept>,
    now: Duration,
}

/// A session as the store should have it.
#[derive(Default)]
pub(super) struct Kept {
    values: Values,
    is_remembered: bool,
    ends: Duration,
    notices: Values,
    notices_end: Duration,
}

/// What one request knows, and what it is still to do.
#[derive(Default)]
pub(super) struct Request {
    opened: Option<usize>,
    base: Base,
    changes: BTreeMap<&'static str, Option<u8>>,
    is_remembered: bool,
    has_new_id: bool,
    doomed: Vec<usize>,
    left: Values,
    known: Option<Values>,
}

#[derive(Default)]
enum Base {
    #[default]
    Absent,
    Live {
        session: usize,
        values: Values,
        is_remembered: bool,
    },
    Ended,
}

impl Request {
    pub(super) fn values(&self) -> Values {
        let mut values = self.stored().clone();
        apply(&mut values, &self.changes);
        values
    }

    pub(super) fn session(&self) -> Option<usize> {
        match self.base {
            Base::Live { session, .. } => Some(session),
            Base::Absent | Base::Ended => None,
        }
    }

    /// Whether its client has to learn another id than the one that it presented.
    pub(super) fn has_another_id(&self) -> bool {
        self.session().is_some() && self.session() != self.opened
    }

    pub(super) fn has_to_end_a_session(&self) -> bool {
        !self.doomed.is_empty()
    }

    pub(super) fn set(&mut self, name: &'static str, value: u8) {
        if self.stored().get(name) == Some(&value) {
            self.changes.remove(name);
        } else {
            self.changes.insert(name, Some(value));
        }
    }

    pub(super) fn delete(&mut self, name: &'static str) {
        if self.stored().contains_key(name) {
            self.changes.insert(name, None);
        } else {
            self.changes.remove(name);
        }
    }

    pub(super) fn remember(&mut self) {
        self.is_remembered = true;
    }

    pub(super) fn cycle_id(&mut self) {
        self.has_new_id |= self.session().is_some();
    }

    pub(super) fn destroy(&mut self) {
        let mut doomed = mem::take(&mut self.doomed);
        doomed.extend(self.session());
        *self = Self { opened: self.opened, doomed, ..Self::default() };
    }

    pub(super) fn leave(&mut self, name: &'static str, value: u8) {
        self.left.insert(name, value);
    }

    fn stored(&self) -> &Values {
        static NONE: Values = Values::new();
        match &self.base {
            Base::Live { values, .. } => values,
            Base::Absent | Base::Ended => &NONE,
        }
    }

    fn end(&mut self) {
        *self = Self { opened: self.opened, base: Base::Ended, ..Self::default() };
    }
}

impl Visitor {
    pub(super) fn pass(&mut self, duration: Duration) {
        self.now += duration;
    }

    pub(super) fn open(&self, session: Option<usize>) -> Request {
        let live = session.filter(|session| self.is_live(*session));
        let base = live.map_or(Base::Absent, |session| self.seen(session));
        Request { opened: session, base, ..Request::default() }
    }

    pub(super) fn commit(&mut self, request: &mut Request) -> Outcome {
        let has_ended = request.has_to_end_a_session();
        for session in mem::take(&mut request.doomed) {
            self.sessions[session] = Kept::default();
        }
        match self.carry_out(request) {
            Outcome::Unchanged if has_ended => Outcome::Destroyed,
            outcome => outcome,
        }
    }

    fn carry_out(&mut self, request: &mut Request) -> Outcome {
        let is_idle = request.changes.is_empty() && request.left.is_empty();
        match &request.base {
            Base::Ended if is_idle => Outcome::Unchanged,
            Base::Absent if request.left.is_empty() && request.values().is_empty() => {
                Outcome::Unchanged
            }
            Base::Absent => self.create(request),
            Base::Live { is_remembered, .. } => {
                let is_idle = is_idle && request.is_remembered <= *is_remembered;
                match request.session().filter(|session| self.is_live(*session)) {
                    _ if is_idle && !request.has_new_id => Outcome::Unchanged,
                    Some(session) if request.has_new_id => self.rotate(request, session),
                    Some(session) => self.update(request, session),
                    None => gone(request),
                }
            }
            Base::Ended => gone(request),
        }
    }

    fn create(&mut self, request: &mut Request) -> Outcome {
        let values = request.values();
        let left = mem::take(&mut request.left);
        self.begin(request, values, request.is_remembered, left);
        Outcome::Created
    }

    fn rotate(&mut self, request: &mut Request, session: usize) -> Outcome {
        let old = mem::take(&mut self.sessions[session]);
        let mut values = old.values;
        apply(&mut values, &request.changes);
        let mut notices = if old.notices_end > self.now { old.notices } else { Values::new() };
        notices.append(&mut request.left);
        self.begin(request, values, old.is_remembered || request.is_remembered, notices);
        Outcome::Rotated
    }

    fn begin(
        &mut self,
        request: &mut Request,
        values: Values,
        is_remembered: bool,
        notices: Values,
    ) {
        let ends = self.now + idle(is_remembered);
        let notices_end = if notices.is_empty() { Duration::ZERO } else { ends };
        self.sessions.push(Kept { values, is_remembered, ends, notices, notices_end });
        let base = self.seen(self.sessions.len() - 1);
        *request = Request { opened: request.opened, base, ..Request::default() };
    }

    fn update(&mut self, request: &mut Request, session: usize) -> Outcome {
        let Base::Live { values, is_remembered, .. } = &mut request.base else {
            return Outcome::Unchanged;
        };
        let kept = &mut self.sessions[session];
        *is_remembered |= request.is_remembered;
        kept.is_remembered |= request.is_remembered;
        kept.ends = self.now + idle(*is_remembered);
        apply(values, &request.changes);
        apply(&mut kept.values, &request.changes);
        request.changes.clear();
        request.is_remembered = false;
        if !request.left.is_empty() {
            if kept.notices_end <= self.now {
                kept.notices.clear();
            }
            kept.notices.append(&mut request.left);
            kept.notices_end = kept.ends;
            request.known = None;
        }
        Outcome::Updated
    }

    /// Adds one to a value, at once; `None` if the session has ended.
    pub(super) fn increment(&mut self, request: &mut Request, name: &'static str) -> Option<u8> {
        if request.has_new_id || request.has_to_end_a_session() {
            self.commit(request);
        }
        let Some(session) = request.session() else {
            if matches!(request.base, Base::Ended) {
                return None;
            }
            let sum = request.values().get(name).unwrap_or(&0) + 1;
            request.set(name, sum);
            self.commit(request);
            return Some(sum);
        };
        if !self.is_live(session) {
            request.end();
            return None;
        }
        let is_stored = !request.changes.contains_key(name);
        if is_stored && self.sessions[session].values.get(name) != request.stored().get(name) {
            request.base = self.seen(session);
        }
        let sum = request.values().get(name).unwrap_or(&0) + 1;
        request.changes.remove(name);
        if let Base::Live { values, is_remembered, .. } = &mut request.base {
            values.insert(name, sum);
            let kept = &mut self.sessions[session];
            kept.values.insert(name, sum);
            kept.ends = self.now + idle(*is_remembered);
        }
        Some(sum)
    }

    /// Hands a notification out, once.
    pub(super) fn take(&mut self, request: &mut Request, name: &'static str) -> Option<u8> {
        if let Some(session) = request.session() {
            let kept = &mut self.sessions[session];
            let stored = if kept.notices_end > self.now { Some(&mut kept.notices) } else { None };
            let seen = stored.as_deref().cloned().unwrap_or_default();
            // What was seen once is not looked up again, unless somebody else has taken it.
            let known = request.known.get_or_insert_with(|| seen.clone());
            if known.contains_key(name) && known.get(name) != seen.get(name) {
                *known = seen;
            }
            if let (Some(_), Some(stored)) = (known.remove(name), stored) {
                let taken = stored.remove(name);
                return request.left.remove(name).or(taken);
            }
        }
        request.left.remove(name)
    }

    fn is_live(&self, session: usize) -> bool {
        self.sessions[session].ends > self.now
    }

    fn seen(&self, session: usize) -> Base {
        let Kept { values, is_remembered, .. } = &self.sessions[session];
        Base::Live { session, values: values.clone(), is_remembered: *is_remembered }
    }
}

fn gone(request: &mut Request) -> Outcome {
    request.end();
    Outcome::Ended
}

fn apply(values: &mut Values, changes: &BTreeMap<&'static str, Option<u8>>) {
    for (name, change) in changes {
        match change {
            Some(value) => values.insert(name, *value),
            None => values.remove(name),
        };
    }
}

fn idle(is_remembered: bool) -> Duration {
    if is_remembered { REMEMBERED } else { IDLE }
}
