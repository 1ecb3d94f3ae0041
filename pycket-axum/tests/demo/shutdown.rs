//! The end of the program.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::json;

use crate::program::Demo;

#[test]
fn interrupt_with_open_connections_exits_with_success() {
    let demo = Demo::start(&[]);
    let client = demo.client();
    client.put("/api/session/user", "\"ann\"").assert_status(204);
    let mut kept_alive = TcpStream::connect(demo.address()).unwrap();
    kept_alive.write_all(b"GET /health HTTP/1.1\r\nhost: demo\r\n\r\n").unwrap();
    let mut response = [0; 12];
    kept_alive.read_exact(&mut response).unwrap();
    assert_eq!(&response, b"HTTP/1.1 200");
    let _silent = TcpStream::connect(demo.address()).unwrap();
    assert_eq!(client.data(), json!({ "user": "ann" }));

    demo.interrupt();
    let exit = demo.exit();
    assert_eq!(exit.status.code(), Some(0), "{}", exit.stderr);
}
