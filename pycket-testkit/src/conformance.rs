/// Emits one plain `#[test]` per case of the contract, in the modules `lifecycle`, `values`, `expiry`,
/// `merge`, `expectation`, `rotation`, `concurrency`, `cancellation`, `isolation` and `errors`.
///
/// The argument is an expression for a [`Harness`](crate::Harness). Every test evaluates it anew, inside
/// the kit's own runtime, so it may `.await`; the driver's crate needs no runtime of its own.
///
/// To test several settings of a driver in one file put each call into a module of its own:
///
/// ```
/// # use std::sync::Arc;
/// # use pycket_core::{MemoryStore, SessionStore};
/// # use pycket_testkit::{Harness, Time};
/// #[derive(Debug)]
/// struct Bounded(Arc<MemoryStore>);
/// # impl Bounded { fn new(_: usize) -> Self { Self(Arc::default()) } }
/// # #[async_trait::async_trait]
/// # impl Harness for Bounded {
/// #     async fn open(&self, _: &str) -> Arc<dyn SessionStore> { self.0.clone() }
/// #     fn time(&self) -> Time { Time::Real }
/// #     async fn unreachable(&self) -> Option<Arc<dyn SessionStore>> { None }
/// # }
///
/// mod small {
///     use super::*;
///     pycket_testkit::conformance!(Bounded::new(10_000));
/// }
/// mod large {
///     use super::*;
///     pycket_testkit::conformance!(Bounded::new(1_000_000));
/// }
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! conformance {
    ($harness:expr $(,)?) => {
        async fn conformance_harness() -> impl $crate::Harness {
            $harness
        }

        $crate::for_every_case!($crate::emit_tests);
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! emit_tests {
    ($($group:ident { $($case:ident)* })*) => {
        $(
            mod $group {
                $(
                    #[test]
                    fn $case() {
                        let place = $crate::Place {
                            package: env!("CARGO_PKG_NAME"),
                            module: module_path!(),
                            group: stringify!($group),
                            case: stringify!($case),
                        };
                        $crate::run_case(place, async {
                            let harness = super::conformance_harness().await;
                            $crate::cases::$group::$case(&harness).await;
                        });
                    }
                )*
            }
        )*
    };
}
