#![doc = include_str!("../README.md")]

mod changes;
mod clock;
mod error;
mod id;
mod key_space;
mod memory;
mod record;
mod store;
mod ttl;
mod value;

pub use changes::Changes;
pub use clock::{Clock, SystemClock, Timestamp};
pub use error::{Error, ErrorKind};
pub use id::SessionId;
pub use key_space::KeySpace;
pub use memory::MemoryStore;
pub use record::{Metadata, Record};
pub use store::{Creation, Loaded, SessionStore, Update};
pub use ttl::Ttl;
pub use value::Value;
