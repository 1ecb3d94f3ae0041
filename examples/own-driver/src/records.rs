//! The operations as SQL. The caller begins and commits the transaction.

use std::time::Duration;

use pycket_core::{
    Changes, Clock, Creation, Loaded, Metadata, Record, Timestamp, Ttl, Update, Value, Version,
};
use rusqlite::{OptionalExtension as _, Row, Transaction, params};

use crate::error::Failure;

/// The records, as one transaction sees them.
pub(crate) struct Records<'c> {
    transaction: &'c Transaction<'c>,
    /// In milliseconds since 1970, like every time in the file.
    now: i64,
}

/// A record that has not expired.
struct Live {
    row: i64,
    revision: i64,
    expires_at: i64,
    metadata: Metadata,
}

/// A record as it was loaded. The [`Version`] of this driver.
struct Read {
    revision: i64,
    record: Record,
}

impl<'c> Records<'c> {
    /// Call it after the transaction has begun, because waiting for its lock takes time.
    pub(crate) fn new(transaction: &'c Transaction<'c>, clock: &dyn Clock) -> Self {
        let now = i64::try_from(clock.now().unix_millis()).unwrap_or(i64::MAX);
        Self { transaction, now }
    }

    pub(crate) fn create(&self, key: &str, record: &Record, ttl: Ttl) -> Result<Creation, Failure> {
        // Two for each new one: expired records do not accumulate, and no call removes many.
        self.remove_expired(2)?;
        if self.live(key)?.is_some() {
            return Ok(Creation::Taken);
        }
        self.execute("DELETE FROM pycket_records WHERE key = ?1", params![key])?;
        let (created, granted) = columns(record.metadata());
        self.execute(
            "INSERT INTO pycket_records (key, created, granted, expires_at, revision)
             VALUES (?1, ?2, ?3, ?4, random())",
            params![key, created, granted, self.end(ttl)],
        )?;
        let row = self.transaction.last_insert_rowid();
        record.iter().try_for_each(|(name, value)| self.set(row, name, value))?;
        Ok(Creation::Created)
    }

    pub(crate) fn load(&self, key: &str) -> Result<Option<Loaded>, Failure> {
        let Some(live) = self.live(key)? else { return Ok(None) };
        let remaining = u64::try_from(live.expires_at - self.now).unwrap_or(0);
        let record = Record::new(live.metadata, self.values(live.row)?);
        let read = Read { revision: live.revision, record: record.clone() };
        let loaded = Loaded::new(record, Duration::from_millis(remaining));
        Ok(Some(loaded.with_version(Version::new(read))))
    }

    pub(crate) fn update(
        &self,
        key: &str,
        changes: &Changes,
        ttl: Option<Ttl>,
    ) -> Result<Update, Failure> {
        // If the record is still as it was loaded, one statement finds, compares and renews it.
        let unchanged = match changes.version().and_then(Version::get::<Read>) {
            Some(read) if read.record.meets(changes) => {
                self.revise(key, read.revision, changes, ttl)?
            }
            _ => None,
        };
        let row = if let Some(row) = unchanged {
            row
        } else {
            let Some(live) = self.live(key)? else { return Ok(Update::Ended) };
            if !self.meets(live.row, changes)? {
                return Ok(Update::Conflict);
            }
            self.revise(key, live.revision, changes, ttl)?;
            live.row
        };
        for name in changes.removals() {
            let sql = "DELETE FROM pycket_values WHERE record = ?1 AND name = ?2";
            self.execute(sql, params![row, name])?;
        }
        changes.sets().try_for_each(|(name, value)| self.set(row, name, value))?;
        Ok(Update::Applied)
    }

    /// Removes the record also if it is corrupt, so that the user can sign out: then the inner result is an
    /// error, and the transaction must be committed all the same.
    pub(crate) fn delete(&self, key: &str) -> Result<Result<Option<Record>, Failure>, Failure> {
        let live = self.live(key).and_then(|live| {
            let Some(Live { row, metadata, .. }) = live else { return Ok(None) };
            Ok(Some(Record::new(metadata, self.values(row)?)))
        });
        let record = match live {
            Err(failure) if !failure.is_corrupt() => return Err(failure),
            record => record,
        };
        self.execute("DELETE FROM pycket_records WHERE key = ?1", params![key])?;
        Ok(record)
    }

