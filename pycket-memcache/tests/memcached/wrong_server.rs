//! Servers that are not memcached, or that refuse to serve.

use pycket_testkit::servers::{Behavior, FakeServer};

use crate::*;

use ErrorKind::{Ambiguous, Corrupt, Full, Rejected, TooLarge, Unavailable};

/// The error of each method if every request gets `answer`.
async fn kinds_for_answer(answer: impl Into<Vec<u8>>) -> [Option<ErrorKind>; 5] {
    kinds(&at(&FakeServer::answering(answer).await).build().unwrap()).await
}

#[tokio::test(start_paused = true)]
async fn server_that_is_not_memcached_is_unavailable_or_ambiguous() {
    for answer in [
        "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
        "-ERR unknown command 'mg'\r\n",
        "SSH-2.0-OpenSSH_9.6\r\n",
        "\r\n",
        "\u{0}\u{0}\u{0}\n",
        "no line end",
    ] {
        let [load, create, update, touch, delete] = kinds_for_answer(answer).await;
        assert_eq!([load, update, touch, delete], [Some(Unavailable); 4], "{answer:?}");
        assert_eq!(create, Some(Ambiguous), "{answer:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn malformed_answers_are_errors_and_cause_no_panic() {
    for answer in [
        "HD\r\n",
        "HD c7 t5\r\n",
        "VA\r\n",
        "VA 3\r\n",
        "VA 3 c7 t5\r\none\r\n",
        "VA 3 c7 t5\r\nlonger\r\n",
        "VA -1 c7\r\n",
        "VA 99999999999999999999 c7\r\n",
        "VA 1073741825 c7\r\n",
        "VA 0 c7 t99999999999999999999\r\n\r\n",
        "VA 0 c-7\r\n\r\n",
        "VA 0 c7 t-9\r\n\r\n",
        "MN\r\n",
        "ME\r\n",
        "EX\r\n",
        "NS\r\n",
        "NF\r\n",
        "VALUE key 0 3\r\none\r\nEND\r\n",
        "STORED\r\n",
    ] {
        for repeats in 1..=3 {
            for kind in kinds_for_answer(answer.repeat(repeats)).await.into_iter().flatten() {
                let fits = matches!(kind, Corrupt | Rejected | TooLarge | Unavailable | Ambiguous);
                assert!(fits, "{kind:?} for {repeats} times {answer:?}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn endless_answer_does_not_exhaust_memory() {
    let endless = "VA 1000000000 c7\r\n".repeat(1000);
    assert!(kinds_for_answer(endless).await.into_iter().all(|kind| kind.is_some()));
}

#[tokio::test]
async fn line_without_an_end_is_no_answer_of_memcached() {
    let store = at(&FakeServer::answering("a".repeat(5000)).await).build().unwrap();
    let error = store.load(&SessionId::generate()).await.unwrap_err();
    assert!(shown(&error).contains("this is no answer of memcached"), "{error:?}");
}

#[tokio::test]
async fn echo_server_is_unavailable_or_ambiguous() {
    let fake_server = FakeServer::new([Behavior::Echo]).await;
    let [load, create, rest @ ..] = kinds(&at(&fake_server).build().unwrap()).await;
    assert_eq!((load, create, rest), (Some(Unavailable), Some(Ambiguous), [Some(Unavailable); 3]));
}

#[tokio::test]
async fn server_without_a_free_connection_is_unavailable() {
    let kinds = kinds_for_answer("ERROR Too many open connections\r\n").await;
    assert_eq!(kinds, [Some(Unavailable); 5]);
}

#[tokio::test]
async fn server_that_requires_a_password_gives_rejected() {
    assert_eq!(kinds_for_answer("CLIENT_ERROR unauthenticated\r\n").await, [Some(Rejected); 5]);
}

#[tokio::test]
async fn server_without_cas_gives_rejected() {
    let [load, ..] = kinds_for_answer("VA 0 f0 c0 t5\r\n\r\n").await;
    assert_eq!(load, Some(Rejected));
}

#[tokio::test]
async fn clear_refusal_of_a_write_is_not_ambiguous() {
    for (answer, expected) in [
        ("SERVER_ERROR object too large for cache\r\n", TooLarge),
        ("SERVER_ERROR out of memory storing object\r\n", Full),
    ] {
        assert_eq!(kinds_for_answer(answer).await[1], Some(expected));
    }
}

/// For example, a proxy lost the answer of the server behind it.
#[tokio::test]
async fn unknown_server_error_is_ambiguous_for_a_write() {
    let [load, create, ..] = kinds_for_answer("SERVER_ERROR backend failure\r\n").await;
    assert_eq!((load, create), (Some(Unavailable), Some(Ambiguous)));
}

#[tokio::test]
async fn error_says_what_happened() {
    for (answer, of_load, of_create) in [
        ("SERVER_ERROR backend failure", "is not available", "did not say whether it stored"),
        ("SERVER_ERROR object too large for cache", "`-I`", "`-I`"),
        ("SERVER_ERROR out of memory storing object", "`-m`", "`-m`"),
        ("CLIENT_ERROR unauthenticated", "refused the request", "refused the request"),
        ("ERROR Too many open connections", "no connection left", "no connection left"),
    ] {
        let store = at(&FakeServer::answering(format!("{answer}\r\n")).await).build().unwrap();
        let [load, create, ..] = failures(&store, &SessionId::generate()).await.map(Option::unwrap);
        assert!(load.to_string().contains(of_load), "{load}");
        assert!(create.to_string().contains(of_create), "{create}");
    }
}
