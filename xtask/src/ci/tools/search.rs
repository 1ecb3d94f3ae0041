use std::env;
use std::ffi::OsStr;
use std::fs::Metadata;

/// Whether `program` can be started by its name alone.
pub(super) fn is_on_path(program: &str) -> bool {
    env::var_os("PATH").is_some_and(|path| is_in(program, &path))
}

fn is_in(program: &str, path: &OsStr) -> bool {
    env::split_paths(path).any(|folder| {
        let file = folder.join(format!("{program}{}", env::consts::EXE_SUFFIX));
        file.metadata().is_ok_and(|metadata| metadata.is_file() && is_executable(&metadata))
    })
}

#[cfg(unix)]
fn is_executable(metadata: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &Metadata) -> bool {
    true
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

    #[test]
    fn an_executable_file_is_found_in_any_folder_of_the_path() {
        let path = env::join_paths([ROOT.to_owned(), format!("{ROOT}/.ci")]).unwrap();
        assert!(is_in("run", &path));
    }

    #[test]
    fn a_missing_file_a_folder_and_a_mere_text_are_no_programs() {
        let path = env::join_paths([ROOT]).unwrap();
        assert!(!is_in("no-such-program", &path));
        assert!(!is_in("xtask", &path));
        assert!(!is_in("Cargo.toml", &path));
    }
}
