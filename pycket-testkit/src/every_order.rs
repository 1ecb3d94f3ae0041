use std::panic::{self, AssertUnwindSafe};
use std::pin::Pin;
use std::task::{Context, Waker};

/// One task of a test, as a boxed future.
pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Runs `tasks()` in every possible order of their store calls, and `check` after each run. Returns the
/// number of orders.
///
/// The tasks must wait only for a [`PausingStore`](crate::PausingStore), which pauses before each call. First each
/// task runs up to its first call. From then on each poll is exactly one store call, and the order of the polls is
/// the order of the calls. A task that shares more than the store, for example a clock that it moves, waits for
/// `tokio::task::yield_now()` before, which counts as a call. `setup` makes what one run needs; `tasks` makes the tasks
/// that use it.
///
/// ```
/// use std::sync::Arc;
///
/// use pycket_core::{MemoryStore, Session, SessionManager};
/// use pycket_testkit::{PausingStore, Task, block_on, every_order};
///
/// let setup = || {
///     let manager = SessionManager::new(PausingStore::new(Arc::new(MemoryStore::new())));
///     let session = block_on(manager.open(None)).unwrap();
///     session.set("visits", &0).unwrap();
///     block_on(session.commit()).unwrap();
///     (manager, session.id())
/// };
/// let visit = |manager: SessionManager, id| -> Task {
///     Box::pin(async move {
///         let session: Session = manager.open(id).await.unwrap();
///         session.update("visits", |n: Option<u32>| n.unwrap_or(0) + 1).await.unwrap();
///     })
/// };
/// every_order(
///     setup,
///     |(manager, id)| vec![visit(manager.clone(), *id), visit(manager.clone(), *id)],
///     |(manager, id)| {
///         let session = block_on(manager.open(*id)).unwrap();
///         assert_eq!(session.get::<u32>("visits").unwrap(), Some(2));
///     },
/// );
/// ```
///
/// # Panics
///
/// If a task or the check panics. Then a second message shows the order, as the positions of the tasks in `tasks()`.
pub fn every_order<S>(
    setup: impl Fn() -> S,
    tasks: impl Fn(&S) -> Vec<Task>,
    check: impl Fn(&S),
) -> usize {
    let mut orders = 0;
    let mut next = Some(Vec::new());
    while let Some(mut order) = next {
        let run_and_check = || {
            let world = setup();
            let choices = run(tasks(&world), &mut order);
            check(&world);
            choices
        };
        let Ok(choices) = panic::catch_unwind(AssertUnwindSafe(run_and_check)) else {
            panic!("in this order of the tasks: {order:?}");
        };
        orders += 1;
        next = successor(order, &choices);
    }
    orders
}

/// Polls the tasks in this order, then always the first that is not done, and completes the order with it. Returns
/// which tasks could have been polled each time.
fn run(mut tasks: Vec<Task>, order: &mut Vec<usize>) -> Vec<Vec<usize>> {
    let mut context = Context::from_waker(Waker::noop());
    let mut is_done = |task: &mut Task| task.as_mut().poll(&mut context).is_ready();
    // Up to their first calls, the tasks meet in no store: one order of these polls is enough.
    let mut done: Vec<bool> = tasks.iter_mut().map(&mut is_done).collect();
    let mut choices = Vec::new();
    loop {
        let open: Vec<usize> = (0..tasks.len()).filter(|&i| !done[i]).collect();
        let Some(&first) = open.first() else {
            return choices;
        };
        if order.len() == choices.len() {
            order.push(first);
        }
        let chosen = order[choices.len()];
        choices.push(open);
        done[chosen] = is_done(&mut tasks[chosen]);
    }
}

/// The next order: the last choice that has a later alternative takes it.
fn successor(mut order: Vec<usize>, choices: &[Vec<usize>]) -> Option<Vec<usize>> {
    while let Some(last) = order.pop() {
        let open = &choices[order.len()];
        if let Some(&later) = open.iter().find(|&&choice| choice > last) {
            order.push(later);
            return Some(order);
        }
    }
    None
}
