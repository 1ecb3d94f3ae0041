//! What earlier releases stored. `fixtures/README.md` says how a dump is made.

use redis::ConnectionLike;

use crate::*;

#[tokio::test]
async fn session_in_the_dump_of_version_1_is_served() {
    let server = Server::redis();
    let dump = include_bytes!("../fixtures/version-1.resp");
    let commands = dump.windows(3).filter(|bytes| *bytes == b"\r\n*").count() + 1;
    let answers = operator(&server).req_packed_commands(dump, 0, commands).unwrap();
    assert!(!answers.iter().any(|answer| matches!(answer, redis::Value::ServerError(_))));
    let id = "8f4a54ee-309d-4fa7-a3e4-d223773e954f".parse().unwrap();
    kept::assert_served(&manager(store(&server)), id).await;
}
