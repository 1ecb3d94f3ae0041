use super::RedisStoreBuilder;
use crate::tls::Identity;

impl RedisStoreBuilder {
    /// Trusts servers whose certificate this authority has signed, in PEM, and no others; by default
    /// those that the platform trusts. One text may hold several certificates.
    ///
    /// ```no_run
    /// use pycket_redis::RedisStore;
    ///
    /// let store = RedisStore::builder("rediss://redis.internal/")
    ///     .tls_authority(std::fs::read("/etc/pycket/authority.pem")?)
    ///     .build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn tls_authority(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.tls.authority = Some(pem.into());
        self
    }

    /// The certificate that we show to servers that ask for one, with those that lead to its authority,
    /// and its key; both in PEM. By default none.
    ///
    /// ```no_run
    /// use pycket_redis::RedisStore;
    ///
    /// let store = RedisStore::builder("rediss://redis.internal/")
    ///     .tls_client(std::fs::read("/etc/pycket/app.pem")?, std::fs::read("/etc/pycket/app.key")?)
    ///     .build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn tls_client(mut self, certificate: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        self.tls.client = Some(Identity { certificate: certificate.into(), key: key.into() });
        self
    }
}
