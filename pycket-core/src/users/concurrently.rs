use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

/// The maximum number of store calls that one operation has under way at the same time.
const LIMIT: usize = 16;

/// One of the futures. It is boxed with this type, because the compiler cannot prove that a closure which returns a
/// future with references is `Send`.
pub(crate) type Task<'t, T> = Pin<Box<dyn Future<Output = T> + Send + 't>>;

/// Runs the tasks, at most 16 at the same time, and returns their results in order.
pub(crate) async fn concurrently<T: Send>(tasks: Vec<Task<'_, T>>) -> Vec<T> {
    let mut waiting = tasks.into_iter().enumerate();
    let mut running: Vec<(usize, Task<'_, T>)> = Vec::new();
    let mut results = Vec::new();
    poll_fn(|context| {
        // Those that run already are polled once; each one that starts is polled once, too.
        let mut unpolled = std::mem::take(&mut running);
        loop {
            let free = LIMIT - running.len() - unpolled.len();
            let next = waiting.by_ref().take(free);
            unpolled.extend(next);
            if unpolled.is_empty() {
                return if running.is_empty() { Poll::Ready(()) } else { Poll::Pending };
            }
            for (place, mut future) in unpolled.drain(..) {
                match future.as_mut().poll(context) {
                    Poll::Ready(result) => results.push((place, result)),
                    Poll::Pending => running.push((place, future)),
                }
            }
        }
    })
    .await;
    results.sort_by_key(|(place, _)| *place);
    results.into_iter().map(|(_, result)| result).collect()
}
