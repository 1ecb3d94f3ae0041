use pycket_core::{Error, ErrorKind};
use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo};

use crate::target::Target;

/// Where the servers are and who we are to them. Either may hold a password.
pub(crate) enum Address {
    Url(Box<str>),
    Parts { host: String, port: u16, username: Option<String>, password: Option<String> },
}

impl Address {
    pub(crate) const DEFAULT_HOST: &'static str = "localhost";
    pub(crate) const DEFAULT_PORT: u16 = 6379;

    pub(crate) fn target(&self) -> Result<Target, Error> {
        match self {
            Self::Url(url) => Target::parse(url),
            Self::Parts { host, port, username, password } => {
                let info = ConnectionAddr::Tcp(host.clone(), *port)
                    .into_connection_info()
                    .map_err(|_| invalid("the Redis host is not valid"))?;
                Ok(Target::One(with_user(info, username.as_deref(), password.as_deref())))
            }
        }
    }
}

pub(crate) fn with_user(
    info: ConnectionInfo,
    username: Option<&str>,
    password: Option<&str>,
) -> ConnectionInfo {
    let mut settings = info.redis_settings().clone();
    if let Some(username) = username {
        settings = settings.set_username(username);
    }
    if let Some(password) = password {
        settings = settings.set_password(password);
    }
    info.set_redis_settings(settings)
}

pub(crate) fn invalid(message: &'static str) -> Error {
    Error::new(ErrorKind::InvalidSetting, message)
}
