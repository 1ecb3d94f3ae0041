use crate::SessionId;

/// How a driver turns ids into the keys of a store that is shared with others.
///
/// A key is `{prefix}{dataset}:{id}`: the prefix keeps applications apart, the dataset keeps apart what
/// one application stores under the same id.
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
    /// `pycket:`.
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
        let mut key = String::with_capacity(self.0.len() + SessionId::TEXT_LEN);
        key.push_str(&self.0);
        id.append_to(&mut key);
        key
    }
}
