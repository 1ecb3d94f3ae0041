use std::sync::Arc;
use std::time::Duration;

use crate::timeouts::OwnTimeouts;
use crate::users::UserEntry;
use crate::{
    Changes, Clock, Error, IdChange, Metadata, Record, SessionId, Timestamp, Ttl, Value, Version,
};

use super::pointer::{notifications_of, pointer_name};
use super::sign_in::SignIn;
use super::work::{PendingDelete, Rotation, Work};

/// Names that begin with this are reserved for the library.
const RESERVED: &str = "\0pycket:";

/// What a request knows of its session: what the store had, and what is not stored yet.
pub(crate) struct State {
    pub(super) base: Base,
    pub(super) work: Work,
    pub(super) id_change: IdChange,
    /// Whether the client presented an id, so that there is an id to withdraw.
    presented: bool,
    /// The ids that the client presented besides, and that were not loaded. A destroy ends their sessions, too.
    others: Vec<SessionId>,
    /// Whether the response has left, so that the client cannot get another id.
    pub(super) is_id_frozen: bool,
    /// Whether a commit may be storing the changes at this moment.
    pub(super) is_committing: bool,
    /// How many times the session was destroyed. A commit compares it before and after its store calls.
    destroys: u32,
}

/// The session as the store has it.
#[derive(Clone)]
pub(crate) enum Base {
    /// There is none.
    Absent,
    /// As it was last seen.
    Live(Live),
    /// It ended while this request was running.
    Ended,
}

#[derive(Clone)]
pub(crate) struct Live {
    pub(crate) id: SessionId,
    pub(crate) record: Record,
    /// In the time of the manager's [`Clock::elapsed`].
    pub(crate) expires_at: Duration,
    /// What the driver returned with the record, until the record changes.
    pub(crate) version: Option<Version>,
}

/// What one step of a commit takes from the state. The step hands it back with its result.
#[derive(Default)]
pub(crate) struct Sent {
    pub(super) changes: Option<Arc<Changes>>,
    rotation: Option<Rotation>,
    sign_in: Option<Arc<SignIn>>,
    destroys: u32,
}

/// Reading and changing.
impl State {
    pub(crate) fn new(base: Base, presented: bool, others: Vec<SessionId>) -> Self {
        Self {
            base,
            work: Work::default(),
            id_change: IdChange::Unchanged,
            presented,
            others,
            is_id_frozen: false,
            is_committing: false,
            destroys: 0,
        }
    }

    pub(crate) fn live(&self) -> Option<&Live> {
        match &self.base {
            Base::Live(live) => Some(live),
            Base::Absent | Base::Ended => None,
        }
    }

    pub(crate) fn freeze_id(&mut self) -> IdChange {
        self.is_id_frozen = true;
        self.id_change
    }

    /// Whether a commit would need another id, and the client cannot get it.
    pub(crate) fn is_too_late(&self) -> bool {
        let needs_id = match self.base {
            _ if self.work.sign_in.is_some() => true,
            Base::Absent => self.work.has_content(),
            Base::Live(_) => self.work.rotation.is_some(),
            Base::Ended => false,
        };
        self.is_id_frozen && needs_id
    }

    pub(crate) fn needs_commit(&self) -> bool {
        self.work.has_change(&self.base) || !self.work.deletes.is_empty()
    }

    /// The value of a name that the application may use.
    pub(crate) fn value(&self, name: &str) -> Option<&Value> {
        if is_reserved(name) { None } else { self.entry(name) }
    }

    /// The record with this request's changes, reserved names included.
    pub(crate) fn view(&self) -> Record {
        let kept = self.live().filter(|_| !self.starts_empty());
        let mut view = kept.map_or_else(empty, |live| live.record.clone());
        view.apply(self.work.changes());
        view
    }

    /// As [`view`](Self::view), to be stored with this ttl.
    pub(super) fn record_since(&self, created: Timestamp, ttl: Ttl) -> Record {
        let mut record = self.view();
        let metadata = Metadata::new(created).with_granted(Some(ttl));
        record.apply(&Changes::new().with_metadata(metadata));
        record
    }

    pub(crate) fn set(&mut self, name: &str, value: Value) {
        if self.stored(name) == Some(&value) && !self.may_be_sent(name) {
            self.work.changes_mut().forget(name);
        } else {
            self.work.changes_mut().insert(name.into(), Some(value));
        }
    }

