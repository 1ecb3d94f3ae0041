//! The model of sessions: what the requests of one client must see. Each call of a session is one step.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::time::Duration;

use pycket_core::Outcome;

use super::records::Values;

pub(super) const IDLE: Duration = Duration::from_secs(35 * 60);
pub(super) const REMEMBERED: Duration = Duration::from_secs(65 * 60);

/// The sessions of the client in the order of their creation, and its notifications by number. A new id is a
/// new session.
#[derive(Default)]
pub(super) struct Client {
    pub(super) sessions: Vec<Stored>,
    notifications: BTreeMap<usize, Notification>,
    /// How many notifications were left.
    left: usize,
    now: Duration,
}

/// A session as the store should have it, or as a request knows it.
#[derive(Clone, Default)]
pub(super) struct Stored {
    values: Values,
    pointers: Pointers,
    is_remembered: bool,
    ends: Duration,
}

struct Notification {
    value: u8,
    ends: Duration,
}

/// The names of a session's notifications.
type Pointers = BTreeMap<usize, &'static str>;

/// What one request knows, and what it has not stored yet.
#[derive(Default)]
pub(super) struct Request {
    opened: Option<usize>,
    base: Base,
    changes: BTreeMap<&'static str, Option<u8>>,
    is_remembered: bool,
    has_new_id: bool,
    destroyed: Vec<usize>,
    new: BTreeMap<usize, (&'static str, u8)>,
    /// Notifications whose pointers this request removes.
    removed: BTreeSet<usize>,
    /// Those among them that no request has read.
    replaced: Vec<usize>,
}

#[derive(Default)]
enum Base {
    #[default]
    Absent,
    Live {
        session: usize,
        known: Stored,
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

    /// Whether the client needs another id than the one that it presented.
    pub(super) fn has_another_id(&self) -> bool {
        self.session().is_some() && self.session() != self.opened
    }

    pub(super) fn has_destroyed_a_session(&self) -> bool {
        !self.destroyed.is_empty()
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
        let mut destroyed = mem::take(&mut self.destroyed);
        destroyed.extend(self.session());
        *self = Self { opened: self.opened, destroyed, ..Self::default() };
    }

    fn needs_commit(&self) -> bool {
        let has_change = match &self.base {
            Base::Absent => !self.values().is_empty(),
            Base::Live { known, .. } => {
                self.has_changes()
                    || self.has_new_id
                    || (self.is_remembered && !known.is_remembered)
            }
            Base::Ended => self.has_changes(),
        };
        has_change || !self.new.is_empty() || self.has_destroyed_a_session()
    }

    fn has_changes(&self) -> bool {
        !self.changes.is_empty() || !self.removed.is_empty()
    }

    fn stored(&self) -> &Values {
        static NONE: Values = Values::new();
        match &self.base {
            Base::Live { known, .. } => &known.values,
            Base::Absent | Base::Ended => &NONE,
        }
    }

    /// The numbers of the unread notifications of this name.
    fn unread(&self, name: &str) -> Vec<usize> {
        let mut unread = Vec::new();
        if let Base::Live { known, .. } = &self.base {
            unread.extend(
                known.pointers.iter().filter(|(_, n)| **n == name).map(|(number, _)| *number),
            );
        }
        unread.retain(|number| !self.removed.contains(number));
        unread.extend(self.new.iter().filter(|(_, (n, _))| *n == name).map(|(number, _)| *number));
        unread
    }

    fn apply_to(&self, stored: &mut Stored) {
        apply(&mut stored.values, &self.changes);
        stored.pointers.retain(|number, _| !self.removed.contains(number));
        stored.pointers.extend(self.new.iter().map(|(number, (name, _))| (*number, *name)));
        stored.is_remembered |= self.is_remembered;
    }

    fn will_be_remembered(&self) -> bool {
        let is_known = matches!(&self.base, Base::Live { known, .. } if known.is_remembered);
        self.is_remembered || is_known
    }

    fn end(&mut self) -> Outcome {
        *self = Self { opened: self.opened, base: Base::Ended, ..Self::default() };
        Outcome::Ended
    }
}

impl Client {
    pub(super) fn pass(&mut self, duration: Duration) {
        self.now += duration;
    }

    pub(super) fn open(&self, session: Option<usize>) -> Request {
        let live = session.filter(|session| self.is_live(*session));
        let base = live.map_or(Base::Absent, |session| self.seen(session));
        Request { opened: session, base, ..Request::default() }
    }

    pub(super) fn leave(
        &mut self,
        request: &mut Request,
        name: &'static str,
        value: u8,
        replaces: bool,
    ) {
        for unread in request.unread(name).into_iter().filter(|_| replaces) {
            if request.new.remove(&unread).is_none() {
                request.removed.insert(unread);
                request.replaced.push(unread);
            }
        }
        request.new.insert(self.left, (name, value));
        self.left += 1;
    }

