use pycket_core::{
    Changes, Creation, Error, Loaded, Metadata, Record, SessionId, SessionStore, Timestamp, Ttl,
    Update, Value,
};
use std::time::Duration;

/// Returns the same result at once, so that only the library itself is measured.
#[derive(Debug)]
pub(crate) struct NoStore(Record);

impl NoStore {
    pub(crate) fn new() -> Self {
        Self(small())
    }
}

/// The record of all measurements.
pub(crate) fn small() -> Record {
    let metadata = Metadata::new(Timestamp::from_unix_millis(0));
    let values = [
        ("user", Value::encode("margarethe").unwrap()),
        ("csrf", Value::encode("9f86d081884c7d659a2feaa0c55ad015").unwrap()),
        ("visits", Value::encode(&1_u64).unwrap()),
    ];
    Record::new(metadata, values)
}

#[async_trait::async_trait]
impl SessionStore for NoStore {
    async fn create(&self, _: &SessionId, _: &Record, _: Ttl) -> Result<Creation, Error> {
        Ok(Creation::Created)
    }

    async fn load(&self, _: &SessionId) -> Result<Option<Loaded>, Error> {
        let expires_in = Duration::from_secs(24 * 60 * 60);
        Ok(Some(Loaded::new(self.0.clone(), expires_in)))
    }

    async fn update(&self, _: &SessionId, _: &Changes, _: Option<Ttl>) -> Result<Update, Error> {
        Ok(Update::Applied)
    }

    async fn delete(&self, _: &SessionId) -> Result<Option<Record>, Error> {
        Ok(Some(self.0.clone()))
    }
}
