#![doc = include_str!("../README.md")]

mod error;
mod extract;
mod future;
mod handle;
mod headers;
mod layer;
mod trace;

pub use error::SessionError;
pub use extract::Session;
pub use future::SessionFuture;
pub use handle::SessionHandle;
pub use layer::{SessionLayer, SessionService};
