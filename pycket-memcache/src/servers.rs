use std::fmt;

use crate::address::Address;
use crate::server::{Limits, Server};

/// The servers that share the keys. A key belongs to one of them for good: it never moves because
/// another server, or its own, is down.
pub(crate) struct Servers(Box<[Server]>);

impl Servers {
    /// At least one address.
    pub(crate) fn new(addresses: Vec<Address>, limits: Limits) -> Self {
        Self(addresses.into_iter().map(|address| Server::new(address, limits)).collect())
    }

    /// The server that has the highest score for this key, and the hash of both.
    pub(crate) fn of(&self, key: &str) -> Option<(&Server, u64)> {
        let scored = self.0.iter().map(|server| (server, score(server.address(), key)));
        scored.max_by_key(|(_, score)| *score)
    }
}

/// Rendezvous hashing: a server that is added or removed moves no key but its own. It is a part of the
/// format, the same in every version and language: FNV-1a over `{address}/{key}`, then the finalizer of
/// MurmurHash3, because the former leaves similar texts similar.
fn score(address: &Address, key: &str) -> u64 {
    let text = address.as_str().bytes().chain(*b"/").chain(key.bytes());
    let hash = text.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

impl fmt::Debug for Servers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(Server::address)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(servers: &[&str], key: &str) -> String {
        let addresses: Vec<Address> = servers.iter().map(|text| text.parse().unwrap()).collect();
        let best = addresses.iter().max_by_key(|address| score(address, key));
        best.unwrap().as_str().to_owned()
    }

    fn keys() -> impl Iterator<Item = String> {
        (0..3000).map(|n| format!("pycket:sessions:{n}"))
    }

    #[test]
    fn the_score_is_part_of_the_format() {
        let address = "localhost".parse().unwrap();
        let key = "pycket:sessions:0193b3a4-7c1e-4d2a-9f00-5a1b2c3d4e5f";
        assert_eq!(score(&address, key), 15_503_420_386_784_436_508);
    }

    #[test]
    fn every_server_has_its_share() {
        let servers = ["10.0.0.1", "10.0.0.2", "10.0.0.3"];
        for server in servers {
            let share = keys().filter(|key| place(&servers, key).starts_with(server)).count();
            assert!((850..1150).contains(&share), "{server} has {share} of 3000 keys");
        }
    }

    #[test]
    fn the_order_of_the_list_does_not_matter_and_a_removed_server_moves_only_its_own_keys() {
        for key in keys() {
            let place_of_four = place(&["a", "b", "c", "d"], &key);
            assert_eq!(place(&["d", "b", "a", "c"], &key), place_of_four);
            if place_of_four != "b:11211" {
                assert_eq!(place(&["a", "c", "d"], &key), place_of_four);
            }
        }
    }
}
