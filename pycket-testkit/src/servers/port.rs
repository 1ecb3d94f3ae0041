use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;

/// Below the ports that systems give to clients, so that no client takes the port of a server that is down.
/// The same holds for the ports ten thousand higher, where a cluster node listens as well.
const PORTS: Range<u16> = 11_000..22_000;

/// A loopback port on which nothing listens at this moment.
pub(super) fn free() -> u16 {
    find(is_free)
}

/// The same for a cluster node, which also listens ten thousand higher.
pub(super) fn free_with_bus() -> u16 {
    find(|port| is_free(port) && is_free(port + 10_000))
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

fn find(is_suitable: impl Fn(u16) -> bool) -> u16 {
    // Each `RandomState` has other keys.
    let random = || RandomState::new().hash_one(()) % u64::from(PORTS.end - PORTS.start);
    (0..1_000)
        .map(|_| PORTS.start + u16::try_from(random()).expect("less than the number of ports"))
        .find(|port| is_suitable(*port))
        .expect("one of a thousand ports is free")
}
