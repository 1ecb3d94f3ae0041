//! How the program ends.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::json;

use crate::program::Demo;

#[test]
fn an_interrupt_ends_it_with_success_while_connections_are_open() {
    let demo = Demo::start(&[]);
    let visitor = demo.visitor();
    visitor.put("/api/session/user", "\"ann\"").assert_status(204);
    let mut kept_alive = TcpStream::connect(demo.address()).unwrap();
    kept_alive.write_all(b"GET /health HTTP/1.1\r\nhost: demo\r\n\r\n").unwrap();
    let mut answer = [0; 12];
    kept_alive.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    let _silent = TcpStream::connect(demo.address()).unwrap();
    assert_eq!(visitor.data(), json!({ "user": "ann" }));

    demo.interrupt();
    let ended = demo.end();
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
}
