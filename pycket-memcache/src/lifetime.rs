//! How long a record lives: `docs/wire-format.md`, "The end of a life".

use std::time::Duration;

use pycket_core::{Timestamp, Ttl};

/// By how much the server's own expiry comes after the end of the record, in seconds. The server counts
/// whole seconds and may be two of them ahead; the rest is for clocks that differ.
const MARGIN: u64 = 10;

/// memcached takes larger numbers for dates.
const LONGEST_RELATIVE: u64 = 30 * 24 * 60 * 60;

/// memcached reads the number into 32 bits with a sign.
const LATEST_DATE: u64 = i32::MAX as u64;

/// No expiry at all: the end that is in the record is the only one then.
const NEVER: u32 = 0;

/// When a record ends.
#[derive(Clone, Copy)]
pub(crate) struct Life {
    /// For whoever reads it: in milliseconds since 1970.
    pub(crate) end: u64,
    /// For the server.
    pub(crate) exptime: u32,
}

impl Life {
    /// A new life from `now` on.
    pub(crate) fn new(now: Timestamp, ttl: Ttl) -> Self {
        // `now` was rounded down, and no life may be too short.
        Self::until(now.unix_millis().saturating_add(ttl.as_millis() + 1), now)
    }

    /// A life that ends at `end`.
    pub(crate) fn until(end: u64, now: Timestamp) -> Self {
        let left = end.saturating_sub(now.unix_millis());
        let seconds = left.div_ceil(1000).saturating_add(MARGIN);
        let number = if seconds <= LONGEST_RELATIVE {
            seconds
        } else {
            (now.unix_millis() / 1000).saturating_add(seconds)
        };
        let in_range = Some(number).filter(|number| *number <= LATEST_DATE);
        let exptime = in_range.and_then(|number| number.try_into().ok()).unwrap_or(NEVER);
        Self { end, exptime }
    }
}

/// What is left of a life; zero if it is over.
///
/// The record's own end is exact, but it was written, and is read, by clocks that may be wrong. The
/// server's seconds are the same for everybody. So the end counts as long as both agree to the margin,
/// and else the server.
pub(crate) fn left(end: u64, now: Timestamp, seconds_left: Option<u64>) -> Duration {
    let by_end = signed(end).saturating_sub(signed(now.unix_millis()));
    let by_server = seconds_left.map(|seconds| {
        let seconds = signed(seconds).saturating_sub(signed(MARGIN));
        seconds.saturating_mul(1000)
    });
    let millis = match by_server {
        Some(by_server) if by_end.abs_diff(by_server) > MARGIN * 1000 => by_server,
        _ => by_end,
    };
    Duration::from_millis(millis.try_into().unwrap_or(0)).min(Ttl::MAX.as_duration())
}

fn signed(number: u64) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}
