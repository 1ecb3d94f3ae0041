use std::time::Duration;

use crate::{Timestamp, Ttl};

/// How long the index lists a session.
///
/// An entry outlasts its session by a quarter of the session's ttl. So the index is written only when the session
/// was renewed for a fifth of its ttl beyond the end that the entry was written for, and the rest, a twentieth, is
/// for clocks of servers that differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lifetime {
    /// When the session ends if nothing renews it after the entry was written.
    pub(crate) ends_at: Timestamp,
    /// When the entry may be removed without a look at the session.
    pub(crate) until: Timestamp,
}

impl Lifetime {
    /// For a session that gets this ttl now.
    pub(crate) fn of(now: Timestamp, ttl: Ttl) -> Self {
        let margin = ttl.as_duration() / 4;
        // The index itself cannot have a longer ttl than this.
        let longest = now.saturating_add(Ttl::MAX.as_duration());
        let ends_at = now.saturating_add(ttl.as_duration());
        Self { ends_at, until: ends_at.saturating_add(margin).min(longest) }
    }

    /// Whether the entry may stay as it is when the session is renewed to this end.
    pub(crate) fn covers(self, end: Timestamp) -> bool {
        let margin = self.until.saturating_since(self.ends_at);
        end <= self.ends_at.saturating_add(margin / 5 * 4)
    }

    pub(crate) fn may_have_ended(self, now: Timestamp) -> bool {
        self.ends_at <= now
    }

    pub(crate) fn has_passed(self, now: Timestamp) -> bool {
        self.until < now
    }

    /// The time until the entry may be removed.
    pub(crate) fn rest(self, now: Timestamp) -> Duration {
        self.until.saturating_since(now)
    }

    /// A lifetime that covers both.
    pub(crate) fn join(self, other: Self) -> Self {
        Self { ends_at: self.ends_at.max(other.ends_at), until: self.until.max(other.until) }
    }
}
