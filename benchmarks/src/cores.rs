use core_affinity::CoreId;

/// The number of a processor core.
pub(crate) type Core = usize;

/// The cores of the parts of a measurement. The measured server does not share its core.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cores {
    pub(crate) server: Option<Core>,
    /// For the clients, and also for the store if there are only two cores.
    pub(crate) client: Option<Core>,
    pub(crate) store: Option<Core>,
    /// The number of all cores.
    pub(crate) number: usize,
}

impl Cores {
    /// Assigns no cores if there is only one, or if the system does not report them.
    pub(crate) fn assign() -> Self {
        let cores: Vec<Core> =
            core_affinity::get_core_ids().unwrap_or_default().iter().map(|core| core.id).collect();
        let number = cores.len();
        let (server, client, store) = match *cores.as_slice() {
            [] | [_] => (None, None, None),
            [server, client] => (Some(server), Some(client), Some(client)),
            [server, client, store, ..] => (Some(server), Some(client), Some(store)),
        };
        Self { server, client, store, number }
    }
}

/// Binds this thread, and the threads and processes that it starts later, to `core`.
pub(crate) fn bind(core: Option<Core>) {
    if let Some(id) = core {
        core_affinity::set_for_current(CoreId { id });
    }
}
