use pycket_core::Error;
use redis::{ConnectionInfo, IntoConnectionInfo};

use crate::address::invalid;

/// What a URL leads to.
pub(crate) enum Target {
    /// The server itself.
    One(ConnectionInfo),
    /// Some nodes of a cluster, which know the others.
    Cluster(Vec<ConnectionInfo>),
    /// Who knows the primary, its name to them, and how to meet it: all but its address.
    Sentinel { sentinels: Vec<ConnectionInfo>, service: String, primary: ConnectionInfo },
}

/// The parts of a URL that may name several hosts.
struct Parts<'a> {
    /// `redis`, `rediss`, `valkey` or `valkeys`.
    scheme: &'a str,
    /// With the `@`, or empty.
    user: &'a str,
    hosts: Vec<&'a str>,
    path: &'a str,
    /// With the `?` or `#`, or empty.
    rest: &'a str,
}

const SERVER_FORM: &str =
    "the Redis URL is not valid; expected redis://[user:password@]host[:port][/database]";

impl Target {
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let scheme = text.split_once("://").map_or("", |(scheme, _)| scheme).to_ascii_lowercase();
        if matches!(scheme.as_str(), "redis+unix" | "valkey+unix" | "unix") {
            return Ok(Self::One(server(text)?));
        }
        let urls = split(text);
        let parts = urls.iter().map(|url| Parts::of(url)).collect::<Option<Vec<_>>>();
        let Some(parts) = parts else {
            return Ok(Self::One(server(text)?));
        };
        let hosts: usize = parts.iter().map(|parts| parts.hosts.len()).sum();
        if scheme.ends_with("+sentinel") {
            sentinel(&parts)
        } else if scheme.ends_with("+cluster") || hosts > 1 {
            cluster(&parts)
        } else {
            Ok(Self::One(server(text)?))
        }
    }
}

fn cluster(parts: &[Parts<'_>]) -> Result<Target, Error> {
    const FORM: &str = "the URL of the cluster is not valid; expected \
                        redis+cluster://[user:password@]host[:port][,host[:port]…]";
    if !cfg!(feature = "cluster") {
        return Err(invalid(
            "several servers are a cluster, and this build knows none; add the feature `cluster` of \
             `pycket-redis`, or give one redis:// URL",
        ));
    }
    let nodes = parts.iter().flat_map(Parts::servers).map(|url| server(&url));
    let nodes = nodes.collect::<Result<Vec<_>, _>>().map_err(|error| renamed(error, FORM))?;
    if nodes.iter().any(|node| node.redis_settings().db() != 0) {
        return Err(invalid("a cluster has no databases; leave the number out of the URL"));
    }
    Ok(Target::Cluster(nodes))
}

fn sentinel(parts: &[Parts<'_>]) -> Result<Target, Error> {
    const FORM: &str = "the URL of the sentinels is not valid; expected \
        redis+sentinel://[user:password@]host[:port][,host[:port]…][/service[/database]]";
    if !cfg!(feature = "sentinel") {
        return Err(invalid(
            "this build does not ask sentinels; add the feature `sentinel` of `pycket-redis`, or \
             give the redis:// URL of the primary",
        ));
    }
    let [parts] = parts else {
        return Err(invalid(FORM));
    };
    let mut path = parts.path.trim_matches('/').splitn(2, '/');
    let service = path.next().filter(|name| !name.is_empty()).unwrap_or("mymaster");
    let database = path.next().unwrap_or_default();
    let watchers = Parts { user: "", path: "", rest: "", hosts: parts.hosts.clone(), ..*parts };
    let sentinels = watchers.hosts.iter().map(|host| {
        let port = if has_port(host) { "" } else { ":26379" };
        server(&format!("{}://{host}{port}", parts.scheme))
    });
    let primary = format!("{}://{}host/{database}{}", parts.scheme, parts.user, parts.rest);
    let both = || Ok((sentinels.collect::<Result<Vec<_>, Error>>()?, server(&primary)?));
    let (sentinels, primary) = both().map_err(|error| renamed(error, FORM))?;
    Ok(Target::Sentinel { sentinels, service: service.to_owned(), primary })
}

fn has_port(host: &str) -> bool {
    host.rsplit_once(':').is_some_and(|(_, port)| !port.ends_with(']'))
}

/// The same fault, with the form that was meant.
fn renamed(error: Error, form: &'static str) -> Error {
    if error.to_string() == SERVER_FORM { invalid(form) } else { error }
}

fn server(url: &str) -> Result<ConnectionInfo, Error> {
    let scheme = redis::parse_redis_url(url);
    if let Some(url) = scheme.filter(|url| matches!(url.scheme(), "rediss" | "valkeys")) {
        if !cfg!(feature = "tls") {
            return Err(invalid(
                "this build connects without TLS; add the feature `tls` of `pycket-redis`, or use a \
                 redis:// URL",
            ));
        }
        if url.fragment().is_some() {
            return Err(invalid(
                "TLS without a look at the certificate protects nobody; leave the `#` out of the URL \
                 and give the authority that signed it",
            ));
        }
    }
    // The parser's own error is no source: it may repeat the URL, and with it a password.
    url.into_connection_info().map_err(|_| invalid(SERVER_FORM))
}

impl<'a> Parts<'a> {
    fn of(url: &'a str) -> Option<Self> {
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

    /// A URL for each host.
    fn servers(&self) -> impl Iterator<Item = String> {
        let Self { scheme, user, path, rest, .. } = self;
        self.hosts.iter().map(move |host| format!("{scheme}://{user}{host}{path}{rest}"))
    }
}

/// Cuts a list of URLs where a comma is followed by the beginning of another one: passwords may hold
/// commas.
fn split(text: &str) -> Vec<&str> {
    const BEGINNINGS: [&str; 4] = [",redis://", ",rediss://", ",valkey://", ",valkeys://"];
    let mut cuts: Vec<usize> = BEGINNINGS
        .iter()
        .flat_map(|beginning| text.match_indices(beginning).map(|(at, _)| at))
        .collect();
    cuts.sort_unstable();
    let mut urls = Vec::with_capacity(cuts.len() + 1);
    let mut left = text;
    for cut in cuts.into_iter().rev() {
        if let (Some(before), Some(url)) = (left.get(..cut), left.get(cut + 1..)) {
            urls.push(url);
            left = before;
        }
    }
    urls.push(left);
    urls.reverse();
    urls
}
