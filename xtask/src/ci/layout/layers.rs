use crate::metadata::Package;

/// The members that a member may depend on. A member that is not listed, such as a new driver, may depend
/// only on `pycket-core`.
const ALLOWED: [(&str, &[&str]); 3] =
    [("pycket-core", &[]), ("pycket-axum", &["pycket-core", "pycket-cookie"]), ("xtask", &[])];

const BY_DEFAULT: &[&str] = &["pycket-core"];

/// Drivers do not depend on cookies, cookies do not depend on stores, and only the adapter depends on
/// core and cookies. Tests may depend on any member.
pub(super) fn check(members: &[Package]) -> Vec<String> {
    let mut findings = Vec::new();
    for Package { name, folder, dependencies, .. } in members {
        let allowed =
            ALLOWED.iter().find(|(member, _)| member == name).map_or(BY_DEFAULT, |(_, it)| it);
        for dependency in dependencies.iter().map(String::as_str) {
            if members.iter().any(|it| it.name == dependency) && !allowed.contains(&dependency) {
                let allowed = match allowed {
                    [] => "on no other member".to_owned(),
                    allowed => format!("only on {}", allowed.join(", ")),
                };
                findings.push(format!(
                    "{folder}/Cargo.toml: {name} may not depend on {dependency}, {allowed}; if only \
                     tests use it, move it to `[dev-dependencies]`"
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
            dependencies: dependencies.iter().map(|it| (*it).to_owned()).collect(),
            ..Package::default()
        }
    }

    fn findings(name: &str, dependencies: &[&str]) -> Vec<String> {
        let others = ["pycket-core", "pycket-cookie", "pycket-testkit", "pycket-redis"];
        let mut members = others.map(|other| member(other, &[])).to_vec();
        members.push(member(name, dependencies));
        check(&members)
    }

    #[test]
    fn a_driver_that_depends_on_cookies_is_named() {
        let findings = findings("pycket-redis", &["pycket-core", "pycket-cookie"]);
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
        assert!(findings("pycket-core", &["pycket-testkit"])[0].contains("on no other member"));
    }

    #[test]
    fn a_new_driver_may_depend_on_the_core_alone() {
        assert!(findings("pycket-new", &["pycket-core", "serde"]).is_empty());
        assert_eq!(findings("pycket-new", &["pycket-redis"]).len(), 1);
    }

    #[test]
    fn the_adapter_may_depend_on_core_and_cookie_and_on_no_driver() {
        assert!(findings("pycket-axum", &["pycket-core", "pycket-cookie"]).is_empty());
        assert_eq!(findings("pycket-axum", &["pycket-redis"]).len(), 1);
    }
}
