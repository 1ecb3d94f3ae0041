use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;

/// Below the ports that systems hand out by themselves: while the server is down, no client's own end
/// gets its port by chance. The same holds ten thousand higher, where a cluster node listens too.
const PORTS: Range<u16> = 11_000..22_000;

/// A loopback port on which nobody listens at this moment.
pub(super) fn free() -> u16 {
    free_that(is_free)
}

/// The same for a cluster node, which listens ten thousand higher too.
pub(super) fn free_with_bus() -> u16 {
    free_that(|port| is_free(port) && is_free(port + 10_000))
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

fn free_that(is_fit: impl Fn(u16) -> bool) -> u16 {
    let random = RandomState::new();
    (0..1_000_u32)
        .map(|attempt| {
            let offset = random.hash_one(attempt) % u64::from(PORTS.end - PORTS.start);
            PORTS.start + u16::try_from(offset).expect("smaller than the number of ports")
        })
        .find(|port| is_fit(*port))
        .expect("one of a thousand ports is free")
}