    pub(super) fn commit(&mut self, request: &mut Request) -> Outcome {
        let has_destroyed = request.has_destroyed_a_session();
        for session in mem::take(&mut request.destroyed) {
            let is_live = self.is_live(session);
            for number in mem::take(&mut self.sessions[session]).pointers.keys().filter(|_| is_live)
            {
                self.notifications.remove(number);
            }
        }
        let outcome = match (&request.base, request.session().filter(|s| self.is_live(*s))) {
            _ if !request.needs_commit() => Outcome::Unchanged,
            (Base::Absent, _) => self.create(request),
            (_, Some(session)) if request.has_new_id => self.rotate(request, session),
            (_, Some(session)) => self.update(request, session),
            (_, None) => request.end(),
        };
        if outcome == Outcome::Unchanged && has_destroyed { Outcome::Destroyed } else { outcome }
    }

    fn create(&mut self, request: &mut Request) -> Outcome {
        self.store_notifications(request);
        self.begin(request, Stored::default());
        Outcome::Created
    }

    fn rotate(&mut self, request: &mut Request, session: usize) -> Outcome {
        self.store_notifications(request);
        let old = mem::take(&mut self.sessions[session]);
        self.begin(request, old);
        Outcome::Rotated
    }

    fn begin(&mut self, request: &mut Request, mut stored: Stored) {
        request.apply_to(&mut stored);
        stored.ends = self.now + idle(stored.is_remembered);
        self.sessions.push(stored);
        let base = self.seen(self.sessions.len() - 1);
        *request = Request { opened: request.opened, base, ..Request::default() };
    }

    fn update(&mut self, request: &mut Request, session: usize) -> Outcome {
        self.store_notifications(request);
        let stored = &mut self.sessions[session];
        request.apply_to(stored);
        stored.ends = self.now + idle(request.will_be_remembered());
        let mut base = mem::take(&mut request.base);
        if let Base::Live { known, .. } = &mut base {
            request.apply_to(known);
        }
        *request = Request { opened: request.opened, base, ..Request::default() };
        Outcome::Updated
    }

    /// Changes values at once, as `f` says for the stored ones; `names` are those that it uses. `None` if the
    /// session has ended.
    pub(super) fn update_at_once<R>(
        &mut self,
        request: &mut Request,
        names: &[&str],
        f: impl Fn(&Values) -> (Vec<(&'static str, Option<u8>)>, R),
    ) -> Option<R> {
        if request.needs_commit() {
            self.commit(request);
        }
        if matches!(request.base, Base::Absent) {
            let (changes, answer) = f(&request.values());
            for (name, change) in changes {
                match change {
                    Some(value) => request.set(name, value),
                    None => request.delete(name),
                }
            }
            self.commit(request);
            return Some(answer);
        }
        let Some(session) = request.session().filter(|session| self.is_live(*session)) else {
            request.end();
            return None;
        };
        let stored = &self.sessions[session].values;
        if names.iter().any(|name| stored.get(name) != request.stored().get(name)) {
            request.base = self.seen(session);
        }
        let (changes, answer) = f(request.stored());
        let changes = changes.into_iter().collect();
        let mut changed = request.stored().clone();
        apply(&mut changed, &changes);
        if changed == *request.stored() {
            // The look at the store shows everything that others have stored.
            request.base = self.seen(session);
        } else if let Base::Live { known, .. } = &mut request.base {
            known.values = changed;
            let stored = &mut self.sessions[session];
            apply(&mut stored.values, &changes);
            stored.ends = self.now + idle(known.is_remembered);
        }
        Some(answer)
    }

    /// Returns the oldest notification of this name, once.
    pub(super) fn take(&mut self, request: &mut Request, name: &'static str) -> Option<u8> {
        if matches!(request.base, Base::Ended) {
            return None;
        }
        for number in request.unread(name) {
            if let Some((_, value)) = request.new.remove(&number) {
                return Some(value);
            }
            request.removed.insert(number);
            match self.notifications.remove(&number) {
                Some(notification) if notification.ends > self.now => {
                    return Some(notification.value);
                }
                _ => {}
            }
        }
        None
    }

    /// Stores the new notifications of a request, and deletes those that they replace.
    fn store_notifications(&mut self, request: &Request) {
        let ends = self.now + idle(request.will_be_remembered());
        for (number, (_, value)) in &request.new {
            self.notifications.insert(*number, Notification { value: *value, ends });
        }
        for number in &request.replaced {
            self.notifications.remove(number);
        }
    }

    fn is_live(&self, session: usize) -> bool {
        self.sessions[session].ends > self.now
    }

    fn seen(&self, session: usize) -> Base {
        Base::Live { session, known: self.sessions[session].clone() }
    }
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
