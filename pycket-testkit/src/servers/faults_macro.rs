/// Emits one plain `#[test]` per operation and network fault, in the modules `create`, `load`, `update`,
/// `touch` and `delete`. Needs the feature `servers`.
///
/// The argument is an expression for a [`NetworkHarness`](crate::servers::NetworkHarness). Every test
/// evaluates it in a runtime of its own. The test hits every exchange that the call makes, one at a time,
/// with a handle that is connected and with one that has to connect first. Then it looks over another handle
/// at what the call did. Whatever happens to the bytes,
///
/// - the call ends, with the right answer or with an error that tells the outcome and shows no id;
/// - an acknowledged call happened; any other happened whole or not at all;
/// - [`Unavailable`](pycket_core::ErrorKind::Unavailable) means that the call did not happen;
/// - afterwards the same handle works, and gets the answers to its own calls.
#[macro_export]
macro_rules! faults {
    ($harness:expr $(,)?) => {
        async fn faults_harness() -> impl $crate::servers::NetworkHarness {
            $harness
        }

        $crate::for_every_fault!([$crate::emit_fault_tests] create Create);
        $crate::for_every_fault!([$crate::emit_fault_tests] load Load);
        $crate::for_every_fault!([$crate::emit_fault_tests] update Update);
        $crate::for_every_fault!([$crate::emit_fault_tests] touch Touch);
        $crate::for_every_fault!([$crate::emit_fault_tests] delete Delete);
    };
}

/// The list of the faults. Calls the given macro with it, after the given words.
#[doc(hidden)]
#[macro_export]
macro_rules! for_every_fault {
    ([$($callback:tt)+] $($words:ident)*) => {
        $($callback)+! {
            $($words)* {
                request_is_cut
                request_is_truncated
                request_is_swallowed
                request_is_delayed
                answer_is_cut
                answer_is_truncated
                answer_is_swallowed
                answer_is_delayed
                answer_is_corrupted
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
                    let test = $crate::test_name!($module, $fault);
                    $crate::servers::faults::run(test, async {
                        let harness = super::faults_harness().await;
                        let operation = $crate::servers::faults::Operation::$operation;
                        $crate::servers::faults::$fault(&harness, operation).await;
                    });
                }
            )*
        }
    };
}
