use crate::metadata::Package;

/// The members that a member may depend on. A member that is not listed, such as a new driver, may depend
/// only on `pycket-core`.
const ALLOWED: [(&str, &[&str]); 2] = [
    ("pycket-core", &[]),
    // The crate to start with re-exports the others.
    ("pycket-axum", &["pycket-core", "pycket-cookie", "pycket-memcache", "pycket-redis"]),
];

const BY_DEFAULT: &[&str] = &["pycket-core"];

/// Drivers do not depend on cookies, cookies do not depend on stores, and only the adapter depends on
/// both. Tests, and members that are not published, may depend on any member.
pub(super) fn check(members: &[Package]) -> Vec<String> {
    let mut findings = Vec::new();
    let published = members.iter().filter(|member| member.is_published);
    for Package { name, folder, dependencies, .. } in published {
        let allowed =
            ALLOWED.iter().find(|(member, _)| member == name).map_or(BY_DEFAULT, |(_, it)| it);
        for dependency in dependencies.iter().map(String::as_str) {
            if members.iter().any(|it| it.name == dependency) && !allowed.contains(&dependency) {
                findings.push(format!(
                    "{folder}/Cargo.toml: {name} may not depend on {dependency}, only on \
                     {allowed:?}; if only tests use it, move it to `[dev-dependencies]`"
                ));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str, dependencies: &[&str]) -> Package {
        Package {
            name: name.to_owned(),
            folder: name.to_owned(),
            is_published: true,
            dependencies: dependencies.iter().map(|it| (*it).to_owned()).collect(),
            ..Package::default()
        }
    }

    fn findings(name: &str, dependency: &str) -> Vec<String> {
        let others = ["pycket-core", "pycket-cookie", "pycket-testkit", "pycket-redis"];
        let mut members = others.map(|other| member(other, &[])).to_vec();
        members.push(member(name, &[dependency]));
        check(&members)
    }

    #[test]
    fn a_forbidden_dependency_is_named_with_the_allowed_ones() {
        let [finding] = &findings("pycket-redis", "pycket-cookie")[..] else { panic!() };
        let start = "pycket-redis/Cargo.toml: pycket-redis may not depend on pycket-cookie, only on \
                     [\"pycket-core\"]; ";
        assert!(finding.starts_with(start), "{finding}");
    }

    #[test]
    fn core_adapter_and_a_new_driver_have_their_allowed_dependencies() {
        for (name, dependency, is_allowed) in [
            ("pycket-core", "pycket-testkit", false),
            ("pycket-axum", "pycket-core", true),
            ("pycket-axum", "pycket-cookie", true),
            ("pycket-axum", "pycket-redis", true),
            ("pycket-axum", "pycket-testkit", false),
            ("pycket-new", "pycket-core", true),
            ("pycket-new", "serde", true),
            ("pycket-new", "pycket-redis", false),
        ] {
            assert_eq!(findings(name, dependency).is_empty(), is_allowed, "{name}: {dependency}");
        }
    }
}
