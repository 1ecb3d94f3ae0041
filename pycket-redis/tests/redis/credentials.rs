//! Passwords that change while the store is in use.

use std::sync::atomic::{AtomicUsize, Ordering};

use pycket_redis::Credentials;

use crate::stand_in::{Manner, StandIn};
use crate::*;

use ErrorKind::{Rejected, Unavailable};

fn set_password(server: &Server, old: &str, new: &str) {
    let mut operator = operator(server);
    if !old.is_empty() {
        let () = run(&mut operator, &format!("AUTH {old}"));
    }
    let () = run(&mut operator, &format!("CONFIG SET requirepass {new}"));
    let () = run(&mut operator, "CLIENT KILL TYPE normal");
}

#[tokio::test]
async fn store_works_again_when_the_old_password_is_put_back() {
    for query in ["", "/3", "?protocol=resp3"] {
        let server = Server::redis();
        set_password(&server, "", "old");
        let url = server.url().replace("//", "//:old@") + query;
        let store = once(&url).max_connections(2).build().unwrap();
        assert_eq!(kinds(&store).await, [None; 4]);
        set_password(&server, "old", "new");
        // The first two still find the connections that were cut.
        let _ = failures(&store).await;
        assert_eq!(kinds(&store).await, [Some(Rejected); 4]);
        set_password(&server, "new", "old");
        assert_eq!(kinds(&store).await, [None; 4]);
    }
}

/// A proxy answers so when it loses its login. A server does when a password is set for a connection without one.
#[tokio::test]
async fn connection_that_needs_a_new_login_is_replaced() {
    let refusal = b"-NOAUTH Authentication required.\r\n".repeat(2);
    let manners = [Manner::Says(refusal.into()), Manner::LeadsTo(shared().address())];
    let stand_in = StandIn::new(manners).await;
    let store = once(&stand_in.url()).build().unwrap();
    let loaded = store.load(&SessionId::generate()).await;
    assert_eq!(loaded.unwrap_err().kind(), Rejected);
    assert_eq!(kinds(&store).await, [None; 4]);
}

#[tokio::test]
async fn provider_is_asked_for_each_connection() {
    let server = Server::redis();
    set_password(&server, "", "first");
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let builder = patient(&server).max_connections(2).credentials(move || {
        let turn = count.fetch_add(1, Ordering::SeqCst);
        async move { Ok(Credentials::new("default", ["first", "second"][turn / 2])) }
    });
    let store = builder.build().unwrap();
    assert_eq!(kinds(&store).await, [None; 4]);
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    set_password(&server, "first", "second");
    // Loads, because they are repeated when the connection turns out to be cut.
    for _ in 0..2 {
        assert_eq!(stored(&store, &SessionId::generate()).await, None);
    }
    assert_eq!(kinds(&store).await, [None; 4]);
    assert_eq!(asked.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn credentials_may_be_only_a_password() {
    let server = Server::redis();
    set_password(&server, "", "sesame");
    let builder = patient(&server).credentials(|| async { Ok(Credentials::password("sesame")) });
    assert_eq!(kinds(&builder.build().unwrap()).await, [None; 4]);
}

#[tokio::test]
async fn provider_that_fails_or_panics_makes_the_store_unavailable() {
    let turn = AtomicUsize::new(0);
    let builder = patient(shared()).credentials(move || {
        let turn = turn.fetch_add(1, Ordering::SeqCst);
        async move {
            match turn {
                0 => Err("the token service is down".into()),
                1 => panic!("on purpose"),
                _ => Ok(Credentials::new("default", "any: the server has no password")),
            }
        }
    });
    let store = builder.build().unwrap();
    let errors = [
        store.load(&SessionId::generate()).await.unwrap_err(),
        store.create(&SessionId::generate(), &record([]), HOUR).await.unwrap_err(),
    ];
    assert_eq!(errors.each_ref().map(Error::kind), [Unavailable; 2]);
    assert!(shown(&errors[0]).contains("the token service is down"), "{errors:?}");
    assert_eq!(kinds(&store).await, [None; 4]);
}

#[tokio::test(start_paused = true)]
async fn provider_that_hangs_counts_toward_the_connect_timeout() {
    let limit = Duration::from_secs(3);
    let builder = once("redis://127.0.0.1:1").connect_timeout(limit);
    let store = builder.credentials(std::future::pending).build().unwrap();
    let start = tokio::time::Instant::now();
    let loaded = store.load(&SessionId::generate()).await;
    assert_eq!(loaded.unwrap_err().kind(), Unavailable);
    assert_eq!(start.elapsed().as_secs(), limit.as_secs());
}

#[test]
fn provider_together_with_a_login_in_the_url_is_an_error() {
    for url in ["redis://:sesame@localhost", "redis+cluster://sesame:sesame@one,two"] {
        let builder = once(url).credentials(|| async { Ok(Credentials::password("other")) });
        let error = builder.build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidSetting);
        assert!(error.to_string().contains("`credentials`"), "{error}");
        assert!(!shown(&error).contains("sesame"), "{error:?}");
    }
}

#[tokio::test]
async fn provided_password_is_not_shown() {
    let credentials = Credentials::new("operator", "open sesame");
    assert!(!format!("{credentials:?}").contains("sesame"));
    let refusal = b"-ERR unknown command 'AUTH' 'open sesame'\r\n".repeat(4);
    let stand_in = StandIn::new([Manner::Says(refusal.into())]).await;
    let builder = once(&stand_in.url());
    let builder = builder.credentials(|| async { Ok(Credentials::password("open sesame")) });
    assert!(!format!("{builder:?}").contains("sesame"));
    for error in failures(&builder.build().unwrap()).await {
        let error = error.unwrap();
        assert_eq!(error.kind(), Rejected);
        assert!(!shown(&error).contains("sesame"), "{error:?}");
    }
}
