//! The address of a memcached server.
//!
//! The spelling decides which keys belong to the server, so it is read as itself. No other part of a key follows it.

use pycket_memcache::fuzzing::server;

/// Checks one input.
pub fn check(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let Ok(spelling) = server(text) else { return };
    assert_eq!(server(&spelling).unwrap(), spelling);
    assert_eq!(server(&text.to_ascii_uppercase()).unwrap(), spelling);
    assert!(spelling.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/'));
    let (_, port) = spelling.rsplit_once(':').unwrap();
    assert!(port.parse::<u16>().unwrap() > 0);
}
