//! The faults of a network: each an ordinary function of a [`NetworkHarness`] and an [`Operation`] that
//! panics if the driver does not cope with it.
//!
//! [`faults!`](crate::faults!) makes a test of every one of them with every operation.

mod operation;
mod survey;

pub use operation::Operation;
use survey::{Side, survey};

use crate::{NetworkFault, NetworkHarness};

use NetworkFault::{Corrupt, Cut, Delay, Swallow, Truncate};

/// The connection ends before the request has reached the server.
pub async fn whose_request_is_cut(harness: &impl NetworkHarness, operation: Operation) {
    survey(harness, operation, Side::Request, |_| vec![Cut]).await;
}

/// The connection ends when a part of the request has reached the server.
pub async fn whose_request_is_truncated(harness: &impl NetworkHarness, operation: Operation) {
    survey(harness, operation, Side::Request, |seen| truncations(seen.request)).await;
}

/// The request never reaches the server, and the connection stays open.
pub async fn whose_request_is_swallowed(harness: &impl NetworkHarness, operation: Operation) {
    survey(harness, operation, Side::Request, |_| vec![Swallow]).await;
}

/// The request reaches the server when nobody waits for the answer any more.
pub async fn whose_request_is_delayed(harness: &impl NetworkHarness, operation: Operation) {
    survey(harness, operation, Side::Request, |_| vec![Delay]).await;
}

/// The connection ends after the server has answered, and before the answer comes.
pub async fn whose_answer_is_cut(harness: &impl NetworkHarness, operation: Operation) {
    survey(harness, operation, Side::Answer, |_| vec![Cut]).await;
}

/// The connection ends when a part of the answer has come.
pub async fn whose_answer_is_truncated(harness: &impl NetworkHarness, operation: Operation) {
    survey(harness, operation, Side::Answer, |seen| truncations(seen.answer)).await;
}

/// The answer never comes, and the connection stays open.
pub async fn whose_answer_is_swallowed(harness: &impl NetworkHarness, operation: Operation) {
    survey(harness, operation, Side::Answer, |_| vec![Swallow]).await;
}

/// The answer comes when nobody waits for it any more.
pub async fn whose_answer_is_delayed(harness: &impl NetworkHarness, operation: Operation) {
    survey(harness, operation, Side::Answer, |_| vec![Delay]).await;
}

/// The first byte of the answer is not what the server said. In every protocol that we know it says what
/// follows, so the driver can see that something is wrong. (A wrong byte inside a value cannot be seen:
/// against that there are the checksums of TCP, and TLS.)
pub async fn whose_answer_is_corrupted(harness: &impl NetworkHarness, operation: Operation) {
    survey(harness, operation, Side::Answer, |_| vec![Corrupt { offset: 0, mask: 0x80 }]).await;
}

/// The first byte, some in the middle, and all but the last.
fn truncations(length: usize) -> Vec<NetworkFault> {
    let mut places = vec![1, length / 4, length / 2, length / 4 * 3, length.saturating_sub(1)];
    places.retain(|after| (1..length).contains(after));
    places.dedup();
    places.into_iter().map(|after| Truncate { after }).collect()
}

/// What the fault says of itself: the description above its definition, on one line.
pub(crate) fn description(fault: &str) -> Option<String> {
    crate::cases::description(include_str!("faults.rs"), fault)
}
