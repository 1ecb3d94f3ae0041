//! TLS connections, and the reasons why one fails.

use pycket_testkit::servers::RedisTls;

use crate::stand_in::{Manner, StandIn};
use crate::*;

use ErrorKind::{InvalidSetting, Rejected, Unavailable};

fn trusting(server: &RedisTls) -> RedisStoreBuilder {
    RedisStore::builder(&server.url()).tls_authority(server.authority())
}

fn order(server: &RedisTls, command: &str) {
    let client = redis::Client::open(server.socket_url()).unwrap();
    run(&mut client.get_connection().unwrap(), command)
}

/// Every call is rejected with a message that contains `of`.
async fn assert_rejected(builder: RedisStoreBuilder, of: &str) {
    let store = builder.build().unwrap();
    for error in failures(&store).await.map(Option::unwrap) {
        assert_eq!(error.kind(), Rejected, "{error:?}");
        let shown = shown(&error);
        assert!(shown.contains(of) && shown.contains("authority"), "{shown}");
    }
}

#[tokio::test]
async fn server_of_the_given_authority_is_accepted() {
    let server = Server::redis_tls();
    for query in ["", "/3", "/3?protocol=resp3"] {
        let url = server.url() + query;
        let store = RedisStore::builder(&url).tls_authority(server.authority()).build().unwrap();
        assert_eq!(kinds(&store).await, [None; 4]);
    }
    let (sessions, notifications) =
        trusting(&server).max_connections(3).build_with_notifications().unwrap();
    assert_eq!(kinds(&sessions).await, [None; 4]);
    assert_eq!(kinds(&notifications).await, [None; 4]);
    server.restart();
    assert_eq!(stored(&sessions, &SessionId::generate()).await, None);
}

#[tokio::test]
async fn server_of_another_authority_is_rejected() {
    let (server, other) = (Server::redis_tls(), Server::redis_tls());
    let builder = RedisStore::builder(&server.url()).tls_authority(other.authority());
    assert_rejected(builder, "invalid peer certificate").await;
    // The platform does not trust the authority either.
    assert_rejected(RedisStore::builder(&server.url()), "UnknownIssuer").await;
}

#[tokio::test]
async fn expired_certificate_is_rejected() {
    let server = Server::redis_tls_expired();
    assert_rejected(trusting(&server), "expired").await;
}

/// A list that is ignored would look like protection.
#[test]
fn revocation_list_is_refused_because_none_is_checked() {
    let server = Server::redis_tls();
    let list = "-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n";
    let builder = RedisStore::builder(&server.url()).tls_authority(server.authority() + list);
    let error = builder.build().unwrap_err();
    assert_eq!(error.kind(), InvalidSetting);
    assert!(error.to_string().contains("is not checked"), "{error}");
}

/// A Redis server may also wait for more, because it reads the handshake as an incomplete command.
#[tokio::test]
async fn port_without_tls_that_answers_a_tls_client_is_rejected() {
    let stand_in = StandIn::new([Manner::Says((*b"-ERR unknown command\r\n").into())]).await;
    let url = stand_in.url().replace("redis://", "rediss://");
    assert_rejected(RedisStore::builder(&url), "corrupt").await;
}

#[tokio::test]
async fn port_with_tls_is_unavailable_to_a_client_without_tls() {
    let server = Server::redis_tls();
    let store = once(&format!("redis://{}", server.address())).build().unwrap();
    assert_eq!(kinds(&store).await, [Some(Unavailable); 4]);
}

#[tokio::test]
async fn server_that_requires_a_client_certificate_gets_it() {
    let server = Server::redis_tls();
    order(&server, "CONFIG SET tls-auth-clients yes");
    let known = trusting(&server).tls_client(server.client_certificate(), server.client_key());
    assert_eq!(kinds(&known.build().unwrap()).await, [None; 4]);
    assert_rejected(trusting(&server), "alert").await;
    let other = Server::redis_tls();
    let stranger = trusting(&server).tls_client(other.client_certificate(), other.client_key());
    assert_rejected(stranger, "alert").await;
}

