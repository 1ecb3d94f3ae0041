//! What the proxy does to the bytes between a client and a server.

#![expect(clippy::unwrap_used, reason = "test code: a panic is a failure")]

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use pycket_testkit::servers::{Exchange, FaultProxy, NetworkFault};
use pycket_testkit::block_on;

use NetworkFault::{Corrupt, Cut, Delay, Swallow, Truncate};

/// A server that answers each line in capitals, and what it has heard of each connection, as it ends.
fn server() -> (SocketAddr, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (heard, hears) = channel();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let heard = heard.clone();
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
                let _ = heard.send(all + &line);
            });
        }
    });
    (address, hears)
}

fn proxied() -> (FaultProxy, Receiver<String>) {
    let (address, hears) = server();
    (FaultProxy::new(address), hears)
}

fn connect(proxy: &FaultProxy) -> TcpStream {
    TcpStream::connect(proxy.address()).unwrap()
}

fn say(mut stream: &TcpStream, line: &str) {
    stream.write_all(line.as_bytes()).unwrap();
}

/// What comes until the line ends, or the connection.
fn hear(mut stream: &TcpStream) -> String {
    let (mut line, mut byte) = (String::new(), [0]);
    while !line.ends_with('\n') && matches!(stream.read(&mut byte), Ok(1)) {
        line.push(byte[0].into());
    }
    line
}

fn ask(stream: &TcpStream, line: &str) -> String {
    say(stream, line);
    hear(stream)
}

fn hears_nothing(mut stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let came = stream.read(&mut [0]).map_err(|error| error.kind());
    stream.set_nonblocking(false).unwrap();
    came == Err(ErrorKind::WouldBlock)
}

#[test]
fn without_a_fault_everything_passes_in_both_directions() {
    let (proxy, hears) = proxied();
    let stream = connect(&proxy);
    assert_eq!(ask(&stream, "one\n"), "ONE\n");
    let long = "x".repeat(1_000_000) + "\n";
    assert_eq!(ask(&stream, &long), long.to_uppercase());
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(hear(&stream), "");
    assert_eq!(hears.recv().unwrap(), format!("one\n{long}"));
}

#[test]
fn a_request_that_is_cut_never_arrives() {
    let (proxy, hears) = proxied();
    proxy.fail_request(0, Cut);
    assert_eq!(ask(&connect(&proxy), "one\n"), "");
    assert_eq!(hears.recv().unwrap(), "");
    assert_eq!(ask(&connect(&proxy), "two\n"), "TWO\n");
}

#[test]
fn an_answer_that_is_cut_was_given() {
    let (proxy, hears) = proxied();
    proxy.fail_answer(0, Cut);
    assert_eq!(ask(&connect(&proxy), "one\n"), "");
    assert_eq!(hears.recv().unwrap(), "one\n");
}

#[test]
fn a_part_of_a_request_arrives_and_a_part_of_an_answer() {
    let (proxy, hears) = proxied();
    proxy.fail_request(0, Truncate { after: 2 });
    assert_eq!(ask(&connect(&proxy), "one\n"), "");
    assert_eq!(hears.recv().unwrap(), "on");
    proxy.fail_answer(0, Truncate { after: 3 });
    assert_eq!(ask(&connect(&proxy), "three\n"), "THR");
    assert_eq!(hears.recv().unwrap(), "three\n");
}

#[test]
fn a_truncation_counts_the_bytes_of_a_message_that_comes_in_pieces() {
    let (proxy, hears) = proxied();
    proxy.fail_request(0, Truncate { after: 100_001 });
    let stream = connect(&proxy);
    // The connection may end before all of it is said.
    let _ = (&stream).write_all("x".repeat(1_000_000).as_bytes());
    assert_eq!(hears.recv().unwrap().len(), 100_001);
}

#[test]
fn what_is_swallowed_is_lost_and_the_connection_stays_open_and_silent() {
    let (proxy, hears) = proxied();
    let (request, answer) = (connect(&proxy), connect(&proxy));
    proxy.fail_request(0, Swallow);
    say(&request, "one\n");
    block_on(proxy.struck());
    proxy.fail_answer(0, Swallow);
    say(&answer, "two\n");
    block_on(proxy.struck());
    proxy.heal();
    say(&request, "three\n");
    say(&answer, "four\n");
    assert_eq!(ask(&connect(&proxy), "five\n"), "FIVE\n");
    assert_eq!(hears.recv().unwrap(), "five\n");
    assert!(hears_nothing(&request) && hears_nothing(&answer));
    request.shutdown(Shutdown::Both).unwrap();
    assert_eq!(hears.recv().unwrap(), "");
    answer.shutdown(Shutdown::Both).unwrap();
    assert_eq!(hears.recv().unwrap(), "two\nfour\n");
}

