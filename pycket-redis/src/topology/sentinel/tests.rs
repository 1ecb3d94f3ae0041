use tokio::net::TcpListener;
use tokio::time::timeout;

use super::*;
use crate::connection::Timeouts;

#[test]
fn parse_addr_reads_ipv6_addresses_with_and_without_brackets() {
    for host in ["::1", "[::1]"] {
        let parts = [host, "6379"].map(|part| Value::BulkString(part.into()));
        assert_eq!(parse_addr(&[Value::Array(parts.into())]).unwrap().host, "::1");
    }
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
    Arc::new(Sentinels::new(vec![sentinel], "shop".into(), primary, settings(), Duration::ZERO))
}

impl Sentinels {
    async fn announce(self: &Arc<Self>, channel: &str, text: &str) {
        let primary = Arc::new(self.settings.node(self.endpoint.clone()));
        self.lock().primary = Some(Primary { node: primary, asked: Instant::now() });
        let parts = ["message", channel, text].map(|part| Value::BulkString(part.into()));
        let message = Msg::from_owned_value(Value::Array(parts.into())).unwrap();
        Arc::clone(self).follow(0, &message).await;
    }

    /// Whether a request is refused because the sentinels are about to replace the primary.
    async fn refuses(self: &Arc<Self>, access: Access) -> bool {
        let mut commands = Pipeline::new();
        commands.cmd("PING");
        let request = Request { access, ..Request::question(&commands) };
        let error = self.attempt(request).await.err().unwrap().into_source();
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

/// The listener is the sentinel, and answers nothing.
#[tokio::test(start_paused = true)]
async fn sentinels_are_asked_at_once_when_a_replacement_ends() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let sentinels = sentinels(listener.local_addr().unwrap().port());
    let is_asked = async || timeout(LIMIT, listener.accept()).await.is_ok();
    sentinels.announce(BEGIN, "master shop 127.0.0.1 1").await;
    assert!(!is_asked().await);
    sentinels.announce(PROMOTED, "slave 127.0.0.1:2 127.0.0.1 2 @ shop 127.0.0.1 1").await;
    assert!(is_asked().await);
}
