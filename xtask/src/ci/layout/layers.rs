use crate::metadata::Package;

/// The members that others than drivers and the cookie may depend on. Whoever is not listed may depend
/// on `pycket-core` alone, so that a new driver need not be listed.
const EXCEPTIONS: [(&str, &[&str]); 3] =
    [("pycket-core", &[]), ("pycket-axum", &["pycket-core", "pycket-cookie"]), ("xtask", &[])];

const OTHERS: &[&str] = &["pycket-core"];

/// Drivers do not know cookies, cookies do not know stores, and only the adapter knows both. What only
/// tests need is free.
pub(super) fn check(members: &[&Package]) -> Vec<String> {
    let mut findings = Vec::new();
    for member in members {
        let allowed = allowed(&member.name);
        for dependency in member.dependencies.iter().filter(|it| !it.only_for_tests) {
            let name = dependency.name.as_str();
            if members.iter().any(|other| other.name == name) && !allowed.contains(&name) {
                findings.push(format!(
                    "{}/Cargo.toml: {} may not depend on {name}, only on {}; for tests alone it \
                     belongs under `[dev-dependencies]`",
                    member.folder,
                    member.name,
                    if allowed.is_empty() {
                        "no other member".to_owned()
                    } else {
                        allowed.join(", ")
                    }
                ));
            }
        }
    }
    findings
}

fn allowed(name: &str) -> &'static [&'static str] {
    EXCEPTIONS.iter().find(|(member, _)| *member == name).map_or(OTHERS, |(_, allowed)| allowed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::Dependency;

    fn member(name: &str, dependencies: &[(&str, bool)]) -> Package {
        let dependencies = dependencies
            .iter()
            .map(|(name, only_for_tests)| Dependency {
                name: (*name).to_owned(),
                only_for_tests: *only_for_tests,
            })
            .collect();
        Package {
            name: name.to_owned(),
            folder: name.to_owned(),
            dependencies,
            ..Package::default()
        }
    }

    fn findings(name: &str, dependencies: &[(&str, bool)]) -> Vec<String> {
        let others = ["pycket-core", "pycket-cookie", "pycket-testkit", "pycket-redis"]
            .map(|other| member(other, &[]));
        let judged = member(name, dependencies);
        let members: Vec<&Package> = others.iter().chain([&judged]).collect();
        check(&members)
    }

    #[test]
    fn a_driver_that_knows_cookies_is_named_with_what_it_may_know() {
        let findings =
            findings("pycket-redis", &[("pycket-core", false), ("pycket-cookie", false)]);
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert!(
            findings[0].starts_with(
                "pycket-redis/Cargo.toml: pycket-redis may not depend on pycket-cookie, only on \
                 pycket-core; "
            ),
            "{findings:?}"
        );
    }

    #[test]
    fn the_core_depends_on_no_member() {
        assert!(
            findings("pycket-core", &[("pycket-testkit", false)])[0].contains("no other member")
        );
    }

    #[test]
    fn a_driver_that_nobody_listed_may_depend_on_the_core_alone() {
        assert!(findings("pycket-new", &[("pycket-core", false), ("serde", false)]).is_empty());
        assert_eq!(findings("pycket-new", &[("pycket-redis", false)]).len(), 1);
    }

    #[test]
    fn the_adapter_knows_core_and_cookie_and_no_driver() {
        assert!(
            findings("pycket-axum", &[("pycket-core", false), ("pycket-cookie", false)]).is_empty()
        );
        assert_eq!(findings("pycket-axum", &[("pycket-redis", false)]).len(), 1);
    }

    #[test]
    fn what_only_tests_need_is_free() {
        assert!(findings("pycket-core", &[("pycket-testkit", true)]).is_empty());
    }
}
