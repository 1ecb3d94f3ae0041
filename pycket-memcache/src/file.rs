use std::time::Duration;

use serde::Deserialize;

use crate::MemcacheStoreBuilder;

/// memcached settings as a file has them; what is absent has the default of [`MemcacheStoreBuilder`].
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MemcacheSettingsFile {
    servers: Option<Servers>,
    prefix: Option<String>,
    max_connections: Option<usize>,
    connect_timeout_ms: Option<u64>,
    response_timeout_ms: Option<u64>,
    deadline_ms: Option<u64>,
}

/// As in pycket, one server needs no list.
#[derive(Deserialize)]
#[serde(untagged, expecting = "`servers` must be a string or a list of strings")]
enum Servers {
    One(String),
    Many(Vec<String>),
}

impl From<MemcacheSettingsFile> for MemcacheStoreBuilder {
    fn from(file: MemcacheSettingsFile) -> Self {
        let mut builder = Self::new();
        builder = match file.servers {
            Some(Servers::One(server)) => builder.servers([server]),
            Some(Servers::Many(servers)) => builder.servers(servers),
            None => builder,
        };
        if let Some(prefix) = file.prefix {
            builder = builder.prefix(prefix);
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
        if let Some(millis) = file.deadline_ms {
            builder = builder.deadline(Duration::from_millis(millis));
        }
        builder
    }
}
