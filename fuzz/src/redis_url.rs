//! The URL of a Redis server, of a cluster, or of sentinels.
//!
//! What is read is written and read as the same. No error shows the password.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use pycket_redis::RedisStore;
use pycket_redis::fuzzing::{Server, Servers, servers};

use crate::parts::assert_hidden;

/// What the texts of errors and URLs are made of, besides letters.
const ORDINARY: &[u8] = b":/[]@,.-_ ";

/// Checks one input.
pub fn check(bytes: &[u8]) {
    let Ok(url) = str::from_utf8(bytes) else { return };
    check_parts(url);
    let built = RedisStore::builder(url).build().map(drop);
    match servers(url) {
        Ok(read) => {
            if let Some(written) = written(&read) {
                assert_eq!(servers(&written).ok().as_ref(), Some(&read), "{url} as {written}");
            }
            let debug = format!("{:?}", RedisStore::builder(url));
            for password in read.nodes.iter().filter_map(|node| node.password.as_deref()) {
                assert_hidden(password, ORDINARY, &debug);
                if let Err(error) = &built {
                    assert_hidden(password, ORDINARY, &error.to_string());
                }
            }
        }
        Err(error) => {
            assert_eq!(built.map_err(|error| error.to_string()), Err(error.to_string()));
            if let Some(password) = password(url) {
                assert_hidden(password, ORDINARY, &error.to_string());
            }
        }
    }
}

/// A URL with this password has the parts that it was made of.
fn check_parts(password: &str) {
    if password.is_empty() {
        return;
    }
    let database = password.len() as i64 % 16;
    let server = |host: &str, port| Server {
        socket: None,
        addr: Some((host.to_owned(), port)),
        user: None,
        password: None,
        database: 0,
    };
    let primary = Server {
        user: Some("ann".to_owned()),
        password: Some(password.to_owned()),
        database,
        ..server("one", 7)
    };
    let login = login(&primary);
    let single = servers(&format!("redis://{login}one:7/{database}")).unwrap();
    assert_eq!(single.nodes, std::slice::from_ref(&primary));
    let url = format!("redis+sentinel://{login}one,[::1]:7/shop/{database}");
    let Servers { mut nodes, is_cluster, service } = servers(&url).unwrap();
    assert_eq!((is_cluster, service.as_deref()), (false, Some("shop")));
    let found = nodes.pop().unwrap();
    assert_eq!(Server { addr: primary.addr.clone(), ..found }, primary);
    assert_eq!(nodes, [server("one", 26_379), server("::1", 7)]);
}

/// The password of a URL that may be invalid.
fn password(url: &str) -> Option<&str> {
    let (login, _) = url.split_once("://")?.1.rsplit_once('@')?;
    Some(login.split_once(':')?.1)
}

/// `None` for a socket, whose path has a form of its own.
fn written(servers: &Servers) -> Option<String> {
    let Servers { nodes, is_cluster, service } = servers;
    if let Some(service) = service {
        let (primary, sentinels) = nodes.split_last()?;
        let hosts: Vec<String> = sentinels.iter().map(host).collect::<Option<_>>()?;
        let (login, database) = (login(primary), primary.database);
        return Some(format!("redis+sentinel://{login}{}/{service}/{database}", hosts.join(",")));
    }
    let urls = nodes
        .iter()
        .map(|node| Some(format!("redis://{}{}/{}", login(node), host(node)?, node.database)));
    let urls = urls.collect::<Option<Vec<String>>>()?.join(",");
    Some(if *is_cluster { urls.replacen("redis", "redis+cluster", 1) } else { urls })
}

fn host(server: &Server) -> Option<String> {
    let (host, port) = server.addr.as_ref()?;
    Some(if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") })
}

fn login(server: &Server) -> String {
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    match (&server.user, &server.password) {
        (None, None) => String::new(),
        (Some(user), None) => format!("{}@", encoded(user)),
        (user, Some(password)) => {
            let user = user.as_deref().map(encoded).unwrap_or_default();
            format!("{user}:{}@", encoded(password))
        }
    }
}
