use pycket_core::{Error, ErrorKind};
use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo};

/// Where the server is and who we are to it. Either may hold a password.
pub(crate) enum Address {
    Url(Box<str>),
    Parts { host: String, port: u16, username: Option<String>, password: Option<String> },
}

impl Address {
    pub(crate) const DEFAULT_HOST: &'static str = "localhost";
    pub(crate) const DEFAULT_PORT: u16 = 6379;

    pub(crate) fn connection_info(&self) -> Result<ConnectionInfo, Error> {
        match self {
            Self::Url(url) => from_url(url),
            Self::Parts { host, port, username, password } => {
                let info = ConnectionAddr::Tcp(host.clone(), *port)
                    .into_connection_info()
                    .map_err(|_| invalid("the Redis host is not valid"))?;
                let mut settings = info.redis_settings().clone();
                if let Some(username) = username {
                    settings = settings.set_username(username);
                }
                if let Some(password) = password {
                    settings = settings.set_password(password);
                }
                Ok(info.set_redis_settings(settings))
            }
        }
    }
}

fn from_url(url: &str) -> Result<ConnectionInfo, Error> {
    let scheme = redis::parse_redis_url(url);
    if scheme.is_some_and(|url| matches!(url.scheme(), "rediss" | "valkeys")) {
        return Err(invalid("this version connects without TLS; use a redis:// URL"));
    }
    // The parser's own error is no source: it may repeat the URL, and with it a password.
    url.into_connection_info().map_err(|_| {
        invalid(
            "the Redis URL is not valid; expected redis://[user:password@]host[:port][/database]",
        )
    })
}

pub(crate) fn invalid(message: &'static str) -> Error {
    Error::new(ErrorKind::InvalidSetting, message)
}
