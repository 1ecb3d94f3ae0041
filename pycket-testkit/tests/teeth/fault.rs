/// A way to break the contract that has been seen, or nearly, in some session store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    // create
    CreateOverwrites,
    CreateRenewsWhatIsTaken,
    CreateChecksThenWrites,
    CreateTakesTwoSteps,
    EmptyRecordsAreNotStored,
    OldTimersEndNewRecords,

    // load
    AbsentIsEmpty,
    LoadRenews,
    ExpiresInIsTheWholeTtl,

    // update
    UpdateCreates,
    UpdateWritesTheWholeRecord,
    UpdateTakesTwoSteps,
    UpdateReplacesTheRecord,
    UpdateRestartsTheLife,
    UpdateMakesImmortal,
    SetKeepsTheOldValue,
    SetsHideRemovals,
    RemovalGoesByPrefix,
    RemovalOfNothingIsRefused,
    RemovedNamesAreLost,
    EmptiedRecordsVanish,
    EmptyUpdateIsGone,
    MetadataAreAlwaysReplaced,
    TtlOnlyCountsForTouches,

    // touch
    TouchRevives,
    TouchWritesTheWholeRecord,
    TouchOnlyLengthens,

    // expectations
    ExpectationsAreIgnored,
    ExpectationsAreNeverMet,
    ExpectationsAreCheckedBeforehand,
    ExpectationsOfMissingNamesAreIgnored,
    ExpectationsOfUnchangedNamesAreIgnored,
    ExpectationsOfTouchesAreIgnored,
    ExpectationsCompareLengths,
    OnlyOneExpectationCounts,
    ConflictComesBeforeGone,
    ConflictAppliesTheRest,
    ConflictRenews,

    // delete
    DeleteReturnsNothing,
    DeleteReturnsWhatWasCreated,
    DeleteReadsThenRemoves,
    DeleteTakesTwoSteps,
    DeleteFindsTheAbsent,

    // lives
    SecondsAreCutOff,
    ThirtyDaysAreADate,
    PartsOfASecondAreRefused,
    LivesAreTooLong,
    ExpiryIsForLoadsOnly,

    // keys
    KeysLackTheNamespace,
    KeysAreCutShort,
    EveryHandleIsAlone,

    // what is stored
    NamesAreLowerCase,
    NamesEndAtNul,
    NamesOfItsOwnVanish,
    NamesStopAtAThousand,
    ValuesAreText,
    ValuesEndAt64K,
    TooLargeDeletes,
    LifetimeIsForgotten,
    TimesAreFloats,

    // connections and errors
    AnswersAreLeftBehind,
    NetworkIsConcealed,
    OutageIsARejection,
    ErrorsHaveNoSource,
    ErrorsRepeatTheSource,
    ErrorsShowTheId,
    SourcesShowTheId,
    ErrorsShowValues,
}
