use std::pin::Pin;
use std::task::{Context, Waker};

/// One task of a test, as a boxed future.
pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Runs `tasks()` in every possible order of their store calls, and `check` after each run. Returns the
/// number of orders.
///
/// The tasks must wait only for a [`PausingStore`](crate::PausingStore), which pauses before each call. First each
/// task runs up to its first call. From then on each poll is exactly one store call, and the order of the polls is
/// the order of the calls. `setup` makes what one run needs; `tasks` makes the tasks that use it.
///
/// # Panics
///
/// If a task or the check panics. The check gets the order as its second argument, to show it.
pub fn every_order<S>(
    setup: impl Fn() -> S,
    tasks: impl Fn(&S) -> Vec<Task>,
    check: impl Fn(&S, &[usize]),
) -> usize {
    let mut orders = 0;
    let mut next = Some(Vec::new());
    while let Some(prefix) = next {
        let world = setup();
        let (order, choices) = run(tasks(&world), &prefix);
        check(&world, &order);
        orders += 1;
        next = successor(order, &choices);
    }
    orders
}

/// Polls the tasks in the order of `prefix`, then always the first that is not done. Returns which task was
/// polled each time, and which ones could have been.
fn run(mut tasks: Vec<Task>, prefix: &[usize]) -> (Vec<usize>, Vec<Vec<usize>>) {
    let mut context = Context::from_waker(Waker::noop());
    let mut is_done = |task: &mut Task| task.as_mut().poll(&mut context).is_ready();
    // Up to their first calls, the tasks meet in no store: one order of these polls is enough.
    let mut done: Vec<bool> = tasks.iter_mut().map(&mut is_done).collect();
    let (mut order, mut choices) = (Vec::new(), Vec::new());
    loop {
        let open: Vec<usize> = (0..tasks.len()).filter(|&i| !done[i]).collect();
        let Some(&first) = open.first() else {
            return (order, choices);
        };
        let chosen = prefix.get(order.len()).copied().unwrap_or(first);
        order.push(chosen);
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
