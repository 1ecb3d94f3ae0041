use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::{Changes, Error, Record, SessionId, Ttl, Version};

/// The contract between the library and a driver: four atomic operations on one record.
///
/// Every other caller, in this process or another, sees an operation as one step. There is no default
/// method, because no implementation is right for every engine. A driver that passes
/// `pycket_testkit::conformance!` keeps the contract. Each clause names the case that checks it.
///
/// # Clauses for every method
///
/// - A record must stay live until its ttl has passed, and must have ended one second later. A record whose
///   ttl has passed is absent, as after a delete. Each method must look at the end itself: it must not rely on
///   a call or a task that removes expired records. *(`expiry::…`,
///   `expiry::record_has_ended_one_second_after_its_ttl`)*
/// - A caller may drop the returned future. Then the operation must have happened completely or not at all,
///   and no later call may read its reply or take part in its transaction. *(`cancellation::…`,
///   `cancellation::writes_after_a_dropped_call_reach_every_handle`)* A driver may close the connection of a
///   dropped call; that costs a new one.
/// - A call must not affect the records of other ids or of other namespaces. *(`isolation::…`)*
/// - An error must have the [kind](crate::ErrorKind) that fits. A driver must return
///   [`Unavailable`](crate::ErrorKind::Unavailable) only if the operation did not happen. If that is not
///   certain, it must return [`Ambiguous`](crate::ErrorKind::Ambiguous). A `load` changes nothing, so it is
///   never `Ambiguous`. *(`errors::unreachable_store_is_unavailable`; `faults!` of the kit)*
/// - If another error is the cause, it must be the `source()`, and the message must not repeat it. Neither may
///   contain an id, a value or a secret. Safe sources are errors of the operating system (no connection, no
///   file), codes, and texts that the driver knows. A text from a server is not safe: it often repeats the
///   parameters of the call. [`with_source_without_id`](crate::driver::with_source_without_id) finds
///   the id in it, but not a value. *(`errors::error_keeps_its_source`,
///   `errors::error_shows_no_id_and_no_value`, `errors::refused_call_shows_no_id_and_no_value`)*
/// - If the store has something under the id that is not a record, `load` and `update` must return
///   [`Corrupt`](crate::ErrorKind::Corrupt), and `create` either `Corrupt` or [`Taken`](Creation::Taken); all
///   three leave it as it is. (An update that only sets values and expects none may change it, if a check would cost
///   more: the library loads or creates a record before it updates it.) `delete` must remove what the driver has
///   written and return `Corrupt`, so that a user can sign out.
///   *(`errors::corrupt_record_is_reported_until_it_is_deleted`)*
/// - The library never repeats a call that failed as `Unavailable`. A driver with pooled connections should
///   repeat it itself on a new connection if the old one was cut before the request was sent. After `Ambiguous`
///   the library finds out what happened; the driver must not repeat the call.
/// - A driver need not check names and ttls: names are not empty, and a [`Ttl`] is always in range.
///
/// An absent record is never an error: `create` stores it, `load` and `delete` return `None`, and `update`
/// returns [`Ended`](Update::Ended).
#[async_trait]
pub trait SessionStore: fmt::Debug + Send + Sync + 'static {
    /// Stores a record under an id that has no live record.
    ///
    /// - It must not overwrite a live record: then it returns [`Taken`](Creation::Taken).
    ///   *(`lifecycle::create_never_overwrites`)*
    /// - Of several concurrent creates of one id, exactly one must return [`Created`](Creation::Created).
    ///   *(`concurrency::one_of_many_creates_succeeds`)*
    /// - It must store exactly the given record and ttl, also where an expired or a deleted record was.
    ///   *(`expiry::create_over_an_expired_record_keeps_nothing`,
    ///   `expiry::recreated_record_has_its_own_ttl`)*
    #[doc(alias = "save")] // tower-sessions, actix-session
    async fn create(&self, id: &SessionId, record: &Record, ttl: Ttl) -> Result<Creation, Error>;

    /// Returns the live record and its remaining time.
    ///
    /// - Without a live record it must return `None`. *(`lifecycle::load_of_an_unknown_id_returns_nothing`)*
    /// - It must return the record as it was at one moment, never a part of an update.
    ///   *(`concurrency::load_never_sees_half_an_update`)*
    /// - It must not renew the ttl. *(`expiry::load_does_not_renew_the_ttl`)*
    #[doc(alias = "Find")] // scs
    async fn load(&self, id: &SessionId) -> Result<Option<Loaded>, Error>;

    /// Applies all of `changes` to the live record and sets its remaining time to `ttl`, or does nothing.
    ///
    /// - It must not create a record: without a live one it returns [`Ended`](Update::Ended), also if an
    ///   expectation is not met.
    ///   *(`lifecycle::update_never_creates`, `expectation::ended_takes_precedence_over_conflict`,
    ///   `expectation::expired_record_is_ended_and_no_conflict`)*
    /// - If it waits, for example for a lock, it must look at the end of the record after the wait.
    ///   *(`expiry::update_that_waits_revives_no_ended_record`)*
    /// - If an expectation is not met, it must return [`Conflict`](Update::Conflict). *(`expectation::…`)*
    /// - Names that `changes` does not mention must keep the value that the store has at this moment.
    ///   *(`merge::…`, `concurrency::concurrent_updates_of_different_names_survive`)*
    /// - A missing name to remove is no error. *(`merge::remove_of_a_missing_name_is_no_error`)*
    /// - Without a ttl the remaining time must stay as it is. Empty changes with a ttl are a touch.
    ///   *(`expiry::…`)*
    /// - The [version](Changes::version) of the changes must not alter the result. It may only save the driver
    ///   from reading the record first. *(`version::…`)*
    #[doc(alias("save", "update_ttl", "Commit", "touch"))] // tower-sessions, actix, scs, express
    async fn update(
        &self,
        id: &SessionId,
        changes: &Changes,
        ttl: Option<Ttl>,
    ) -> Result<Update, Error>;

    /// Removes the live record and returns it.
    ///
    /// - It must return the record exactly as it was when it was removed, with all applied updates.
    ///   *(`lifecycle::delete_returns_the_removed_record`, `rotation::rotation_loses_no_applied_write`)*
    /// - Without a live record it must return `None`. Of several concurrent deletes only one may return the
    ///   record. *(`concurrency::one_of_many_deletes_returns_the_record`)*
    /// - Afterwards only [`create`](Self::create) may make the id live again, and nothing of the record may stay
    ///   in the store. *(`lifecycle::only_create_revives_a_deleted_id`,
    ///   `lifecycle::deleted_records_leave_nothing_behind`)*
    #[doc(alias = "destroy")] // express-session
    async fn delete(&self, id: &SessionId) -> Result<Option<Record>, Error>;
}

