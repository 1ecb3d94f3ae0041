use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::SessionId;

/// The keys of a driver in a key-value store: `{prefix}{id}`, or `{prefix}{dataset}:{id}` in a dataset with a
/// name. The id is its 16 bytes in base64url without padding: 22 characters.
///
/// The prefix separates applications that share a server. The dataset separates the records of one
/// application: the sessions are in the one without a name, the notifications may have their own.
///
/// Keys are as short as that because a store keeps each one in memory: Redis 7.0 needs 32 bytes for a key with the
/// default prefix. It would need 64 if the dataset had a name and the id had 36 characters.
///
/// ```
/// use pycket_core::{KeySpace, SessionId};
///
/// let id = "0193b3a4-7c1e-4d2a-9f00-5a1b2c3d4e5f".parse::<SessionId>().unwrap();
/// let keys = KeySpace::new(KeySpace::DEFAULT_PREFIX, KeySpace::SESSIONS);
/// assert_eq!(keys.key(&id), "pycket:AZOzpHweTSqfAFobLD1OXw");
/// ```
///
/// A store with columns can keep the parts in columns of their own: [`prefix`](Self::prefix),
/// [`dataset`](Self::dataset) and [`SessionId::expose_bytes`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySpace {
    /// What precedes the id.
    start: Box<str>,
    prefix_len: usize,
}

impl KeySpace {
    /// `pycket:`, the prefix of a driver without its own setting.
    pub const DEFAULT_PREFIX: &'static str = "pycket:";

    /// The dataset of the sessions: the one without a name.
    pub const SESSIONS: &'static str = "";

    /// The dataset of the notifications.
    pub const NOTIFICATIONS: &'static str = "notifications";

    /// The length of an id in a key: 22 ASCII characters.
    const ID_LEN: usize = 22;

    /// The keys of `dataset` under `prefix`.
    pub fn new(prefix: &str, dataset: &str) -> Self {
        let end = if dataset.is_empty() { "" } else { ":" };
        Self { start: [prefix, dataset, end].concat().into(), prefix_len: prefix.len() }
    }

    /// The prefix.
    pub fn prefix(&self) -> &str {
        self.start.get(..self.prefix_len).unwrap_or_default()
    }

    /// The dataset.
    pub fn dataset(&self) -> &str {
        self.start
            .get(self.prefix_len..)
            .and_then(|name| name.strip_suffix(':'))
            .unwrap_or_default()
    }

    /// The key of `id`.
    pub fn key(&self, id: &SessionId) -> String {
        let mut key = String::with_capacity(self.start.len() + Self::ID_LEN);
        key.push_str(&self.start);
        URL_SAFE_NO_PAD.encode_string(id.expose_bytes(), &mut key);
        key
    }
}
