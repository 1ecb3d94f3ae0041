//! Mistakes that drivers of SQL databases make, and the case of the suite that catches each: alone, and while
//! all cases use one table.

#![expect(clippy::unwrap_used, reason = "test code: a panic is a failure")]

mod connection;
mod fault;
mod store;

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use async_trait::async_trait;
use pycket_core::{SessionId, SessionStore};
use pycket_testkit::{Harness, Time, block_on, failing_cases};
use tempfile::TempDir;

use connection::{Database, Pool};
use fault::Fault;
use store::{SCHEMA, Store};

/// All namespaces are in one table.
struct Bench {
    fault: Option<Fault>,
    folder: TempDir,
    database: Database,
}

impl Bench {
    fn new(fault: Option<Fault>) -> Self {
        let folder = TempDir::new().unwrap();
        let database = Database::new(&folder.path().join("all.db"));
        database.open().unwrap().execute_batch(SCHEMA).unwrap();
        Self { fault, folder, database }
    }

    fn store(&self, database: Database, dataset: &str) -> Arc<dyn SessionStore> {
        Arc::new(Store { pool: Pool::new(self.fault, database), dataset: dataset.to_owned() })
    }
}

#[async_trait]
impl Harness for Bench {
    async fn open(&self, namespace: &str) -> Arc<dyn SessionStore> {
        self.store(self.database.clone(), namespace)
    }

    fn time(&self) -> Time {
        Time::Real
    }

    async fn unreachable(&self) -> Option<Arc<dyn SessionStore>> {
        Some(self.store(Database::new(&self.folder.path().join("no folder/all.db")), ""))
    }

    /// A database whose triggers say which row they refuse, as servers do in the details of an error.
    async fn refusing(&self) -> Option<Arc<dyn SessionStore>> {
        let database = Database::new(&self.folder.path().join("refusing.db"));
        let refuse = "CREATE TRIGGER refuse BEFORE INSERT ON records
                      BEGIN SELECT RAISE(ABORT, 'refused: key = ' || NEW.key); END;";
        database.open().unwrap().execute_batch(&format!("{SCHEMA} {refuse}")).unwrap();
        Some(self.store(database, ""))
    }

    async fn hold(&self, _: &str, _: &SessionId) -> Option<Box<dyn Any + Send>> {
        Some(Box::new(self.database.lock().await))
    }

    async fn corrupt(&self, namespace: &str, id: &SessionId) -> bool {
        let _lock = self.database.lock().await;
        let sql = "UPDATE records SET granted = -1 WHERE key = ?1";
        let key = format!("{namespace}:{}", id.expose());
        self.database.open().unwrap().execute(sql, [key]).unwrap() == 1
    }

    async fn records(&self, namespace: &str) -> Option<usize> {
        let sql = "SELECT (SELECT count(*) FROM records WHERE key LIKE ?1)
                        + (SELECT count(*) FROM vals WHERE key LIKE ?1)";
        let keys = format!("{namespace}:%");
        let rows = |row: &rusqlite::Row<'_>| row.get::<_, u32>(0);
        let rows = self.database.open().unwrap().query_row(sql, [keys], rows).unwrap();
        Some(rows as usize)
    }
}

mod sound {
    use super::*;
    pycket_testkit::conformance!(Bench::new(None));
}

macro_rules! alone {
    ($($fault:ident: $group:ident::$case:ident;)*) => {
        mod alone {
            use super::*;
            $(
                #[test]
                #[expect(non_snake_case, reason = "the test has the name of the fault")]
                fn $fault() {
                    let bench = Bench::new(Some(Fault::$fault));
                    let case = pycket_testkit::cases::$group::$case(&bench);
                    assert!(catch_unwind(AssertUnwindSafe(|| block_on(case))).is_err(), "not caught");
                }
            )*
        }
    };
}

