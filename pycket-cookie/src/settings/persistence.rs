use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cookie::time::OffsetDateTime;

/// How long the browser keeps the cookie. How long the *session* lives is decided by the server alone.
///
/// A fixed life is written as `Max-Age` without `Expires`: every browser of the last decade reads it, and
/// unlike a date it does not depend on the visitor's clock. Browsers cut what is longer than about 400 days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Persistence {
    /// Until the browser ends; neither `Max-Age` nor `Expires`.
    BrowserSession,
    /// For this long after it was last issued, in whole seconds, rounded down: one second to ten years.
    MaxAge(Duration),
    /// Until this date, as `Expires`: within the years 1970 to 9999. Once it has passed, browsers drop the
    /// cookie as soon as they get it, and no visitor keeps a session.
    Until(SystemTime),
    /// For as long as the session would live if nothing more happened, in whole seconds, rounded down.
    FollowSession,
}

impl Persistence {
    /// This many days after the cookie was last issued; pycket calls it `expires_days`.
    pub const fn days(days: u16) -> Self {
        Self::MaxAge(Duration::from_secs(days as u64 * 24 * 60 * 60))
    }

    /// A date as `Expires` writes it; `None` if it cannot.
    pub(crate) fn expires(date: SystemTime) -> Option<OffsetDateTime> {
        let since_epoch = date.duration_since(UNIX_EPOCH).ok()?;
        let seconds = i64::try_from(since_epoch.as_secs()).ok()?;
        OffsetDateTime::from_unix_timestamp(seconds).ok()
    }
}
