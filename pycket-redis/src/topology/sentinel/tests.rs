use tokio::net::TcpListener;
use tokio::time::{advance, timeout};

use super::*;
use crate::connection::Timeouts;

#[test]
fn parse_addr_reads_ipv6_addresses_with_and_without_brackets() {
    for host in ["::1", "[::1]"] {
        let parts = [host, "6379"].map(|part| Value::BulkString(part.into()));
        assert_eq!(parse_addr(&[Value::Array(parts.into())]).unwrap().host, "::1");
    }
}

#[test]
fn only_a_server_with_the_role_master_is_a_primary() {
    for (role, expected) in [("master", true), ("slave", false), ("sentinel", false)] {
        let answer = Value::Array(vec![Value::BulkString(role.into()), Value::Int(1)]);
        assert_eq!(is_primary(&[answer]), expected, "{role}");
    }
    assert!(!is_primary(&[]));
}

const LIMIT: Duration = Duration::from_secs(60);

fn settings() -> NodeSettings {
    let connections = ConnectionSettings {
        timeouts: Timeouts { connect: LIMIT, response: LIMIT },
        max_connections: 1,
        max_response_bytes: usize::MAX,
        #[cfg(feature = "tls")]
        tls: None,
    };
    NodeSettings { connections, replica_acks: None }
}

/// Sentinels at this port. Their primary is at a port where nothing listens.
fn sentinels(port: u16) -> Arc<Sentinels> {
    let (sentinel, primary) = (Endpoint::tcp("127.0.0.1", port), Endpoint::tcp("127.0.0.1", 1));
    Arc::new(Sentinels::new(vec![sentinel], "shop".into(), primary, settings()))
}

impl Sentinels {
    /// As if the sentinels had just named the primary.
    fn find_primary(&self) {
        let mut state = self.lock();
        state.primary = Some(Arc::new(self.settings.node(self.endpoint.clone())));
        state.asked = Some(Instant::now());
    }

    async fn announce(self: &Arc<Self>, channel: &str, text: &str) {
        self.find_primary();
        let parts = ["message", channel, text].map(|part| Value::BulkString(part.into()));
        let message = Msg::from_owned_value(Value::Array(parts.into())).unwrap();
        Arc::clone(self).follow(0, &message).await;
    }

    /// Whether a request is refused because the sentinels are about to replace the primary.
    async fn refuses(self: &Arc<Self>, access: Access) -> bool {
        let mut commands = Pipeline::new();
        commands.cmd("PING");
        let request = Request { access, ..Request::question(&commands) };
        let error = self.send(request).await.err().unwrap().into_source();
        error.to_string().contains("about to replace")
    }
}

#[tokio::test]
async fn writes_pause_while_the_primary_is_replaced_and_reads_go_on() {
    let sentinels = sentinels(1);
    sentinels.announce(BEGIN, "master other 127.0.0.1 1").await;
    assert!(!sentinels.refuses(Access::Write).await);
    for end in [PROMOTED, SWITCHED, ABORTED_TIMEOUT] {
        sentinels.announce(BEGIN, "master shop 127.0.0.1 1").await;
        assert!(sentinels.refuses(Access::Write).await);
        assert!(!sentinels.refuses(Access::Read).await);
        sentinels.announce(end, "slave 127.0.0.1:2 127.0.0.1 2 @ shop 127.0.0.1 1").await;
        assert!(!sentinels.refuses(Access::Write).await);
    }
}

#[tokio::test]
async fn primary_that_fails_is_searched_again() {
    let sentinels = sentinels(1);
    sentinels.find_primary();
    assert!(!sentinels.refuses(Access::Read).await);
    assert!(sentinels.lock().asked.is_none());
}

/// A sentinel that accepts connections and answers nothing.
async fn silent_sentinel() -> (TcpListener, Arc<Sentinels>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, sentinels(port))
}

async fn is_asked(sentinel: &TcpListener) -> bool {
    timeout(LIMIT, sentinel.accept()).await.is_ok()
}

#[tokio::test(start_paused = true)]
async fn sentinels_are_asked_at_once_when_a_replacement_ends() {
    let (sentinel, sentinels) = silent_sentinel().await;
    sentinels.announce(BEGIN, "master shop 127.0.0.1 1").await;
    assert!(!is_asked(&sentinel).await);
    sentinels.announce(PROMOTED, "slave 127.0.0.1:2 127.0.0.1 2 @ shop 127.0.0.1 1").await;
    assert!(is_asked(&sentinel).await);
}

#[tokio::test(start_paused = true)]
async fn sentinels_are_asked_if_the_last_time_was_a_second_ago() {
    let (sentinel, sentinels) = silent_sentinel().await;
    for (ago, expected) in [(999, false), (1000, true)] {
        sentinels.find_primary();
        advance(Duration::from_millis(ago)).await;
        assert!(!sentinels.refuses(Access::Read).await);
        assert_eq!(is_asked(&sentinel).await, expected, "{ago} ms ago");
    }
}
