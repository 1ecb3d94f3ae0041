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
///
/// A store with columns can keep the parts in columns of their own: [`prefix`](Self::prefix),
/// [`dataset`](Self::dataset) and [`SessionId::expose_bytes`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySpace {
    /// `{prefix}{dataset}:`.
    start: Box<str>,
    prefix_len: usize,
}

impl KeySpace {
    /// `pycket:`, the prefix of a driver without its own setting.
    pub const DEFAULT_PREFIX: &'static str = "pycket:";

    /// The dataset of the sessions.
    pub const SESSIONS: &'static str = "sessions";

    /// The dataset of the notifications.
    pub const NOTIFICATIONS: &'static str = "notifications";

    /// The keys of `dataset` under `prefix`.
    pub fn new(prefix: &str, dataset: &str) -> Self {
        Self { start: format!("{prefix}{dataset}:").into(), prefix_len: prefix.len() }
    }

    /// The prefix.
    pub fn prefix(&self) -> &str {
        self.start.get(..self.prefix_len).unwrap_or_default()
    }

    /// The dataset.
    pub fn dataset(&self) -> &str {
        self.start.get(self.prefix_len..self.start.len() - 1).unwrap_or_default()
    }

    /// The key of `id`.
    pub fn key(&self, id: &SessionId) -> String {
        [&self.start, id.text(&mut [0; SessionId::TEXT_LEN])].concat()
    }
}
