//! The record of every client: the same three values in every library.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use pycket_core::{Metadata, Record, Timestamp, Ttl, Value};
use time::OffsetDateTime;
use tower_sessions::session;

use crate::servers::{CSRF, IDLE, USER, VISITS};

pub(super) fn pycket() -> Result<Record> {
    let created = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis().try_into()?;
    let metadata = Metadata::new(Timestamp::from_unix_millis(created)).with_granted(Some(ttl()?));
    let texts = [USER, CSRF].map(|(name, value)| (name, Value::encode(value)));
    let mut values = vec![(VISITS, Value::encode(&1_u64)?)];
    for (name, value) in texts {
        values.push((name, value?));
    }
    Ok(Record::new(metadata, values))
}

pub(super) fn ttl() -> Result<Ttl> {
    Ok(Ttl::try_from(IDLE)?)
}

pub(super) fn tower_sessions() -> Result<session::Record> {
    let texts = [USER, CSRF].map(|(name, value)| (name.to_owned(), value.into()));
    let mut data = std::collections::HashMap::from(texts);
    data.insert(VISITS.to_owned(), 1_u64.into());
    let expiry_date = OffsetDateTime::now_utc().checked_add(IDLE.try_into()?);
    let expiry_date = expiry_date.context("the expiry date is out of range")?;
    Ok(session::Record { id: session::Id::default(), data, expiry_date })
}
