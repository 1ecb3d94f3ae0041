use std::mem;
use std::sync::Arc;
use std::time::Duration;

use crate::{Changes, IdChange, Metadata, Record, SessionId, Timestamp, Ttl, Value};

use super::pending::{Doomed, Pending, Rotation};

/// What a request knows of its session: what the store had, and what is not stored yet.
pub(crate) struct State {
    base: Base,
    /// What a commit is storing at this moment; readers still see it. If nobody has the turn, what one
    /// left that was cut off.
    in_flight: Option<Arc<Pending>>,
    pending: Pending,
    id_change: IdChange,
    /// Whether the client presented an id, so that there is something to withdraw.
    presented: bool,
    notices: Notices,
    /// Counts destroys, so that a commit learns of one that happened while it was under way.
    destroys: u32,
}

/// The notifications as the store has them.
enum Notices {
    /// Nobody has asked yet, or somebody else has changed them.
    Unknown,
    Known(Option<Record>),
}

/// The session as the store has it.
#[derive(Clone)]
pub(crate) enum Base {
    /// None is stored.
    Absent,
    /// As it was last seen.
    Live(Live),
    /// It ended while this request was running, and stays ended.
    Ended,
}

#[derive(Clone)]
pub(crate) struct Live {
    pub(crate) id: SessionId,
    pub(crate) record: Record,
    /// By the manager's [`Clock::elapsed`](crate::Clock::elapsed).
    pub(crate) expires_at: Duration,
}

/// How a commit ended.
pub(crate) struct Settled {
    /// What the store has now, if that changed.
    pub(crate) base: Option<Base>,
    /// What could not be stored.
    pub(crate) unsettled: Option<Box<Pending>>,
    pub(crate) destroys_seen: u32,
}

impl State {
    pub(crate) fn new(base: Base, presented: bool) -> Self {
        Self {
            base,
            in_flight: None,
            pending: Pending::default(),
            id_change: IdChange::Unchanged,
            presented,
            notices: Notices::Unknown,
            destroys: 0,
        }
    }

    pub(crate) fn live(&self) -> Option<&Live> {
        match &self.base {
            Base::Live(live) => Some(live),
            Base::Absent | Base::Ended => None,
        }
    }

    pub(crate) fn base(&self) -> &Base {
        &self.base
    }

    pub(crate) fn pending(&self) -> &Pending {
        &self.pending
    }

    pub(crate) fn value(&self, name: &str) -> Option<&Value> {
        self.pending.changes.get(name).unwrap_or_else(|| self.stored(name))
    }

    pub(crate) fn view(&self) -> Record {
        let mut view = self.live().map_or_else(nothing, |live| live.record.clone());
        if let Some(in_flight) = &self.in_flight {
            view.apply(&in_flight.changes);
        }
        view.apply(&self.pending.changes);
        view
    }

    pub(crate) fn set(&mut self, name: &str, value: Value) {
        if self.stored(name) == Some(&value) {
            self.pending.changes.forget(name);
        } else {
            self.pending.changes.insert(name.into(), Some(value));
        }
    }

    /// Whether the name was there.
    pub(crate) fn delete(&mut self, name: &str) -> bool {
        let was_there = self.value(name).is_some();
        if self.stored(name).is_some() {
            self.pending.changes.insert(name.into(), None);
        } else {
            self.pending.changes.forget(name);
        }
        was_there
    }

    pub(crate) fn set_idle_timeout(&mut self, idle: Ttl) {
        self.pending.idle_timeout = Some(idle);
    }

    pub(crate) fn rotate(&mut self, rotation: Rotation) {
        if self.live().is_some() {
            self.pending.rotation = self.pending.rotation.max(Some(rotation));
        }
    }

    pub(crate) fn destroy(&mut self) {
        self.destroys += 1;
        let mut doomed = mem::take(&mut self.pending).into_doomed();
        if let Base::Live(live) = mem::replace(&mut self.base, Base::Absent) {
            doomed.push(Doomed::new(live.id));
        }
        if self.presented || !doomed.is_empty() {
            self.id_change = IdChange::Withdrawn;
        }
        self.pending.doomed = doomed;
        self.in_flight = self.in_flight.take().map(|left| Arc::new(left.only_doomed()));
        self.notices = Notices::Unknown;
    }

    pub(crate) fn leave_notice(&mut self, name: &str, value: Value) {
        self.pending.notices.insert(name.into(), Some(value));
    }

    /// What is unread, as far as it is known, with what this request has left.
    pub(crate) fn notices(&self) -> Record {
        let mut notices = self.known_notices().cloned().unwrap_or_else(nothing);
        notices.apply(&self.pending.notices);
        notices
    }

    pub(crate) fn knows_notices(&self) -> bool {
        matches!(self.notices, Notices::Known(_))
    }

    pub(crate) fn known_notices(&self) -> Option<&Record> {
        match &self.notices {
            Notices::Known(record) => record.as_ref(),
            Notices::Unknown => None,
        }
    }

    pub(crate) fn note_notices(&mut self, found: Option<Record>) {
        self.notices = Notices::Known(found);
    }

    pub(crate) fn forget_notices(&mut self) {
        self.notices = Notices::Unknown;
    }