alone! {
    CreateReplaces: lifecycle::create_never_overwrites;
    CreateIgnoresTheNumberOfRows: lifecycle::create_never_overwrites;
    CreateKeepsExpiredValues: expiry::create_over_an_expired_record_keeps_nothing;
    CreateKeepsAnExpiredGrant: expiry::create_over_an_expired_record_keeps_nothing;
    CreateKeepsAnExpiredEnd: expiry::create_over_an_expired_record_keeps_nothing;
    LoadIgnoresExpiry: expiry::record_has_ended_one_second_after_its_ttl;
    LoadNeedsValues: values::record_without_values_is_stored;
    LoadReadsTwoSnapshots: concurrency::load_never_sees_half_an_update;
    UpdateIgnoresExpiry: expiry::record_has_ended_one_second_after_its_ttl;
    UpdateUpserts: lifecycle::update_never_creates;
    UpdateCountsChangedValues: merge::remove_of_a_missing_name_is_no_error;
    UpdateRewritesTheRecord: concurrency::concurrent_updates_of_different_names_survive;
    UpdateIsCommittedByStatement: cancellation::dropped_update_is_atomic;
    UpdateForgetsTheGrantedTtl: values::metadata_are_stored_exactly;
    UpdateWithoutTtlRemovesTheEnd: expiry::update_without_ttl_keeps_the_remaining_time;
    UpdateUsesTheClockOfTheTransaction: expiry::update_that_waits_revives_no_ended_record;
    UpdateLooksAtTheEndBeforeTheLock: expiry::update_that_waits_revives_no_ended_record;
    NamesArePatterns: merge::remove_deletes_only_the_named_values;
    NamesIgnoreCase: values::similar_names_stay_distinct;
    NamesIgnoreTrailingSpaces: values::similar_names_stay_distinct;
    ValuesAreText: values::values_keep_every_byte;
    AbsenceIsComparedWithNull: expectation::absence_of_a_name_can_be_expected;
    ValuesAreComparedWithoutCase: expectation::expectations_compare_every_byte;
    ExpectationsAreReadBeforeTheLock: concurrency::compare_and_swap_counts_every_increment;
    ConflictIsFoundBeforeTheEnd: expectation::expired_record_is_ended_and_no_conflict;
    UpdatesKeepTheRevision: version::expectations_compare_the_stored_values;
    RevisionsStartAgain: version::deleted_record_does_not_come_back;
    RevisionsAreNotCompared: version::expectations_compare_the_stored_values;
    RevisionsIgnoreTheEnd: version::ended_record_does_not_come_back;
    LoadsDecideConflicts: version::expectations_compare_the_stored_values;
    DeleteIgnoresExpiry: expiry::record_has_ended_one_second_after_its_ttl;
    DeleteLeavesTheValues: lifecycle::deleted_records_leave_nothing_behind;
    DeleteReadsOutsideTheTransaction: concurrency::one_of_many_deletes_returns_the_record;
    DeleteIsCommittedByStatement: cancellation::dropped_delete_is_atomic;
    CorruptRecordsCannotBeDeleted: errors::corrupt_record_is_reported_until_it_is_deleted;
    OnlyCreatesRemoveExpiredRecords: expiry::record_has_ended_one_second_after_its_ttl;
    EndsAreWholeSeconds: expiry::record_is_live_until_its_ttl_passes;
    TtlsHave32Bits: expiry::ttl_over_thirty_days_is_not_a_date;
    TimesAreFloats: values::metadata_are_stored_exactly;
    KeysLackTheDataset: isolation::namespaces_share_no_records;
    DroppedCallsLeaveATransaction: cancellation::writes_after_a_dropped_call_reach_every_handle;
    SourcesRepeatTheKey: errors::refused_call_shows_no_id_and_no_value;
    CorruptTtlsAreDefaults: errors::corrupt_record_is_reported_until_it_is_deleted;
}

macro_rules! among_all_cases {
    ($($fault:ident: $case:literal;)*) => {
        mod among_all_cases {
            use super::*;
            $(
                #[test]
                #[expect(non_snake_case, reason = "the test has the name of the fault")]
                fn $fault() {
                    let failing = failing_cases(&Bench::new(Some(Fault::$fault)), false);
                    assert!(failing.contains(&$case), "{failing:?}");
                }
            )*
        }
    };
}

#[test]
fn sound_store_passes_all_cases_at_once() {
    assert_eq!(failing_cases(&Bench::new(None), true), [""; 0]);
}

// Those that other cases could hide by removing expired records, by using the connections or by waiting for the lock.
among_all_cases! {
    CreateKeepsExpiredValues: "expiry::create_over_an_expired_record_keeps_nothing";
    CreateKeepsAnExpiredGrant: "expiry::create_over_an_expired_record_keeps_nothing";
    CreateKeepsAnExpiredEnd: "expiry::create_over_an_expired_record_keeps_nothing";
    LoadIgnoresExpiry: "expiry::record_has_ended_one_second_after_its_ttl";
    UpdateIgnoresExpiry: "expiry::record_has_ended_one_second_after_its_ttl";
    DeleteIgnoresExpiry: "expiry::record_has_ended_one_second_after_its_ttl";
    OnlyCreatesRemoveExpiredRecords: "expiry::record_has_ended_one_second_after_its_ttl";
    UpdateUsesTheClockOfTheTransaction: "expiry::update_that_waits_revives_no_ended_record";
    UpdateLooksAtTheEndBeforeTheLock: "expiry::update_that_waits_revives_no_ended_record";
    ConflictIsFoundBeforeTheEnd: "expectation::expired_record_is_ended_and_no_conflict";
    DroppedCallsLeaveATransaction: "cancellation::writes_after_a_dropped_call_reach_every_handle";
    SourcesRepeatTheKey: "errors::refused_call_shows_no_id_and_no_value";
    CorruptRecordsCannotBeDeleted: "errors::corrupt_record_is_reported_until_it_is_deleted";
}
