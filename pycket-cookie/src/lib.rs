#![doc = include_str!("../README.md")]

mod cookie_header;
mod key_ring;
mod presented;
mod session_cookie;
mod session_header;
mod settings;
mod signer;

pub use key_ring::{KeyRing, KeyRingBuilder};
pub use presented::{Presented, SignedId};
pub use session_cookie::SessionCookie;
pub use session_header::SessionHeader;
pub use settings::{CookieSettings, CookieSettingsBuilder, Persistence, SameSite};
