//! Random sequences of calls and of requests, compared with a small model.
//!
//! Every run tries the same sequences. `PROPTEST_CASES` sets how many (64), `PROPTEST_RNG_SEED` which ones.

use crate::Harness;
use crate::fixtures::{open, open_two};
use crate::model::{explore, run_calls, run_requests, sequences_of_calls, sequences_of_requests};

/// Whatever the sequence of calls, from two servers, each answer is that of a map whose records expire.
pub async fn calls_agree_with_the_model(harness: &dyn Harness) {
    let time = harness.time();
    let start = async || (open_two(harness).await, time.clone());
    explore(&time, sequences_of_calls(), start, run_calls).await;
}

/// Whatever the requests of one client do with its sessions, one after the other or overlapping, each reads
/// what the model says, and no stored value is lost.
pub async fn requests_agree_with_the_model(harness: &dyn Harness) {
    let time = harness.time();
    let start = async || ([open(harness).await, open(harness).await], time.clone());
    explore(&time, sequences_of_requests(&time), start, run_requests).await;
}
