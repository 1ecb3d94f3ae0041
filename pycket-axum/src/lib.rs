#![doc = include_str!("../README.md")]
// docs.rs shows which feature an item needs.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod body;
mod cache_control;
mod error;
mod event_log;
mod future;
mod handle;
mod layer;
mod notifications;
mod opened;
mod require_user;
mod service;
mod session;
#[cfg(feature = "test-client")]
mod test_client;
mod transport;
mod unfinished;
mod user;

pub use body::SessionBody;
pub use error::SessionError;
pub use future::SessionFuture;
pub use handle::SessionHandle;
pub use layer::{SessionLayer, SessionLayerBuilder};
pub use notifications::Notifications;
pub use require_user::{RequireUser, RequireUserService, local_path};
pub use service::SessionService;
pub use session::Session;
#[cfg(feature = "test-client")]
pub use test_client::TestClient;
pub use user::{FromUserId, User, UserRejection};

#[doc(no_inline)]
pub use pycket_cookie::{
    self, CookieSettings, CookieSettingsBuilder, KeyRing, KeyRingBuilder, Persistence, SameSite,
};
#[doc(no_inline)]
pub use pycket_core::{
    self, Error, ErrorKind, Event, Expiry, ExpiryBuilder, MemoryStore, MemoryStoreBuilder, Renew,
    SessionManager, SessionManagerBuilder, SessionStore, UserSession, UserSessionHandle,
    UserSessions, Value, Values,
};
#[cfg(feature = "memcache")]
#[doc(no_inline)]
pub use pycket_memcache::{self, MemcacheStore, MemcacheStoreBuilder};
#[cfg(feature = "redis")]
#[doc(no_inline)]
pub use pycket_redis::{self, RedisStore, RedisStoreBuilder};

/// The examples of the repository's documents, compiled as tests.
#[cfg(all(doctest, feature = "redis", feature = "test-client"))]
mod documents {
    #[doc = include_str!("../../README.md")]
    struct Readme;
    #[doc = include_str!("../../SECURITY.md")]
    struct Security;
    #[doc = include_str!("../../docs/from-pycket.md")]
    struct FromPycket;
    #[doc = include_str!("../../docs/cookbook.md")]
    struct Cookbook;
}
