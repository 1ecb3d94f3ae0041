use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::completion::Completion;
use crate::{Changes, Error, ErrorKind, Event, SessionId, Ttl, Update, Value};

use super::settle;
use super::state::Base;
use super::turn::Turn;
use super::{Shared, decode};

/// Some writer wins every round, so that this many are lost only by one that is cut off from the rest.
const ROUNDS: usize = 1000;

type OwnTurn = Turn<Arc<Shared>>;

/// One attempt to write one name.
struct Attempt {
    id: SessionId,
    changes: Changes,
    ttl: Ttl,
    /// What this request was still to do to the name, if the new value comes from that: to set it to
    /// this, or to remove it.
    replaced: Option<Option<Value>>,
}

impl Shared {
    pub(super) async fn update<T, F>(self: &Arc<Self>, name: &str, mut f: F) -> Result<T, Error>
    where
        T: Serialize + DeserializeOwned,
        F: FnMut(Option<T>) -> T,
    {
        let mut turn = Turn::wait(Arc::clone(self)).await;
        if self.has_to_commit_first() {
            turn = self.commit_first(turn).await?;
        }
        if matches!(self.state().base(), Base::Absent) {
            return self.begin_with(turn, name, &mut f).await;
        }
        for _ in 0..ROUNDS {
            let (new, attempt) = self.attempt(name, &mut f)?;
            match self.send(&attempt).await? {
                Update::Applied => {
                    self.accept(name, &attempt);
                    return Ok(new);
                }
                Update::Ended => return Err(self.ended(attempt.id)),
                Update::Conflict => match self.manager.live(attempt.id).await? {
                    Some(live) => self.state().refresh(live),
                    None => return Err(self.ended(attempt.id)),
                },
            }
        }
        Err(Error::new(ErrorKind::Conflict, "other writers came first every time; try again"))
    }

    /// The value goes to the session that the visitor has after this request.
    fn has_to_commit_first(&self) -> bool {
        let mut state = self.state();
        state.reclaim();
        state.pending().rotation.is_some() || !state.pending().doomed.is_empty()
    }

    /// To the end, even if the caller is dropped; gives the turn back.
    async fn commit_first(self: &Arc<Self>, turn: OwnTurn) -> Result<OwnTurn, Error> {
        let shared = Arc::clone(self);
        Completion::new(async move { shared.commit_in_turn().await.map(|_| turn) }).await
    }

    /// The first value of a new session: nobody else can know of it.
    async fn begin_with<T, F>(
        self: &Arc<Self>,
        turn: OwnTurn,
        name: &str,
        f: &mut F,
    ) -> Result<T, Error>
    where
        T: Serialize + DeserializeOwned,
        F: FnMut(Option<T>) -> T,
    {
        let before = self.state().value(name).cloned();
        let new = f(before.as_ref().map(|value| decode(name, value)).transpose()?);
        let value = Value::encode(&new)?;
        self.state().set(name, value.clone());
        let (shared, name) = (Arc::clone(self), name.to_owned());
        let storing = Completion::new(async move {
            let result = shared.commit_in_turn().await;
            if result.is_err() {
                shared.state().take_back(&name, &value, before);
            }
            drop(turn);
            result
        });
        storing.await.map(|_| new)
    }

    fn attempt<T, F>(&self, name: &str, f: &mut F) -> Result<(T, Attempt), Error>
    where
        T: Serialize + DeserializeOwned,
        F: FnMut(Option<T>) -> T,
    {
        let (live, current, is_stored) = {
            let state = self.state();
            let Base::Live(live) = state.base() else {
                return Err(ended());
            };
            let is_stored = state.pending().changes.get(name).is_none();
            (live.clone(), state.value(name).cloned(), is_stored)
        };
        let now = self.manager.clock().now();
        let Some(ttl) = self.manager.expiry().ttl(live.record.metadata(), now) else {
            return Err(self.ended(live.id));
        };
        let new = f(current.as_ref().map(|value| decode(name, value)).transpose()?);
        let value = Value::encode(&new)?;
        let mut changes = Changes::new();
        // A value that this request has set itself is the latest there can be.
        if is_stored {
            changes = changes.expect(name, current.clone());
        }
        if !is_stored || current.as_ref() != Some(&value) {
            changes = changes.set(name, value);
        }
        let replaced = (!is_stored).then_some(current);
        Ok((new, Attempt { id: live.id, changes, ttl, replaced }))
    }

    /// When the answer is lost, sends it once more: the expectation lets only one of the two happen,
    /// unless another writer restores the old value between them. If it no longer holds, it was the
    /// first that happened, or another writer: nothing tells which.
    async fn send(&self, attempt: &Attempt) -> Result<Update, Error> {
        let Attempt { id, changes, ttl, .. } = attempt;
        let store = self.manager.store();
        match store.update(id, changes, Some(*ttl)).await {
            Err(lost) if settle::is_ambiguous(&lost) => {
                match store.update(id, changes, Some(*ttl)).await {
                    Ok(Update::Conflict) | Err(_) => Err(lost),
                    settled => settled,
                }
            }
            settled => settled,
        }
    }

    fn accept(&self, name: &str, attempt: &Attempt) {
        let expires_at = self.expires_at(attempt.ttl);
        let mut state = self.state();
        state.accept(attempt.id, &attempt.changes, expires_at);
        if let Some(replaced) = &attempt.replaced {
            state.forget_pending(name, replaced.as_ref());
        }
    }

    /// One that was destroyed meanwhile has ended already, and may have a successor.
    fn ended(&self, id: SessionId) -> Error {
        let mut state = self.state();
        if state.live().is_some_and(|live| live.id == id) {
            state.end();
        }
        drop(state);
        self.manager.emit(Event::Ended);
        ended()
    }
}

fn ended() -> Error {
    Error::new(ErrorKind::Ended, "the session ended while this request was running")
}
