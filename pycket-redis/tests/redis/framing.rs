//! Answers with a wrong byte outside the values. (A wrong byte inside a value only gives another value.)

use pycket_testkit::servers::{FaultProxy, NetworkFault};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::*;

#[tokio::test]
async fn wrong_byte_between_values_never_gives_another_record() {
    let expected = record([("name", "value"), ("other", "v")]);
    let id = put(&store(shared()), &expected).await;
    let answer = answer_to_load(&id).await;
    let mut trials = JoinSet::new();
    for offset in framing(&answer) {
        for mask in [0x01, 0x02, 0x04, 0x20, 0x80] {
            let expected = expected.clone();
            trials.spawn(async move {
                let proxy = FaultProxy::new(shared().address());
                // An answer that seems incomplete takes this long in real time.
                let builder = RedisStore::builder(&format!("redis://{}", proxy.address()));
                let store = builder.response_timeout(Duration::from_millis(100)).build().unwrap();
                while store.load(&SessionId::generate()).await.is_err() {}
                proxy.fail_answer(0, NetworkFault::Corrupt { offset, mask });
                match store.load(&id).await {
                    // The client saw the fault and loaded the record again.
                    Ok(found) => assert_eq!(found.unwrap().record, expected, "{offset} {mask}"),
                    Err(error) => {
                        let kind = error.kind();
                        let fits = matches!(
                            kind,
                            ErrorKind::Unavailable | ErrorKind::Corrupt | ErrorKind::Rejected
                        );
                        assert!(fits, "{offset} {mask}: {error:?}");
                    }
                }
            });
        }
    }
    assert!(trials.len() > 100);
    trials.join_all().await;
}

#[tokio::test]
async fn load_whose_answer_is_malformed_is_repeated_at_once() {
    let id = put(&store(shared()), &record([("name", "value")])).await;
    let proxy = FaultProxy::new(shared().address());
    let store = once(&format!("redis://{}", proxy.address())).build().unwrap();
    assert_eq!(stored(&store, &SessionId::generate()).await, None);
    // `j` begins no answer.
    proxy.fail_answer(0, NetworkFault::Corrupt { offset: 0, mask: b'*' ^ b'j' });
    assert_eq!(stored(&store, &id).await, Some(record([("name", "value")])));
    assert_eq!(proxy.connections(), 2);
}

/// Then the answer to `PTTL` is -2. Here it is -1, for a record without an expiry, and two bits of it change.
#[tokio::test]
async fn record_that_expires_after_it_was_read_is_missing() {
    let id = put(&store(shared()), &record([("name", "value")])).await;
    let () = run(&mut operator(shared()), &format!("PERSIST {}", key(&id)));
    let answer = answer_to_load(&id).await;
    assert!(answer.ends_with(b":-1\r\n"));
    let proxy = FaultProxy::new(shared().address());
    let store = once(&format!("redis://{}", proxy.address())).build().unwrap();
    assert_eq!(stored(&store, &id).await, Some(record([("name", "value")])));
    proxy.fail_answer(0, NetworkFault::Corrupt { offset: answer.len() - 3, mask: b'1' ^ b'2' });
    assert_eq!(stored(&store, &id).await, None);
}

/// The bytes that the server sends for a load.
async fn answer_to_load(id: &SessionId) -> Vec<u8> {
    let mut stream = TcpStream::connect(shared().address()).await.unwrap();
    let question = format!("HGETALL {0}\r\nPTTL {0}\r\nQUIT\r\n", key(id));
    stream.write_all(question.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert!(answer.ends_with(b"+OK\r\n"));
    answer.truncate(answer.len() - 5);
    answer
}

/// The offsets of all bytes outside the values.
fn framing(answer: &[u8]) -> Vec<usize> {
    let mut places = Vec::new();
    let mut place = 0;
    while place < answer.len() {
        let line = answer[place..].iter().position(|byte| *byte == b'\n').unwrap() + 1;
        match answer[place] {
            b':' => places.extend([place, place + line - 2, place + line - 1]),
            _ => places.extend(place..place + line),
        }
        if answer[place] == b'$' {
            let digits = std::str::from_utf8(&answer[place + 1..place + line - 2]).unwrap();
            place += digits.parse::<usize>().unwrap();
            places.extend([place + line, place + line + 1]);
            place += 2;
        }
        place += line;
    }
    places
}
