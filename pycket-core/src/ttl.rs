use std::num::NonZeroU64;
use std::time::Duration;

use crate::{Error, ErrorKind};

/// The time to live of a record: 1 millisecond to ten years, in whole milliseconds.
///
/// A driver need not check it. It is never zero, which Redis refuses (`PX 0`) and memcached reads as
/// "forever", and it does not overflow. A fraction of a millisecond is rounded up, because a record must not
/// end before its ttl has passed.
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

    /// Ten years with their leap days: 3653 days.
    pub const MAX: Self = match NonZeroU64::new(3653 * 24 * 60 * 60 * 1000) {
        Some(millis) => Self(millis),
        None => Self::MIN,
    };

    /// `millis` milliseconds, or `None` if that is out of range.
    pub const fn from_millis(millis: u64) -> Option<Self> {
        match NonZeroU64::new(millis) {
            Some(millis) if millis.get() <= Self::MAX.as_millis() => Some(Self(millis)),
            _ => None,
        }
    }

    /// `secs` seconds, or [`MAX`](Self::MAX) if that is out of range.
    pub(crate) const fn of_secs(secs: u64) -> Self {
        match Self::from_millis(secs.saturating_mul(1000)) {
            Some(ttl) => ttl,
            None => Self::MAX,
        }
    }

    /// The time to live in milliseconds, at least 1.
    pub const fn as_millis(self) -> u64 {
        self.0.get()
    }

    /// The time to live as a duration.
    pub const fn as_duration(self) -> Duration {
        Duration::from_millis(self.as_millis())
    }
}

/// Converts a duration of 1 ns to ten years. A fraction of a millisecond is rounded up.
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
