use std::time::Duration;

use serde::{Deserialize, Deserializer};

use crate::session::Live;
use crate::timeouts::OwnTimeouts;
use crate::{Clock, Error, Record, Timestamp, Ttl};

const HOUR: u64 = 60 * 60;
const DAY: u64 = 24 * HOUR;

/// When sessions end. The server alone decides: nothing in a cookie can extend a session.
///
/// By default a session ends one day after its last *change*, as in pycket for Python, and there is no
/// absolute timeout. Use [`aal1`](Self::aal1), [`aal2`](Self::aal2) or [`aal3`](Self::aal3) for the timeouts
/// of NIST SP 800-63B-4.
///
/// ```
/// use std::time::Duration;
/// use pycket_core::{Expiry, Renew};
///
/// let expiry = Expiry::builder()
///     .idle_timeout(Duration::from_secs(15 * 60))
///     .absolute_timeout(Duration::from_secs(12 * 60 * 60))
///     .renew(Renew::OnAccess)
///     .build()?;
/// # Ok::<(), pycket_core::Error>(())
/// ```
///
/// # Settings file
///
/// Any serde format works. `idle` and `absolute` are in seconds, and `renew` is `"change"` or `"access"`.
/// All are optional, with the same defaults. Unknown names are errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "ExpiryBuilder")]
#[doc(alias("session_ttl", "maxAge"))] // actix-session, express-session
pub struct Expiry {
    idle: Ttl,
    absolute: Option<Ttl>,
    renew: Renew,
}

/// Collects the settings of an [`Expiry`] and checks them.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[must_use]
pub struct ExpiryBuilder {
    #[serde(rename = "idle", deserialize_with = "seconds")]
    idle_timeout: Option<Duration>,
    #[serde(rename = "absolute", deserialize_with = "seconds")]
    absolute_timeout: Option<Duration>,
    renew: Renew,
}

/// Which requests restart the idle timeout of a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
#[doc(alias("TtlExtensionPolicy", "rolling"))] // actix-session, express-session
pub enum Renew {
    /// Requests that change the session. The default, because a request that only reads then costs no write.
    #[default]
    #[serde(rename = "change")]
    #[doc(alias = "OnStateChanges")] // actix-session
    OnChange,
    /// All requests that use the session. A request that only reads restarts the timeout when a tenth of it
    /// has passed, so that reading costs at most ten writes per idle timeout.
    #[serde(rename = "access")]
    #[doc(alias("OnEveryRequest", "with_always_save"))] // actix-session, tower-sessions
    OnAccess,
}

impl Expiry {
    /// The default idle timeout: one day.
    pub const DEFAULT_IDLE: Duration = Duration::from_secs(DAY);

    /// A builder that starts with the defaults.
    pub fn builder() -> ExpiryBuilder {
        ExpiryBuilder::default()
    }

    /// Authenticator assurance level 1: 30 days.
    ///
    /// The three levels are those of NIST SP 800-63B-4, section 5.2. Any request counts as activity. Call
    /// [`log_in`](crate::Session::log_in) when the user signs in: both timeouts start anew then.
    pub fn aal1() -> Self {
        Self::level(Ttl::of_secs(30 * DAY), Ttl::of_secs(30 * DAY))
    }

    /// [Authenticator assurance level](Self::aal1) 2: 24 hours, and 1 hour without activity.
    pub fn aal2() -> Self {
        Self::level(Ttl::of_secs(HOUR), Ttl::of_secs(DAY))
    }

    /// [Authenticator assurance level](Self::aal1) 3: 12 hours, and 15 minutes without activity.
    pub fn aal3() -> Self {
        Self::level(Ttl::of_secs(HOUR / 4), Ttl::of_secs(12 * HOUR))
    }

    const fn level(idle: Ttl, absolute: Ttl) -> Self {
        Self { idle, absolute: Some(absolute), renew: Renew::OnAccess }
    }

    /// Whether a timeout has passed for a record that the store still has. The store knows only the timeouts of
    /// the last renewal. Without an absolute timeout, the clock is not read.
    pub(crate) fn has_ended(
        &self,
        record: &Record,
        expires_in: Duration,
        clock: &dyn Clock,
    ) -> bool {
        let (own, metadata) = (OwnTimeouts::of(record), record.metadata());
        let idle = self.idle(own).as_duration();
        metadata.unrenewed_for(expires_in).is_some_and(|unrenewed| unrenewed > idle)
            || self
                .absolute_expires_in(metadata.created, own, || clock.now())
                .is_some_and(|rest| rest.is_zero())
    }

