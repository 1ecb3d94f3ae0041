use std::borrow::Cow;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::completion::Completion;
use crate::timeouts::OwnTimeouts;
use crate::{Changes, Error, ErrorKind, Event, Record, Ttl, Update};

use super::commit::too_late;
use super::commit_lock::CommitLock;
use super::state::{Base, Live, Sent, empty};
use super::values::Values;
use super::{Session, Shared, check_name, plan, resolve};

/// One writer wins every round, so only a request that is cut off from the store loses so many.
const ROUNDS: usize = 1000;

/// Changing values atomically.
///
/// These methods read a value, change it and store it before they return. If another request changes the value
/// in between, they start again with what that request stored. So no concurrent change is lost. Use them
/// wherever a new value depends on the old one. A closure may be called several times, so it should only compute.
///
/// Pending changes are committed first, to the end even if the caller is dropped. A caller that is dropped later
/// does not learn whether its change was stored.
///
/// A change renews the session, as every commit does. Where nothing changes, nothing is written and nothing renewed.
impl Session {
    /// Changes one value atomically and stores it before it returns. `f` gets the value as the store has it,
    /// or `None`, and returns the new one.
    ///
    /// If another request comes first, `f` is called again with the value of that request, so 64 concurrent
    /// increments count 64.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), pycket_core::Error> {
    /// # use pycket_core::{MemoryStore, SessionManager};
    /// # let session = SessionManager::new(MemoryStore::new()).open(None).await?;
    /// let visits = session.update("visits", |n: Option<u32>| n.unwrap_or(0) + 1).await?;
    /// assert_eq!(visits, 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidName`](ErrorKind::InvalidName) and [`Encode`](ErrorKind::Encode) as for [`set`](Self::set),
    /// [`Decode`](ErrorKind::Decode) if the value is not a `T`, [`Ended`](ErrorKind::Ended) if the session ended
    /// in the meantime, [`Conflict`](ErrorKind::Conflict) if other requests came first every time,
    /// [`TooLate`](ErrorKind::TooLate) as for [`commit`](Self::commit), and the errors of the store. The value is not
    /// stored then, except perhaps after [`Ambiguous`](ErrorKind::Ambiguous).
    pub async fn update<T, F>(&self, name: &str, mut f: F) -> Result<T, Error>
    where
        T: Serialize + DeserializeOwned,
        F: FnMut(Option<T>) -> T,
    {
        check_name(name)?;
        let change = |values: &mut Values| {
            let new = f(values.get(name)?);
            values.set(name, &new)?;
            Ok(new)
        };
        self.0.update(change).await
    }

    /// As [`update`](Self::update), but `f` may fail or remove the value: `Ok(None)` removes it, and after an
    /// error nothing is stored.
    ///
    /// `E` is the application's own error type. It needs a `From<pycket_core::Error>`, as for every `?`, because the
    /// store can fail as well. `f` often has to name it: `Ok::<_, MyError>(…)`.
    ///
    /// An error counts only if `f` saw what the store has. So the session loads the record again before it returns the
    /// error. If another request has changed the value meanwhile, `f` is called again.
    ///
    /// ```
    /// # use pycket_core::{MemoryStore, Session, SessionManager};
    /// #[derive(Debug)]
    /// enum PaintError {
    ///     NothingToUndo,
    ///     Session(pycket_core::Error),
    /// }
    /// # impl From<pycket_core::Error> for PaintError {
    /// #     fn from(error: pycket_core::Error) -> Self { Self::Session(error) }
    /// # }
    ///
    /// async fn undo(session: &Session) -> Result<(), PaintError> {
    ///     let undo = |strokes: Option<Vec<String>>| {
    ///         let mut strokes = strokes.unwrap_or_default();
    ///         strokes.pop().ok_or(PaintError::NothingToUndo)?;
    ///         Ok::<_, PaintError>((!strokes.is_empty()).then_some(strokes))
    ///     };
    ///     session.try_update("strokes", undo).await?;
    ///     Ok(())
    /// }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), PaintError> {
    /// # let session = SessionManager::new(MemoryStore::new()).open(None).await?;
    ///
    /// session.set("strokes", &["a line"])?;
    /// undo(&session).await?;
    /// assert!(!session.contains("strokes"));
    /// assert!(matches!(undo(&session).await, Err(PaintError::NothingToUndo)));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The errors of `f`, and as for [`update`](Self::update).
    pub async fn try_update<T, E, F>(&self, name: &str, mut f: F) -> Result<Option<T>, E>
    where
        T: Serialize + DeserializeOwned,
        E: From<Error>,
        F: FnMut(Option<T>) -> Result<Option<T>, E>,
    {
        check_name(name)?;
        let change = |values: &mut Values| {
            let new = f(values.get(name)?)?;
            match &new {
                Some(value) => values.set(name, value)?,
                None => values.delete(name),
            }
            Ok(new)
        };
        self.0.update(change).await
    }

