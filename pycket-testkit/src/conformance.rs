/// Emits one plain `#[test]` per case of the contract. Each group of cases is a module: `lifecycle`,
/// `values`, `expiry`, `merge`, `expectation`, `version`, `rotation`, `concurrency`, `cancellation`,
/// `isolation`, `errors` and `model`.
///
/// The argument is an expression for a [`Harness`](crate::Harness). Every test evaluates it inside the kit's
/// own runtime, so it may `.await`, and the driver's crate needs no runtime of its own.
///
/// To test several settings of a driver in one file, put each call into a module of its own.
#[macro_export]
macro_rules! conformance {
    ($harness:expr $(,)?) => {
        async fn conformance_harness() -> ::std::boxed::Box<dyn $crate::Harness> {
            ::std::boxed::Box::new($harness)
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
                        let name = $crate::test_name!($group, $case);
                        $crate::run_case(name, super::conformance_harness());
                    }
                )*
            }
        )*
    };
}

/// The name of a test that a macro emits.
#[doc(hidden)]
#[macro_export]
macro_rules! test_name {
    ($group:ident, $case:ident) => {
        $crate::TestName {
            package: env!("CARGO_PKG_NAME"),
            module: module_path!(),
            group: stringify!($group),
            case: stringify!($case),
        }
    };
}
