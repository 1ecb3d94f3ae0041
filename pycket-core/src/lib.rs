#![doc = include_str!("../README.md")]

mod changes;
mod clock;
mod completion;
pub mod driver;
mod error;
mod event;
mod expiry;
mod id;
mod key_space;
mod manager;
mod memory;
mod record;
mod session;
mod store;
mod timeouts;
mod ttl;
mod users;
mod value;
mod version;

pub use changes::Changes;
pub use clock::{Clock, SystemClock, Timestamp};
pub use error::{Error, ErrorKind};
pub use event::Event;
pub use expiry::{Expiry, ExpiryBuilder, Renew};
pub use id::SessionId;
pub use key_space::KeySpace;
pub use manager::{SessionManager, SessionManagerBuilder};
pub use memory::{MemoryStore, MemoryStoreBuilder};
pub use record::{Metadata, Record};
pub use session::{IdChange, Notifications, Outcome, Session, Values};
pub use store::{Creation, Loaded, SessionStore, Update};
pub use ttl::Ttl;
pub use users::{UserSession, UserSessionHandle, UserSessions};
pub use value::Value;
pub use version::Version;
