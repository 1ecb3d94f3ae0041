use std::net::Ipv6Addr;
use std::str::FromStr;

use pycket_core::{Error, driver};

const DEFAULT_PORT: u16 = 11211;

/// The address of a server, always spelled `host:port` in lower case. The spelling decides which keys belong to
/// the server.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct NodeAddr(Box<str>);

impl NodeAddr {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Reads `host`, `host:port`, `[IPv6 address]` and `[IPv6 address]:port`.
impl FromStr for NodeAddr {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if text.starts_with('/') || text.starts_with("unix:/") {
            return Err(driver::invalid_setting(
                "the memcached client speaks TCP only, so a Unix socket cannot be used",
            ));
        }
        let (host, port) = parse(text).ok_or_else(|| {
            driver::invalid_setting(
                "a memcached server is not valid; expected host, host:port or [IPv6 address]:port",
            )
        })?;
        Ok(Self(format!("{}:{port}", host.to_ascii_lowercase()).into()))
    }
}

fn parse(text: &str) -> Option<(&str, u16)> {
    let end_of_host = match text.strip_prefix('[') {
        Some(_) => text.find(']')? + 1,
        None => text.find(':').unwrap_or(text.len()),
    };
    let (host, rest) = text.split_at_checked(end_of_host)?;
    let port = match rest {
        "" => DEFAULT_PORT,
        _ => parse_port(rest.strip_prefix(':')?)?,
    };
    is_host(host).then_some((host, port))
}

/// `str::parse` alone would accept a sign.
fn parse_port(text: &str) -> Option<u16> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|port| is_number && *port > 0)
}

fn is_host(host: &str) -> bool {
    match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']').is_some_and(|ip| ip.parse::<Ipv6Addr>().is_ok()),
        None => {
            let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
            !host.is_empty() && host.bytes().all(is_allowed)
        }
    }
}