    /// Whether the name was there.
    pub(crate) fn delete(&mut self, name: &str) -> bool {
        let was_there = self.entry(name).is_some();
        if self.stored(name).is_some() || self.may_be_sent(name) {
            self.work.changes_mut().insert(name.into(), None);
        } else if was_there {
            self.work.changes_mut().forget(name);
        }
        was_there
    }

    pub(crate) fn own_timeouts(&self) -> OwnTimeouts {
        OwnTimeouts::from_entry(self.entry(OwnTimeouts::NAME))
    }

    pub(crate) fn set_own_timeouts(&mut self, own: OwnTimeouts) -> Result<(), Error> {
        self.work.changes_mut().insert(OwnTimeouts::NAME.into(), Some(own.to_entry()?));
        Ok(())
    }

    pub(crate) fn rotate(&mut self, rotation: Rotation) {
        if self.live().is_none() {
            return;
        }
        self.work.rotation = self.work.rotation.max(Some(rotation));
        let name = OwnTimeouts::NAME;
        if rotation == Rotation::RestartTimeouts && self.work.changes().get(name).is_none() {
            self.delete(name);
        }
    }

    pub(crate) fn destroy(&mut self) {
        self.destroys += 1;
        self.work.abandon();
        if let Base::Live(live) = std::mem::replace(&mut self.base, Base::Absent) {
            self.work.delete_session(live.id, Some(live.record));
        }
        for id in std::mem::take(&mut self.others) {
            self.work.delete_session(id, None);
        }
        if self.presented || self.ends_a_session() {
            self.id_change = IdChange::Withdrawn;
        }
    }

    fn entry(&self, name: &str) -> Option<&Value> {
        self.work.changes().get(name).unwrap_or_else(|| self.stored(name))
    }

    fn stored(&self, name: &str) -> Option<&Value> {
        let kept = self.live().filter(|_| !self.starts_empty());
        kept.and_then(|live| live.record.get(name))
    }

    /// Whether the next commit begins a session that gets nothing of the present one.
    pub(crate) fn starts_empty(&self) -> bool {
        self.work.sign_in.as_ref().is_some_and(|sign_in| sign_in.starts_empty)
    }

    /// Whether a commit may be storing a change of this name, so that the store may soon have another value.
    fn may_be_sent(&self, name: &str) -> bool {
        self.is_committing && self.work.changes().get(name).is_some()
    }

    /// Whether the next commit ends a session.
    pub(crate) fn ends_a_session(&self) -> bool {
        !self.work.deletes.iter().all(PendingDelete::is_notification)
    }
}

/// The steps of a commit.
impl State {
    pub(crate) fn send(&self) -> Sent {
        Sent {
            changes: self.work.changes.clone(),
            rotation: self.work.rotation,
            sign_in: self.work.sign_in.clone(),
            destroys: self.destroys,
        }
    }

    /// For a step that stores something else than the pending changes.
    pub(crate) fn send_nothing(&self) -> Sent {
        Sent { destroys: self.destroys, ..Sent::default() }
    }

    /// Takes note that the store has `live`, with everything that was sent.
    pub(crate) fn stored_all(&mut self, sent: &Sent, live: Live) {
        self.stored_changes(sent, live, &Changes::new());
    }

    /// As [`stored_all`](Self::stored_all), of a record to which the store has applied `changes`.
    pub(crate) fn stored_changes(&mut self, sent: &Sent, mut live: Live, changes: &Changes) {
        let old = self.live().map(|old| old.id);
        // The record is no longer shared then, so the changes copy nothing.
        self.base = Base::Absent;
        live.version = None;
        live.record.apply(changes);
        if self.destroys != sent.destroys {
            // The session was destroyed while it was being stored.
            self.work.delete_session(live.id, Some(live.record));
            self.id_change = IdChange::Withdrawn;
            return;
        }
        self.work.remove_stored(&sent.changes);
        if self.work.rotation == sent.rotation {
            self.work.rotation = None;
        }
        if let Some(sign_in) = &sent.sign_in {
            if self.work.sign_in.as_ref().is_some_and(|now| Arc::ptr_eq(now, sign_in)) {
                self.work.sign_in = None;
            }
            for id in std::mem::take(&mut self.others) {
                self.work.delete_session(id, None);
            }
        }
        let unreachable = |id: &mut _| live.record.get(&pointer_name(id)).is_none();
        let unreachable = self.work.replaced.extract_if(.., unreachable);
        self.work.deletes.extend(unreachable.map(PendingDelete::Notification));
        self.id_change = match self.id_change {
            _ if old != Some(live.id) => IdChange::Issued(live.id),
            IdChange::Unchanged => IdChange::Renewed(live.id),
            other => other,
        };
        self.base = Base::Live(live);
    }

