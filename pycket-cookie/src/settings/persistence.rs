use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cookie::time::OffsetDateTime;

/// How long the browser keeps the cookie. Only the server decides how long the *session* lives.
///
/// A duration is written as `Max-Age` without `Expires`: all current browsers support it, and unlike a date
/// it does not depend on the client's clock. Browsers shorten durations over 400 days (RFC 6265bis).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[doc(alias("SessionLifecycle", "with_expiry"))]
pub enum Persistence {
    /// Until the browser closes: neither `Max-Age` nor `Expires`. The default.
    #[doc(alias = "OnSessionEnd")]
    BrowserSession,
    /// For this long after the cookie was last issued, in whole seconds, rounded down: one second to ten
    /// years.
    #[doc(alias("maxAge", "session_ttl"))]
    MaxAge(Duration),
    /// Until this date, written as `Expires`: within the years 1970 to 9999. After this date browsers drop
    /// every cookie at once, so no client can keep a session.
    #[doc(alias("AtDateTime", "expires"))]
    Until(SystemTime),
    /// Until the absolute timeout of the session. If it has none, until its idle timeout; the cookie is then
    /// issued again when the session is renewed. In whole seconds, rounded down.
    #[doc(alias("OnInactivity", "rolling"))]
    FollowSession,
}

impl Persistence {
    /// [`MaxAge`](Self::MaxAge) of this many days; pycket calls it `expires_days`.
    pub const fn days(days: u16) -> Self {
        Self::MaxAge(Duration::from_secs(days as u64 * 24 * 60 * 60))
    }

    /// The date for an `Expires` attribute; `None` outside the years 1970 to 9999.
    pub(crate) fn to_expires(date: SystemTime) -> Option<OffsetDateTime> {
        let since_epoch = date.duration_since(UNIX_EPOCH).ok()?;
        let seconds = i64::try_from(since_epoch.as_secs()).ok()?;
        OffsetDateTime::from_unix_timestamp(seconds).ok()
    }
}
