//! Servers start, obey, and end with the test.

#![expect(clippy::unwrap_used, reason = "test code: a panic is a failure")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use pycket_testkit::servers::{Server, unreachable_address};

#[test]
fn redis_answers_as_soon_as_it_is_started() {
    let server = Server::redis();
    assert_eq!(call(server.address(), "PING"), "+PONG\r\n");
    assert_eq!(server.url(), format!("redis://127.0.0.1:{}", server.port()));
}

#[test]
fn memcached_answers_and_is_empty_after_a_restart() {
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
fn small_memcached_stores_at_most_half_a_megabyte() {
    let server = Server::memcached_small();
    let set = |size: usize| format!("set name 0 0 {size}\r\n{}", "x".repeat(size));
    assert_eq!(say(server.address(), &set(500_000)), "STORED\r\n");
    let answer = say(server.address(), &set(600_000));
    assert_eq!(answer, "SERVER_ERROR object too large for cache\r\n");
}

#[test]
fn two_servers_share_no_data() {
    let (one, two) = (Server::redis(), Server::redis());
    assert_ne!(one.port(), two.port());
    assert_eq!(call(one.address(), "SET name one"), "+OK\r\n");
    assert_eq!(call(two.address(), "EXISTS name"), ":0\r\n");
}

#[test]
fn dropped_server_has_ended() {
    let server = Server::redis();
    let address = server.address();
    drop(server);
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn killed_server_restarts_empty_on_the_same_port() {
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
fn running_server_restarts_and_killed_server_can_be_killed_again() {
    let server = Server::redis();
    server.restart();
    assert_eq!(call(server.address(), "PING"), "+PONG\r\n");
    server.kill();
    server.kill();
    server.restart();
    assert_eq!(call(server.address(), "PING"), "+PONG\r\n");
}

#[test]
fn persistent_server_keeps_its_data_over_a_restart() {
    let server = Server::redis_persistent();
    assert_eq!(call(server.address(), "SET name value"), "+OK\r\n");
    server.restart();
    assert_eq!(call(server.address(), "EXISTS name"), ":1\r\n");
}

#[test]
fn paused_server_accepts_and_answers_only_after_resume() {
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
fn paused_server_can_be_dropped() {
    let server = Server::redis();
    let address = server.address();
    server.pause();
    drop(server);
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn any_program_that_listens_is_a_server() {
    let server = Server::command("redis-server")
        .setup("sh", ["-c", "echo 'maxclients 7' >{directory}/settings"])
        .args(["{directory}/settings", "--port", "{port}", "--dir", "{directory}"])
        .args(["--bind", "127.0.0.1", "--appendonly", "yes", "--appendfsync", "always"])
        .scheme("redis")
        .start();
    let address = server.address();
    assert_eq!(server.url(), format!("redis://{address}"));
    assert!(call(address, "CONFIG GET maxclients").contains("7"));
    assert_eq!(call(address, "SET name value"), "+OK\r\n");
    server.restart();
    // It accepts connections before it has loaded its data.
    while call(address, "PING") != "+PONG\r\n" {}
    assert_eq!(call(address, "EXISTS name"), ":1\r\n");
    server.kill();
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn program_is_ready_when_it_listens_on_its_socket() {
    let server = Server::command("redis-server")
        .args(["--port", "0", "--dir", "{directory}", "--unixsocket", "{directory}/own.sock"])
        .socket("own.sock")
        .start();
    assert!(TcpStream::connect(server.address()).is_err());
    server.restart();
    assert!(UnixStream::connect(server.directory().join("own.sock")).is_ok());
    server.pause();
}

#[test]
fn program_that_ends_at_once_is_a_failure_with_its_log() {
    let start = || Server::command("sh").args(["-c", "echo no such disk; exit 3"]).start();
    let panic = std::panic::catch_unwind(start).unwrap_err();
    let message = panic.downcast::<String>().unwrap();
    assert!(message.contains("no such disk"), "{message}");
}

#[test]
fn nothing_listens_at_the_unreachable_address() {
    let address = unreachable_address();
    assert_eq!(address, unreachable_address());
    let error = TcpStream::connect(address).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
}

/// Runs itself once more as a child process, and kills that.
#[test]
fn server_ends_with_a_killed_test_process() {
    const IS_CHILD: &str = "PYCKET_TEST_IS_CHILD";
    if std::env::var_os(IS_CHILD).is_some() {
        let server = Server::redis();
        println!("listens on {}", server.address());
        let _ = std::io::stdin().read(&mut [0]);
        return;
    }
    let mut process = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "server_ends_with_a_killed_test_process", "--nocapture"])
        .env(IS_CHILD, "yes")
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

/// Runs another test once more with a `PATH` that has no programs.
#[test]
fn missing_program_is_a_failure_that_says_how_to_install_it() {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "dropped_server_has_ended", "--nocapture"])
        .env("PATH", "/nowhere")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(shown.contains("`redis-server` is not installed"), "{shown}");
    assert!(shown.contains("apt-get install redis-server"), "{shown}");
}

/// Runs other tests once more, with a variable that names another program.
#[test]
fn variable_replaces_the_program() {
    for (test, variable) in [
        ("dropped_server_has_ended", "PYCKET_REDIS_SERVER"),
        ("memcached_answers_and_is_empty_after_a_restart", "PYCKET_MEMCACHED_SERVER"),
    ] {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture"])
            .env(variable, "/nowhere/other-server")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let shown = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success());
        let expected = format!("`/nowhere/other-server`, which `{variable}` names");
        assert!(shown.contains(&expected), "{shown}");
    }
}

fn call(address: SocketAddr, command: &str) -> String {
    say(address, command).strip_suffix("+OK\r\n").unwrap().to_owned()
}

/// Everything that the server answers until the connection ends.
fn say(address: SocketAddr, command: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(format!("{command}\r\nquit\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
