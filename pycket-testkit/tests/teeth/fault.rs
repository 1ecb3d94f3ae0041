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

    // delete
    DeleteReturnsNothing,
    DeleteReturnsWhatWasCreated,
    DeleteReadsThenRemoves,
    DeleteTakesTwoSteps,
    DeleteReturnsAnAbsentRecord,

    // ttls
    TtlsAreRoundedDown,
    LongTtlsAreDates,
    ShortTtlsAreRefused,
    TtlsAreTooLong,
    WritersIgnoreExpiry,

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
    NetworkIsNotDeclared,
    OutageIsRejected,
    ErrorsHaveNoSource,
    ErrorsRepeatTheSource,
    ErrorsShowTheId,
    SourcesShowTheId,
    ErrorsShowValues,
}
