use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::{Changes, Error, Record, SessionId, Ttl};

/// Where records live: the contract between the library and a driver.
///
/// Four methods, each **one atomic operation on one id** as every other caller sees it, in this process
/// or another. There is no default method, because none could be right for every engine. A driver that
/// passes `pycket_testkit::conformance!` keeps this contract; each clause names the case that holds it.
///
/// # For every method
///
/// - A record lives at least its ttl and at most one second longer. Out of time is the same as deleted.
///   *(`expiry::…`)*
/// - Dropping the returned future leaves the store sound: the operation happened whole or not at all,
///   and no later call reads its answer. *(`cancellation::…`)*
/// - Records under different ids, and in different namespaces, know nothing of each other.
///   *(`isolation::…`)*
/// - An error has the [kind](crate::ErrorKind) that fits. [`Unavailable`](crate::ErrorKind::Unavailable)
///   means that the operation surely did not happen; when that is not sure it is
///   [`Ambiguous`](crate::ErrorKind::Ambiguous). No error shows an id, a value or a secret.
///   *(`errors::…`)*
///
/// A driver need not check names or lifetimes: names are non-empty, and a [`Ttl`] is always in range.
#[async_trait]
pub trait SessionStore: fmt::Debug + Send + Sync + 'static {
    /// Stores `record` where no live record is. It never overwrites: of racing creates of one id,
    /// exactly one is told [`Created`](Creation::Created), the others [`Taken`](Creation::Taken).
    ///
    /// *(`lifecycle::create_never_overwrites`, `concurrency::one_of_many_creates_wins`)*
    async fn create(&self, id: &SessionId, record: &Record, ttl: Ttl) -> Result<Creation, Error>;

    /// The whole record as it is at one moment, or `None` if there is no live one. Loading does not
    /// renew the life.
    ///
    /// *(`lifecycle::what_was_never_created_is_absent`, `concurrency::load_never_sees_half_an_update`,
    /// `expiry::loading_does_not_renew`)*
    async fn load(&self, id: &SessionId) -> Result<Option<Loaded>, Error>;

    /// Does all that `changes` says and sets the remaining life to `ttl`, or does nothing.
    ///
    /// - It never creates: without a live record the answer is [`Ended`](Update::Ended), whatever is expected.
    /// - If an expectation does not hold the answer is [`Conflict`](Update::Conflict).
    /// - Names that are not mentioned keep the value that they have in the store at this moment, so
    ///   that concurrent updates of different names all survive.
    /// - Without a ttl the remaining life stays as it is. Empty changes with a ttl are a touch.
    ///
    /// *(`lifecycle::update_never_creates`, `merge::…`, `expectation::…`, `expiry::…`,
    /// `concurrency::updates_of_different_names_all_survive`)*
    async fn update(
        &self,
        id: &SessionId,
        changes: &Changes,
        ttl: Option<Ttl>,
    ) -> Result<Update, Error>;

    /// Removes the live record and returns it exactly as it was when it was removed; `None` if there is
    /// none. Afterwards only [`create`](Self::create) makes the id live again.
    ///
    /// *(`lifecycle::delete_returns_what_it_removed`, `lifecycle::nothing_but_create_revives_a_deleted_id`,
    /// `concurrency::one_of_many_deletes_gets_the_record`,
    /// `rotation::no_applied_write_is_lost_in_a_rotation`)*
    async fn delete(&self, id: &SessionId) -> Result<Option<Record>, Error>;
}

/// What became of a [`create`](SessionStore::create).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Creation {
    /// The record is stored.
    Created,
    /// A live record has that id; it is untouched.
    Taken,
}

/// What became of an [`update`](SessionStore::update).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Update {
    /// All of it happened.
    Applied,
    /// There is no live record; nothing happened.
    Ended,
    /// A value is not as expected; nothing happened.
    Conflict,
}

/// What a [`load`](SessionStore::load) found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Loaded {
    /// The record.
    pub record: Record,
    /// The remaining time to live, exact to one second. *(`expiry::expires_in_is_what_is_left`)*
    pub expires_in: Duration,
}

impl Loaded {
    /// A record and its remaining time to live.
    pub const fn new(record: Record, expires_in: Duration) -> Self {
        Self { record, expires_in }
    }
}

/// A shared store is a store, so that the application can keep a handle on it.
///
/// Each method passes the future of the inner store on, without another allocation.
impl<S: SessionStore + ?Sized> SessionStore for Arc<S> {
    fn create<'a, 'b, 'c, 'f>(
        &'a self,
        id: &'b SessionId,
        record: &'c Record,
        ttl: Ttl,
    ) -> StoreFuture<'f, Creation>
    where
        'a: 'f,
        'b: 'f,
        'c: 'f,
    {
        (**self).create(id, record, ttl)
    }

    fn load<'a, 'b, 'f>(&'a self, id: &'b SessionId) -> StoreFuture<'f, Option<Loaded>>
    where
        'a: 'f,
        'b: 'f,
    {
        (**self).load(id)
    }

    fn update<'a, 'b, 'c, 'f>(
        &'a self,
        id: &'b SessionId,
        changes: &'c Changes,
        ttl: Option<Ttl>,
    ) -> StoreFuture<'f, Update>
    where
        'a: 'f,
        'b: 'f,
        'c: 'f,
    {
        (**self).update(id, changes, ttl)
    }

    fn delete<'a, 'b, 'f>(&'a self, id: &'b SessionId) -> StoreFuture<'f, Option<Record>>
    where
        'a: 'f,
        'b: 'f,
    {
        (**self).delete(id)
    }
}

/// What `async-trait` makes of an `async fn` of the trait.
type StoreFuture<'f, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'f>>;
