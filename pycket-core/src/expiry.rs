use std::time::Duration;

use crate::{Error, Metadata, Timestamp, Ttl};

/// When sessions end. Decided by the server alone: nothing in the cookie can extend a life.
///
/// The default is pycket's: a session that was not *changed* for one day is gone, however often it was
/// read, and there is no absolute end.
///
/// ```
/// use std::time::Duration;
/// use pycket_core::{Expiry, Renew};
///
/// let expiry = Expiry::default()
///     .with_idle(Duration::from_secs(15 * 60))?
///     .with_absolute(Duration::from_secs(12 * 60 * 60))?
///     .with_renew(Renew::OnAccess);
/// # Ok::<(), pycket_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expiry {
    idle: Ttl,
    absolute: Option<Ttl>,
    renew: Renew,
}

/// What restarts the idle timeout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Renew {
    /// A change of the session; the default, as in pycket. Reading costs no write.
    #[default]
    OnChange,
    /// Any request that uses the session. A request that only reads renews once a tenth of the idle
    /// timeout has passed, so that reading costs at most ten writes per idle timeout.
    OnAccess,
}

impl Expiry {
    /// One day.
    pub const DEFAULT_IDLE: Duration = Duration::from_secs(24 * 60 * 60);

    /// Ends a session that was not renewed for this long: 1 ms to ten years, by default one day.
    ///
    /// # Errors
    ///
    /// [`InvalidSetting`](crate::ErrorKind::InvalidSetting) outside that range.
    pub fn with_idle(mut self, idle: Duration) -> Result<Self, Error> {
        self.idle = Ttl::new(idle)?;
        Ok(self)
    }

    /// Ends a session this long after it began, however busy it is: 1 ms to ten years, by default never.
    ///
    /// # Errors
    ///
    /// [`InvalidSetting`](crate::ErrorKind::InvalidSetting) outside that range.
    pub fn with_absolute(mut self, absolute: Duration) -> Result<Self, Error> {
        self.absolute = Some(Ttl::new(absolute)?);
        Ok(self)
    }

    /// What restarts the idle timeout: by default only a change.
    #[must_use]
    pub fn with_renew(mut self, renew: Renew) -> Self {
        self.renew = renew;
        self
    }

    /// How long such a record may live from `now` on if it is renewed; `None` once it is past its
    /// absolute end.
    pub fn ttl(&self, metadata: &Metadata, now: Timestamp) -> Option<Ttl> {
        let idle = self.idle_of(metadata);
        match self.absolute_rest(metadata, now) {
            Some(rest) => Ttl::new(rest).ok().map(|rest| rest.min(idle)),
            None => Some(idle),
        }
    }

    /// How long until the absolute end, zero when it has passed; `None` where there is none.
    pub fn absolute_rest(&self, metadata: &Metadata, now: Timestamp) -> Option<Duration> {
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
            self.renew == Renew::OnAccess
                && ttl.as_duration().saturating_sub(expires_in) >= worth_it
        })
    }

    fn idle_of(&self, metadata: &Metadata) -> Ttl {
        metadata.lifetime.unwrap_or(self.idle)
    }
}

impl Default for Expiry {
    fn default() -> Self {
        const DEFAULT_IDLE: Ttl = match Ttl::from_millis(Expiry::DEFAULT_IDLE.as_secs() * 1000) {
            Some(ttl) => ttl,
            None => Ttl::MAX,
        };
        Self { idle: DEFAULT_IDLE, absolute: None, renew: Renew::default() }
    }
}