    /// Takes note that the session had ended before the commit. The cookie says nothing, because the client
    /// may have a newer session by now.
    pub(crate) fn end(&mut self, sent: &Sent) {
        if self.destroys != sent.destroys {
            return;
        }
        if self.work.sign_in.is_some() {
            // The user signed in while the commit was running. The next one stores that as a new session.
            self.base = Base::Absent;
            self.work.rotation = None;
        } else {
            self.work.abandon();
            self.base = Base::Ended;
            self.id_change = IdChange::Unchanged;
        }
    }

    /// Takes note that another request has changed the session to `live`.
    pub(crate) fn refresh(&mut self, sent: &Sent, live: Live) {
        if self.destroys == sent.destroys {
            self.base = Base::Live(live);
        }
    }

    /// Takes note that the sign-in that was sent begins with the session `live` instead.
    pub(crate) fn start_sign_in_again(&mut self, sent: &Sent, live: Live) {
        self.refresh(sent, live);
        if let Some(sign_in) = &mut self.work.sign_in {
            Arc::make_mut(sign_in).has_started_again = true;
        }
    }

    /// Adds what other requests wrote to the old record of a rotation. This request's own changes win.
    pub(crate) fn add_missed(&mut self, sent: &Sent, missed: &Changes) {
        if self.destroys != sent.destroys {
            return;
        }
        for (name, change) in missed.entries() {
            if self.work.changes().get(name).is_none() {
                self.work.changes_mut().insert(name.clone(), change.cloned());
            }
        }
    }

    /// There is no record under `id` any more, and `known` is what it held. What it leads to is still to be deleted.
    pub(crate) fn deleted(&mut self, id: SessionId, known: Option<&Record>, is_deleted: bool) {
        self.work.deletes.retain(|delete| delete.id() != id);
        let Some(known) = known else { return };
        // A client may present several ids of one session. The session of its new sign-in has the same handle, and stays.
        let own = self.live().and_then(|live| UserEntry::of(&live.record)).map(|user| user.handle);
        let user = UserEntry::of(known).filter(|user| Some(user.handle) != own).map(Box::new);
        let listed = user.map(|user| PendingDelete::Listed { id, user, is_deleted });
        self.work.deletes.extend(listed);
        if is_deleted {
            let notifications = notifications_of(known).into_iter();
            self.work.deletes.extend(notifications.map(PendingDelete::Notification));
        }
    }

    /// An attempt to delete the record of a session may have been carried out.
    pub(crate) fn may_be_deleted(&mut self, id: SessionId) {
        let delete = self.work.deletes.iter_mut().find(|delete| delete.id() == id);
        if let Some(PendingDelete::Session { is_uncertain, .. }) = delete {
            *is_uncertain = true;
        }
    }
}

impl Live {
    pub(crate) fn expires_in(&self, clock: &dyn Clock) -> Duration {
        self.expires_at.saturating_sub(clock.elapsed())
    }

    /// When the session was last renewed; `None` if the record does not say it.
    pub(crate) fn last_renewed(&self, clock: &dyn Clock) -> Option<Timestamp> {
        let unrenewed = self.record.metadata().unrenewed_for(self.expires_in(clock))?;
        Some(clock.now().saturating_sub(unrenewed))
    }
}

/// Whether a name is reserved for the library, so that no value of the application can have it.
pub(crate) fn is_reserved(name: &str) -> bool {
    name.starts_with(RESERVED)
}

/// What a session without a record shows.
pub(super) fn empty() -> Record {
    let metadata = Metadata::new(Timestamp::from_unix_millis(0));
    Record::new(metadata, <[(&str, Value); 0]>::default())
}
