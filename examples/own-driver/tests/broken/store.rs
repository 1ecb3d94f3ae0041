use std::time::Duration;

use async_trait::async_trait;
use pycket_core::{
    Changes, Creation, Error, ErrorKind, Loaded, Metadata, Record, SessionId, SessionStore,
    Timestamp, Ttl, Update, Value, Version,
};
use rusqlite::{Connection, OptionalExtension as _, Row};

use crate::connection::{Call, Pool, now};
use crate::fault::Fault;

pub(crate) const SCHEMA: &str = "
    CREATE TABLE records (
        key TEXT PRIMARY KEY, created INTEGER, granted INTEGER, ends INTEGER, revision INTEGER
    );
    CREATE TABLE vals (key TEXT, name TEXT, value BLOB, PRIMARY KEY (key, name));
";

/// A small store in SQL, sound except for the one fault.
#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) pool: Pool,
    pub(crate) dataset: String,
}

struct Head {
    metadata: Metadata,
    ends: i64,
    revision: i64,
}

/// A record as it was loaded.
struct Read {
    revision: i64,
    record: Record,
}

#[async_trait]
impl SessionStore for Store {
    async fn create(&self, id: &SessionId, record: &Record, ttl: Ttl) -> Result<Creation, Error> {
        let key = self.key(id);
        let call = self.pool.write().await?;
        let now = now();
        self.remove_expired(&call, now).await?;
        let ends = self.end(now, ttl);
        let (created, granted) = columns(record.metadata());
        let row = (&key, created, granted, ends);
        let revision = if self.has(Fault::RevisionsStartAgain) { "1" } else { "random()" };
        let values = format!("INTO records VALUES (?1, ?2, ?3, ?4, {revision})");
        match self.pool.fault {
            Some(Fault::CreateReplaces) => {
                call.execute("DELETE FROM vals WHERE key = ?1", [&key]).await?;
                call.execute(&format!("INSERT OR REPLACE {values}"), row).await?;
            }
            Some(Fault::CreateIgnoresTheNumberOfRows) => {
                call.execute(&format!("INSERT OR IGNORE {values}"), row).await?;
            }
            fault => {
                if self.exists(&call, &key, now)? {
                    return Ok(Creation::Taken);
                }
                if fault != Some(Fault::CreateKeepsExpiredValues)
                    && fault != Some(Fault::DeleteLeavesTheValues)
                {
                    call.execute("DELETE FROM vals WHERE key = ?1", [&key]).await?;
                }
                let columns = match fault {
                    Some(Fault::CreateKeepsAnExpiredGrant) => "created = ?2, ends = ?4",
                    Some(Fault::CreateKeepsAnExpiredEnd) => "created = ?2, granted = ?3",
                    _ => "created = ?2, granted = ?3, ends = ?4",
                };
                let update = format!("ON CONFLICT DO UPDATE SET {columns}, revision = {revision}");
                call.execute(&format!("INSERT {values} {update}"), row).await?;
            }
        }
        for (name, value) in record.iter() {
            self.set(&call, &key, name, value).await?;
        }
        call.commit()?;
        Ok(Creation::Created)
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Loaded>, Error> {
        let key = self.key(id);
        let mut call = self.pool.read().await?;
        let Some(head) = self.head(&call, &key, Fault::LoadIgnoresExpiry)? else { return Ok(None) };
        tokio::task::yield_now().await;
        if self.has(Fault::LoadReadsTwoSnapshots) {
            let half = self.values(&call, &key)?.into_iter().take(1);
            call.commit()?;
            drop(call);
            call = self.pool.read().await?;
            let values = half.chain(self.values(&call, &key)?.into_iter().skip(1));
            return Ok(Some(loaded(head, values.collect())));
        }
        let values = self.values(&call, &key)?;
        if self.has(Fault::LoadNeedsValues) && values.is_empty() {
            return Ok(None);
        }
        Ok(Some(loaded(head, values)))
    }

    async fn update(
        &self,
        id: &SessionId,
        changes: &Changes,
        ttl: Option<Ttl>,
    ) -> Result<Update, Error> {
        let key = self.key(id);
        let before = now();
        let mut rewritten = None;
        if let Some(
            Fault::ExpectationsAreReadBeforeTheLock
            | Fault::UpdateLooksAtTheEndBeforeTheLock
            | Fault::UpdateRewritesTheRecord,
        ) = self.pool.fault
        {
            let call = self.pool.read().await?;
            if self.head(&call, &key, Fault::UpdateIgnoresExpiry)?.is_none() {
                return Ok(Update::Ended);
            }
            if self.has(Fault::ExpectationsAreReadBeforeTheLock)
                && !self.meets(&call, &key, changes)?
            {
                return Ok(Update::Conflict);
            }
            rewritten = Some(self.values(&call, &key)?);
        }
        let call = self.pool.write().await?;
        if self.has(Fault::ConflictIsFoundBeforeTheEnd) && !self.meets(&call, &key, changes)? {
            return Ok(Update::Conflict);
        }
        let now = match self.pool.fault {
            Some(Fault::UpdateUsesTheClockOfTheTransaction) => before,
            _ => now(),
        };
        let unchanged = match changes.version().and_then(Version::get::<Read>) {
            Some(read) if read.record.meets(changes) => {
                self.has_revision(&call, &key, read.revision, now)?
            }
            Some(_) if self.has(Fault::LoadsDecideConflicts) => return Ok(Update::Conflict),
            _ => false,
        };
        if !unchanged && !self.is_live_for_update(&call, &key, now)? {
            if !self.has(Fault::UpdateUpserts) {
                return Ok(Update::Ended);
            }
            let ends = self.end(now, ttl.unwrap_or(pycket_testkit::fixtures::HOUR));
            let insert = "INSERT OR REPLACE INTO records VALUES (?1, 0, NULL, ?2, random())";
            call.execute(insert, (&key, ends)).await?;
        }
        let is_checked = unchanged || self.has(Fault::ExpectationsAreReadBeforeTheLock);
        if !is_checked && !self.meets(&call, &key, changes)? {
            return Ok(Update::Conflict);
        }
        let by_statement = self.has(Fault::UpdateIsCommittedByStatement);
        let mut rows = 0;
        if let Some(values) = rewritten.filter(|_| self.has(Fault::UpdateRewritesTheRecord)) {
            call.execute("DELETE FROM vals WHERE key = ?1", [&key]).await?;
            for (name, value) in values {
                self.set(&call, &key, &name, &value).await?;
            }
        }
        for name in changes.removals() {
            let equals = if self.has(Fault::NamesArePatterns) { "LIKE" } else { "=" };
            let delete = format!("DELETE FROM vals WHERE key = ?1 AND name {equals} ?2");
            rows += call.execute(&delete, (&key, name)).await?;
        }
        for (name, value) in changes.sets() {
            rows += self.set(&call, &key, name, value).await?;
            if by_statement {
                call.commit_statement().await?;
            }
        }
        if self.has(Fault::UpdateCountsChangedValues) && rows == 0 && !changes.is_empty() {
            return Ok(Update::Ended);
        }
        if let Some(metadata) = changes.metadata() {
            let (created, granted) = columns(&metadata);
            let granted_column =
                if self.has(Fault::UpdateForgetsTheGrantedTtl) { "" } else { ", granted = ?3" };
            let update = format!(
                "UPDATE records SET created = ?2{granted_column} WHERE key = ?1 AND ?3 IS ?3"
            );
            call.execute(&update, (&key, created, granted)).await?;
        }
        let ends = ttl.map(|ttl| self.end(now, ttl));
        let never = self.has(Fault::UpdateWithoutTtlRemovesTheEnd).then_some(i64::MAX / 2);
        if let Some(ends) = ends.or(never) {
            let update = "UPDATE records SET ends = ?2 WHERE key = ?1";
            call.execute(update, (&key, ends)).await?;
        }
        let revision = match self.pool.fault {
            Some(Fault::UpdatesKeepTheRevision) => "revision",
            Some(Fault::RevisionsStartAgain) => "revision + 1",
            _ => "random()",
        };
        let update = format!("UPDATE records SET revision = {revision} WHERE key = ?1");
        call.execute(&update, [&key]).await?;
        call.commit()?;
        Ok(Update::Applied)
    }

    async fn delete(&self, id: &SessionId) -> Result<Option<Record>, Error> {
        let key = self.key(id);
        if self.has(Fault::DeleteReadsOutsideTheTransaction) {
            let read = self.load(id).await?;
            let call = self.pool.write().await?;
            self.remove(&call, &key).await?;
            call.commit()?;
            return Ok(read.map(|loaded| loaded.record));
        }
        let call = self.pool.write().await?;
        let head = match self.head(&call, &key, Fault::DeleteIgnoresExpiry) {
            Ok(Some(head)) => head,
            Ok(None) => return Ok(None),
            Err(error) => {
                if !self.has(Fault::CorruptRecordsCannotBeDeleted) {
                    self.remove(&call, &key).await?;
                    call.commit()?;
                }
                return Err(error);
            }
        };
        let values = self.values(&call, &key)?;
        self.remove(&call, &key).await?;
        call.commit()?;
        Ok(Some(Record::new(head.metadata, values)))
    }
}

impl Store {
    fn has(&self, fault: Fault) -> bool {
        self.pool.fault == Some(fault)
    }

