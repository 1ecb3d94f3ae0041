//! The cases of [`faults!`](crate::faults!): functions of a [`NetworkHarness`] and an [`Operation`]. Each
//! panics if the driver handles the fault in its description wrongly.

mod operation;
mod trial;

use tokio::runtime::Builder;

pub use operation::Operation;
use trial::try_every_exchange;

use super::proxy::Side;
use super::{NetworkFault, NetworkHarness};
use crate::cases::description;
use crate::run::{TestName, explain_panic};

use NetworkFault::{Corrupt, Cut, Delay, Swallow, Truncate};

/// The connection ends before the request has reached the server.
pub async fn request_is_cut(harness: &impl NetworkHarness, operation: Operation) {
    try_every_exchange(harness, operation, Side::Request, |_| vec![Cut]).await;
}

/// The connection ends when a part of the request has reached the server.
pub async fn request_is_truncated(harness: &impl NetworkHarness, operation: Operation) {
    try_every_exchange(harness, operation, Side::Request, |seen| truncations(seen.request)).await;
}

/// The request never reaches the server, and the connection stays open.
pub async fn request_is_swallowed(harness: &impl NetworkHarness, operation: Operation) {
    try_every_exchange(harness, operation, Side::Request, |_| vec![Swallow]).await;
}

/// The request reaches the server after the client has stopped waiting for the answer.
pub async fn request_is_delayed(harness: &impl NetworkHarness, operation: Operation) {
    try_every_exchange(harness, operation, Side::Request, |_| vec![Delay]).await;
}

/// The connection ends after the server has answered, before the answer reaches the client.
pub async fn answer_is_cut(harness: &impl NetworkHarness, operation: Operation) {
    try_every_exchange(harness, operation, Side::Answer, |_| vec![Cut]).await;
}

/// The connection ends when a part of the answer has reached the client.
pub async fn answer_is_truncated(harness: &impl NetworkHarness, operation: Operation) {
    try_every_exchange(harness, operation, Side::Answer, |seen| truncations(seen.answer)).await;
}

/// The answer never reaches the client, and the connection stays open.
pub async fn answer_is_swallowed(harness: &impl NetworkHarness, operation: Operation) {
    try_every_exchange(harness, operation, Side::Answer, |_| vec![Swallow]).await;
}

/// The answer reaches the client after the client has stopped waiting for it.
pub async fn answer_is_delayed(harness: &impl NetworkHarness, operation: Operation) {
    try_every_exchange(harness, operation, Side::Answer, |_| vec![Delay]).await;
}

/// The first byte of the answer is wrong. In every protocol that we know, this byte says what follows, so
/// the driver can see the fault. (It cannot see a wrong byte inside a value; the checksums of TCP and TLS
/// protect against that.)
pub async fn answer_is_corrupted(harness: &impl NetworkHarness, operation: Operation) {
    let corrupt = Corrupt { offset: 0, mask: 0x80 };
    try_every_exchange(harness, operation, Side::Answer, |_| vec![corrupt]).await;
}

/// After the first byte, after a quarter, a half and three quarters, and before the last byte.
fn truncations(length: usize) -> Vec<NetworkFault> {
    let mut places = vec![1, length / 4, length / 2, length / 4 * 3, length.saturating_sub(1)];
    places.retain(|after| (1..length).contains(after));
    places.dedup();
    places.into_iter().map(|after| Truncate { after }).collect()
}

/// Runs one operation with one fault. If it panics, prints the fault and how to repeat the test.
///
/// In a runtime of its own, because pausing the clock affects the whole runtime.
#[doc(hidden)]
pub fn run(test: TestName, trial: impl Future<Output = ()>) {
    let fault = description(include_str!("faults.rs"), test.case).unwrap_or_default();
    let message = format!("`{}` fails under this fault:\n  {fault}", test.group);
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime can be built");
    explain_panic(test, &message, || runtime.block_on(trial));
}