#[test]
fn what_is_delayed_arrives_with_the_heal() {
    let (proxy, _hears) = proxied();
    let (request, answer) = (connect(&proxy), connect(&proxy));
    proxy.fail_request(0, Delay);
    say(&request, "one\n");
    block_on(proxy.struck());
    proxy.fail_answer(0, Delay);
    say(&answer, "two\n");
    block_on(proxy.struck());
    assert!(hears_nothing(&request) && hears_nothing(&answer));
    proxy.heal();
    assert_eq!((hear(&request), hear(&answer)), ("ONE\n".to_owned(), "TWO\n".to_owned()));
    assert_eq!(ask(&request, "three\n"), "THREE\n");
}

#[test]
fn a_delayed_request_is_carried_out_though_its_client_is_gone() {
    let (proxy, hears) = proxied();
    let stream = connect(&proxy);
    proxy.fail_request(0, Delay);
    say(&stream, "one\n");
    block_on(proxy.struck());
    drop(stream);
    proxy.heal();
    assert_eq!(hears.recv().unwrap(), "one\n");
    let [exchange] = proxy.take_exchanges()[..] else { panic!("there was one exchange") };
    assert_eq!(exchange, Exchange { request: 4, answer: 4 });
}

#[test]
fn a_corrupted_message_differs_in_the_bits_that_were_named() {
    let (proxy, _hears) = proxied();
    let stream = connect(&proxy);
    proxy.fail_answer(0, Corrupt { offset: 2, mask: 0x20 });
    assert_eq!(ask(&stream, "one\n"), "ONe\n");
    proxy.fail_request(0, Corrupt { offset: 0, mask: 0x01 });
    assert_eq!(ask(&stream, "one\n"), "NNE\n");
    assert_eq!(ask(&stream, "one\n"), "ONE\n");
}

#[test]
fn the_nth_exchange_is_counted_over_all_connections() {
    let (proxy, _hears) = proxied();
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
fn exchanges_tell_what_was_said() {
    let (proxy, _hears) = proxied();
    let stream = connect(&proxy);
    ask(&stream, "one\n");
    ask(&stream, "three\n");
    let lengths = [4, 6].map(|length| Exchange { request: length, answer: length });
    assert_eq!(proxy.take_exchanges(), lengths);
    assert_eq!(proxy.take_exchanges(), []);
}

#[test]
fn a_heal_takes_back_what_has_not_struck() {
    let (proxy, _hears) = proxied();
    proxy.fail_request(0, Cut);
    proxy.fail_answer(1, Swallow);
    proxy.heal();
    let stream = connect(&proxy);
    assert_eq!(ask(&stream, "one\n"), "ONE\n");
    assert_eq!(ask(&stream, "two\n"), "TWO\n");
    assert_eq!(proxy.pending(), 0);
}

#[test]
fn all_connections_are_cut_at_once_and_new_ones_work() {
    let (proxy, hears) = proxied();
    let streams = [(); 5].map(|()| connect(&proxy));
    for stream in &streams {
        assert_eq!(ask(stream, "one\n"), "ONE\n");
    }
    proxy.cut_connections();
    for stream in &streams {
        assert_eq!(hear(stream), "");
        assert_eq!(hears.recv().unwrap(), "one\n");
    }
    assert_eq!(ask(&connect(&proxy), "two\n"), "TWO\n");
}

#[test]
fn where_no_server_listens_every_connection_is_closed() {
    let proxy = FaultProxy::new(SocketAddr::from(([127, 0, 0, 1], 1)));
    let mut stream = connect(&proxy);
    assert!(!matches!(stream.read(&mut [0]), Ok(1..)));
}

#[test]
fn its_connections_end_with_its_drop() {
    let (proxy, hears) = proxied();
    let stream = connect(&proxy);
    assert_eq!(ask(&stream, "one\n"), "ONE\n");
    drop(proxy);
    assert_eq!(hear(&stream), "");
    assert_eq!(hears.recv().unwrap(), "one\n");
}
