use std::num::NonZeroU64;
use std::time::Duration;

use crate::{Error, ErrorKind};

/// How long a record lives: 1 millisecond to ten years, in whole milliseconds.
///
/// A driver that is handed a `Ttl` need not fear the values that engines misread: it is never zero
/// (Redis refuses `PX 0`, memcached takes it for "forever") and never overflows. A fraction of a
/// millisecond is rounded up, because a record may live a little longer than asked, never shorter.
///
/// ```
/// use std::time::Duration;
/// use pycket_core::Ttl;
///
/// assert_eq!(Ttl::try_from(Duration::from_secs(60))?.as_millis(), 60_000);
/// assert_eq!(Ttl::try_from(Duration::from_micros(1))?.as_millis(), 1);
/// assert!(Ttl::try_from(Duration::ZERO).is_err());
/// assert!(Ttl::try_from(Duration::MAX).is_err());
/// # Ok::<(), pycket_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ttl(NonZeroU64);

impl Ttl {
    /// One millisecond.
    pub const MIN: Self = Self(NonZeroU64::MIN);

    /// Ten years, leap days included: 3653 days.
    pub const MAX: Self = match NonZeroU64::new(3653 * 24 * 60 * 60 * 1000) {
        Some(millis) => Self(millis),
        None => Self::MIN,
    };

    /// `millis` milliseconds; `None` out of range.
    pub const fn from_millis(millis: u64) -> Option<Self> {
        match NonZeroU64::new(millis) {
            Some(millis) if millis.get() <= Self::MAX.as_millis() => Some(Self(millis)),
            _ => None,
        }
    }

    /// For lifetimes that are written in the code: the nearest one in range.
    pub(crate) const fn of_secs(secs: u64) -> Self {
        match Self::from_millis(secs.saturating_mul(1000)) {
            Some(ttl) => ttl,
            None if secs == 0 => Self::MIN,
            None => Self::MAX,
        }
    }

    /// In milliseconds, 1 or more.
    pub const fn as_millis(self) -> u64 {
        self.0.get()
    }

    /// In seconds, rounded up, 1 or more: for engines that count no finer.
    pub const fn as_secs_rounded_up(self) -> u64 {
        self.as_millis().div_ceil(1000)
    }

    /// As a duration.
    pub const fn as_duration(self) -> Duration {
        Duration::from_millis(self.as_millis())
    }
}

/// A duration of 1 ns to ten years. A fraction of a millisecond is rounded up.
///
/// # Errors
///
/// [`ErrorKind::InvalidSetting`] for zero and for more than [`Ttl::MAX`].
impl TryFrom<Duration> for Ttl {
    type Error = Error;

    fn try_from(duration: Duration) -> Result<Self, Error> {
        let millis = duration.as_nanos().div_ceil(1_000_000);
        u64::try_from(millis).ok().and_then(Self::from_millis).ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidSetting,
                "a timeout must be more than zero and at most ten years (3653 days)",
            )
        })
    }
}
