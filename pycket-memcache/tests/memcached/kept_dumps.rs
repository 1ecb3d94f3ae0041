//! What earlier releases stored. `fixtures/README.md` of the Redis driver says how a dump is made.

use crate::*;

#[tokio::test]
async fn session_in_the_dump_of_version_1_is_served() {
    let server = Server::memcached();
    let dump = include_bytes!("../fixtures/version-1.memcached");
    let mut client = RawClient::new(&server);
    assert_eq!(client.send(dump), "STORED");
    assert_eq!([client.line(), client.line()], ["STORED"; 2]);
    let id = "289df4fe-a66d-4b43-9a6d-23a6e6e3d825".parse().unwrap();
    kept::assert_served(&manager(store(&server)), id).await;
}
