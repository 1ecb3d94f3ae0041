//! Random sequences of calls, compared with a small model. A failing sequence is shortened and printed as a
//! test.

mod calls;
mod client;
mod explore;
mod records;
mod requests;
mod script;

pub(crate) use calls::run as run_calls;
pub(crate) use calls::sequences as sequences_of_calls;
pub(crate) use explore::explore;
pub(crate) use requests::run as run_requests;
pub(crate) use requests::sequences as sequences_of_requests;
