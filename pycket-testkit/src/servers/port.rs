use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::sync::{LazyLock, Mutex, PoisonError};

/// Below the ports that systems give to clients, so that no client takes the port of a server that is down.
/// The same holds for the ports that are higher by [`BUS`].
const PORTS: Range<u16> = 11_000..22_000;

/// How much higher a cluster node listens as well.
const BUS: u16 = 10_000;

/// The ports that this process has used. None is used again: a server that was killed leaves its port, but not the
/// clients and servers that still look for it there.
static USED: LazyLock<Mutex<HashSet<u16>>> = LazyLock::new(Mutex::default);

/// A loopback port on which nothing listens at this moment.
pub(super) fn free() -> u16 {
    find(&[0])
}

/// The same for a cluster node, which listens on two ports.
pub(super) fn free_with_bus() -> u16 {
    find(&[0, BUS])
}

/// A port that is free, and so are the ports that are higher by `offsets`.
fn find(offsets: &[u16]) -> u16 {
    // Each `RandomState` has other keys.
    let random = || RandomState::new().hash_one(()) % u64::from(PORTS.end - PORTS.start);
    let mut used = USED.lock().unwrap_or_else(PoisonError::into_inner);
    for _ in 0..1_000 {
        let port = PORTS.start + u16::try_from(random()).expect("less than the number of ports");
        let ports = || offsets.iter().map(|offset| port + offset);
        if ports().all(|port| !used.contains(&port) && is_free(port)) {
            used.extend(ports());
            return port;
        }
    }
    panic!("none of a thousand ports is free");
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}
