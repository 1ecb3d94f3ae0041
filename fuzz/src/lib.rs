#![doc = include_str!("../README.md")]
#![expect(clippy::panic, clippy::unwrap_used, reason = "a panic is a finding")]

pub mod cookie_header;
pub mod local_path;
pub mod memcached_item;
pub mod memcached_reply;
pub mod memcached_server;
mod parts;
pub mod record;
pub mod redirection;
pub mod redis_record;
pub mod redis_replies;
pub mod redis_url;
pub mod sentinel;
pub mod session_header;
pub mod session_id;
pub mod settings_file;
pub mod slot_map;
pub mod stored_session;
#[cfg(test)]
mod tests;
pub mod user_id;
pub mod user_index;
pub mod value;

/// A target: its name, and the check of one input.
pub type Target = (&'static str, fn(&[u8]));

/// All targets. Each has a program of its name in `fuzz_targets` and a folder in `corpus`.
pub const TARGETS: [Target; 19] = [
    ("cookie_header", cookie_header::check),
    ("local_path", local_path::check),
    ("memcached_item", memcached_item::check),
    ("memcached_reply", memcached_reply::check),
    ("memcached_server", memcached_server::check),
    ("record", record::check),
    ("redirection", redirection::check),
    ("redis_record", redis_record::check),
    ("redis_replies", redis_replies::check),
    ("redis_url", redis_url::check),
    ("sentinel", sentinel::check),
    ("session_header", session_header::check),
    ("session_id", session_id::check),
    ("settings_file", settings_file::check),
    ("slot_map", slot_map::check),
    ("stored_session", stored_session::check),
    ("user_id", user_id::check),
    ("user_index", user_index::check),
    ("value", value::check),
];

/// The program of a target. Built by cargo-fuzz, it runs the check on random inputs, and otherwise on the files that
/// are its arguments.
#[macro_export]
macro_rules! target {
    ($name:ident) => {
        #[cfg(fuzzing)]
        libfuzzer_sys::fuzz_target!(|bytes: &[u8]| $crate::$name::check(bytes));

        #[cfg(not(fuzzing))]
        fn main() {
            for path in std::env::args_os().skip(1) {
                $crate::$name::check(&std::fs::read(path).expect("the file can be read"));
            }
        }
    };
}
