use std::time::Duration;

use serde::Deserialize;

use crate::{Clock, Error, Metadata, Timestamp, Ttl};

const HOUR: u64 = 60 * 60;
const DAY: u64 = 24 * HOUR;

/// When sessions end. Decided by the server alone: nothing in the cookie can extend a life.
///
/// The default is pycket's: a session that was not *changed* for one day is gone, however often it was
/// read, and there is no absolute end.
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
/// # From a file
///
/// Any serde format reads it: `idle` and `absolute` in seconds, `renew` as `"change"` or `"access"`, all
/// optional. Unknown names are errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "ExpiryFile")]
pub struct Expiry {
    idle: Ttl,
    absolute: Option<Ttl>,
    renew: Renew,
}

/// Collects the settings of an [`Expiry`] and checks them together.
#[derive(Clone, Copy, Debug, Default)]
#[must_use]
pub struct ExpiryBuilder {
    idle_timeout: Option<Duration>,
    absolute_timeout: Option<Duration>,
    renew: Renew,
}

/// What restarts the idle timeout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum Renew {
    /// A change of the session; the default, as in pycket. Reading costs no write.
    #[default]
    #[serde(rename = "change")]
    OnChange,
    /// Any request that uses the session. A request that only reads renews once a tenth of the idle
    /// timeout has passed, so that reading costs at most ten writes per idle timeout.
    #[serde(rename = "access")]
    OnAccess,
}

/// The lifetime settings as a file has them, in seconds.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpiryFile {
    idle: Option<u64>,
    absolute: Option<u64>,
    #[serde(default)]
    renew: Renew,
}

/// The levels of NIST SP 800-63B-4, section 5.2: how long a session may last before the visitor must sign
/// in again. Any request counts as activity. Call
/// [`restart_timeouts`](crate::Session::restart_timeouts) when the visitor signs in.
impl Expiry {
    /// Authenticator assurance level 1: 30 days.
    pub fn aal1() -> Self {
        Self::level(Ttl::of_secs(30 * DAY), Ttl::of_secs(30 * DAY))
    }

    /// Authenticator assurance level 2: 24 hours, and 1 hour without activity.
    pub fn aal2() -> Self {
        Self::level(Ttl::of_secs(HOUR), Ttl::of_secs(DAY))
    }

    /// Authenticator assurance level 3: 12 hours, and 15 minutes without activity.
    pub fn aal3() -> Self {
        Self::level(Ttl::of_secs(HOUR / 4), Ttl::of_secs(12 * HOUR))
    }

    const fn level(idle: Ttl, absolute: Ttl) -> Self {
        Self { idle, absolute: Some(absolute), renew: Renew::OnAccess }
    }
}

impl Expiry {
    /// One day.
    pub const DEFAULT_IDLE: Duration = Duration::from_secs(DAY);

    /// A builder that starts with the defaults.
    pub fn builder() -> ExpiryBuilder {
        ExpiryBuilder::default()
    }

    /// Whether the absolute end has passed. Looks at the clock only where there is one.
    pub(crate) fn is_over(&self, metadata: &Metadata, clock: &dyn Clock) -> bool {
        self.absolute.is_some() && self.ttl(metadata, clock.now()).is_none()
    }

    pub(crate) fn renews_on_access(&self) -> bool {
        self.renew == Renew::OnAccess
    }

    /// How long such a record may live from `now` on if it is renewed; `None` once it is past its
    /// absolute end.
    pub fn ttl(&self, metadata: &Metadata, now: Timestamp) -> Option<Ttl> {
        let idle = self.idle_of(metadata);
        match self.absolute_expires_in(metadata, now) {
            Some(rest) => Ttl::try_from(rest).ok().map(|rest| rest.min(idle)),
            None => Some(idle),
        }
    }

    /// How long until the absolute end, zero when it has passed; `None` where there is none.
    pub fn absolute_expires_in(&self, metadata: &Metadata, now: Timestamp) -> Option<Duration> {
        let age = now.saturating_since(metadata.created);
        self.absolute.map(|absolute| absolute.as_duration().saturating_sub(age))
    }

    /// The ttl of a touch, if a request that only reads is to make one.
    pub(crate) fn touch(
        &self,
        metadata: &Metadata,
        now: Timestamp,
        expires_in: Duration,
    ) -> Option<Ttl> {
        let worth_it = self.idle_of(metadata).as_duration() / 10;
        self.ttl(metadata, now).filter(|ttl| {
            self.renews_on_access() && ttl.as_duration().saturating_sub(expires_in) >= worth_it
        })
    }

    fn idle_of(&self, metadata: &Metadata) -> Ttl {
        metadata.idle_timeout.unwrap_or(self.idle)
    }
}

impl ExpiryBuilder {
    /// Ends a session that was not renewed for this long: 1 ms to ten years, by default one day.
    pub fn idle_timeout(mut self, idle_timeout: Duration) -> Self {
        self.idle_timeout = Some(idle_timeout);
        self
    }

    /// Ends a session this long after it began, however often it is used: 1 ms to ten years, by default
    /// never.
    pub fn absolute_timeout(mut self, absolute_timeout: Duration) -> Self {
        self.absolute_timeout = Some(absolute_timeout);
        self
    }

    /// What restarts the idle timeout: by default only a change.
    pub fn renew(mut self, renew: Renew) -> Self {
        self.renew = renew;
        self
    }

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

impl TryFrom<ExpiryFile> for Expiry {
    type Error = Error;

    fn try_from(file: ExpiryFile) -> Result<Self, Error> {
        let idle_timeout = file.idle.map(Duration::from_secs);
        let absolute_timeout = file.absolute.map(Duration::from_secs);
        ExpiryBuilder { idle_timeout, absolute_timeout, renew: file.renew }.build()
    }
}
