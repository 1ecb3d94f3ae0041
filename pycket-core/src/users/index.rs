use sha2::{Digest, Sha256};

use crate::{Changes, Creation, Error, ErrorKind, SessionId, SessionManager, Timestamp, Update};

use super::listing::{Entry, Known, Listing, Write, entry_name, sequence_name};
use super::{UserEntry, UserSessionHandle};

/// One writer wins every round, so only a request that is cut off from the store loses so many.
pub(super) const ROUNDS: usize = 1000;

/// How many replies of the store may be lost before the result counts as unknown.
pub(super) const LOST_REPLIES: usize = 3;

/// The record of the store that lists the sessions of one user.
pub(crate) struct UserIndex<'m> {
    pub(super) manager: &'m SessionManager,
    pub(super) id: SessionId,
}

/// Why a session is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The user signed in.
    SignIn,
    /// The session changes its id from this one. If the index lists the session without it, the session has ended.
    Rotation { from: SessionId },
    /// The session is renewed. If the index lists it under other ids alone, it has ended.
    Renewal,
}

/// The result of listing a session.
pub(crate) enum Listed {
    /// The index lists the session like this.
    Yes {
        listing: Listing,
        entry: Entry,
        /// The sequence with which it was written. The listing has a higher one if a sign-in came later.
        sequence: u64,
        /// Whether the index did not list the session before, although it had to.
        was_evicted: bool,
    },
    /// The session has ended, or another request has given it another id.
    Ended,
}

impl<'m> UserIndex<'m> {
    pub(crate) fn new(manager: &'m SessionManager, user_id: &str) -> Self {
        Self { manager, id: index_id(manager.user_namespace(), user_id) }
    }

    /// What the store has. Without an index it lists nothing.
    pub(crate) async fn load(&self) -> Result<Listing, Error> {
        let loaded = self.manager.store().load(&self.id).await?;
        loaded.map_or_else(|| Ok(Listing::default()), Listing::read)
    }

    /// How the session is listed now.
    pub(crate) async fn known(&self, handle: UserSessionHandle) -> Result<Option<Known>, Error> {
        Ok(self.load().await?.get(handle).cloned())
    }

    /// Replaces an entry, or with `None` removes it, if the index lists it exactly like `known`: one store call.
    pub(crate) async fn replace(
        &self,
        handle: UserSessionHandle,
        known: &Entry,
        new: Option<&Entry>,
    ) -> Result<Update, Error> {
        let name = entry_name(handle);
        let changes = Changes::new().expect(&name, Some(known.to_value()?));
        let changes = match new {
            Some(new) => changes.set(&name, new.to_value()?),
            None => changes.remove(&name).remove(sequence_name(handle)),
        };
        self.manager.store().update(&self.id, &changes, None).await
    }

    /// Has the index list the session under `id`, beside the ids that it lists already, and as long as the session
    /// can be live: a load and a write, and both again if another request writes at the same time.
    ///
    /// The ids that are `deleted` are not listed any more.
    pub(crate) async fn list(
        &self,
        user: &UserEntry,
        id: SessionId,
        reason: Reason,
        deleted: &[SessionId],
    ) -> Result<Listed, Error> {
        let mut lost = Vec::new();
        let (mut was_evicted, mut sequence) = (false, 0);
        for _ in 0..ROUNDS {
            let (mut listing, has_ended) = match self.look(user.handle, id, reason).await {
                Ok(seen) => seen,
                Err(error) => return Err(lost.pop().unwrap_or(error)),
            };
            if has_ended {
                return Ok(Listed::Ended);
            }
            let known = listing.get(user.handle);
            was_evicted |= known.is_none();
            let entry = match known {
                Some(known) if is_listed(known, user, id) => {
                    let entry = known.entry.clone();
                    return Ok(Listed::Yes { listing, entry, sequence, was_evicted });
                }
                Some(known) => known.entry.with(&user.listed_as(id), deleted),
                None => user.listed_as(id),
            };
            let is_sign_in = reason == Reason::SignIn;
            let write = listing.put(user.handle, entry.clone(), is_sign_in, self.now())?;
            sequence = listing.sequence_of(user.handle);
            match self.write(write).await {
                Ok(true) => return Ok(Listed::Yes { listing, entry, sequence, was_evicted }),
                Ok(false) => {}
                Err(error) if error.kind() == ErrorKind::Ambiguous && lost.len() < LOST_REPLIES => {
                    lost.push(error);
                }
                Err(error) => return Err(lost.pop().unwrap_or(error)),
            }
        }
        Err(too_many_writers())
    }

    pub(super) fn now(&self) -> Timestamp {
        self.manager.clock().now()
    }

    /// What the index lists, and whether it shows that a session which must be listed already has ended.
    ///
    /// Who ends a session deletes its record before its entry. So if there is no entry and the record is still
    /// there, the index was evicted. Where the application trusts the index alone, the session has ended all the same.
    async fn look(
        &self,
        handle: UserSessionHandle,
        id: SessionId,
        reason: Reason,
    ) -> Result<(Listing, bool), Error> {
        let listing = self.load().await?;
        let must_be_listed = match reason {
            Reason::SignIn => return Ok((listing, false)),
            Reason::Rotation { from } => from,
            Reason::Renewal => id,
        };
        let has_ended = match listing.get(handle) {
            Some(known) => ![must_be_listed, id].iter().any(|id| known.entry.ids.contains(id)),
            None if self.manager.checks_user_index() => true,
            None => self.manager.store().load(&must_be_listed).await?.is_none(),
        };
        Ok((listing, has_ended))
    }

    /// Returns whether it is stored. Otherwise another request wrote first.
    async fn write(&self, write: Write) -> Result<bool, Error> {
        let store = self.manager.store();
        match write {
            Write::Create(record, ttl) => {
                Ok(store.create(&self.id, &record, ttl).await? == Creation::Created)
            }
            Write::Update(changes, ttl) => {
                Ok(store.update(&self.id, &changes, Some(ttl)).await? == Update::Applied)
            }
        }
    }
}

/// Whether the index lists the session already, for as long as it can be live.
fn is_listed(known: &Known, user: &UserEntry, id: SessionId) -> bool {
    known.entry.ids.contains(&id) && known.entry.lifetime.covers(user.lifetime.ends_at)
}

pub(super) fn too_many_writers() -> Error {
    let message = "other requests changed the list of the user's sessions every time; try again";
    Error::new(ErrorKind::Conflict, message)
}

/// The id of the record that lists the sessions of a user.
fn index_id(namespace: &str, user_id: &str) -> SessionId {
    let mut hash = Sha256::new_with_prefix(b"pycket user index\0");
    // With its length first, so that no other pair of a namespace and a user gives the same bytes.
    hash.update((namespace.len() as u64).to_be_bytes());
    hash.update(namespace);
    hash.update(user_id);
    let digest: [u8; 32] = hash.finalize().into();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    SessionId::derived(bytes)
}
