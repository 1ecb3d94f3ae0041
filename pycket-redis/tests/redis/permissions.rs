//! The permissions that a user of the server needs: the list in the README.

use crate::*;

/// All commands of the driver and its scripts.
pub(crate) const NEEDED: [&str; 13] = [
    "+eval", "+evalsha", "+exists", "+hdel", "+hexists", "+hget", "+hgetall", "+hlen", "+hset",
    "+pexpire", "+pttl", "+select", "+unlink",
];

fn user_with(server: &Server, permissions: &[&str]) -> RedisStore {
    let mut command = redis::cmd("ACL");
    command.arg("SETUSER").arg("pycket").arg("reset").arg("on").arg(">secret");
    command.arg("~pycket:*").arg(permissions);
    command.exec(&mut operator(server)).unwrap();
    let url = format!("redis://pycket:secret@{}/2", server.address());
    RedisStore::builder(&url).build().unwrap()
}

/// Calls every method, with every part of every script.
async fn all_that_a_store_does(store: &dyn SessionStore) -> Result<(), Error> {
    let id = SessionId::generate();
    let missing = Changes::new().expect("missing", None);
    let present = set("other", "value").remove("missing").expect("name", Some(text("value")));
    _ = store.create(&id, &record([("name", "value")]), HOUR).await?;
    _ = store.update(&id, &missing, Some(HOUR)).await?;
    _ = store.update(&id, &present, None).await?;
    _ = store.update(&id, &set("new", "value"), Some(HOUR)).await?;
    let expected = record([("name", "value"), ("new", "value"), ("other", "value")]);
    assert_eq!(stored(store, &id).await, Some(expected));
    store.delete(&id).await?;
    Ok(())
}

#[tokio::test]
async fn documented_permissions_suffice_and_each_is_needed() {
    let server = Server::redis();
    all_that_a_store_does(&user_with(&server, &NEEDED)).await.unwrap();
    let readme = include_str!("../../README.md");
    assert!(readme.contains(&NEEDED.join(" ")), "the README does not list {NEEDED:?}");
    for missing in NEEDED {
        // `stored` panics if a load is refused; the errors of the others are returned.
        let others: Vec<_> = NEEDED.into_iter().filter(|other| *other != missing).collect();
        let store = user_with(&server, &others);
        let () = run(&mut operator(&server), "SCRIPT FLUSH");
        let loaded = store.load(&SessionId::generate()).await;
        let error = match loaded {
            Err(error) => error,
            Ok(_) => all_that_a_store_does(&store).await.unwrap_err(),
        };
        assert_eq!(error.kind(), ErrorKind::Rejected, "without {missing}: {error:?}");
    }
}

#[tokio::test]
async fn forbidden_key_is_rejected_and_not_shown() {
    let server = Server::redis();
    let () = run(&mut operator(&server), "ACL SETUSER limited on >secret ~other:* +@all");
    let url = format!("redis://limited:secret@{}", server.address());
    let store = RedisStore::builder(&url).build().unwrap();
    for error in failures(&store).await {
        let error = error.unwrap();
        assert_eq!(error.kind(), ErrorKind::Rejected);
        assert!(!shown(&error).contains("pycket:"), "{error:?}");
    }
}
