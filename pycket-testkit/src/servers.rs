//! Real servers for tests, and faults of the network between a driver and its server. Needs the feature
//! `servers`.
//!
//! - [`Server`] starts Redis or memcached on a free loopback port. [`RedisCluster`], [`RedisSentinel`] and,
//!   with the feature `tls`, `RedisTls` start what a single server cannot show. Unix only.
//! - [`FaultProxy`] stands between a client and its server, and fails the request or the answer that a test
//!   chooses.
//! - [`StandIn`] listens in the place of a server, and gives answers that no real server gives.
//! - [`faults!`](crate::faults!) makes a test of every fault and every operation. It needs a
//!   [`NetworkHarness`]; the cases themselves are in [`faults`].

#[cfg(unix)]
mod cluster;
#[cfg(unix)]
mod command;
pub mod faults;
mod faults_macro;
mod harness;
#[cfg(unix)]
mod memcached;
#[cfg(unix)]
mod port;
#[cfg(unix)]
mod probe;
mod proxy;
#[cfg(unix)]
mod redis;
#[cfg(unix)]
mod sentinel;
#[cfg(unix)]
mod server;
mod stand_in;
#[cfg(all(unix, feature = "tls"))]
mod tls;
#[cfg(unix)]
mod watchdog;

#[cfg(unix)]
pub use cluster::RedisCluster;
pub use harness::NetworkHarness;
pub use proxy::{Exchange, FaultProxy, NetworkFault};
#[cfg(unix)]
pub use sentinel::RedisSentinel;
#[cfg(unix)]
pub use server::Server;
pub use stand_in::{Manner, StandIn};
#[cfg(all(unix, feature = "tls"))]
pub use tls::RedisTls;
