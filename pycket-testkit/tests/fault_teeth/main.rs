//! The fault cases catch broken drivers: a sound driver passes all of them, and each broken driver fails the
//! case for its defect.

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

/// A driver with one defect, or none.
#[derive(Clone, Copy, Debug)]
struct Network(Option<Defect>);

#[async_trait]
impl NetworkHarness for Network {
    fn server(&self) -> SocketAddr {
        server::address()
    }

    async fn open_at(&self, address: SocketAddr, namespace: &str) -> Arc<dyn SessionStore> {
        // The direct handle, which checks what a call did, is always sound.
        let defect = self.0.filter(|_| address != server::address());
        Arc::new(Driver::new(address, namespace, defect))
    }
}

mod sound_driver_passes {
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
                assert!(catch_unwind(trial).is_err(), "no case caught it");
            }
        )*
    };
}

caught! {
    driver_that_reports_every_failure_as_unavailable: ReportsEverythingAsUnavailable by answer_is_cut of Update
    driver_that_repeats_a_write_after_a_lost_answer: RepeatsWrites by answer_is_cut of Create
    driver_that_reads_the_end_of_a_connection_as_an_answer: ReadsTheEndAsAnAnswer by answer_is_truncated of Load
    driver_that_reads_a_cut_connection_as_an_absent_record: ReadsTheEndAsAnAnswer by request_is_cut of Load
    driver_that_waits_forever_for_an_answer: WaitsForever by answer_is_swallowed of Load
    driver_that_waits_forever_after_a_lost_request: WaitsForever by request_is_swallowed of Delete
    driver_that_keeps_a_silent_connection: KeepsTheConnection by answer_is_swallowed of Load
    driver_that_reads_the_answer_to_another_call: KeepsTheConnection by answer_is_delayed of Load
    driver_that_keeps_a_connection_with_a_late_request: KeepsTheConnection by request_is_delayed of Update
    driver_that_reads_nonsense_as_an_absent_record: BelievesEverything by answer_is_corrupted of Load
    driver_that_panics_at_nonsense: Panics by answer_is_corrupted of Touch
    driver_that_shows_the_id: ShowsTheId by request_is_truncated of Delete
}