#[tokio::test]
async fn certificates_and_key_may_come_from_the_files_of_the_settings() {
    let server = Server::redis_tls();
    order(&server, "CONFIG SET tls-auth-clients yes");
    let mut settings = format!("url = \"{}\"\n", server.url());
    for (setting, pem) in [
        ("tls_authority_file", server.authority()),
        ("tls_certificate_file", server.client_certificate()),
        ("tls_key_file", server.client_key()),
    ] {
        let path = format!("{}/{setting}.pem", env!("CARGO_TARGET_TMPDIR"));
        std::fs::write(&path, pem).unwrap();
        settings += &format!("{setting} = \"{path}\"\n");
    }
    let builder: RedisStoreBuilder = toml::from_str(&settings).unwrap();
    assert_eq!(kinds(&builder.build().unwrap()).await, [None; 4]);
}

#[tokio::test]
async fn password_over_tls_is_accepted_and_not_shown() {
    let server = Server::redis_tls();
    order(&server, "CONFIG SET requirepass sesame");
    for (password, expected) in [("sesame", None), ("wrong-one", Some(Rejected))] {
        let url = format!("rediss://:{password}@{}", server.address());
        let store = RedisStore::builder(&url).tls_authority(server.authority()).build().unwrap();
        let failures = failures(&store).await;
        assert_eq!(failures.each_ref().map(|e| e.as_ref().map(Error::kind)), [expected; 4]);
        for error in failures.iter().flatten() {
            assert!(!shown(error).contains(password), "{error:?}");
        }
    }
}

#[test]
fn certificates_and_keys_are_not_shown() {
    let server = Server::redis_tls();
    let (certificate, key) = (server.client_certificate(), server.client_key());
    let builder = trusting(&server).tls_client(certificate, key.as_str());
    let before = format!("{builder:?}");
    let shown = format!("{before} {:?}", builder.build().unwrap());
    assert!(!shown.contains("BEGIN") && !shown.contains(key.lines().nth(1).unwrap()), "{shown}");
}

#[test]
fn invalid_certificate_is_an_error_of_build() {
    let server = Server::redis_tls();
    let (authority, certificate) = (server.authority(), server.client_certificate());
    let key = server.client_key();
    for builder in [
        trusting(&server).tls_authority(""),
        trusting(&server).tls_authority("sesame"),
        trusting(&server).tls_authority(key.as_str()),
        trusting(&server).tls_authority(authority.replace("-----END", "-----sesame")),
        trusting(&server).tls_client("sesame", key.as_str()),
        trusting(&server).tls_client(certificate.as_str(), "sesame"),
        trusting(&server).tls_client(certificate.as_str(), certificate.as_str()),
        RedisStore::builder("redis://localhost").tls_authority(authority.as_str()),
        RedisStore::builder("rediss://localhost#insecure"),
    ] {
        let error = builder.build().unwrap_err();
        assert_eq!(error.kind(), InvalidSetting, "{error:?}");
        assert!(!shown(&error).contains("sesame"), "{error:?}");
    }
}

/// In a process of its own, because the variable counts for all of it.
#[test]
fn unreadable_certificates_of_the_platform_are_an_error_of_build() {
    const NAME: &str = "tls::unreadable_certificates_of_the_platform_are_an_error_of_build";
    const MISSING: &str = "/missing.pem";
    if std::env::var("SSL_CERT_FILE").as_deref() == Ok(MISSING) {
        let error = RedisStore::builder("rediss://localhost").build().unwrap_err();
        assert_eq!(error.kind(), InvalidSetting);
        assert!(error.to_string().contains("set `tls_authority`"), "{error}");
        return;
    }
    let mut process = std::process::Command::new(std::env::current_exe().unwrap());
    process.args([NAME, "--exact"]).env("SSL_CERT_FILE", MISSING).env_remove("SSL_CERT_DIR");
    let output = String::from_utf8(process.output().unwrap().stdout).unwrap();
    assert!(output.contains("1 passed"), "{output}");
}

#[tokio::test]
async fn unix_socket_works_like_a_port() {
    let server = Server::redis_tls();
    for query in ["", "?db=3"] {
        let url = server.socket_url() + query;
        let store = RedisStore::builder(&url).build().unwrap();
        assert_eq!(kinds(&store).await, [None; 4]);
    }
}
