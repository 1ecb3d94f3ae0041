use std::time::Duration;

use pycket_core::Error;
use serde::Deserialize;

use crate::RedisStoreBuilder;
use crate::address::{Address, invalid};
use crate::secret::Secret;

/// Redis settings as a file has them; what is absent has the default of [`RedisStoreBuilder`].
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
    connect_timeout_ms: Option<u64>,
    response_timeout_ms: Option<u64>,
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
                return Err(invalid(
                    "give either `url` or `host`, `port`, `username` and `password`",
                ));
            }
            Some(Secret(url)) => Address::Url(url.into()),
            None => Address::Parts {
                host: file.host.unwrap_or_else(|| Address::DEFAULT_HOST.to_owned()),
                port: file.port.unwrap_or(Address::DEFAULT_PORT),
                username: file.username,
                password: file.password.map(|Secret(password)| password),
            },
        };
        let mut builder = Self::new(address);
        if let Some(prefix) = file.prefix {
            builder = builder.prefix(prefix);
        }
        if let Some(database) = file.db_sessions {
            builder = builder.db_sessions(database);
        }
        if let Some(database) = file.db_notifications {
            builder = builder.db_notifications(database);
        }
        if let Some(connections) = file.max_connections {
            builder = builder.max_connections(connections);
        }
        if let Some(millis) = file.connect_timeout_ms {
            builder = builder.connect_timeout(Duration::from_millis(millis));
        }
        if let Some(millis) = file.response_timeout_ms {
            builder = builder.response_timeout(Duration::from_millis(millis));
        }
        Ok(builder)
    }
}
