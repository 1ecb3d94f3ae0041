//! What memcached answers.
//!
//! The same reply is read however it is split, only the reply to the request itself is accepted, and a value takes
//! memory only as it arrives.

use pycket_memcache::fuzzing::{KEY, Read, item_limit, read};
use tokio::io::{AsyncReadExt, BufReader};

use crate::parts::{bounded, contains, run};

const MAX_VALUE: usize = 4096;

/// Checks one input.
pub fn check(bytes: &[u8]) {
    // A line and its words, the space that is reserved for a value, and a value that grows.
    let memory = (2 + 24) * 2048 + 8192 + 3 * MAX_VALUE + 4096;
    let (found, rest) = bounded(memory, || read_from(bytes));
    for size in [1, 2, 7] {
        let (same, same_rest) = run(async {
            let mut stream = BufReader::with_capacity(size, bytes);
            let found = read(&mut stream, MAX_VALUE).await;
            let mut rest = Vec::new();
            stream.read_to_end(&mut rest).await.unwrap();
            (found, rest)
        });
        assert!(same == found && same_rest == rest, "it depends on how the bytes are split");
    }
    let limit = bounded(memory, || run(item_limit(&mut &*bytes)));
    assert!(limit.is_none() || contains(bytes, b"END"));

    let Read::Found { bytes: value, cas, seconds_left } = found else { return };
    assert!(value.len() <= MAX_VALUE && cas > 0 && contains(bytes, &value));
    let token = KEY.get(KEY.len() - 12..).unwrap();
    let ttl = seconds_left.map_or("-1".to_owned(), |seconds| seconds.to_string());
    let reply = |token: &str| {
        let header = format!("VA {} c{cas} t{ttl} O{token}\r\n", value.len());
        [header.as_bytes(), &value, b"\r\n"].concat()
    };
    assert_eq!(read_from(&reply(token)).0, Read::Found { bytes: value.clone(), cas, seconds_left });
    assert_eq!(read_from(&reply("another-one1")).0, Read::Failed { is_usable: false });
}

fn read_from(mut bytes: &[u8]) -> (Read, &[u8]) {
    let found = run(read(&mut bytes, MAX_VALUE));
    (found, bytes)
}
