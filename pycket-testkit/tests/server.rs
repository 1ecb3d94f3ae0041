//! Servers start, obey, and never outlive the test.

#![expect(clippy::unwrap_used, reason = "test code: a panic is a failure")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use pycket_testkit::servers::Server;

#[test]
fn a_redis_server_answers_as_soon_as_it_is_there() {
    let server = Server::redis();
    assert_eq!(call(server.address(), "PING"), "+PONG\r\n");
    assert_eq!(server.url(), format!("redis://127.0.0.1:{}", server.port()));
}

#[test]
fn a_memcached_server_answers_and_comes_back_empty() {
    let server = Server::memcached();
    let address = server.address();
    assert_eq!(server.url(), format!("memcached://{address}"));
    assert_eq!(say(address, "set name 0 0 5\r\nvalue"), "STORED\r\n");
    assert_eq!(say(address, "get name"), "VALUE name 0 5\r\nvalue\r\nEND\r\n");
    server.restart();
    assert_eq!(say(address, "get name"), "END\r\n");
    server.kill();
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn a_small_memcached_server_takes_half_a_megabyte_at_most() {
    let server = Server::memcached_small();
    let set = |size: usize| format!("set name 0 0 {size}\r\n{}", "x".repeat(size));
    assert_eq!(say(server.address(), &set(500_000)), "STORED\r\n");
    let answer = say(server.address(), &set(600_000));
    assert_eq!(answer, "SERVER_ERROR object too large for cache\r\n");
}

#[test]
fn two_servers_share_nothing() {
    let (one, two) = (Server::redis(), Server::redis());
    assert_ne!(one.port(), two.port());
    assert_eq!(call(one.address(), "SET name one"), "+OK\r\n");
    assert_eq!(call(two.address(), "EXISTS name"), ":0\r\n");
}

#[test]
fn a_dropped_server_is_gone() {
    let server = Server::redis();
    let address = server.address();
    drop(server);
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn a_killed_server_is_gone_and_comes_back_empty_on_the_same_port() {
    let server = Server::redis();
    let address = server.address();
    assert_eq!(call(address, "SET name value"), "+OK\r\n");
    server.kill();
    assert!(TcpStream::connect(address).is_err());
    server.restart();
    assert_eq!(server.address(), address);
    assert_eq!(call(address, "EXISTS name"), ":0\r\n");
}

#[test]
fn a_running_server_can_be_restarted_and_a_killed_one_killed_again() {
    let server = Server::redis();
    server.restart();
    assert_eq!(call(server.address(), "PING"), "+PONG\r\n");
    server.kill();
    server.kill();
    server.restart();
    assert_eq!(call(server.address(), "PING"), "+PONG\r\n");
}

#[test]
fn a_persistent_server_has_its_data_after_a_restart() {
    let server = Server::redis_persistent();
    assert_eq!(call(server.address(), "SET name value"), "+OK\r\n");
    server.restart();
    assert_eq!(call(server.address(), "EXISTS name"), ":1\r\n");
}

#[test]
fn a_paused_server_accepts_and_answers_only_when_it_goes_on() {
    let server = Server::redis();
    server.pause();
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.write_all(b"PING\r\n").unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    assert!(stream.read(&mut [0]).is_err(), "a paused server answered");
    server.resume();
    stream.set_read_timeout(None).unwrap();
    let mut answer = [0; 7];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"+PONG\r\n");
}

#[test]
fn a_paused_server_can_be_dropped() {
    let server = Server::redis();
    let address = server.address();
    server.pause();
    drop(server);
    assert!(TcpStream::connect(address).is_err());
}

/// Runs itself once more, as the test process that is to be killed.
#[test]
fn a_server_dies_with_a_killed_test_process() {
    const IS_TO_BE_KILLED: &str = "PYCKET_TEST_IS_TO_BE_KILLED";
    if std::env::var_os(IS_TO_BE_KILLED).is_some() {
        let server = Server::redis();
        println!("listens on {}", server.address());
        let _ = std::io::stdin().read(&mut [0]);
        return;
    }
    let mut process = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_server_dies_with_a_killed_test_process", "--nocapture"])
        .env(IS_TO_BE_KILLED, "yes")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let address: SocketAddr = BufReader::new(process.stdout.take().unwrap())
        .lines()
        .find_map(|line| line.unwrap().split_once("listens on ")?.1.parse().ok())
        .unwrap();
    assert_eq!(call(address, "PING"), "+PONG\r\n");
    process.kill().unwrap();
    process.wait().unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    while TcpStream::connect(address).is_ok() {
        assert!(Instant::now() < deadline, "the server outlived its test");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Runs another test once more, where no program can be found.
#[test]
fn a_program_that_is_not_installed_is_a_failure_that_says_how_to_install_it() {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_dropped_server_is_gone", "--nocapture"])
        .env("PATH", "/nowhere")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(shown.contains("`redis-server` is not installed"), "{shown}");
    assert!(shown.contains("apt-get install redis-server"), "{shown}");
}

fn call(address: SocketAddr, command: &str) -> String {
    say(address, command).strip_suffix("+OK\r\n").unwrap().to_owned()
}

/// Everything that a server says to that, up to the end of the connection.
fn say(address: SocketAddr, command: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(format!("{command}\r\nquit\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