    /// Notes that these were handed out; `taken` is what was removed from the store for it.
    pub(crate) fn consume_notices(&mut self, names: &[&str], taken: &Changes) {
        for name in names {
            self.pending.notices.forget(name);
        }
        if let Notices::Known(Some(record)) = &mut self.notices {
            record.apply(taken);
        }
    }

    /// Puts what the store has now in the place of what it had.
    pub(crate) fn refresh(&mut self, live: Live) {
        if self.live().is_some_and(|old| old.id == live.id) {
            self.base = Base::Live(live);
        }
    }

    /// Notes that an update of that session is stored.
    pub(crate) fn accept(&mut self, id: SessionId, changes: &Changes, expires_at: Duration) {
        if let Base::Live(live) = &mut self.base
            && live.id == id
        {
            live.record.apply(changes);
            live.expires_at = expires_at;
            if self.id_change == IdChange::Unchanged {
                self.id_change = IdChange::Renewed(id);
            }
        }
    }

    /// Forgets that `name` is to be set to `value`, or removed, unless it is to be something else by now.
    pub(crate) fn forget_pending(&mut self, name: &str, value: Option<&Value>) {
        if self.pending.changes.get(name) == Some(value) {
            self.pending.changes.forget(name);
        }
    }

    /// Undoes a `set` that could not be stored, unless the name was written since.
    pub(crate) fn take_back(&mut self, name: &str, value: &Value, before: Option<Value>) {
        if self.pending.changes.get(name) == Some(Some(value)) {
            match before {
                Some(before) => self.set(name, before),
                None => drop(self.delete(name)),
            }
        }
    }

    /// Notes that the session ended: what was not stored is dropped, and the client told nothing, since
    /// it may have a newer session by now.
    pub(crate) fn end(&mut self) {
        self.abandon();
        self.base = Base::Ended;
        self.notices = Notices::Unknown;
        self.id_change = IdChange::Unchanged;
    }

    pub(crate) fn is_changed(&self) -> bool {
        self.pending.is_worth_a_commit(&self.base)
    }

    pub(crate) fn id_change(&self) -> IdChange {
        self.id_change
    }

    /// Drops what is not stored, except the end of a session; whether there is one.
    pub(crate) fn abandon(&mut self) -> bool {
        self.pending = self.pending.only_doomed();
        !self.pending.doomed.is_empty()
    }

    pub(crate) fn take_doomed(&mut self) -> Vec<Doomed> {
        mem::take(&mut self.pending.doomed)
    }

    /// Takes what is pending, to be stored. Until [`settle`](Self::settle) readers see it as it was.
    pub(crate) fn begin(&mut self) -> (Base, Arc<Pending>, u32) {
        self.reclaim();
        let pending = Arc::new(mem::take(&mut self.pending));
        self.in_flight = Some(Arc::clone(&pending));
        (self.base.clone(), pending, self.destroys)
    }

    /// Makes pending again what a commit left that was cut off, as it is by a panic, or where no runtime
    /// finishes it. Only for whoever has the turn, since nobody else is committing then.
    pub(crate) fn reclaim(&mut self) {
        if let Some(left) = self.in_flight.take() {
            let left = Arc::unwrap_or_clone(left);
            self.pending = left.overlaid_with(mem::take(&mut self.pending));
        }
    }

    pub(crate) fn settle(&mut self, settled: Settled) {
        self.in_flight = None;
        if self.destroys != settled.destroys_seen {
            self.settle_after_destroy(settled);
            return;
        }
        if let Some(unsettled) = settled.unsettled {
            self.pending = unsettled.overlaid_with(mem::take(&mut self.pending));
        }
        match settled.base {
            None => {}
            Some(Base::Ended) => self.end(),
            Some(base) => {
                let old_id = self.live().map(|live| live.id);
                self.base = base;
                self.id_change = match (self.live().map(|live| live.id), self.id_change) {
                    (Some(id), _) if old_id != Some(id) => IdChange::Issued(id),
                    (Some(id), IdChange::Unchanged) => IdChange::Renewed(id),
                    (_, as_before) => as_before,
                };
            }
        }
    }

    /// What was stored while the session was being destroyed ends with it.
    fn settle_after_destroy(&mut self, settled: Settled) {
        let born = match settled.base {
            Some(Base::Live(live)) => Some(Doomed::new(live.id)),
            Some(Base::Absent | Base::Ended) | None => None,
        };
        let unsettled = settled.unsettled.map(|left| left.into_doomed()).unwrap_or_default();
        for doomed in unsettled.into_iter().chain(born) {
            if self.pending.doomed.iter().all(|other| other.id != doomed.id) {
                self.pending.doomed.push(doomed);
            }
        }
        if !self.pending.doomed.is_empty() {
            self.id_change = IdChange::Withdrawn;
        }
    }

    /// As the store has it, or will have it when the commit that is under way is through.
    fn stored(&self, name: &str) -> Option<&Value> {
        match self.in_flight.as_ref().and_then(|in_flight| in_flight.changes.get(name)) {
            Some(change) => change,
            None => self.live().and_then(|live| live.record.get(name)),
        }
    }
}

/// For mere looking: what is stored has metadata of its own.
fn nothing() -> Record {
    let metadata = Metadata::new(Timestamp::from_unix_millis(0));
    Record::new(metadata, <[(&str, Value); 0]>::default())
}
