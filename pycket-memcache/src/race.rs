use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use pycket_core::{Error, ErrorKind};
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::{Instant, sleep, timeout_at};

/// More than there are records on one server that many requests of one process fight for at a time.
const TURNS: usize = 64;

const SHORTEST_PAUSE: Duration = Duration::from_millis(1);

/// A pause is at most `SHORTEST_PAUSE` times two to the power of this.
const MOST_DOUBLINGS: u32 = 7;

/// Who of this process may try again, of those who were beaten to a record by another writer. They do so
/// one after the other, so that each of them has only other processes to lose to.
pub(crate) struct Turns(Box<[Mutex<()>]>);

/// The attempts of one operation to come first.
pub(crate) struct Race<'t> {
    turns: &'t Turns,
    hash: u64,
    deadline: Instant,
    turn: Option<MutexGuard<'t, ()>>,
    losses: u32,
}

impl Turns {
    pub(crate) fn new() -> Self {
        Self((0..TURNS).map(|_| Mutex::default()).collect())
    }

    /// A race for the record of which this is the hash, to be won within so long.
    pub(crate) fn race(&self, hash: u64, limit: Duration) -> Race<'_> {
        Race { turns: self, hash, deadline: Instant::now() + limit, turn: None, losses: 0 }
    }

    fn of(&self, hash: u64) -> &Mutex<()> {
        let index = usize::try_from(hash % TURNS as u64).unwrap_or(0);
        #[expect(clippy::indexing_slicing, reason = "reduced modulo the length just above")]
        &self.0[index]
    }
}

impl Race<'_> {
    /// After another writer came first: waits until it is worth trying again.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`] when the time is over.
    pub(crate) async fn lost(&mut self) -> Result<(), Error> {
        if self.turn.is_none() {
            let turn = timeout_at(self.deadline, self.turns.of(self.hash).lock()).await;
            self.turn = Some(turn.map_err(|_| too_late())?);
            return Ok(());
        }
        sleep(pause(self.losses)).await;
        self.losses += 1;
        if Instant::now() < self.deadline { Ok(()) } else { Err(too_late()) }
    }
}

/// A random part of a time that grows with every loss, so that those who met do not meet again.
fn pause(losses: u32) -> Duration {
    let longest = SHORTEST_PAUSE * (1 << losses.min(MOST_DOUBLINGS));
    let nanos = u64::try_from(longest.as_nanos()).unwrap_or(u64::MAX);
    Duration::from_nanos(RandomState::new().hash_one(losses) % nanos)
}

fn too_late() -> Error {
    Error::new(
        ErrorKind::Conflict,
        "other writers of this session came first until the deadline; nothing was stored",
    )
}
