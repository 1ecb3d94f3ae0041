/// Emits one plain `#[test]` per operation and fault of the network, in the modules `create`, `load`,
/// `update`, `touch` and `delete`.
///
/// The argument is an expression for a [`NetworkHarness`](crate::NetworkHarness), evaluated anew by every
/// test, inside a runtime of its own. Each test strikes every exchange that the call makes, one at a time,
/// with a handle that is connected and with one that is not: connecting too is a part of the call. It
/// then looks by another handle at what became of the call. Whatever happens to the bytes,
///
/// - the call ends, with the right answer or with an error that says what became of it, and shows no id;
/// - what was acknowledged is there, and what was not is there whole or not at all;
/// - [`Unavailable`](pycket_core::ErrorKind::Unavailable) is said only if it did not happen;
/// - afterwards the same handle works, and gets the answers to its own calls.
///
/// ```no_run
/// use std::net::SocketAddr;
/// use std::sync::Arc;
/// # use pycket_core::{MemoryStore, SessionStore};
/// use pycket_testkit::{NetworkHarness, Server};
/// # #[derive(Debug)] struct Opener;
/// # impl Opener {
/// #     fn prefix(self, _: &str) -> Self { self }
/// #     fn open(self) -> MemoryStore { MemoryStore::new() }
/// # }
/// # struct MyStore;
/// # impl MyStore { fn at(_: SocketAddr) -> Opener { Opener } }
///
/// struct MyServer(Server);
///
/// #[async_trait::async_trait]
/// impl NetworkHarness for MyServer {
///     fn server(&self) -> SocketAddr {
///         self.0.address()
///     }
///
///     async fn open_at(&self, address: SocketAddr, namespace: &str) -> Arc<dyn SessionStore> {
///         Arc::new(MyStore::at(address).prefix(namespace).open())
///     }
/// }
///
/// pycket_testkit::faults!(MyServer(Server::redis()));
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! faults {
    ($harness:expr $(,)?) => {
        async fn faults_harness() -> impl $crate::NetworkHarness {
            $harness
        }

        $crate::for_every_fault!([$crate::emit_fault_tests] create Create);
        $crate::for_every_fault!([$crate::emit_fault_tests] load Load);
        $crate::for_every_fault!([$crate::emit_fault_tests] update Update);
        $crate::for_every_fault!([$crate::emit_fault_tests] touch Touch);
        $crate::for_every_fault!([$crate::emit_fault_tests] delete Delete);
    };
}

/// The one list of the faults; whoever needs it hands in the macro to be called with it, and words for it.
#[doc(hidden)]
#[macro_export]
macro_rules! for_every_fault {
    ([$($callback:tt)+] $($words:ident)*) => {
        $($callback)+! {
            $($words)* {
                whose_request_is_cut
                whose_request_is_truncated
                whose_request_is_swallowed
                whose_request_is_delayed
                whose_answer_is_cut
                whose_answer_is_truncated
                whose_answer_is_swallowed
                whose_answer_is_delayed
                whose_answer_is_corrupted
            }
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! emit_fault_tests {
    ($module:ident $operation:ident { $($fault:ident)* }) => {
        mod $module {
            $(
                #[test]
                fn $fault() {
                    let place = $crate::Place {
                        package: env!("CARGO_PKG_NAME"),
                        module: module_path!(),
                        group: stringify!($module),
                        case: stringify!($fault),
                    };
                    $crate::run_fault(place, async {
                        let harness = super::faults_harness().await;
                        let operation = $crate::faults::Operation::$operation;
                        $crate::faults::$fault(&harness, operation).await;
                    });
                }
            )*
        }
    };
}
