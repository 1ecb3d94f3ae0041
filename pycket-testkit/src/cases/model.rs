//! Sequences of calls and of requests that nobody thought of, against a small model.
//!
//! The same sequences are tried every time. `PROPTEST_CASES` sets how many (64), `PROPTEST_RNG_SEED`
//! which ones.

use crate::Harness;
use crate::model::{explore, run_calls, run_requests, sequences_of_calls, sequences_of_requests};
use crate::steps::{open, open_two};

/// Whatever the sequence of calls, from either of two servers, each answer is that of a map whose records
/// end in time.
pub async fn every_sequence_of_calls_is_answered_as_by_a_map(harness: &impl Harness) {
    let time = harness.time();
    let start = async || (open_two(harness).await, time.clone());
    explore(&time, sequences_of_calls(), start, run_calls).await;
}

/// Whatever the sequence of what requests do with one visitor's sessions, finished or not when the next
/// begins, each of them reads what the model says, and nothing that was stored is lost.
pub async fn every_sequence_of_requests_is_answered_as_by_a_mapping(harness: &impl Harness) {
    let time = harness.time();
    let start = async || ([open(harness).await, open(harness).await], time.clone());
    explore(&time, sequences_of_requests(&time), start, run_requests).await;
}
