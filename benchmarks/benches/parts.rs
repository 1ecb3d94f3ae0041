#![expect(clippy::unwrap_used, reason = "a failure ends the benchmark")]
//! The cost of each part of a request. `docs/performance.md` adds them up.

#[path = "parts/cookie.rs"]
mod cookie;
#[path = "parts/layer.rs"]
mod layer;
#[path = "parts/memory.rs"]
mod memory;
#[path = "parts/no_store.rs"]
mod no_store;
#[path = "parts/session.rs"]
mod session;
#[path = "parts/value.rs"]
mod value;

#[global_allocator]
static ALLOCATOR: divan::AllocProfiler = divan::AllocProfiler::system();

fn main() {
    divan::main();
}

/// Polls a future that is ready at once. Without a reactor, the result is the cost of the future alone.
fn ready<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut context) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => unreachable!("the future is not ready"),
    }
}
