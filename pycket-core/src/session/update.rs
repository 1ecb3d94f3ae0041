use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::completion::Completion;
use crate::timeouts::OwnTimeouts;
use crate::{Changes, Error, ErrorKind, Event, Ttl, Update, Value};

use super::commit_lock::CommitLock;
use super::state::{Base, Live, Sent};
use super::{Shared, decode, plan, resolve};

/// One writer wins every round, so only a request that is cut off from the store loses so many.
const ROUNDS: usize = 1000;

/// One attempt to write one name.
struct Attempt {
    live: Live,
    sent: Sent,
    changes: Changes,
    ttl: Ttl,
}

impl Shared {
    pub(super) async fn update<T, F>(self: &Arc<Self>, name: &str, mut f: F) -> Result<T, Error>
    where
        T: Serialize + DeserializeOwned,
        F: FnMut(Option<T>) -> T,
    {
        let mut lock = CommitLock::acquire(Arc::clone(self)).await;
        if self.state().needs_commit() {
            // To the end, even if the caller is dropped.
            let shared = Arc::clone(self);
            let committing = async move { shared.commit_locked().await.map(|_| lock) };
            lock = Completion::new(self.manager.runtime(), committing).await?;
        }
        if matches!(self.state().base(), Base::Absent) {
            return self.create_with(lock, name, &mut f).await;
        }
        for _ in 0..ROUNDS {
            let (new, attempt) = self.attempt(name, &mut f)?;
            let Attempt { mut live, sent, changes, ttl } = attempt;
            let store = self.manager.store();
            match resolve::update_expecting(store, &live.id, &changes, ttl).await? {
                Update::Applied => {
                    live.record.apply(&changes);
                    live.expires_at = self.expires_at(ttl);
                    self.state().stored_all(&sent, live);
                    return Ok(new);
                }
                Update::Ended => return Err(self.ended_during_update(&sent)),
                Update::Conflict => match self.manager.live(live.id).await? {
                    Some(live) => self.state().refresh(&sent, live),
                    None => return Err(self.ended_during_update(&sent)),
                },
            }
        }
        Err(Error::new(ErrorKind::Conflict, "other writers came first every time; try again"))
    }

    /// Stores the first value of a new session. No other client knows the session.
    async fn create_with<T, F>(
        self: &Arc<Self>,
        lock: CommitLock<Arc<Self>>,
        name: &str,
        f: &mut F,
    ) -> Result<T, Error>
    where
        T: Serialize + DeserializeOwned,
        F: FnMut(Option<T>) -> T,
    {
        let new = f(None);
        let value = Value::encode(&new)?;
        self.state().set(name, value.clone());
        let (shared, name) = (Arc::clone(self), name.to_owned());
        let storing = Completion::new(self.manager.runtime(), async move {
            let result = shared.commit_locked().await;
            if result.is_err() {
                shared.state().take_back(&name, &value);
            }
            drop(lock);
            result
        });
        storing.await.map(|_| new)
    }

    fn attempt<T, F>(&self, name: &str, f: &mut F) -> Result<(T, Attempt), Error>
    where
        T: Serialize + DeserializeOwned,
        F: FnMut(Option<T>) -> T,
    {
        let (live, sent) = {
            let state = self.state();
            (state.live().cloned().ok_or_else(ended)?, state.send_nothing())
        };
        let (created, own) = (live.record.metadata().created, OwnTimeouts::of(&live.record));
        let now = self.manager.clock().now();
        let Some(ttl) = self.manager.expiry().ttl(created, own, now) else {
            return Err(self.ended_during_update(&sent));
        };
        let current = live.record.get(name);
        let new = f(current.map(|value| decode(name, value)).transpose()?);
        let value = Value::encode(&new)?;
        let mut changes = Changes::new().expect(name, current.cloned());
        if current != Some(&value) {
            changes = changes.set(name, value);
        }
        if let Some(metadata) = plan::granted(live.record.metadata(), ttl) {
            changes = changes.with_metadata(metadata);
        }
        Ok((new, Attempt { live, sent, changes, ttl }))
    }

    pub(super) async fn reload(&self) -> Result<(), Error> {
        let (live, sent, has_changes) = {
            let state = self.state();
            (state.live().map(|live| live.id), state.send_nothing(), state.needs_commit())
        };
        let Some(id) = live else { return Ok(()) };
        match self.manager.live(id).await? {
            Some(live) => {
                self.state().refresh(&sent, live);
                Ok(())
            }
            None if has_changes => Err(self.ended_during_update(&sent)),
            None => {
                self.state().end(&sent);
                Err(ended())
            }
        }
    }

    fn ended_during_update(&self, sent: &Sent) -> Error {
        self.state().end(sent);
        self.manager.emit(Event::Ended);
        ended()
    }
}

fn ended() -> Error {
    Error::new(ErrorKind::Ended, "the session ended while this request was running")
}
