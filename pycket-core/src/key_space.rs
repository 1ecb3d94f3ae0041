use crate::SessionId;

/// The keys of a driver in a key-value store: `{prefix}{dataset}:{id}`.
///
/// The prefix separates applications that share a server. The dataset separates the records of one
/// application, for example sessions and notifications.
///
/// ```
/// use pycket_core::{KeySpace, SessionId};
///
/// let id = "0193b3a4-7c1e-4d2a-9f00-5a1b2c3d4e5f".parse::<SessionId>().unwrap();
/// let keys = KeySpace::new(KeySpace::DEFAULT_PREFIX, KeySpace::SESSIONS);
/// assert_eq!(keys.key(&id), "pycket:sessions:0193b3a4-7c1e-4d2a-9f00-5a1b2c3d4e5f");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySpace(Box<str>);

impl KeySpace {
    /// `pycket:`, the prefix of a driver without its own setting.
    pub const DEFAULT_PREFIX: &'static str = "pycket:";

    /// The dataset of the sessions.
    pub const SESSIONS: &'static str = "sessions";

    /// The dataset of the notifications.
    pub const NOTIFICATIONS: &'static str = "notifications";

    /// The keys of `dataset` under `prefix`.
    pub fn new(prefix: &str, dataset: &str) -> Self {
        Self(format!("{prefix}{dataset}:").into())
    }

    /// The key of `id`.
    pub fn key(&self, id: &SessionId) -> String {
        [&self.0, id.text(&mut [0; SessionId::TEXT_LEN])].concat()
    }
}
