use std::sync::LazyLock;
use std::thread;

use core_affinity::CoreId;

/// The number of a processor core.
pub(crate) type Core = usize;

/// The cores of the parts of a measurement. `None` leaves the choice to the system.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cores {
    pub(crate) server: Option<Core>,
    /// For the clients, and also for the store if there are only two cores.
    pub(crate) client: Option<Core>,
    pub(crate) store: Option<Core>,
}

impl Cores {
    /// The cores for a server with this number of worker threads.
    ///
    /// With one worker, the server has a core for itself, if there are two. With several, it runs where the system
    /// puts it, and the clients and the store have cores for themselves if there are four.
    pub(crate) fn assign(workers: usize) -> Self {
        let cores: Vec<Core> =
            core_affinity::get_core_ids().unwrap_or_default().iter().map(|core| core.id).collect();
        let (server, client, store) = match *cores.as_slice() {
            [server, client] if workers == 1 => (Some(server), Some(client), Some(client)),
            [server, client, store, ..] if workers == 1 => {
                (Some(server), Some(client), Some(store))
            }
            [client, store, _, _, ..] => (None, Some(client), Some(store)),
            _ => (None, None, None),
        };
        Self { server, client, store }
    }
}

/// Counted before the first [`bind`]: a bound thread sees only its own core.
static NUMBER: LazyLock<usize> =
    LazyLock::new(|| thread::available_parallelism().map_or(1, usize::from));

/// The number of cores, which is the number of workers of the default runtime.
pub(crate) fn number() -> usize {
    *NUMBER
}

/// Binds this thread, and the threads and processes that it starts later, to `core`.
pub(crate) fn bind(core: Option<Core>) {
    LazyLock::force(&NUMBER);
    if let Some(id) = core {
        core_affinity::set_for_current(CoreId { id });
    }
}
