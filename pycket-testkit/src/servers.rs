#![doc = include_str!("servers/README.md")]

#[cfg(unix)]
mod cluster;
#[cfg(unix)]
mod command;
mod fake_server;
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
mod send;
#[cfg(unix)]
mod sentinel;
#[cfg(unix)]
mod server;
#[cfg(all(unix, feature = "tls"))]
mod tls;
#[cfg(unix)]
mod watchdog;

#[cfg(unix)]
pub use cluster::RedisCluster;
#[cfg(unix)]
pub use command::{ServerCommand, unreachable_address};
pub use fake_server::{Behavior, FakeServer};
pub use harness::NetworkHarness;
pub use proxy::{Exchange, FaultProxy, NetworkFault};
#[cfg(unix)]
pub use sentinel::RedisSentinel;
#[cfg(unix)]
pub use server::Server;
#[cfg(all(unix, feature = "tls"))]
pub use tls::RedisTls;
