//! What listens on the port is no memcached server, or one in no condition to serve.

use crate::stand_in::{Manner, StandIn};
use crate::*;

use ErrorKind::{Ambiguous, Corrupt, Full, Rejected, TooLarge, Unavailable};

/// The kinds that each method fails with, if all that is ever said is `answer`.
async fn kinds_if_told(answer: impl Into<Vec<u8>>) -> [Option<ErrorKind>; 5] {
    kinds(&StandIn::saying(answer).await.builder().build().unwrap()).await
}

#[tokio::test(start_paused = true)]
async fn a_server_of_another_kind_is_unavailable_or_ambiguous() {
    for answer in [
        "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
        "-ERR unknown command 'mg'\r\n",
        "SSH-2.0-OpenSSH_9.6\r\n",
        "\r\n",
        "\u{0}\u{0}\u{0}\n",
        "no line end",
    ] {
        let [load, create, update, touch, delete] = kinds_if_told(answer).await;
        assert_eq!([load, update, touch, delete], [Some(Unavailable); 4], "{answer:?}");
        assert_eq!(create, Some(Ambiguous), "{answer:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn answers_of_no_sense_are_errors_and_never_a_panic() {
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
            for kind in kinds_if_told(answer.repeat(repeats)).await.into_iter().flatten() {
                let fits = matches!(kind, Corrupt | Rejected | Unavailable | Ambiguous);
                assert!(fits, "{kind:?} for {repeats} times {answer:?}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_repeats_itself_without_end_exhausts_no_memory() {
    let endless = "VA 1000000000 c7\r\n".repeat(1000);
    assert!(kinds_if_told(endless).await.into_iter().all(|kind| kind.is_some()));
}

#[tokio::test]
async fn an_echo_is_no_store() {
    let stand_in = StandIn::new([Manner::Echo]).await;
    let [load, create, rest @ ..] = kinds(&stand_in.builder().build().unwrap()).await;
    assert_eq!((load, create, rest), (Some(Unavailable), Some(Ambiguous), [Some(Unavailable); 3]));
}

#[tokio::test]
async fn a_server_without_a_free_connection_is_unavailable() {
    let kinds = kinds_if_told("ERROR Too many open connections\r\n").await;
    assert_eq!(kinds, [Some(Unavailable); 5]);
}

#[tokio::test]
async fn a_server_that_wants_a_password_is_one_that_refuses() {
    assert_eq!(kinds_if_told("CLIENT_ERROR unauthenticated\r\n").await, [Some(Rejected); 5]);
}

#[tokio::test]
async fn a_server_that_does_not_number_its_items_is_one_that_refuses() {
    let [load, ..] = kinds_if_told("VA 0 f0 c0 t5\r\n\r\n").await;
    assert_eq!(load, Some(Rejected));
}

#[tokio::test]
async fn a_clear_answer_is_never_ambiguous() {
    for (answer, expected) in [
        ("SERVER_ERROR object too large for cache\r\n", TooLarge),
        ("SERVER_ERROR out of memory storing object\r\n", Full),
    ] {
        assert_eq!(kinds_if_told(answer).await[1], Some(expected));
    }
}

/// A proxy may have lost the answer of the server behind it.
#[tokio::test]
async fn an_error_of_which_nothing_is_known_is_ambiguous_for_a_write() {
    let [load, create, ..] = kinds_if_told("SERVER_ERROR backend failure\r\n").await;
    assert_eq!((load, create), (Some(Unavailable), Some(Ambiguous)));
}