/// The result of [`create`](SessionStore::create). Exhaustive, because a third would change the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Creation {
    /// The record is stored.
    Created,
    /// The id has a live record, which is unchanged.
    Taken,
}

/// The result of [`update`](SessionStore::update). Exhaustive, because a fourth would change the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Update {
    /// All changes are stored.
    Applied,
    /// There is no live record. Nothing is stored.
    Ended,
    /// A value is not as expected. Nothing is stored.
    Conflict,
}

/// The result of [`load`](SessionStore::load): a record and its remaining time.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Loaded {
    /// The record.
    pub record: Record,
    /// The remaining time to live, exact to one second. *(`expiry::expires_in_is_the_remaining_time`)*
    pub expires_in: Duration,
    /// What the driver wants to get back with the next update of this record, if it wants anything.
    pub version: Option<Version>,
}

impl Loaded {
    /// A record with its remaining time to live, without a version.
    pub const fn new(record: Record, expires_in: Duration) -> Self {
        Self { record, expires_in, version: None }
    }

    /// Sets what the driver gets back with the next update of this record.
    #[must_use]
    pub fn with_version(mut self, version: Version) -> Self {
        self.version = Some(version);
        self
    }
}

/// A shared store is a store, so that the application can keep a handle to it.
///
/// The methods return the future of the inner store, without another allocation.
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

/// The return type of the methods, as `async-trait` expands it.
type StoreFuture<'f, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'f>>;