    fn key(&self, id: &SessionId) -> String {
        let dataset = if self.has(Fault::KeysLackTheDataset) { "" } else { &self.dataset };
        format!("{dataset}:{}", id.expose())
    }

    fn end(&self, now: i64, ttl: Ttl) -> i64 {
        let millis = ttl.as_millis().cast_signed();
        match self.pool.fault {
            Some(Fault::EndsAreWholeSeconds) => (now + millis) / 1000 * 1000,
            Some(Fault::TtlsHave32Bits) => now + i64::from(millis as i32),
            _ => now + millis,
        }
    }

    /// A create removes all expired records, of every dataset.
    async fn remove_expired(&self, call: &Call<'_>, now: i64) -> Result<(), Error> {
        let keeps = matches!(
            self.pool.fault,
            Some(
                Fault::CreateKeepsExpiredValues
                    | Fault::CreateKeepsAnExpiredEnd
                    | Fault::CreateKeepsAnExpiredGrant
            )
        );
        if !keeps {
            let values = "DELETE FROM vals WHERE key IN (SELECT key FROM records WHERE ends < ?1)";
            call.execute(values, [now]).await?;
            call.execute("DELETE FROM records WHERE ends < ?1", [now]).await?;
        }
        Ok(())
    }

    fn exists(&self, call: &Call<'_>, key: &str, now: i64) -> Result<bool, Error> {
        let sql = "SELECT 1 FROM records WHERE key = ?1 AND ends >= ?2";
        call.sql(|connection| connection.prepare_cached(sql)?.exists((key, now)))
    }

