use pycket_core::{Changes, Creation, Error, ErrorKind, Record, SessionId, SessionStore, Update};

use crate::check::{answered, check, ensure};
use crate::fixtures::{HOUR, Store, put, record, stored, text, ttl};

/// A call that a fault may hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// `create` under a new id.
    Create,
    /// `load` of a live record.
    Load,
    /// `update` that sets, replaces and removes values.
    Update,
    /// `update` that changes only the ttl.
    Touch,
    /// `delete` of a live record.
    Delete,
}

/// What a call returned: the right answer, a wrong one or an error.
pub(super) type Answer = Result<Result<(), String>, Error>;

/// The ttl of the record before the call, in milliseconds; a call that renews it sets an hour.
const SHORT: u64 = 600_000;

impl Operation {
    /// Stores what the call needs.
    pub(super) async fn prepare(self, store: &Store) -> SessionId {
        match self {
            Self::Create => SessionId::generate(),
            _ => put(store, &before(), ttl(SHORT)).await,
        }
    }

    pub(super) async fn call(self, store: &dyn SessionStore, id: &SessionId) -> Answer {
        match self {
            Self::Create => judge(store.create(id, &after(), HOUR).await, Creation::Created),
            Self::Load => judge(stored(store, id).await, Some(before())),
            Self::Update => judge(store.update(id, &changes(), Some(HOUR)).await, Update::Applied),
            Self::Touch => {
                judge(store.update(id, &Changes::new(), Some(HOUR)).await, Update::Applied)
            }
            Self::Delete => judge(store.delete(id).await, Some(before())),
        }
    }

    /// Loads the record over another handle; returns whether the call has happened.
    pub(super) async fn has_happened(self, store: &Store, id: &SessionId) -> bool {
        let found = answered("a load over another handle", store.load(id).await);
        // A record may live a second longer than its ttl.
        let is_renewed =
            found.as_ref().is_some_and(|found| found.expires_in.as_millis() > (2 * SHORT).into());
        let found = found.map(|found| found.record);
        let (old, new) = match self {
            Self::Create => (None, Some(after())),
            Self::Load | Self::Touch => (Some(before()), Some(before())),
            Self::Update => (Some(before()), Some(after())),
            Self::Delete => (Some(before()), None),
        };
        let is_whole = found == old || found == new;
        ensure("the record after the call", "the old one or the new one", &found, is_whole);
        let is_new = found == new;
        let is_consistent = self != Self::Update || is_renewed == is_new;
        ensure("the ttl and the values", "both or neither changed", is_renewed, is_consistent);
        match self {
            Self::Load => true,
            Self::Touch => is_renewed,
            _ => is_new,
        }
    }

    /// Whether this kind is allowed. (`Unavailable` also means that the call did not happen.)
    pub(super) fn may_fail_as(self, kind: ErrorKind, is_corrupted: bool) -> bool {
        match kind {
            ErrorKind::Unavailable => true,
            ErrorKind::Ambiguous => self != Self::Load,
            ErrorKind::Corrupt | ErrorKind::Rejected => is_corrupted,
            _ => false,
        }
    }
}

/// The same handle reads and writes again, and gets the answers to its own calls.
pub(super) async fn assert_works(store: &Store, witness: &SessionId) {
    let changes = Changes::new().set("seen", text("again"));
    check("the next update", store.update(witness, &changes, None).await, Update::Applied);
    let expected = record([("of", "the witness"), ("seen", "again")]);
    check("the next load", stored(store, witness).await, Some(expected.clone()));
    check("the next delete", store.delete(witness).await, Some(expected));
    check("a load after it", stored(store, witness).await, None);
    let id = SessionId::generate();
    check("the next create", store.create(&id, &after(), HOUR).await, Creation::Created);
}

pub(super) fn witness() -> Record {
    record([("of", "the witness")])
}

fn before() -> Record {
    record([("kept", "as it was"), ("replaced", "old"), ("removed", "away")])
}

fn changes() -> Changes {
    Changes::new().set("replaced", text("new")).set("added", text("too")).remove("removed")
}

fn after() -> Record {
    let mut record = before();
    record.apply(&changes());
    record
}

fn judge<T: PartialEq + std::fmt::Debug>(result: Result<T, Error>, right: T) -> Answer {
    result.map(|answer| if answer == right { Ok(()) } else { Err(format!("{answer:?}")) })
}
