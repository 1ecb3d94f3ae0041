use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use redis::RedisConnectionInfo;

/// The user and the password for one connection, from the provider in
/// [`RedisStoreBuilder::credentials`](crate::RedisStoreBuilder::credentials).
#[derive(Clone)]
pub struct Credentials {
    pub(crate) user: Option<String>,
    pub(crate) password: String,
}

/// Returns the credentials for a new connection.
#[derive(Clone)]
pub(crate) struct Provider(Arc<dyn Fn() -> Answer + Send + Sync>);

pub(crate) type ProviderResult = Result<Credentials, Box<dyn Error + Send + Sync>>;

type Answer = Pin<Box<dyn Future<Output = ProviderResult> + Send>>;

impl Credentials {
    /// For servers that have users.
    pub fn new(user: impl Into<String>, password: impl Into<String>) -> Self {
        Self { user: Some(user.into()), password: password.into() }
    }

    /// For servers that have a password and no users.
    pub fn password(password: impl Into<String>) -> Self {
        Self { user: None, password: password.into() }
    }

    pub(crate) fn apply_to(&self, login: RedisConnectionInfo) -> RedisConnectionInfo {
        let login = login.set_password(&self.password);
        self.user.iter().fold(login, |login, user| login.set_username(user))
    }
}

impl Provider {
    pub(crate) fn new<F>(provider: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ProviderResult> + Send + 'static,
    {
        Self(Arc::new(move || Box::pin(provider())))
    }

    pub(crate) async fn credentials(&self) -> ProviderResult {
        (self.0)().await
    }
}

/// Shows neither the user nor the password.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}