    fn has_revision(
        &self,
        call: &Call<'_>,
        key: &str,
        revision: i64,
        now: i64,
    ) -> Result<bool, Error> {
        let sql = match self.pool.fault {
            Some(Fault::RevisionsAreNotCompared) => "?2 IS ?2 AND ends >= ?3",
            Some(Fault::RevisionsIgnoreTheEnd) => "revision = ?2 AND ?3 IS ?3",
            _ => "revision = ?2 AND ends >= ?3",
        };
        let sql = format!("SELECT 1 FROM records WHERE key = ?1 AND {sql}");
        call.sql(|connection| connection.prepare_cached(&sql)?.exists((key, revision, now)))
    }

    fn is_live_for_update(&self, call: &Call<'_>, key: &str, now: i64) -> Result<bool, Error> {
        let ignores = matches!(
            self.pool.fault,
            Some(
                Fault::UpdateIgnoresExpiry
                    | Fault::OnlyCreatesRemoveExpiredRecords
                    | Fault::UpdateLooksAtTheEndBeforeTheLock
            )
        );
        let now = if ignores { 0 } else { now };
        self.head_at(call, key, now).map(|head| head.is_some())
    }

    /// The record, if it is live. With `ignoring` as the fault, an expired one counts as live.
    fn head(&self, call: &Call<'_>, key: &str, ignoring: Fault) -> Result<Option<Head>, Error> {
        let ignores = self.has(ignoring) || self.has(Fault::OnlyCreatesRemoveExpiredRecords);
        self.head_at(call, key, if ignores { 0 } else { now() })
    }

