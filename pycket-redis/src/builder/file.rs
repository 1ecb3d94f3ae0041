use std::path::PathBuf;
use std::time::Duration;

use pycket_core::Error;
use pycket_core::driver::invalid_setting;
use serde::Deserialize;

use super::secret::Secret;
use super::{Address, RedisStoreBuilder};
use crate::address::Endpoint;
use crate::connection::Timeouts;
use crate::credentials::Credentials;
use crate::topology::ReplicaAcks;

const DEFAULT_HOST: &str = "localhost";
const DEFAULT_PORT: u16 = 6379;

/// The settings in a file. A missing one has the default of [`RedisStoreBuilder`].
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RedisSettingsFile {
    url: Option<Secret>,
    host: Option<String>,
    port: Option<u16>,
    username: Option<String>,
    password: Option<Secret>,
    prefix: Option<String>,
    db_sessions: Option<u32>,
    db_notifications: Option<u32>,
    max_connections: Option<usize>,
    max_response_bytes: Option<usize>,
    connect_timeout_ms: Option<u64>,
    response_timeout_ms: Option<u64>,
    deadline_ms: Option<u64>,
    wait_replicas: Option<u32>,
    wait_timeout_ms: Option<u64>,
    sentinel_username: Option<String>,
    sentinel_password: Option<Secret>,
    tls_authority_file: Option<PathBuf>,
    tls_certificate_file: Option<PathBuf>,
    tls_key_file: Option<PathBuf>,
}

impl TryFrom<RedisSettingsFile> for RedisStoreBuilder {
    type Error = Error;

    fn try_from(file: RedisSettingsFile) -> Result<Self, Error> {
        let has_parts = file.host.is_some()
            || file.port.is_some()
            || file.username.is_some()
            || file.password.is_some();
        let address = match file.url {
            Some(_) if has_parts => {
                return Err(invalid_setting(
                    "give either `url` or `host`, `port`, `username` and `password`",
                ));
            }
            Some(Secret(url)) => Address::Url(url.into()),
            None => {
                let host = file.host.as_deref().unwrap_or(DEFAULT_HOST);
                let mut endpoint = Endpoint::tcp(host, file.port.unwrap_or(DEFAULT_PORT));
                if let Some(username) = file.username {
                    endpoint.login = endpoint.login.set_username(username);
                }
                if let Some(Secret(password)) = file.password {
                    endpoint.login = endpoint.login.set_password(password);
                }
                Address::Single(endpoint)
            }
        };
        let defaults = Self::new(address);
        let duration = |millis: Option<u64>, default| millis.map_or(default, Duration::from_millis);
        let builder = Self {
            prefix: file.prefix.unwrap_or(defaults.prefix),
            db_sessions: file.db_sessions,
            db_notifications: file.db_notifications.unwrap_or(defaults.db_notifications),
            max_connections: file.max_connections.unwrap_or(defaults.max_connections),
            max_response_bytes: file.max_response_bytes.unwrap_or(defaults.max_response_bytes),
            timeouts: Timeouts {
                connect: duration(file.connect_timeout_ms, defaults.timeouts.connect),
                response: duration(file.response_timeout_ms, defaults.timeouts.response),
            },
            deadline: duration(file.deadline_ms, defaults.deadline),
            replica_acks: match (file.wait_replicas, file.wait_timeout_ms) {
                (Some(count), Some(millis)) => {
                    Some(ReplicaAcks { count, timeout: Duration::from_millis(millis) })
                }
                (None, None) => None,
                _ => {
                    return Err(invalid_setting(
                        "give `wait_replicas` and `wait_timeout_ms` together",
                    ));
                }
            },
            sentinel_login: match (file.sentinel_username, file.sentinel_password) {
                (None, None) => None,
                (user, Some(Secret(password))) => Some(Credentials { user, password }),
                (Some(_), None) => {
                    return Err(invalid_setting("`sentinel_username` needs a `sentinel_password`"));
                }
            },
            ..defaults
        };
        tls(builder, file.tls_authority_file, file.tls_certificate_file, file.tls_key_file)
    }
}

#[cfg(feature = "tls")]
fn tls(
    mut builder: RedisStoreBuilder,
    authority: Option<PathBuf>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
) -> Result<RedisStoreBuilder, Error> {
    if let Some(authority) = authority {
        builder = builder.tls_authority(read("tls_authority_file", &authority)?);
    }
    match (certificate, key) {
        (Some(certificate), Some(key)) => {
            let certificate = read("tls_certificate_file", &certificate)?;
            Ok(builder.tls_client(certificate, read("tls_key_file", &key)?))
        }
        (None, None) => Ok(builder),
        _ => Err(invalid_setting("give `tls_certificate_file` and `tls_key_file` together")),
    }
}

#[cfg(feature = "tls")]
fn read(setting: &str, path: &std::path::Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|error| {
        invalid_setting(format!("cannot read `{setting}`, {}: {error}", path.display()))
    })
}

#[cfg(not(feature = "tls"))]
fn tls(
    builder: RedisStoreBuilder,
    authority: Option<PathBuf>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
) -> Result<RedisStoreBuilder, Error> {
    if authority.is_none() && certificate.is_none() && key.is_none() {
        return Ok(builder);
    }
    Err(invalid_setting(
        "settings for TLS need the feature `tls` of `pycket-redis` (`redis-tls` of `pycket-axum`)",
    ))
}
