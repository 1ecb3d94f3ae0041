use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// Work that some part of a test does, as a boxed future.
pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Runs `tasks()` in every order in which their store calls can follow each other, and `check` after
/// each; returns how many orders there were.
///
/// The tasks must wait for nothing but a [`PausingStore`](crate::PausingStore): each poll is then
/// exactly one store call, and choosing whom to poll next is choosing the order. `setup` makes what one
/// run needs, `tasks` the work on it.
///
/// # Panics
///
/// With the order that failed, if a task or the check panics.
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

/// Polls the tasks as `prefix` says, then always the first that is not done. Returns who was polled and
/// how many could have been, each time.
fn run(tasks: Vec<Task>, prefix: &[usize]) -> (Vec<usize>, Vec<Vec<usize>>) {
    let mut tasks: Vec<Option<Task>> = tasks.into_iter().map(Some).collect();
    let mut context = Context::from_waker(Waker::noop());
    let (mut order, mut choices) = (Vec::new(), Vec::new());
    loop {
        let open: Vec<usize> = (0..tasks.len()).filter(|&i| tasks[i].is_some()).collect();
        let Some(&first) = open.first() else {
            return (order, choices);
        };
        let chosen = prefix.get(order.len()).copied().unwrap_or(first);
        order.push(chosen);
        choices.push(open);
        if let Some(task) = &mut tasks[chosen]
            && let Poll::Ready(()) = task.as_mut().poll(&mut context)
        {
            tasks[chosen] = None;
        }
    }
}

/// The next order in the tree of choices: the last choice that has a later alternative takes it.
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
