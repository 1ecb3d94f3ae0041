mod counting;
mod faulty;
mod pausing;

pub use counting::{Calls, CountingStore};
pub use faulty::{Fault, FaultyStore};
pub use pausing::PausingStore;