    /// Removes up to `limit` expired records, the oldest first. Returns how many it removed.
    pub(crate) fn remove_expired(&self, limit: u32) -> Result<usize, Failure> {
        self.execute(
            "DELETE FROM pycket_records WHERE record IN (
                SELECT record FROM pycket_records WHERE expires_at < ?1 ORDER BY expires_at LIMIT ?2)",
            params![self.now, limit],
        )
    }

    fn live(&self, key: &str) -> Result<Option<Live>, Failure> {
        let mut statement = self.transaction.prepare_cached(
            "SELECT record, revision, expires_at, created, granted FROM pycket_records
             WHERE key = ?1 AND expires_at >= ?2",
        )?;
        let columns =
            |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?));
        let found = statement.query_row(params![key, self.now], columns).optional()?;
        found
            .map(|(row, revision, expires_at, created, granted)| {
                Ok(Live { row, revision, expires_at, metadata: metadata(created, granted)? })
            })
            .transpose()
    }

    fn values(&self, row: i64) -> Result<Vec<(String, Value)>, Failure> {
        let sql = "SELECT name, value FROM pycket_values WHERE record = ?1";
        let mut statement = self.transaction.prepare_cached(sql)?;
        let entry = |row: &Row<'_>| Ok((row.get(0)?, Value::from(row.get::<_, Vec<u8>>(1)?)));
        let values = statement.query_map(params![row], entry)?.collect::<Result<_, _>>()?;
        Ok(values)
    }

    /// Writes the metadata and the end of the live record, if this is still its revision. Returns its row.
    fn revise(
        &self,
        key: &str,
        revision: i64,
        changes: &Changes,
        ttl: Option<Ttl>,
    ) -> Result<Option<i64>, Failure> {
        let mut statement = self.transaction.prepare_cached(
            "UPDATE pycket_records SET
                revision = random(),
                expires_at = coalesce(?4, expires_at),
                created = coalesce(?5, created),
                granted = iif(?5 IS NULL, granted, ?6)
             WHERE key = ?1 AND revision = ?2 AND expires_at >= ?3
             RETURNING record",
        )?;
        let (created, granted) = changes.metadata().as_ref().map(columns).unzip();
        let end = ttl.map(|ttl| self.end(ttl));
        let parameters = params![key, revision, self.now, end, created, granted.flatten()];
        Ok(statement.query_row(parameters, |row| row.get(0)).optional()?)
    }

    fn meets(&self, row: i64, changes: &Changes) -> Result<bool, Failure> {
        for (name, expected) in changes.expectations() {
            if self.value(row, name)?.as_deref() != expected.map(Value::as_bytes) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn value(&self, row: i64, name: &str) -> Result<Option<Vec<u8>>, Failure> {
        let sql = "SELECT value FROM pycket_values WHERE record = ?1 AND name = ?2";
        let mut statement = self.transaction.prepare_cached(sql)?;
        Ok(statement.query_row(params![row, name], |row| row.get(0)).optional()?)
    }

    fn set(&self, row: i64, name: &str, value: &Value) -> Result<(), Failure> {
        let sql = "INSERT OR REPLACE INTO pycket_values (record, name, value) VALUES (?1, ?2, ?3)";
        self.execute(sql, params![row, name, value.as_bytes()]).map(drop)
    }

    fn execute(&self, sql: &str, parameters: impl rusqlite::Params) -> Result<usize, Failure> {
        Ok(self.transaction.prepare_cached(sql)?.execute(parameters)?)
    }

    /// The last millisecond in which the record is live: `now` is rounded down.
    fn end(&self, ttl: Ttl) -> i64 {
        self.now.saturating_add(millis(ttl))
    }
}

/// SQLite's integers are signed: a time beyond 2^63 is stored as a negative number and read back unchanged.
fn columns(metadata: &Metadata) -> (i64, Option<i64>) {
    (metadata.created.unix_millis().cast_signed(), metadata.granted.map(millis))
}

fn metadata(created: i64, granted: Option<i64>) -> Result<Metadata, Failure> {
    let created = Timestamp::from_unix_millis(created.cast_unsigned());
    let ttl = |millis| u64::try_from(millis).ok().and_then(Ttl::from_millis);
    let granted = granted
        .map(|millis| ttl(millis).ok_or(Failure::Corrupt("a granted ttl is out of range")))
        .transpose()?;
    Ok(Metadata::new(created).with_granted(granted))
}

/// Ten years are less than 2^39.
fn millis(ttl: Ttl) -> i64 {
    ttl.as_millis().cast_signed()
}
