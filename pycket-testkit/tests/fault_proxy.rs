//! The fault proxy changes the bytes between a client and a server as planned.

#![expect(clippy::unwrap_used, reason = "test code: a panic is a failure")]

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use pycket_testkit::block_on;
use pycket_testkit::servers::{Exchange, FaultProxy, NetworkFault};

use NetworkFault::{Corrupt, Cut, Delay, Swallow, Truncate};

/// A server that answers each line in capitals, and what it received on each connection that has ended.
fn server() -> (SocketAddr, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, received) = channel();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let sender = sender.clone();
            thread::spawn(move || {
                let (mut all, mut byte) = (String::new(), [0]);
                let mut line = String::new();
                while let Ok(1) = stream.read(&mut byte) {
                    line.push(byte[0].into());
                    if byte[0] == b'\n' {
                        all += &line;
                        let _ = stream.write_all(line.to_uppercase().as_bytes());
                        line.clear();
                    }
                }
                let _ = sender.send(all + &line);
            });
        }
    });
    (address, received)
}

fn proxied() -> (FaultProxy, Receiver<String>) {
    let (address, received) = server();
    (FaultProxy::new(address), received)
}

fn connect(proxy: &FaultProxy) -> TcpStream {
    TcpStream::connect(proxy.address()).unwrap()
}

fn send(mut stream: &TcpStream, line: &str) {
    stream.write_all(line.as_bytes()).unwrap();
}

/// Reads until the line or the connection ends.
fn read_line(mut stream: &TcpStream) -> String {
    let (mut line, mut byte) = (String::new(), [0]);
    while !line.ends_with('\n') && matches!(stream.read(&mut byte), Ok(1)) {
        line.push(byte[0].into());
    }
    line
}

fn ask(stream: &TcpStream, line: &str) -> String {
    send(stream, line);
    read_line(stream)
}

fn receives_nothing(mut stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let result = stream.read(&mut [0]).map_err(|error| error.kind());
    stream.set_nonblocking(false).unwrap();
    result == Err(ErrorKind::WouldBlock)
}

#[test]
fn everything_passes_in_both_directions_without_a_fault() {
    let (proxy, received) = proxied();
    let stream = connect(&proxy);
    assert_eq!(ask(&stream, "one\n"), "ONE\n");
    let long = "x".repeat(1_000_000) + "\n";
    assert_eq!(ask(&stream, &long), long.to_uppercase());
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read_line(&stream), "");
    assert_eq!(received.recv().unwrap(), format!("one\n{long}"));
}

#[test]
fn cut_request_never_arrives() {
    let (proxy, received) = proxied();
    proxy.fail_request(0, Cut);
    assert_eq!(ask(&connect(&proxy), "one\n"), "");
    assert_eq!(received.recv().unwrap(), "");
    assert_eq!(ask(&connect(&proxy), "two\n"), "TWO\n");
}

#[test]
fn request_arrives_when_its_answer_is_cut() {
    let (proxy, received) = proxied();
    proxy.fail_answer(0, Cut);
    assert_eq!(ask(&connect(&proxy), "one\n"), "");
    assert_eq!(received.recv().unwrap(), "one\n");
}

#[test]
fn truncated_request_and_answer_arrive_in_part() {
    let (proxy, received) = proxied();
    proxy.fail_request(0, Truncate { after: 2 });
    assert_eq!(ask(&connect(&proxy), "one\n"), "");
    assert_eq!(received.recv().unwrap(), "on");
    proxy.fail_answer(0, Truncate { after: 3 });
    assert_eq!(ask(&connect(&proxy), "three\n"), "THR");
    assert_eq!(received.recv().unwrap(), "three\n");
}

#[test]
fn truncation_counts_bytes_over_all_pieces_of_a_message() {
    let (proxy, received) = proxied();
    proxy.fail_request(0, Truncate { after: 100_001 });
    let stream = connect(&proxy);
    // The connection may end before everything is sent.
    let _ = (&stream).write_all("x".repeat(1_000_000).as_bytes());
    assert_eq!(received.recv().unwrap().len(), 100_001);
}

#[test]
fn swallowed_message_is_lost_and_the_connection_stays_silent() {
    let (proxy, received) = proxied();
    let (request, answer) = (connect(&proxy), connect(&proxy));
    proxy.fail_request(0, Swallow);
    send(&request, "one\n");
    block_on(proxy.struck());
    proxy.fail_answer(0, Swallow);
    send(&answer, "two\n");
    block_on(proxy.struck());
    proxy.heal();
    send(&request, "three\n");
    send(&answer, "four\n");
    assert_eq!(ask(&connect(&proxy), "five\n"), "FIVE\n");
    assert_eq!(received.recv().unwrap(), "five\n");
    assert!(receives_nothing(&request) && receives_nothing(&answer));
    request.shutdown(Shutdown::Both).unwrap();
    assert_eq!(received.recv().unwrap(), "");
    answer.shutdown(Shutdown::Both).unwrap();
    assert_eq!(received.recv().unwrap(), "two\nfour\n");
}

