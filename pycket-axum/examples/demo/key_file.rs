use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::Path;

/// Reads the key from the file, or creates the file with a random key.
///
/// The file is created atomically and is readable by its owner only. If two programs start at the same time,
/// both use the key of the first.
pub(crate) fn read_or_create(path: &Path) -> io::Result<String> {
    match read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => create(path),
        result => result,
    }
}

fn read(path: &Path) -> io::Result<String> {
    Ok(fs::read_to_string(path)?.trim().to_owned())
}

fn create(path: &Path) -> io::Result<String> {
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let key: String = random.iter().map(|byte| format!("{byte:02x}")).collect();

    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let mut file = tempfile::NamedTempFile::new_in(directory.unwrap_or(Path::new(".")))?;
    writeln!(file, "{key}")?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Ok(_) => Ok(key),
        Err(failure) if failure.error.kind() == ErrorKind::AlreadyExists => read(path),
        Err(failure) => Err(failure.error),
    }
}
