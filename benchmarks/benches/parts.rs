#![expect(clippy::unwrap_used, reason = "a benchmark that fails has nothing to tell")]
//! What the parts of a request cost, each by itself. `docs/performance.md` adds them up.

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

/// Polls a future that needs no reactor: what it costs is the future's alone.
fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut context) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => unreachable!("nothing here waits"),
    }
}