    /// Changes several values atomically: all of them or none. `f` reads and changes them by its [`Values`].
    ///
    /// If another request changes a name that `f` has read or changed, `f` is called again. Other names do not
    /// matter. After an error of `f` nothing is stored; for the error type see [`try_update`](Self::try_update).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), pycket_core::Error> {
    /// # use pycket_core::{Error, MemoryStore, SessionManager};
    /// # let session = SessionManager::new(MemoryStore::new()).open(None).await?;
    /// # session.set("cart", &["apple", "pear"])?;
    /// // Moves an item. No other request sees it twice, or not at all.
    /// let order = |values: &mut pycket_core::Values| {
    ///     let mut cart: Vec<String> = values.get("cart")?.unwrap_or_default();
    ///     let mut ordered: Vec<String> = values.get("ordered")?.unwrap_or_default();
    ///     ordered.extend(cart.pop());
    ///     values.set("cart", &cart)?;
    ///     values.set("ordered", &ordered)?;
    ///     Ok::<_, Error>(cart.len())
    /// };
    /// assert_eq!(session.update_all(order).await?, 1);
    /// assert_eq!(session.require::<Vec<String>>("ordered")?, ["pear"]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The errors of `f` and of the [`Values`], and as for [`update`](Self::update).
    #[doc(alias = "transaction")]
    pub async fn update_all<R, E, F>(&self, f: F) -> Result<R, E>
    where
        E: From<Error>,
        F: FnMut(&mut Values) -> Result<R, E>,
    {
        self.0.update(f).await
    }

    /// Removes a value and returns it, atomically: of many requests that take it at the same time, one gets it.
    /// `None` if there is none.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), pycket_core::Error> {
    /// # use pycket_core::{MemoryStore, SessionManager};
    /// # let session = SessionManager::new(MemoryStore::new()).open(None).await?;
    /// session.set("form_token", "k7")?;
    /// assert_eq!(session.take::<String>("form_token").await?.as_deref(), Some("k7"));
    /// assert_eq!(session.take::<String>("form_token").await?, None);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`update`](Self::update). A value that is not a `T` stays. After
    /// [`Ambiguous`](ErrorKind::Ambiguous) the value may be removed.
    #[doc(alias = "remove")]
    #[doc(alias = "pop")]
    #[doc(alias = "pull")]
    pub async fn take<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Error> {
        let remove = |values: &mut Values| {
            let value = values.get(name)?;
            values.delete(name);
            Ok(value)
        };
        self.0.update(remove).await
    }
}

/// What the closure of an atomic change gets.
enum Start {
    /// The session is new, so no other request knows it.
    Absent,
    Live {
        live: Live,
        sent: Sent,
        ttl: Ttl,
    },
}

impl Start {
    fn values(&self) -> Values {
        Values::new(match self {
            Self::Absent => empty(),
            Self::Live { live, .. } => live.record.clone(),
        })
    }
}

/// What becomes of the result of the closure.
enum Verdict {
    /// It is returned. What the closure changed is stored.
    Counts,
    /// The closure is called again, with the lock.
    Again(CommitLock<Arc<Shared>>),
}

impl Shared {
    /// Runs `f` on the values that the store has, and stores what it changed on condition that what it read is
    /// still there.
    ///
    /// Only what needs `f` and its result is here, because this is compiled for every closure of an application.
    async fn update<R, E, F>(self: &Arc<Self>, mut f: F) -> Result<R, E>
    where
        E: From<Error>,
        F: FnMut(&mut Values) -> Result<R, E>,
    {
        let mut lock = CommitLock::acquire(Arc::clone(self)).await;
        for _ in 0..ROUNDS {
            let start;
            (lock, start) = self.start(lock).await?;
            let mut values = start.values();
            let result = f(&mut values);
            match self.settle(lock, start, values.into_changes(), result.is_ok()).await? {
                Verdict::Counts => return result,
                Verdict::Again(same) => lock = same,
            }
        }
        let message = "others changed the values every time; try again";
        Err(Error::new(ErrorKind::Conflict, message).into())
    }

