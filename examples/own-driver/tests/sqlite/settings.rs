use std::time::Duration;

use own_driver::{SqliteStore, SqliteStoreBuilder};
use pycket_core::ErrorKind;

#[test]
fn setting_out_of_range_is_refused_by_name() {
    let builder = || SqliteStore::builder("never-opened.db");
    let max = SqliteStoreBuilder::MAX_TIMEOUT;
    for (refused, name) in [
        (builder().timeout(Duration::ZERO), "timeout"),
        (builder().timeout(max + Duration::from_nanos(1)), "timeout"),
        (builder().max_bytes(SqliteStoreBuilder::MIN_BYTES - 1), "max_bytes"),
    ] {
        let error = refused.build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidSetting);
        assert!(error.to_string().contains(name), "{error}");
    }
    for accepted in [
        builder().timeout(Duration::from_nanos(1)),
        builder().timeout(max),
        builder().max_bytes(SqliteStoreBuilder::MIN_BYTES),
        builder().max_bytes(u64::MAX),
    ] {
        accepted.build().unwrap();
    }
}
