#![doc = include_str!("../README.md")]

mod error;
mod extract;
mod future;
mod handle;
mod headers;
mod layer;
mod trace;

pub use error::SessionError;
pub use extract::{Notifications, Session};
pub use future::SessionFuture;
pub use handle::SessionHandle;
pub use layer::{SessionLayer, SessionService};

/// The examples of the repository's documents, compiled as tests.
#[cfg(doctest)]
mod documents {
    #[doc = include_str!("../../README.md")]
    struct Readme;

    #[doc = include_str!("../../SECURITY.md")]
    struct Security;

    #[doc = include_str!("../../docs/from-pycket.md")]
    struct FromPycket;
}
