use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::Path;

/// The key in the file. If there is no file, one is made, whole or not at all, and readable to its
/// owner only. Of two programs that start at once, both use the key of the first.
pub(crate) fn read_or_make(path: &Path) -> io::Result<String> {
    match read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => make(path),
        result => result,
    }
}

fn read(path: &Path) -> io::Result<String> {
    Ok(fs::read_to_string(path)?.trim().to_owned())
}

fn make(path: &Path) -> io::Result<String> {
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let key: String = random.iter().map(|byte| format!("{byte:02x}")).collect();

    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let mut file = tempfile::NamedTempFile::new_in(directory.unwrap_or(Path::new(".")))?;
    writeln!(file, "{key}")?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Ok(_) => Ok(key),
        Err(lost) if lost.error.kind() == ErrorKind::AlreadyExists => read(path),
        Err(lost) => Err(lost.error),
    }
}
