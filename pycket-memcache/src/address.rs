use std::fmt;
use std::str::FromStr;

use pycket_core::{Error, ErrorKind};

const DEFAULT_PORT: u16 = 11211;

/// `host:port`, in the one spelling by which keys find their server.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Address(Box<str>);

impl Address {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// `host`, `host:port`, `[IPv6]`, `[IPv6]:port`.
impl FromStr for Address {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if text.starts_with('/') || text.starts_with("unix:") {
            return Err(invalid(
                "the memcached client speaks TCP only, so a Unix socket cannot be used",
            ));
        }
        let (host, port) = split(text).ok_or_else(not_valid)?;
        let port = match port {
            Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
                port.parse().map_err(|_| not_valid())?
            }
            Some(_) => return Err(not_valid()),
            None => DEFAULT_PORT,
        };
        if port == 0 || !is_host(host) {
            return Err(not_valid());
        }
        Ok(Self(format!("{}:{port}", host.to_ascii_lowercase()).into()))
    }
}

fn split(text: &str) -> Option<(&str, Option<&str>)> {
    let end_of_host = match text.strip_prefix('[') {
        Some(_) => text.find(']')? + 1,
        None => text.find(':').unwrap_or(text.len()),
    };
    let (host, rest) = text.split_at_checked(end_of_host)?;
    match rest {
        "" => Some((host, None)),
        _ => Some((host, Some(rest.strip_prefix(':')?))),
    }
}

fn is_host(host: &str) -> bool {
    match host.strip_prefix('[') {
        Some(rest) => {
            rest.strip_suffix(']').is_some_and(|ip| ip.parse::<std::net::Ipv6Addr>().is_ok())
        }
        None => {
            let is_fit = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
            !host.is_empty() && host.bytes().all(is_fit)
        }
    }
}

fn not_valid() -> Error {
    invalid("a memcached server is not valid; expected host, host:port or [IPv6 address]:port")
}

fn invalid(message: &'static str) -> Error {
    Error::new(ErrorKind::InvalidSetting, message)
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}
