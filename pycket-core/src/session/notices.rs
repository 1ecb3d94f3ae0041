//! The session's side of [`Notifications`](crate::Notifications): reading them, which happens at once.

use serde::de::DeserializeOwned;

use crate::{Changes, Error, ErrorKind, Record, Session, SessionId, SessionStore, Update, Value};

use super::turn::Turn;
use super::{Shared, check_name, decode, settle};

/// Each round is lost to another reader or writer of the same notification.
const ROUNDS: usize = 1000;

impl Session {
    pub(crate) fn leave_notice(&self, name: &str, value: Value) -> Result<(), Error> {
        check_name(name)?;
        self.0.notice_store()?;
        self.state().leave_notice(name, value);
        Ok(())
    }

    /// What is unread, with what this request has left.
    pub(crate) async fn notices(&self) -> Result<Record, Error> {
        let _turn = Turn::wait(&*self.0).await;
        self.0.load_notices().await?;
        Ok(self.state().notices())
    }

    pub(crate) async fn take_notice<T: DeserializeOwned>(
        &self,
        name: &str,
    ) -> Result<Option<T>, Error> {
        let _turn = Turn::wait(&*self.0).await;
        for _ in 0..ROUNDS {
            self.0.load_notices().await?;
            let Some(value) = self.state().notices().get(name).cloned() else {
                return Ok(None);
            };
            let taken = decode(name, &value)?;
            if self.0.consume(&[name]).await? {
                return Ok(Some(taken));
            }
        }
        Err(contended())
    }

    pub(crate) async fn take_all_notices(&self) -> Result<Vec<(String, Value)>, Error> {
        let _turn = Turn::wait(&*self.0).await;
        for _ in 0..ROUNDS {
            self.0.load_notices().await?;
            let unread = self.state().notices();
            let names: Vec<&str> = unread.names().collect();
            if names.is_empty() || self.0.consume(&names).await? {
                return Ok(unread.iter().map(|(n, v)| (n.to_owned(), v.clone())).collect());
            }
        }
        Err(contended())
    }
}

impl Shared {
    pub(super) fn notice_store(&self) -> Result<&dyn SessionStore, Error> {
        self.manager.notifications().ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidSetting,
                "notifications have no store: give one to `SessionManager::with_notifications`",
            )
        })
    }

    /// One load a request, unless another request was seen to change them.
    async fn load_notices(&self) -> Result<(), Error> {
        let store = self.notice_store()?;
        let id = {
            let state = self.state();
            match state.live() {
                Some(live) if !state.knows_notices() => live.id,
                _ => return Ok(()),
            }
        };
        let found = store.load(&id).await?.map(|loaded| loaded.record);
        self.state().note_notices(found);
        Ok(())
    }

    /// Takes these away, all or none; whether it was this request that got them.
    async fn consume(&self, names: &[&str]) -> Result<bool, Error> {
        let (id, known) = {
            let state = self.state();
            (state.live().map(|live| live.id), state.known_notices().cloned())
        };
        let mut taken = Changes::new();
        for name in names {
            if let Some(value) = known.as_ref().and_then(|known| known.get(name)) {
                taken = taken.remove(*name).expect(*name, Some(value.clone()));
            }
        }
        if let Some(id) = id.filter(|_| !taken.is_empty())
            && !self.consume_stored(&id, &taken).await?
        {
            self.state().forget_notices();
            return Ok(false);
        }
        self.state().consume_notices(names, &taken);
        Ok(true)
    }

    /// When the answer is lost, asks once more: the expectation lets only one of the two happen. If it
    /// no longer holds, it was the first that happened, or another reader: nothing tells which.
    async fn consume_stored(&self, id: &SessionId, taken: &Changes) -> Result<bool, Error> {
        let store = self.notice_store()?;
        match store.update(id, taken, None).await {
            Ok(update) => Ok(update == Update::Applied),
            Err(lost) if settle::is_ambiguous(&lost) => match store.update(id, taken, None).await {
                Ok(Update::Applied) => Ok(true),
                _ => Err(lost),
            },
            Err(error) => Err(error),
        }
    }
}

fn contended() -> Error {
    Error::new(ErrorKind::Conflict, "other requests changed the notifications every time")
}
