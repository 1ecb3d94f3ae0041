//! The faults have teeth: a driver that copes with all of them passes, and each that is known not to is
//! caught by the one that it cannot cope with.

#![expect(clippy::unwrap_used, reason = "test code: a panic is a failure")]

mod driver;
mod server;

use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use async_trait::async_trait;
use driver::{Defect, Driver};
use pycket_core::SessionStore;
use pycket_testkit::servers::NetworkHarness;
use pycket_testkit::servers::faults::{self, Operation};

/// A driver that is sound but for one thing.
#[derive(Clone, Copy, Debug)]
struct Network(Option<Defect>);

#[async_trait]
impl NetworkHarness for Network {
    fn server(&self) -> SocketAddr {
        server::address()
    }

    async fn open_at(&self, address: SocketAddr, namespace: &str) -> Arc<dyn SessionStore> {
        // The handle that looks at what became of a call is always a sound one.
        let defect = self.0.filter(|_| address != server::address());
        Arc::new(Driver::new(address, namespace, defect))
    }
}

mod a_sound_driver_survives {
    use super::*;
    pycket_testkit::faults!(Network(None));
}

macro_rules! caught {
    ($($test:ident: $defect:ident by $fault:ident of $operation:ident)*) => {
        $(
            #[test]
            fn $test() {
                let harness = Network(Some(Defect::$defect));
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                let trial = faults::$fault(&harness, Operation::$operation);
                let trial = AssertUnwindSafe(|| runtime.unwrap().block_on(trial));
                assert!(catch_unwind(trial).is_err(), "it was not caught");
            }
        )*
    };
}

caught! {
    who_calls_every_failure_unavailable: EverythingIsUnavailable by answer_is_cut of Update
    who_writes_again_after_a_lost_answer: WritesAgain by answer_is_cut of Create
    who_takes_the_end_for_an_answer: TheEndIsAnAnswer by answer_is_truncated of Load
    who_takes_a_cut_for_nothing: TheEndIsAnAnswer by request_is_cut of Load
    who_waits_for_ever: WaitsForEver by answer_is_swallowed of Load
    who_waits_for_ever_for_a_lost_request: WaitsForEver by request_is_swallowed of Delete
    who_keeps_a_silent_connection: KeepsTheConnection by answer_is_swallowed of Load
    who_reads_the_answer_to_another_call: KeepsTheConnection by answer_is_delayed of Load
    who_keeps_a_connection_with_a_late_request: KeepsTheConnection by request_is_delayed of Update
    who_believes_every_answer: BelievesEverything by answer_is_corrupted of Load
    who_panics_at_nonsense: Panics by answer_is_corrupted of Touch
    who_shows_the_id: ShowsTheId by request_is_truncated of Delete
}
