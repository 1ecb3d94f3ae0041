use crate::{Changes, Creation, Error, ErrorKind, Record, SessionId, SessionStore, Ttl, Update};

/// How often a lost answer is asked after.
const ATTEMPTS: usize = 3;

/// What is known of a record after an attempt to remove it.
pub(super) enum Removal {
    /// It was removed, and this is what it was.
    Removed(Record),
    /// There was none.
    Absent,
    /// It is gone, but the answer that said what it was is lost.
    Unseen(Error),
    /// It is still there.
    Kept(Error),
    /// It may or may not be there.
    Unknown(Error),
}

/// Stores a new record under a new id.
///
/// Nobody else knows the id yet. So when an answer was lost and the second attempt finds the id taken,
/// it was taken by the first.
pub(super) async fn create(
    store: &dyn SessionStore,
    record: &Record,
    ttl: Ttl,
) -> Result<SessionId, Error> {
    let mut id = SessionId::generate();
    let mut lost = None;
    for _ in 0..ATTEMPTS {
        match store.create(&id, record, ttl).await {
            Ok(Creation::Created) => return Ok(id),
            Ok(Creation::Taken) if lost.is_some() => return Ok(id),
            Ok(Creation::Taken) => id = SessionId::generate(),
            Err(error) if is_ambiguous(&error) => lost = Some(error),
            // What became of an earlier attempt is no clearer now.
            Err(error) => return Err(lost.unwrap_or(error)),
        }
    }
    Err(lost.unwrap_or_else(|| {
        Error::new(ErrorKind::Ambiguous, "the store never said whether it took the new session")
    }))
}

/// Updates; if the answer is lost, finds out from the record whether it happened.
///
/// `known` is the record as the changes were made to. Where the values in the store are neither the old
/// nor the new ones another writer was there too, and nothing decides the question: the error stands.
pub(super) async fn update(
    store: &dyn SessionStore,
    id: &SessionId,
    known: &Record,
    changes: &Changes,
    ttl: Option<Ttl>,
) -> Result<Update, Error> {
    match store.update(id, changes, ttl).await {
        // In a box, so that the usual case needs no room for it.
        Err(lost) if is_ambiguous(&lost) => {
            Box::pin(settle_update(store, id, known, changes, ttl, lost)).await
        }
        settled => settled,
    }
}

async fn settle_update(
    store: &dyn SessionStore,
    id: &SessionId,
    known: &Record,
    changes: &Changes,
    ttl: Option<Ttl>,
    mut lost: Error,
) -> Result<Update, Error> {
    for _ in 0..ATTEMPTS {
        let Ok(found) = store.load(id).await else {
            return Err(lost);
        };
        let Some(found) = found else {
            return Ok(Update::Ended);
        };
        if is_applied(changes, &found.record) {
            return Ok(Update::Applied);
        }
        let Some(guarded) = guarded(changes, known, &found.record) else {
            return Err(lost);
        };
        match store.update(id, &guarded, ttl).await {
            Ok(Update::Conflict) => {}
            Ok(settled) => return Ok(settled),
            Err(error) if is_ambiguous(&error) => lost = error,
            Err(_) => return Err(lost),
        }
    }
    Err(lost)
}

/// Removes; if the answer is lost, asks whether the record is still there.
pub(super) async fn remove(store: &dyn SessionStore, id: &SessionId) -> Removal {
    let mut lost = None;
    for _ in 0..ATTEMPTS {
        match store.delete(id).await {
            Ok(Some(record)) => return Removal::Removed(record),
            Ok(None) => return lost.map_or(Removal::Absent, Removal::Unseen),
            Err(error) if is_ambiguous(&error) => lost = Some(error),
            Err(error) => return lost.map_or(Removal::Kept(error), Removal::Unknown),
        }
    }
    Removal::Unknown(lost.unwrap_or_else(|| {
        Error::new(ErrorKind::Ambiguous, "the store never said whether it removed the session")
    }))
}

pub(super) fn is_ambiguous(error: &Error) -> bool {
    error.kind() == ErrorKind::Ambiguous
}

fn is_applied(changes: &Changes, found: &Record) -> bool {
    changes.metadata().is_none_or(|metadata| *found.metadata() == metadata)
        && changes.entries().all(|(name, value)| found.get(name) == value)
}

/// The same changes, on condition that nobody wrote these names; `None` if somebody has.
fn guarded(changes: &Changes, known: &Record, found: &Record) -> Option<Changes> {
    let mut guarded = changes.clone();
    for (name, _) in changes.entries() {
        if found.get(name) != known.get(name) {
            return None;
        }
        guarded = guarded.expect(name.clone(), known.get(name).cloned());
    }
    Some(guarded)
}