    fn head_at(&self, call: &Call<'_>, key: &str, now: i64) -> Result<Option<Head>, Error> {
        let created = if self.has(Fault::TimesAreFloats) {
            "CAST(CAST(created AS REAL) AS INTEGER)"
        } else {
            "created"
        };
        let sql = format!(
            "SELECT {created}, granted, ends, revision FROM records WHERE key = ?1 AND ends >= ?2"
        );
        let found: Option<(i64, Option<i64>, i64, i64)> = call.sql(|connection| {
            let columns = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
            connection.prepare_cached(&sql)?.query_row((key, now), columns).optional()
        })?;
        let Some((created, granted, ends, revision)) = found else { return Ok(None) };
        let granted = match granted {
            None => None,
            Some(_) if self.has(Fault::CorruptTtlsAreDefaults) && granted < Some(1) => None,
            Some(millis) => {
                let ttl = u64::try_from(millis).ok().and_then(Ttl::from_millis);
                let corrupt = || Error::new(ErrorKind::Corrupt, "a granted ttl is out of range");
                Some(ttl.ok_or_else(corrupt)?)
            }
        };
        let created = Timestamp::from_unix_millis(created.cast_unsigned());
        Ok(Some(Head { metadata: Metadata::new(created).with_granted(granted), ends, revision }))
    }

    fn values(&self, call: &Call<'_>, key: &str) -> Result<Vec<(String, Value)>, Error> {
        let sql = "SELECT name, value FROM vals WHERE key = ?1 ORDER BY name";
        call.sql(|connection| {
            let entry = |row: &Row<'_>| Ok((row.get(0)?, Value::from(row.get::<_, Vec<u8>>(1)?)));
            connection.prepare_cached(sql)?.query_map([key], entry)?.collect()
        })
    }

    fn meets(&self, call: &Call<'_>, key: &str, changes: &Changes) -> Result<bool, Error> {
        for (name, expected) in changes.expectations() {
            let compare = match (self.pool.fault, expected) {
                (Some(Fault::AbsenceIsComparedWithNull), _) => "value = ?3",
                (Some(Fault::ValuesAreComparedWithoutCase), _) => "lower(value) IS lower(?3)",
                _ => "value IS ?3",
            };
            let collate = self.collation();
            let value = format!("(SELECT value FROM vals WHERE key = ?1 AND name = ?2{collate})");
            let sql = format!("SELECT 1 WHERE {}", compare.replace("value", &value));
            let expected = expected.map(Value::as_bytes);
            let is_met = |connection: &Connection| {
                connection.prepare_cached(&sql)?.exists((key, name, expected))
            };
            if !call.sql(is_met)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn collation(&self) -> &'static str {
        match self.pool.fault {
            Some(Fault::NamesIgnoreCase) => " COLLATE NOCASE",
            Some(Fault::NamesIgnoreTrailingSpaces) => " COLLATE RTRIM",
            _ => "",
        }
    }

    async fn set(
        &self,
        call: &Call<'_>,
        key: &str,
        name: &str,
        value: &Value,
    ) -> Result<usize, Error> {
        let collation = self.collation();
        if !collation.is_empty() {
            let delete = format!("DELETE FROM vals WHERE key = ?1 AND name = ?2{collation}");
            call.execute(&delete, (&key, name)).await?;
        }
        let bytes = match self.pool.fault {
            Some(Fault::ValuesAreText) => {
                String::from_utf8_lossy(value.as_bytes()).into_owned().into_bytes()
            }
            _ => value.as_bytes().to_vec(),
        };
        let insert = "INSERT OR REPLACE INTO vals VALUES (?1, ?2, ?3)";
        call.execute(insert, (key, name, bytes)).await
    }

    async fn remove(&self, call: &Call<'_>, key: &str) -> Result<(), Error> {
        if !self.has(Fault::DeleteLeavesTheValues) {
            call.execute("DELETE FROM vals WHERE key = ?1", [key]).await?;
        }
        if self.has(Fault::DeleteIsCommittedByStatement) {
            call.commit_statement().await?;
        }
        call.execute("DELETE FROM records WHERE key = ?1", [key]).await?;
        Ok(())
    }
}

fn loaded(head: Head, values: Vec<(String, Value)>) -> Loaded {
    let remaining = u64::try_from(head.ends - now()).unwrap_or(0);
    let record = Record::new(head.metadata, values);
    let read = Read { revision: head.revision, record: record.clone() };
    Loaded::new(record, Duration::from_millis(remaining)).with_version(Version::new(read))
}

fn columns(metadata: &Metadata) -> (i64, Option<i64>) {
    let granted = metadata.granted.map(|ttl| ttl.as_millis().cast_signed());
    (metadata.created.unix_millis().cast_signed(), granted)
}
