//! The sessions of a user: who is signed in where, and how to end it.
//!
//! The sessions of a user are listed in one record of the sessions' store, the *index* of this user. The record
//! of each session that belongs to a user says how the index lists it.

mod concurrently;
mod ending;
mod handle;
mod index;
mod lifetime;
mod listing;
mod sessions;
mod user_entry;

pub(crate) use concurrently::{Task, concurrently};
pub use handle::UserSessionHandle;
pub(crate) use index::{Listed, Reason, UserIndex};
pub(crate) use lifetime::Lifetime;
pub(crate) use listing::Listing;
pub use sessions::{UserSession, UserSessions};
pub(crate) use user_entry::{UserEntry, check_user_id, cut_label};
