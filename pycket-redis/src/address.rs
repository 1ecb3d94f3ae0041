use std::path::PathBuf;
use std::{fmt, io};

use redis::RedisConnectionInfo;

use crate::credentials::Provider;

/// Host and port of a server.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct NodeAddr {
    pub(crate) host: String,
    pub(crate) port: u16,
}

/// How to reach a server and how to log in to it.
#[derive(Clone)]
pub(crate) struct Endpoint {
    pub(crate) addr: ServerAddr,
    pub(crate) login: RedisConnectionInfo,
    /// Returns the user and the password for `login`, if they change.
    pub(crate) credentials: Option<Provider>,
    pub(crate) uses_tls: bool,
}

#[derive(Clone)]
pub(crate) enum ServerAddr {
    Tcp(NodeAddr),
    Unix(PathBuf),
}

impl NodeAddr {
    /// Servers and operators write IPv6 addresses with and without brackets.
    pub(crate) fn new(host: &str, port: u16) -> Self {
        let inner = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        Self { host: inner.unwrap_or(host).to_owned(), port }
    }

    /// Reads `host:port`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (host, port) = text.rsplit_once(':')?;
        Some(Self::new(host, port.parse().ok()?))
    }
}

impl Endpoint {
    pub(crate) fn tcp(host: &str, port: u16) -> Self {
        let addr = ServerAddr::Tcp(NodeAddr::new(host, port));
        Self { addr, login: RedisConnectionInfo::default(), credentials: None, uses_tls: false }
    }

    /// The same login at another server.
    pub(crate) fn at(&self, node: NodeAddr) -> Self {
        Self { addr: ServerAddr::Tcp(node), ..self.clone() }
    }

    pub(crate) fn with_database(mut self, database: Option<u32>) -> Self {
        if let Some(database) = database {
            self.login = self.login.set_db(database.into());
        }
        self
    }

    /// The login for a new connection.
    pub(crate) async fn login(&self) -> io::Result<RedisConnectionInfo> {
        let login = self.login.clone();
        let Some(provider) = &self.credentials else { return Ok(login) };
        Ok(provider.credentials().await.map_err(io::Error::other)?.apply_to(login))
    }

    /// `None` for a Unix socket.
    pub(crate) fn node(&self) -> Option<&NodeAddr> {
        match &self.addr {
            ServerAddr::Tcp(node) => Some(node),
            ServerAddr::Unix(_) => None,
        }
    }
}

impl fmt::Debug for NodeAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}