#[test]
fn delayed_message_arrives_after_the_heal() {
    let (proxy, _received) = proxied();
    let (request, answer) = (connect(&proxy), connect(&proxy));
    proxy.fail_request(0, Delay);
    send(&request, "one\n");
    block_on(proxy.struck());
    proxy.fail_answer(0, Delay);
    send(&answer, "two\n");
    block_on(proxy.struck());
    assert!(receives_nothing(&request) && receives_nothing(&answer));
    proxy.heal();
    assert_eq!((read_line(&request), read_line(&answer)), ("ONE\n".to_owned(), "TWO\n".to_owned()));
    assert_eq!(ask(&request, "three\n"), "THREE\n");
}

#[test]
fn delayed_request_arrives_after_its_client_has_disconnected() {
    let (proxy, received) = proxied();
    let stream = connect(&proxy);
    proxy.fail_request(0, Delay);
    send(&stream, "one\n");
    block_on(proxy.struck());
    drop(stream);
    proxy.heal();
    assert_eq!(received.recv().unwrap(), "one\n");
    let [exchange] = proxy.take_exchanges()[..] else { panic!("there was one exchange") };
    assert_eq!(exchange, Exchange { request: 4, answer: 4 });
}

#[test]
fn corrupted_message_differs_in_the_planned_bits() {
    let (proxy, _received) = proxied();
    let stream = connect(&proxy);
    proxy.fail_answer(0, Corrupt { offset: 2, mask: 0x20 });
    assert_eq!(ask(&stream, "one\n"), "ONe\n");
    proxy.fail_request(0, Corrupt { offset: 0, mask: 0x01 });
    assert_eq!(ask(&stream, "one\n"), "NNE\n");
    assert_eq!(ask(&stream, "one\n"), "ONE\n");
}

#[test]
fn exchanges_are_counted_over_all_connections() {
    let (proxy, _received) = proxied();
    let (one, two) = (connect(&proxy), connect(&proxy));
    ask(&one, "before\n");
    proxy.fail_answer(2, Truncate { after: 1 });
    assert_eq!(proxy.pending(), 1);
    assert_eq!(ask(&one, "a\n"), "A\n");
    assert_eq!(ask(&two, "b\n"), "B\n");
    assert_eq!(ask(&one, "c\n"), "C");
    assert_eq!((proxy.pending(), proxy.connections()), (0, 2));
    assert_eq!(ask(&two, "d\n"), "D\n");
}

#[test]
fn exchanges_have_the_lengths_of_their_messages() {
    let (proxy, _received) = proxied();
    let stream = connect(&proxy);
    ask(&stream, "one\n");
    ask(&stream, "three\n");
    let lengths = [4, 6].map(|length| Exchange { request: length, answer: length });
    assert_eq!(proxy.take_exchanges(), lengths);
    assert_eq!(proxy.take_exchanges(), []);
}

#[test]
fn heal_removes_faults_that_have_not_struck() {
    let (proxy, _received) = proxied();
    proxy.fail_request(0, Cut);
    proxy.fail_answer(1, Swallow);
    proxy.heal();
    let stream = connect(&proxy);
    assert_eq!(ask(&stream, "one\n"), "ONE\n");
    assert_eq!(ask(&stream, "two\n"), "TWO\n");
    assert_eq!(proxy.pending(), 0);
}

#[test]
fn cut_connections_closes_all_and_new_ones_work() {
    let (proxy, received) = proxied();
    let streams = [(); 5].map(|()| connect(&proxy));
    for stream in &streams {
        assert_eq!(ask(stream, "one\n"), "ONE\n");
    }
    proxy.cut_connections();
    for stream in &streams {
        assert_eq!(read_line(stream), "");
        assert_eq!(received.recv().unwrap(), "one\n");
    }
    assert_eq!(ask(&connect(&proxy), "two\n"), "TWO\n");
}

#[test]
fn connection_is_closed_if_no_server_listens() {
    let proxy = FaultProxy::new(SocketAddr::from(([127, 0, 0, 1], 1)));
    let mut stream = connect(&proxy);
    assert!(!matches!(stream.read(&mut [0]), Ok(1..)));
}

#[test]
fn dropped_proxy_closes_its_connections() {
    let (proxy, received) = proxied();
    let stream = connect(&proxy);
    assert_eq!(ask(&stream, "one\n"), "ONE\n");
    drop(proxy);
    assert_eq!(read_line(&stream), "");
    assert_eq!(received.recv().unwrap(), "one\n");
}
