#![doc = include_str!("../README.md")]

mod header;
mod key_ring;
mod session_cookie;
mod settings;
mod signer;

pub use key_ring::KeyRing;
pub use session_cookie::{Presented, SessionCookie};
pub use settings::{CookieSettings, CookieSettingsBuilder, Persistence, SameSite};
