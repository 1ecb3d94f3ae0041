//! What several test programs use to run requests whose calls they order themselves.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// Runs a future that waits for nothing but pauses. A runtime for each would cost more than the future.
pub(crate) fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(result) = future.as_mut().poll(&mut context) {
            return result;
        }
    }
}
