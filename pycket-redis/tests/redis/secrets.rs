//! No error and no `Debug` output shows an id, a value or a password.

use crate::stand_in::{Manner, StandIn};
use crate::*;

/// The error of a real server for an unknown command: it repeats up to 128 characters of the request.
fn unknown_command(words: &str) -> Manner {
    let error = format!("-ERR unknown command 'EVALSHA', with args beginning with: {words}\r\n");
    Manner::Says(error.repeat(4).into_bytes().into())
}

#[tokio::test]
async fn error_that_contains_the_key_is_not_shown() {
    let id = SessionId::generate();
    let (key, exposed) = (key(&id), id.expose());
    let in_key = key.strip_prefix("pycket:").unwrap();
    for repeated in [&*key, &key[..20], &in_key[9..], &exposed, &exposed[..20], &exposed[9..]] {
        let stand_in = StandIn::new([unknown_command(&format!("'{repeated}' "))]).await;
        let store = once(&stand_in.url()).build().unwrap();
        let value = record([("name", "value")]);
        for error in [
            store.load(&id).await.unwrap_err(),
            store.create(&id, &value, HOUR).await.unwrap_err(),
            store.update(&id, &set("name", "value"), None).await.unwrap_err(),
            store.delete(&id).await.unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::Rejected);
            let shown = shown(&error);
            assert!(!shown.contains(repeated) && !shown.contains(&in_key[9..]), "{shown}");
            assert!(!exposed.split('-').any(|part| shown.contains(part)), "{shown}");
        }
    }
}

#[tokio::test]
async fn error_without_a_secret_is_shown() {
    let stand_in = StandIn::new([unknown_command("")]).await;
    for url in [stand_in.url(), stand_in.url().replace("//", "//:sesame@") + "?protocol=resp3"] {
        let store = once(&url).build().unwrap();
        let error = store.load(&SessionId::generate()).await.unwrap_err();
        assert!(shown(&error).contains("unknown command 'EVALSHA'"), "{error:?}");
    }
}

#[tokio::test]
async fn error_that_contains_the_password_is_not_shown() {
    for query in ["", "/3", "?protocol=resp3", "/3?protocol=resp3"] {
        let stand_in = StandIn::new([unknown_command("'3' 'AUTH' 'default' 'open sesame'")]).await;
        let url = stand_in.url().replace("//", "//:open%20sesame@") + query;
        let store = once(&url).build().unwrap();
        for error in failures(&store).await {
            let error = error.unwrap();
            assert_eq!(error.kind(), ErrorKind::Rejected, "{error:?}");
            assert!(!shown(&error).contains("sesame"), "{error:?}");
        }
    }
}

#[tokio::test]
async fn store_and_settings_show_neither_url_nor_password() {
    let url = "redis://operator:open%20sesame@127.0.0.1:1/2";
    let builder = once(url);
    let shown = format!("{builder:?} {builder:#?}");
    let store = builder.build().unwrap();
    let shown = format!("{shown} {store:?} {store:#?}");
    for secret in ["sesame", "operator"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    for error in failures(&store).await {
        let shown = crate::shown(&error.unwrap());
        assert!(!shown.contains("sesame"), "{shown}");
    }
}
