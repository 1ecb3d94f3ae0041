use std::fmt;

use crate::connection::{ConnectionSettings, Pool};
use crate::node_addr::NodeAddr;

/// The servers that share the keys. Each key belongs to one server and never moves, even if that server is down.
pub(crate) struct Servers {
    first: Pool,
    others: Box<[Pool]>,
}

impl Servers {
    /// `None` if there is no address.
    pub(crate) fn new(addrs: Vec<NodeAddr>, settings: ConnectionSettings) -> Option<Self> {
        let mut pools = addrs.into_iter().map(|addr| Pool::new(addr, settings));
        Some(Self { first: pools.next()?, others: pools.collect() })
    }

    /// The connections to the server with the highest score for this key, and that score.
    pub(crate) fn of(&self, key: &str) -> (&Pool, u64) {
        let mut best = (&self.first, score(self.first.addr(), key));
        for pool in &self.others {
            let score = score(pool.addr(), key);
            if score >= best.1 {
                best = (pool, score);
            }
        }
        best
    }
}

/// Rendezvous hashing: adding or removing a server moves only the keys of that server.
///
/// The score is part of the stored format, so every version and language computes the same: FNV-1a over
/// `{address}/{key}`, then the finalizer of MurmurHash3, because FNV-1a gives similar texts similar hashes.
fn score(addr: &NodeAddr, key: &str) -> u64 {
    let text = addr.as_str().bytes().chain(*b"/").chain(key.bytes());
    let hash = text.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

impl fmt::Debug for Servers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let others = self.others.iter().map(|pool| pool.addr().as_str());
        f.debug_list().entry(&self.first.addr().as_str()).entries(others).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::iter;
    use std::time::Duration;

    use super::*;

    fn servers(addrs: &[&str]) -> Servers {
        let settings = ConnectionSettings {
            max_connections: 1,
            max_response_bytes: 1 << 20,
            connect_timeout: Duration::MAX,
            response_timeout: Duration::MAX,
        };
        Servers::new(addrs.iter().map(|addr| addr.parse().unwrap()).collect(), settings).unwrap()
    }

    fn server_of<'s>(servers: &'s Servers, key: &str) -> &'s str {
        servers.of(key).0.addr().as_str()
    }

    fn keys() -> impl Iterator<Item = String> {
        (0..3000).map(|n| format!("pycket:{n}"))
    }

    #[test]
    fn score_of_a_key_is_part_of_the_format() {
        let addr = "localhost".parse().unwrap();
        let key = "pycket:AZOzpHweTSqfAFobLD1OXw";
        assert_eq!(score(&addr, key), 2_634_068_297_903_222_381);
    }

    #[test]
    fn key_belongs_to_the_server_with_the_highest_score() {
        let servers = servers(&["10.0.0.1", "10.0.0.2", "10.0.0.3"]);
        for key in keys() {
            let pools = iter::once(&servers.first).chain(&servers.others);
            let highest = pools.max_by_key(|pool| score(pool.addr(), &key)).unwrap();
            assert_eq!(server_of(&servers, &key), highest.addr().as_str());
            assert_eq!(servers.of(&key).1, score(highest.addr(), &key));
        }
    }

    #[test]
    fn every_server_gets_an_equal_share_of_the_keys() {
        let addrs = ["10.0.0.1:1", "10.0.0.2:2", "10.0.0.3:3"];
        let servers = servers(&addrs);
        for addr in addrs {
            let share = keys().filter(|key| server_of(&servers, key) == addr).count();
            assert!((850..1150).contains(&share), "{addr} has {share} of 3000 keys");
        }
    }

    #[test]
    fn another_order_moves_no_key_and_a_removed_server_only_its_own() {
        let [four, other_order, three] =
            [&["a", "b", "c", "d"][..], &["d", "b", "a", "c"], &["a", "c", "d"]].map(servers);
        for key in keys() {
            let server = server_of(&four, &key);
            assert_eq!(server_of(&other_order, &key), server);
            if server != "b:11211" {
                assert_eq!(server_of(&three, &key), server);
            }
        }
    }
}
