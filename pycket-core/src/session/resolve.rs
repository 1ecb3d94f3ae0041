//! Finding out what a store call did whose reply was lost.

use std::time::Duration;

use crate::{
    Changes, Clock, Creation, Error, ErrorKind, Record, SessionId, SessionStore, Ttl, Update,
};

/// How many times a call is made before its result counts as unknown.
const ATTEMPTS: usize = 3;

/// How long a call is repeated. If the first reply was missing for so long, the store hangs, and the client waits for
/// all of this. Lost connections are noticed much sooner.
const REPEATED_FOR: Duration = Duration::from_secs(1);

/// The attempts of a call, beginning now.
fn attempts(clock: &dyn Clock) -> impl Iterator<Item = usize> {
    let begin = clock.elapsed();
    let is_left =
        move |nth: &usize| *nth == 0 || clock.elapsed().saturating_sub(begin) < REPEATED_FOR;
    (0..ATTEMPTS).take_while(is_left)
}

/// Why a record does not exist any more.
pub(crate) enum Deletion {
    /// This call deleted it, and this is its last state.
    Deleted(Record),
    /// There was no record.
    Absent,
    /// This call deleted it, but the reply that contained it was lost.
    Unseen(Error),
}

/// Creates a record under a new id.
///
/// If a reply is lost, the next attempt uses another id, because the lost call may still arrive: under the
/// same id it could bring back a session that was ended meanwhile. What a lost call stored is deleted, as far as it can
/// be.
pub(super) async fn create(
    clock: &dyn Clock,
    store: &dyn SessionStore,
    record: &Record,
    ttl: Ttl,
) -> Result<SessionId, Error> {
    let (mut created, mut failed, mut lost) = (None, None, Vec::new());
    for _ in attempts(clock) {
        let id = SessionId::generate();
        match store.create(&id, record, ttl).await {
            Ok(Creation::Created) => {
                created = Some(id);
                break;
            }
            Ok(Creation::Taken) => {}
            Err(error) if is_ambiguous(&error) => {
                lost.push(id);
                failed = Some(error);
            }
            Err(error) => {
                failed.get_or_insert(error);
                break;
            }
        }
    }
    for id in &lost {
        // Those that are left expire.
        if delete(clock, store, id).await.is_err() {
            break;
        }
    }
    created.ok_or_else(|| {
        failed.unwrap_or_else(|| {
            Error::new(ErrorKind::Conflict, "the store has a record under every new id")
        })
    })
}

/// Updates a record. If the reply is lost, loads the record to find out whether the update happened.
///
/// `known` is the record to which the changes were made. If the store has neither the old nor the new
/// values, another client wrote the same names, and the result stays unknown. It also does if there is no record any
/// more: the session may have got another id, and what the first call stored with it.
pub(super) async fn update(
    clock: &dyn Clock,
    store: &dyn SessionStore,
    id: &SessionId,
    known: &Record,
    changes: &Changes,
    ttl: Ttl,
) -> Result<Update, Error> {
    match store.update(id, changes, Some(ttl)).await {
        // Boxed, so that the usual case does not reserve memory for it.
        Err(lost) if is_ambiguous(&lost) => {
            Box::pin(resolve_update(clock, store, id, (known, changes), ttl, lost)).await
        }
        result => result,
    }
}

async fn resolve_update(
    clock: &dyn Clock,
    store: &dyn SessionStore,
    id: &SessionId,
    (known, changes): (&Record, &Changes),
    ttl: Ttl,
    mut lost: Error,
) -> Result<Update, Error> {
    for _ in attempts(clock) {
        let Ok(Some(found)) = store.load(id).await else {
            return Err(lost);
        };
        // Another client may have stored the same values, so they do not show that the ttl was renewed.
        let is_stored = changes.entries().all(|(name, value)| found.record.get(name) == value);
        let next = match is_stored {
            true if found.expires_in >= ttl.as_duration() => return Ok(Update::Applied),
            true => {
                let mut renewal = Changes::new();
                renewal.metadata = changes.metadata;
                Some(renewal)
            }
            false => expecting(changes, known, &found.record),
        };
        let Some(next) = next else {
            return Err(lost);
        };
        match store.update(id, &next, Some(ttl)).await {
            Ok(Update::Applied) => return Ok(Update::Applied),
            Ok(Update::Conflict) => {}
            Err(error) if is_ambiguous(&error) => lost = error,
            Ok(Update::Ended) | Err(_) => return Err(lost),
        }
    }
    Err(lost)
}

/// Makes an update that may happen twice: one that expects the values it replaces, or only renews the ttl. If the reply
/// is lost, makes it once more. The expectation lets only one of the two happen, unless another client restores the old
/// value in between. If it no longer holds, either the first call happened or another client wrote. If there is no
/// record any more, the session may have got another id, and what the first call did with it.
pub(super) async fn repeat(
    store: &dyn SessionStore,
    id: &SessionId,
    changes: &Changes,
    ttl: Ttl,
) -> Result<Update, Error> {
    match store.update(id, changes, Some(ttl)).await {
        Err(lost) if is_ambiguous(&lost) => match store.update(id, changes, Some(ttl)).await {
            Ok(Update::Applied) => Ok(Update::Applied),
            Ok(Update::Conflict | Update::Ended) | Err(_) => Err(lost),
        },
        result => result,
    }
}

/// Deletes a record. If the reply is lost, deletes again to find out whether the record is still there. After an error
/// it is, unless the call [may have happened](may_have_happened).
pub(crate) async fn delete(
    clock: &dyn Clock,
    store: &dyn SessionStore,
    id: &SessionId,
) -> Result<Deletion, Error> {
    let mut lost = None;
    for _ in attempts(clock) {
        match store.delete(id).await {
            Ok(Some(record)) => return Ok(Deletion::Deleted(record)),
            Ok(None) => return Ok(lost.map_or(Deletion::Absent, Deletion::Unseen)),
            Err(error) if may_have_happened(&error) => lost = Some(error),
            Err(error) => return Err(lost.unwrap_or(error)),
        }
    }
    Err(lost.unwrap_or_else(|| {
        Error::new(ErrorKind::Ambiguous, "the store never said whether it deleted the record")
    }))
}

/// Whether a delete that failed like this may have deleted the record. A driver that deletes a record which it cannot
/// read has nothing to return.
pub(super) fn may_have_happened(error: &Error) -> bool {
    is_ambiguous(error) || error.kind() == ErrorKind::Corrupt
}

fn is_ambiguous(error: &Error) -> bool {
    error.kind() == ErrorKind::Ambiguous
}

/// The same changes, on condition that their names still have the known values; `None` if they do not.
fn expecting(changes: &Changes, known: &Record, found: &Record) -> Option<Changes> {
    let mut conditional = changes.clone();
    for (name, _) in changes.entries() {
        if found.get(name) != known.get(name) {
            return None;
        }
        conditional = conditional.expect(name.clone(), known.get(name).cloned());
    }
    Some(conditional)
}
