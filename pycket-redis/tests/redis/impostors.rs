//! A port without a Redis server, or with one that cannot serve now.

use crate::stand_in::{Manner, StandIn};
use crate::*;

use ErrorKind::{Ambiguous, Corrupt, Full, Rejected, TooLarge, Unavailable};

/// The error kind of each method, if the server always sends `answer`.
async fn kinds_if_told(answer: impl Into<Vec<u8>>) -> [Option<ErrorKind>; 4] {
    let stand_in = StandIn::new([Manner::Says(answer.into().into())]).await;
    kinds(&once(&stand_in.url()).build().unwrap()).await
}

#[tokio::test(start_paused = true)]
async fn server_of_another_protocol_is_unavailable() {
    for greeting in [
        "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
        "ERROR\r\n",
        "SSH-2.0-OpenSSH_9.6\r\n",
        "\u{0}\u{0}\u{0}",
        "$-7\r\n",
        "*-7\r\n",
        ":one\r\n",
        "$3\r\ntoo long\r\n",
    ] {
        assert_eq!(kinds_if_told(greeting).await, [Some(Unavailable); 4], "{greeting:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn unexpected_answers_are_errors_and_never_a_panic() {
    for answer in [
        "+OK\r\n",
        ":7\r\n",
        "$-1\r\n",
        "$3\r\none\r\n",
        "*-1\r\n",
        "*3\r\n:1\r\n:2\r\n:3\r\n",
        "*1\r\n+odd\r\n",
        "*2\r\n*0\r\n*0\r\n",
        "_\r\n",
        "#t\r\n",
        "%1\r\n+name\r\n:7\r\n",
        ">2\r\n+message\r\n+x\r\n",
        "=8\r\ntxt:some\r\n",
        ",nan\r\n",
    ] {
        // Enough answers for the login and two commands, however they are split into segments.
        for repeats in 2..=4 {
            for kind in kinds_if_told(answer.repeat(repeats)).await.into_iter().flatten() {
                let fits = matches!(kind, Corrupt | Rejected | Unavailable | Ambiguous);
                assert!(fits, "{kind:?} for {repeats} times {answer:?}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn hostile_answers_exhaust_neither_stack_nor_memory() {
    let (nested, announced) = ("*1\r\n".repeat(100_000), "*2147483647\r\n".repeat(2));
    for (answer, kind) in [(nested, Unavailable), (announced, TooLarge)] {
        let stand_in = StandIn::new([Manner::Says(answer.into_bytes().into())]).await;
        let store = once(&stand_in.url()).build().unwrap();
        assert_eq!(kinds(&store).await, [Some(kind); 4]);
    }
}

#[tokio::test]
async fn echo_server_is_an_error() {
    let stand_in = StandIn::new([Manner::Echo]).await;
    let store = once(&stand_in.url()).build().unwrap();
    assert_eq!(kinds(&store).await, [Some(Corrupt); 4]);
}

#[tokio::test]
async fn server_that_closes_every_connection_is_unavailable() {
    let stand_in = StandIn::new([Manner::Closes]).await;
    let store = once(&stand_in.url()).build().unwrap();
    assert_eq!(kinds(&store).await, [Some(Unavailable); 4]);
}

#[tokio::test]
async fn server_that_refuses_for_now_is_unavailable() {
    for condition in [
        "LOADING Redis is loading the dataset in memory",
        "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
        "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
        "MISCONF Redis is configured to save RDB snapshots, but it's unable to persist to disk.",
        "NOREPLICAS Not enough good replicas to write.",
        "CLUSTERDOWN The cluster is down",
        "TRYAGAIN Multiple keys request during rehashing of slot",
        "READONLY You can't write against a read only replica.",
        "ERR max number of clients reached",
    ] {
        for repeats in 2..=4 {
            let kinds = kinds_if_told(format!("-{condition}\r\n").repeat(repeats)).await;
            assert_eq!(kinds, [Some(Unavailable); 4], "{condition}");
        }
    }
}

/// Servers before version 7 put the error of a script inside another one.
fn wrapped(error: &str) -> String {
    format!("-ERR Error running script (call to f_0): @user_script:9: @user_script: 9: {error}\r\n")
}

#[tokio::test]
async fn error_inside_the_error_of_a_script_is_classified() {
    for (error, expected) in [
        ("-WRONGTYPE Operation against a key holding the wrong kind of value", Corrupt),
        ("-OOM command not allowed when used memory > 'maxmemory'.", Full),
        ("-READONLY You can't write against a read only replica.", Unavailable),
    ] {
        assert_eq!(kinds_if_told(wrapped(error).repeat(2)).await, [Some(expected); 4]);
    }
}

#[tokio::test]
async fn connection_to_a_replica_of_an_old_version_is_replaced() {
    let replica = wrapped("-READONLY You can't write against a read only replica.").repeat(2);
    let manners = [Manner::Says(replica.into_bytes().into()), Manner::LeadsTo(shared().address())];
    let stand_in = StandIn::new(manners).await;
    let store = once(&stand_in.url()).build().unwrap();
    let created = store.create(&SessionId::generate(), &record([]), HOUR).await;
    assert_eq!(created.unwrap_err().kind(), Unavailable);
    assert_eq!(kinds(&store).await, [None; 4]);
}
