use core_affinity::CoreId;

/// The number of a processor core.
pub(crate) type Core = usize;

/// Where the parts of a measurement run, so that the server has a core that nobody else here uses.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cores {
    pub(crate) server: Option<Core>,
    /// The load generator's, and the store's where there are only two cores.
    pub(crate) client: Option<Core>,
    pub(crate) store: Option<Core>,
    /// How many there are.
    pub(crate) number: usize,
}

impl Cores {
    /// Nobody is bound to a core if there is only one, or the system does not tell.
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

/// Binds this thread, and the threads and processes that it starts from now on, to `core`.
pub(crate) fn bind(core: Option<Core>) {
    if let Some(id) = core {
        core_affinity::set_for_current(CoreId { id });
    }
}
