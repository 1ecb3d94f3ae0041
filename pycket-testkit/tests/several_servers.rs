//! A cluster, a primary with sentinels, and a server that speaks TLS.

#![expect(clippy::unwrap_used, reason = "test code: a panic is a failure")]

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};

use pycket_testkit::servers::Server;

#[test]
fn cluster_serves_every_slot_as_soon_as_it_is_started() {
    let cluster = Server::redis_cluster(3);
    for node in cluster.nodes() {
        let state = say(node.address(), "CLUSTER INFO");
        assert!(state.contains("cluster_state:ok"), "{state}");
        assert!(state.contains("cluster_slots_ok:16384"), "{state}");
    }
    assert_eq!(cluster.shards().count(), 3);
    assert!(cluster.url().starts_with("redis+cluster://127.0.0.1:"));
}

#[test]
fn cluster_replicas_follow_their_primary() {
    let cluster = Server::redis_cluster_with_replicas(3, 1);
    for (primary, replicas) in cluster.shards() {
        assert!(say(primary.address(), "ROLE").starts_with("*3\r\n$6\r\nmaster"));
        assert_eq!(replicas.len(), 1);
        let role = say(replicas[0].address(), "ROLE");
        assert!(role.contains("slave") && role.contains(&primary.port().to_string()), "{role}");
    }
}

#[test]
fn sentinels_know_the_primary() {
    let group = Server::redis_sentinel();
    let question = format!("SENTINEL GET-MASTER-ADDR-BY-NAME {}", group.service());
    for sentinel in group.sentinels() {
        let answer = say(sentinel.address(), &question);
        assert!(answer.contains(&group.primary().port().to_string()), "{answer}");
    }
    assert_eq!(group.replicas().len(), 2);
}

#[cfg(feature = "tls")]
#[test]
fn tls_server_does_not_answer_a_client_without_tls() {
    let server = Server::redis_tls();
    assert!(server.url().starts_with("rediss://127.0.0.1:"));
    let mut stream = TcpStream::connect(server.address()).unwrap();
    write!(stream, "PING\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    _ = stream.read_to_end(&mut answer);
    assert!(!String::from_utf8_lossy(&answer).contains("PONG"));
    assert!(server.authority().starts_with("-----BEGIN CERTIFICATE-----"));
    assert!(server.client_key().starts_with("-----BEGIN PRIVATE KEY-----"));
    server.restart();
}

fn say(address: SocketAddr, command: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "{command}\r\n").unwrap();
    // A sentinel does not know QUIT.
    stream.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
