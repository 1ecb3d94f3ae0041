use crate::{Changes, SessionId, Ttl};

use super::state::Base;

/// What the next commit is to do.
#[derive(Clone, Default)]
pub(crate) struct Pending {
    pub(crate) changes: Changes,
    pub(crate) idle_timeout: Option<Ttl>,
    pub(crate) rotation: Option<Rotation>,
    pub(crate) notices: Changes,
    /// The ids that the session had, under which there may be notifications that it has not got yet.
    pub(crate) uncarried: Vec<SessionId>,
    pub(crate) doomed: Vec<Doomed>,
}

/// A session that is to end.
#[derive(Clone, Copy)]
pub(crate) struct Doomed {
    pub(crate) id: SessionId,
    pub(crate) record: Fate,
}

/// What is known of the record of a session that is to end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Alive,
    /// This request may have removed it.
    Unknown,
    /// This request has removed it, and only its notifications may be left.
    Removed,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rotation {
    KeepLifetime,
    RestartLifetime,
}

impl Pending {
    /// A session that was never stored is not stored for being configured, nor for what was removed.
    pub(crate) fn is_worth_a_commit(&self, base: &Base) -> bool {
        let has_change = match base {
            Base::Absent => self.changes.sets().next().is_some(),
            Base::Live(live) => {
                !self.changes.is_empty()
                    || self.rotation.is_some()
                    || self
                        .idle_timeout
                        .is_some_and(|idle| live.record.metadata().idle_timeout != Some(idle))
            }
            Base::Ended => !self.changes.is_empty(),
        };
        has_change || self.has_notices() || !self.doomed.is_empty()
    }

    /// Whether there are notifications to be stored, or to be looked for.
    pub(crate) fn has_notices(&self) -> bool {
        !self.notices.is_empty() || !self.uncarried.is_empty()
    }

    /// What is left to do when the sessions that were destroyed are.
    pub(super) fn all_but_doomed(&self) -> Box<Self> {
        Box::new(Self { doomed: Vec::new(), ..self.clone() })
    }

    /// What is left to do when the session itself is stored.
    pub(super) fn only_notices(&self) -> Option<Box<Self>> {
        let only_notices = || Self {
            notices: self.notices.clone(),
            uncarried: self.uncarried.clone(),
            ..Self::default()
        };
        self.has_notices().then(|| Box::new(only_notices()))
    }

    pub(super) fn only_doomed(&self) -> Self {
        Self { doomed: self.doomed.clone(), ..Self::default() }
    }

    /// What is to end with a session for which this was pending.
    pub(super) fn into_doomed(self) -> Vec<Doomed> {
        let uncarried = self.uncarried.into_iter().map(|id| Doomed { id, record: Fate::Removed });
        self.doomed.into_iter().chain(uncarried).collect()
    }

    /// What `newer` says, and this where that is silent.
    pub(super) fn overlaid_with(self, newer: Self) -> Self {
        Self {
            changes: self.changes.overlaid_with(newer.changes),
            idle_timeout: newer.idle_timeout.or(self.idle_timeout),
            rotation: newer.rotation.max(self.rotation),
            notices: self.notices.overlaid_with(newer.notices),
            uncarried: self.uncarried.into_iter().chain(newer.uncarried).collect(),
            doomed: self.doomed.into_iter().chain(newer.doomed).collect(),
        }
    }
}

impl Doomed {
    pub(crate) fn new(id: SessionId) -> Self {
        Self { id, record: Fate::Alive }
    }
}
