//! The fake server treats connections as the test says.

#![expect(clippy::unwrap_used, reason = "test code: a panic is a failure")]

use pycket_testkit::servers::{Behavior, FakeServer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Sends a request and returns what the server answers, up to so many bytes.
async fn ask(server: &FakeServer, request: &str, length: usize) -> String {
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    let _ = stream.write_all(request.as_bytes()).await;
    let mut answer = String::new();
    let _ = stream.take(length as u64).read_to_string(&mut answer).await;
    answer
}

#[tokio::test]
async fn each_connection_gets_its_behavior_and_later_ones_the_last() {
    let behaviors = [Behavior::Closes, Behavior::Echo, Behavior::Answers((*b"pong").into())];
    let server = FakeServer::new(behaviors).await;
    assert_eq!(ask(&server, "ping", 4).await, "");
    assert_eq!(ask(&server, "ping", 4).await, "ping");
    assert_eq!(ask(&server, "ping", 4).await, "pong");
    assert_eq!(ask(&server, "ping", 4).await, "pong");
    assert_eq!(server.connections(), 4);
}

#[tokio::test]
async fn forwarded_connection_reaches_the_server() {
    let behind = FakeServer::answering("pong").await;
    let server = FakeServer::new([Behavior::ForwardsTo(behind.address())]).await;
    assert_eq!(ask(&server, "ping", 4).await, "pong");
    assert_eq!(behind.connections(), 1);
}

#[tokio::test(start_paused = true)]
async fn silent_connection_is_never_answered() {
    let server = FakeServer::new([Behavior::Silent]).await;
    let answer = ask(&server, "ping", 4);
    let hour = std::time::Duration::from_secs(3_600);
    assert!(tokio::time::timeout(hour, answer).await.is_err());
}