    /// Commits what is pending, and returns what the closure starts from.
    async fn start(
        self: &Arc<Self>,
        mut lock: CommitLock<Arc<Self>>,
    ) -> Result<(CommitLock<Arc<Self>>, Start), Error> {
        if self.state().needs_commit() {
            // To the end, even if the caller is dropped.
            let shared = Arc::clone(self);
            let committing = async move { shared.commit_locked().await.map(|_| lock) };
            lock = Completion::new(self.manager.runtime(), committing).await?;
        }
        let is_absent = matches!(self.state().base, Base::Absent);
        let start = if is_absent { Start::Absent } else { self.known()? };
        Ok((lock, start))
    }

    /// Stores the changes of the closure. `is_ok` says whether it succeeded.
    async fn settle(
        self: &Arc<Self>,
        lock: CommitLock<Arc<Self>>,
        start: Start,
        changes: Changes,
        is_ok: bool,
    ) -> Result<Verdict, Error> {
        match start {
            Start::Absent if !is_ok || changes.sets().next().is_none() => Ok(Verdict::Counts),
            Start::Absent => self.store_new(lock, &changes).await,
            Start::Live { live, sent, ttl } => {
                let has_changes = is_ok && !changes.is_empty();
                let counts = self.store_known(live, &sent, ttl, changes, has_changes).await?;
                Ok(if counts { Verdict::Counts } else { Verdict::Again(lock) })
            }
        }
    }

    async fn store_new(
        self: &Arc<Self>,
        lock: CommitLock<Arc<Self>>,
        changes: &Changes,
    ) -> Result<Verdict, Error> {
        let Some((record, ttl, sent)) = self.begin(changes)? else {
            return Ok(Verdict::Again(lock));
        };
        let shared = Arc::clone(self);
        let creating = async move {
            let _lock = lock;
            shared.create(&sent, record, ttl).await.map(|_| shared.manager.emit(Event::Created))
        };
        Completion::new(self.manager.runtime(), creating).await?;
        Ok(Verdict::Counts)
    }

    /// Returns whether the result counts.
    async fn store_known(
        &self,
        mut live: Live,
        sent: &Sent,
        ttl: Ttl,
        changes: Changes,
        has_changes: bool,
    ) -> Result<bool, Error> {
        let mut changes: Cow<'_, Changes> = Cow::Owned(changes);
        if has_changes {
            if !self.renew(&mut changes, &live, ttl).await? {
                return Err(self.ended_during_update(sent));
            }
            let store = self.manager.store();
            match resolve::repeat(store, &live.id, &changes, ttl).await? {
                Update::Applied => {
                    live.expires_at = self.expires_at(ttl);
                    self.state().stored_changes(sent, live, &changes);
                    return Ok(true);
                }
                Update::Ended => return Err(self.ended_during_update(sent)),
                Update::Conflict => {}
            }
        }
        // What the session knows may be old, so this also decides whether a result without changes counts.
        let Some(found) = self.manager.live(live.id).await? else {
            return Err(self.ended_during_update(sent));
        };
        let is_current = found.record.meets(&changes);
        self.state().refresh(sent, found);
        Ok(is_current && !has_changes)
    }

    /// The record of a new session with these values, unless another task has changed it meanwhile.
    fn begin(&self, changes: &Changes) -> Result<Option<(Record, Ttl, Sent)>, Error> {
        let state = self.state();
        if state.work.has_change(&state.base) {
            return Ok(None);
        }
        if state.is_id_frozen {
            return Err(too_late());
        }
        let clock = self.manager.clock();
        let ttl = plan::ttl(&state, self.manager.expiry(), clock).ok_or_else(ended)?;
        let mut record = state.record_since(clock.now(), ttl);
        record.apply(changes);
        Ok(Some((record, ttl, state.send())))
    }

    /// The live session as this request knows it, and the ttl that a change gives it.
    fn known(&self) -> Result<Start, Error> {
        let (live, sent) = {
            let state = self.state();
            (state.live().cloned().ok_or_else(ended)?, state.send_nothing())
        };
        let (created, own) = (live.record.metadata().created, OwnTimeouts::of(&live.record));
        let ttl = self.manager.expiry().ttl(created, own, || self.manager.clock().now());
        match ttl {
            Some(ttl) => Ok(Start::Live { live, sent, ttl }),
            None => Err(self.ended_during_update(&sent)),
        }
    }

    pub(super) async fn reload(&self) -> Result<(), Error> {
        let (id, sent) = {
            let state = self.state();
            match &state.base {
                Base::Live(live) => (live.id, state.send_nothing()),
                Base::Absent => return Ok(()),
                Base::Ended => return Err(ended()),
            }
        };
        if let Some(live) = self.manager.live(id).await? {
            self.state().refresh(&sent, live);
            return Ok(());
        }
        if self.state().needs_commit() {
            return Err(self.ended_during_update(&sent));
        }
        self.state().end(&sent);
        Err(ended())
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
