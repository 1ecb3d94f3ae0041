use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;

/// Below the ports that systems hand out by themselves: while the server is down, no client's own end
/// gets its port by chance. The same holds ten thousand higher, where a cluster node listens too.
const PORTS: Range<u16> = 11_000..22_000;

/// A loopback port on which nobody listens at this moment.
pub(super) fn free() -> u16 {
    let random = RandomState::new();
    (0..1_000_u32)
        .map(|attempt| {
            let offset = random.hash_one(attempt) % u64::from(PORTS.end - PORTS.start);
            PORTS.start + u16::try_from(offset).expect("smaller than the number of ports")
        })
        .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .expect("one of a thousand ports is free")
}
