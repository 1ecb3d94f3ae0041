use pycket_core::Error;
use pycket_core::driver::invalid_setting;
use redis::{ConnectionAddr, IntoConnectionInfo};

use crate::address::{Endpoint, NodeAddr, ServerAddr};

/// The servers that a URL names.
pub(crate) enum Target {
    Single(Endpoint),
    /// Some nodes of a cluster.
    Cluster(Vec<Endpoint>),
    /// The sentinels, the name under which they watch the primary, and how to log in to the primary. The
    /// address in `primary` is a placeholder.
    Sentinel {
        sentinels: Vec<Endpoint>,
        service: String,
        primary: Endpoint,
    },
}

/// The parts of a URL, which may list several hosts.
struct Parts<'a> {
    /// `redis`, `rediss`, `valkey` or `valkeys`.
    scheme: &'a str,
    /// Ends with `@` unless it is empty.
    user: &'a str,
    hosts: Vec<&'a str>,
    path: &'a str,
    /// Starts with `?` or `#` unless it is empty.
    rest: &'a str,
}

const SINGLE_FORM: &str =
    "the Redis URL is not valid; expected redis://[user:password@]host[:port][/database]";

impl Target {
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        // The client's parser drops these characters, and would find other parts than this one.
        let text = text.trim_matches(|character| character <= ' ');
        if text.contains(['\t', '\n', '\r']) {
            return Err(invalid_setting(
                "the Redis URL contains a tab or the end of a line; remove it, or write it as %09, %0D or %0A",
            ));
        }
        let scheme = text.split_once("://").map_or("", |(scheme, _)| scheme).to_ascii_lowercase();
        if matches!(scheme.as_str(), "redis+unix" | "valkey+unix" | "unix") {
            return Ok(Self::Single(endpoint(text)?));
        }
        let urls = split(text);
        let parts = urls.iter().map(|url| Parts::parse(url)).collect::<Option<Vec<_>>>();
        let Some(parts) = parts else {
            return Ok(Self::Single(endpoint(text)?));
        };
        let hosts: usize = parts.iter().map(|parts| parts.hosts.len()).sum();
        if scheme.ends_with("+sentinel") {
            sentinel(&parts)
        } else if scheme.ends_with("+cluster") || hosts > 1 {
            cluster(&parts)
        } else {
            Ok(Self::Single(endpoint(text)?))
        }
    }
}

