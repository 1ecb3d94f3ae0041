/// One way to break the contract, seen in a real session store or close to one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    // create
    CreateOverwrites,
    CreateRenewsTheLiveRecord,
    CreateChecksThenWrites,
    CreateTakesTwoSteps,
    EmptyRecordsAreNotStored,
    OldTtlsEndNewRecords,

    // load
    AbsentIsEmpty,
    LoadRenewsTheTtl,
    ExpiresInIsTheWholeTtl,

    // update
    UpdateCreates,
    UpdateWritesTheWholeRecord,
    UpdateTakesTwoSteps,
    UpdateReplacesTheRecord,
    UpdateRestartsTheTtl,
    UpdateRemovesTheTtl,
    SetKeepsTheOldValue,
    SetsSuppressRemovals,
    RemovalMatchesPrefixes,
    NamesArePatterns,
    RemovalOfAMissingNameIsRefused,
    RemovedNamesAreLost,
    RecordsWithoutValuesVanish,
    EmptyUpdateReturnsEnded,
    MetadataAreAlwaysReplaced,
    TtlIsIgnoredWithChanges,

    // touch
    TouchRevives,
    TouchWritesTheWholeRecord,
    TouchOnlyLengthens,

    // expectations
    ExpectationsAreIgnored,
    ExpectationsAreNeverMet,
    ExpectationsAreCheckedFirst,
    ExpectationsOfMissingNamesAreIgnored,
    ExpectationsOfUnchangedNamesAreIgnored,
    ExpectationsOfTouchesAreIgnored,
    ExpectationsCompareLengths,
    OnlyOneExpectationCounts,
    ConflictTakesPrecedenceOverEnded,
    ConflictAppliesTheChanges,
    ConflictRenewsTheTtl,

    // versions
    VersionsAreUsedUp,
    VersionsAreNotCompared,
    VersionsReviveDeletedRecords,
    VersionsStartAgain,
    VersionsIgnoreTheEnd,
    VersionsDecideExpectations,
    VersionsMeetEveryExpectation,

    // delete
    DeleteReturnsNothing,
    DeleteReturnsWhatWasCreated,
    DeleteReadsThenRemoves,
    DeleteTakesTwoSteps,
    DeleteReturnsAnAbsentRecord,
    DeletedRecordsStay,
    CorruptRecordsCannotBeDeleted,
    CorruptRecordsAreEmpty,

    // ttls
    TtlsAreRoundedDown,
    LongTtlsAreDates,
    ShortTtlsAreRefused,
    TtlsAreTooLong,
    WritersIgnoreExpiry,
    OnlyCreatesRemoveExpiredRecords,
    LoadLeavesExpiryToCreates,
    UpdateLeavesExpiryToCreates,
    DeleteLeavesExpiryToCreates,
    CreateKeepsExpiredValues,
    CreateKeepsExpiredMetadata,
    ConflictTakesPrecedenceOverExpiry,
    UpdateLooksAtTheEndBeforeItWaits,

    // keys
    KeysLackTheNamespace,
    KeysAreCutShort,
    HandlesShareNothing,

    // what is stored
    NamesAreLowerCase,
    NamesEndAtNul,
    ReservedNamesVanish,
    OnlyAThousandNamesAreStored,
    ValuesAreText,
    ValuesAreCutAt64K,
    TooLargeDeletes,
    GrantedTtlIsLost,
    TimesAreFloats,

    // connections and errors
    AnswersGoToTheNextCall,
    DroppedCallsLeaveATransaction,
    NetworkIsNotDeclared,
    OutageIsRejected,
    ErrorsHaveNoSource,
    ErrorsRepeatTheSource,
    ErrorsShowTheId,
    SourcesShowTheId,
    ErrorsShowValues,
    RefusalsShowTheId,
    RefusalsAreAmbiguous,
}
