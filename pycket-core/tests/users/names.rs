//! Which texts may be the id of a user, and which a label.

use pycket_core::ErrorKind;

use crate::{handles, manager};

#[tokio::test]
async fn an_empty_or_long_user_id_is_an_error() {
    let manager = manager();
    let session = manager.open(None).await.unwrap();
    for wrong in [String::new(), "a".repeat(1025)] {
        let errors = [session.log_in(&wrong).unwrap_err(), manager.user(&wrong).unwrap_err()];
        for error in errors {
            assert_eq!(error.kind(), ErrorKind::InvalidUserId);
            assert!(error.to_string().starts_with("the id of a user must not be"), "{error}");
        }
    }
    assert!(!session.needs_commit());
    assert_eq!(session.user_id(), None);
}

#[tokio::test]
async fn any_other_text_is_the_id_of_a_user() {
    let manager = manager();
    for user in ["0".to_owned(), " ".to_owned(), "\0\n💥".to_owned(), "é".repeat(512)] {
        let session = manager.open(None).await.unwrap();
        session.log_in(&user).unwrap();
        session.commit().await.unwrap();
        assert_eq!(session.user_id(), Some(user.clone()));
        assert_eq!(handles(&manager, &user).await.len(), 1);
    }
}

#[tokio::test]
async fn a_long_label_is_cut_between_two_characters() {
    let manager = manager();
    for (label, cut) in [
        ("é".repeat(200), "é".repeat(128)),
        (format!("a{}", "é".repeat(200)), format!("a{}", "é".repeat(127))),
    ] {
        let session = manager.open(None).await.unwrap();
        session.log_in_labelled("ann", label).unwrap();
        session.commit().await.unwrap();
        let sessions = session.user_sessions().unwrap().sessions().await.unwrap();
        assert_eq!(sessions[0].label.as_ref(), Some(&cut));
    }
}
