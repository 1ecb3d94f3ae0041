/// One mistake of a driver in SQL. `CASES` in `main.rs` names the case that catches it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    // create
    /// `INSERT OR REPLACE`.
    CreateReplaces,
    /// `INSERT OR IGNORE`, without a look at the number of rows.
    CreateIgnoresTheNumberOfRows,
    /// `ON CONFLICT DO UPDATE` of the record; its values stay.
    CreateKeepsExpiredValues,
    /// `ON CONFLICT DO UPDATE` that does not name every column.
    CreateKeepsAnExpiredGrant,
    CreateKeepsAnExpiredEnd,

    // load
    LoadIgnoresExpiry,
    /// `INNER JOIN` of records and values.
    LoadNeedsValues,
    /// Two statements without a transaction.
    LoadReadsTwoSnapshots,

    // update
    UpdateIgnoresExpiry,
    /// `INSERT … ON CONFLICT DO UPDATE`.
    UpdateUpserts,
    /// "No row changed" is taken for "no record".
    UpdateCountsChangedValues,
    /// Reads the record, changes it in the program, and writes it whole.
    UpdateRewritesTheRecord,
    UpdateIsCommittedByStatement,
    UpdateForgetsTheGrantedTtl,
    /// `SET ends = coalesce(…, 'never')`.
    UpdateWithoutTtlRemovesTheEnd,
    /// `now()` of PostgreSQL: the time at which the transaction began, before it had the lock.
    UpdateUsesTheClockOfTheTransaction,
    /// A `SELECT` finds the record live; the `UPDATE` then waits, and does not look again.
    UpdateLooksAtTheEndBeforeTheLock,

    // names, values and expectations
    /// `name LIKE ?`.
    NamesArePatterns,
    /// The default collation of some databases.
    NamesIgnoreCase,
    /// `CHAR(n)`, and collations that pad with spaces.
    NamesIgnoreTrailingSpaces,
    /// A column of text instead of bytes.
    ValuesAreText,
    /// `value = NULL` is never true.
    AbsenceIsComparedWithNull,
    ValuesAreComparedWithoutCase,
    ExpectationsAreReadBeforeTheLock,
    ConflictIsFoundBeforeTheEnd,

    // revisions
    UpdatesKeepTheRevision,
    /// A number that begins with 1 when a record is created.
    RevisionsStartAgain,
    /// Expectations are compared with the record that was loaded.
    RevisionsAreNotCompared,
    RevisionsIgnoreTheEnd,
    /// Expectations that the loaded record does not meet are a conflict, without a look at the stored one.
    LoadsDecideConflicts,

    // delete
    DeleteIgnoresExpiry,
    /// No foreign key with `ON DELETE CASCADE`, or one that is not enforced.
    DeleteLeavesTheValues,
    /// `SELECT`, then `DELETE`, without a transaction.
    DeleteReadsOutsideTheTransaction,
    DeleteIsCommittedByStatement,
    CorruptRecordsCannotBeDeleted,

    // ends
    OnlyCreatesRemoveExpiredRecords,
    /// A timestamp without a fraction.
    EndsAreWholeSeconds,
    /// `INTEGER` of 32 bits.
    TtlsHave32Bits,
    /// `REAL` instead of a whole number.
    TimesAreFloats,

    // keys, connections and errors
    KeysLackTheDataset,
    DroppedCallsLeaveATransaction,
    SourcesRepeatTheKey,
    CorruptTtlsAreDefaults,
}