    /// The ttl of a record that is written `now`, or `None` if its absolute timeout has passed. Without an
    /// absolute timeout, `now` is not called.
    pub(crate) fn ttl(
        &self,
        created: Timestamp,
        own: OwnTimeouts,
        now: impl FnOnce() -> Timestamp,
    ) -> Option<Ttl> {
        let idle = self.idle(own);
        // Not `map(|rest| rest.min(idle))`: with `opt-level = 1`, Rust 1.95 makes `Some` of that where it is `None`.
        match self.absolute_expires_in(created, own, now) {
            Some(rest) if rest < idle.as_duration() => Ttl::try_from(rest).ok(),
            _ => Some(idle),
        }
    }

    /// The time until the absolute timeout, zero if it has passed, or `None` if none is set.
    pub(crate) fn absolute_expires_in(
        &self,
        created: Timestamp,
        own: OwnTimeouts,
        now: impl FnOnce() -> Timestamp,
    ) -> Option<Duration> {
        let absolute = self.absolute(own)?.as_duration();
        Some(absolute.saturating_sub(now().saturating_since(created)))
    }

    /// The ttl of the touch of a request that only reads, or `None` if it needs none. Where reading does not
    /// renew a session, the clock is not read.
    pub(crate) fn touch(&self, live: &Live, clock: &dyn Clock) -> Option<Ttl> {
        let (own, metadata) = (OwnTimeouts::of(&live.record), live.record.metadata());
        let idle = self.idle(own);
        let is_longer_than_allowed = metadata.granted > Some(idle);
        if !is_longer_than_allowed && self.renew == Renew::OnChange {
            return None;
        }
        let expires_in = live.expires_in(clock);
        let gain = |ttl: &Ttl| ttl.as_duration().saturating_sub(expires_in);
        self.ttl(metadata.created, own, || clock.now())
            .filter(|ttl| is_longer_than_allowed || gain(ttl) >= idle.as_duration() / 10)
    }

    fn absolute(&self, own: OwnTimeouts) -> Option<Ttl> {
        own.absolute.or(self.absolute)
    }

    fn idle(&self, own: OwnTimeouts) -> Ttl {
        own.idle.unwrap_or(self.idle)
    }
}

impl ExpiryBuilder {
    /// Ends a session that is not renewed for this time: 1 ms to ten years, by default
    /// [one day](Expiry::DEFAULT_IDLE), as in pycket. A shorter timeout than before applies to stored sessions,
    /// too, and ends those that were not renewed for longer. OWASP recommends at most 5 minutes for high-value
    /// applications and at most 30 minutes for low-risk ones.
    #[doc(alias("OnInactivity", "session_ttl"))] // tower-sessions, actix-session
    pub fn idle_timeout(mut self, idle_timeout: Duration) -> Self {
        self.idle_timeout = Some(idle_timeout);
        self
    }

    /// Ends a session this time after it began, even if it is in use: 1 ms to ten years. By default there is
    /// no absolute timeout, as in pycket.
    #[doc(alias("AtDateTime", "Lifetime"))] // tower-sessions, scs
    pub fn absolute_timeout(mut self, absolute_timeout: Duration) -> Self {
        self.absolute_timeout = Some(absolute_timeout);
        self
    }

    /// Sets which requests restart the idle timeout, by default those that change the session.
    #[doc(alias("session_ttl_extension_policy", "rolling"))] // actix-session, express-session
    pub fn renew(mut self, renew: Renew) -> Self {
        self.renew = renew;
        self
    }

    /// Checks the settings.
    ///
    /// # Errors
    ///
    /// [`InvalidSetting`](crate::ErrorKind::InvalidSetting) for a timeout of zero or of more than ten years.
    pub fn build(self) -> Result<Expiry, Error> {
        let ttl = |name: &str, timeout: Duration| {
            Ttl::try_from(timeout)
                .map_err(|error| Error::new(error.kind(), format!("{name} timeout: {error}")))
        };
        Ok(Expiry {
            idle: ttl("idle", self.idle_timeout.unwrap_or(Expiry::DEFAULT_IDLE))?,
            absolute: self.absolute_timeout.map(|timeout| ttl("absolute", timeout)).transpose()?,
            renew: self.renew,
        })
    }
}

impl Default for Expiry {
    fn default() -> Self {
        Self { idle: Ttl::of_secs(DAY), absolute: None, renew: Renew::default() }
    }
}

impl TryFrom<ExpiryBuilder> for Expiry {
    type Error = Error;

    fn try_from(builder: ExpiryBuilder) -> Result<Self, Error> {
        builder.build()
    }
}

/// Timeouts are in seconds in a file.
fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    Ok(Option::<u64>::deserialize(deserializer)?.map(Duration::from_secs))
}