fn cluster(parts: &[Parts<'_>]) -> Result<Target, Error> {
    const FORM: &str = "the URL of the cluster is not valid; expected \
                        redis+cluster://[user:password@]host[:port][,host[:port]…]";
    let nodes = parts.iter().flat_map(Parts::urls).map(|url| endpoint(&url));
    let nodes = nodes.collect::<Result<Vec<_>, _>>().map_err(|error| with_form(error, FORM))?;
    if nodes.iter().any(|node| node.login.db() != 0) {
        return Err(invalid_setting(
            "a cluster has no databases; remove the database number from the URL",
        ));
    }
    Ok(Target::Cluster(nodes))
}

fn sentinel(parts: &[Parts<'_>]) -> Result<Target, Error> {
    const FORM: &str = "the URL of the sentinels is not valid; expected \
        redis+sentinel://[user:password@]host[:port][,host[:port]…][/service[/database]]";
    let [parts] = parts else {
        return Err(invalid_setting(FORM));
    };
    let mut path = parts.path.trim_matches('/').splitn(2, '/');
    let service = path.next().filter(|name| !name.is_empty()).unwrap_or("mymaster");
    let database = path.next().unwrap_or_default();
    let sentinels = parts.hosts.iter().map(|host| {
        let port = if has_port(host) { "" } else { ":26379" };
        endpoint(&format!("{}://{host}{port}", parts.scheme))
    });
    let primary = format!("{}://{}host/{database}{}", parts.scheme, parts.user, parts.rest);
    let both = || Ok((sentinels.collect::<Result<Vec<_>, Error>>()?, endpoint(&primary)?));
    let (sentinels, primary) = both().map_err(|error| with_form(error, FORM))?;
    Ok(Target::Sentinel { sentinels, service: service.to_owned(), primary })
}

fn has_port(host: &str) -> bool {
    host.rsplit_once(':').is_some_and(|(_, port)| !port.ends_with(']'))
}

/// Replaces the expected form in an error about a URL that was derived from another form.
fn with_form(error: Error, form: &'static str) -> Error {
    if error.to_string() == SINGLE_FORM { invalid_setting(form) } else { error }
}

fn endpoint(url: &str) -> Result<Endpoint, Error> {
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    let scheme = scheme.trim().to_ascii_lowercase();
    let uses_tls = matches!(scheme.as_str(), "rediss" | "valkeys");
    if uses_tls && !cfg!(feature = "tls") {
        return Err(invalid_setting(
            "this build connects without TLS; add the feature `tls` of `pycket-redis` (`redis-tls` of \
             `pycket-axum`), or use a redis:// URL",
        ));
    }
    if uses_tls && rest.contains('#') {
        return Err(invalid_setting(
            "TLS that does not check the certificate protects nothing; remove the `#` part of the URL and \
             set `tls_authority` to the authority that signed the certificate",
        ));
    }
    // The connection is opened here and not by the client, whose parser needs no TLS then.
    let plain = uses_tls.then(|| format!("redis://{rest}"));
    // The parser's error is not kept as the source: it may contain the password.
    let info = plain.as_deref().unwrap_or(url).into_connection_info();
    let info = info.map_err(|_| invalid_setting(SINGLE_FORM))?;
    let addr = match info.addr().clone() {
        ConnectionAddr::Tcp(host, port) => ServerAddr::Tcp(NodeAddr::new(&host, port)),
        ConnectionAddr::Unix(path) => ServerAddr::Unix(path),
        _ => return Err(invalid_setting(SINGLE_FORM)),
    };
    Ok(Endpoint { addr, login: info.redis_settings().clone(), credentials: None, uses_tls })
}

impl<'a> Parts<'a> {
    fn parse(url: &'a str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let scheme = scheme.split_once('+').map_or(scheme, |(scheme, _)| scheme);
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at_checked(end)?;
        let (path, rest) = rest.split_at_checked(rest.find(['?', '#']).unwrap_or(rest.len()))?;
        let (user, hosts) = match authority.rfind('@') {
            Some(at) => authority.split_at_checked(at + 1)?,
            None => ("", authority),
        };
        Some(Self { scheme, user, hosts: hosts.split(',').collect(), path, rest })
    }

    /// One URL per host.
    fn urls(&self) -> impl Iterator<Item = String> {
        let Self { scheme, user, path, rest, .. } = self;
        self.hosts.iter().map(move |host| format!("{scheme}://{user}{host}{path}{rest}"))
    }
}

/// Splits a list of URLs at each comma that is followed by a scheme. A password may contain other commas.
fn split(text: &str) -> Vec<&str> {
    const STARTS: [&str; 4] = [",redis://", ",rediss://", ",valkey://", ",valkeys://"];
    let mut urls = Vec::new();
    let mut left = text;
    for (at, _) in text.rmatch_indices(',') {
        if let Some((before, after)) = left.split_at_checked(at)
            && STARTS.iter().any(|start| after.starts_with(start))
        {
            urls.extend(after.strip_prefix(','));
            left = before;
        }
    }
    urls.push(left);
    urls.reverse();
    urls
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentinel_without_a_port_has_that_of_sentinels() {
        let url = "redis+sentinel://one,two:1,[::1],[::1]:1/service";
        let Ok(Target::Sentinel { sentinels, .. }) = Target::parse(url) else { panic!("{url}") };
        let ports = sentinels.iter().map(|sentinel| sentinel.node().unwrap().port);
        assert_eq!(ports.collect::<Vec<_>>(), [26379, 1, 26379, 1]);
    }
}
