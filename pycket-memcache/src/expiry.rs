//! When an item expires. Described in `docs/wire-format.md`.

use pycket_core::{Timestamp, Ttl};

/// How many seconds memcached keeps an item after its record has expired.
///
/// memcached counts whole seconds and may be two of them early. The rest is for clocks that differ.
const MARGIN: u64 = 10;

/// memcached reads larger numbers as dates.
const MAX_RELATIVE: u64 = 30 * 24 * 60 * 60;

/// memcached reads a date as a signed number of 32 bits.
const MAX_DATE: u64 = i32::MAX as u64;

/// memcached does not expire the item. The record still expires.
const NEVER: u32 = 0;

/// When a record expires, and what memcached has to know of it.
#[derive(Clone, Copy)]
pub(crate) struct ItemExpiry {
    /// For readers, in milliseconds since 1970.
    pub(crate) expires_at: u64,
    /// For memcached.
    pub(crate) exptime: u32,
}

impl ItemExpiry {
    pub(crate) fn after(ttl: Ttl, now: Timestamp) -> Self {
        // `now` is rounded down, and a record must not expire early.
        Self::at(now.unix_millis().saturating_add(ttl.as_millis() + 1), now)
    }

    pub(crate) fn at(expires_at: u64, now: Timestamp) -> Self {
        let remaining = expires_at.saturating_sub(now.unix_millis());
        let seconds = remaining.div_ceil(1000).saturating_add(MARGIN);
        let number = if seconds <= MAX_RELATIVE {
            seconds
        } else {
            (now.unix_millis() / 1000).saturating_add(seconds)
        };
        let in_range = Some(number).filter(|number| *number <= MAX_DATE);
        let exptime = in_range.and_then(|number| number.try_into().ok()).unwrap_or(NEVER);
        Self { expires_at, exptime }
    }
}

/// The remaining time of a record; zero if it has expired. `server_seconds` is that of its item.
///
/// `expires_at` is exact, but the clock of its writer or of this reader may be wrong. The seconds of the server
/// are the same for every reader. If the two differ by more than the margin, the server decides.
pub(crate) fn remaining_millis(
    expires_at: u64,
    now: Timestamp,
    server_seconds: Option<u64>,
) -> u64 {
    let by_record = signed(expires_at).saturating_sub(signed(now.unix_millis()));
    let by_server = server_seconds
        .map(|seconds| signed(seconds).saturating_sub(signed(MARGIN)).saturating_mul(1000));
    let millis = match by_server {
        Some(by_server) if by_record.abs_diff(by_server) > MARGIN * 1000 => by_server,
        _ => by_record,
    };
    millis.try_into().unwrap_or(0).min(Ttl::MAX.as_millis())
}

fn signed(number: u64) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}
