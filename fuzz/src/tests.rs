//! Each target accepts the files of its corpus, and simple mutations of them. The same inputs in each run.
//!
//! It is a module of the library, because a program in `tests` has cargo build the program of every target first.

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use crate::{TARGETS, Target};

/// Files in a folder, by name.
fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
    files.sort();
    files
}

fn names(folder: &str) -> BTreeSet<String> {
    files(folder).iter().map(|path| path.file_stem().unwrap().to_str().unwrap().into()).collect()
}

/// Longer files are cut and changed at this many places only.
const PLACES: usize = 80;

/// The input itself, its beginnings, and copies with a changed bit, a changed byte, or a missing or doubled part.
fn mutations(input: &[u8]) -> Vec<Vec<u8>> {
    let mut random = fastrand::Rng::with_seed(7);
    let mut mutations = vec![input.to_vec()];
    for place in (0..input.len()).step_by(input.len().div_ceil(PLACES).max(1)) {
        let (before, after) = input.split_at(place);
        let changed = |change: &dyn Fn(&mut u8)| {
            let mut copy = input.to_vec();
            change(&mut copy[place]);
            copy
        };
        let (bit, byte, length) = (random.u32(..8), random.u8(..), random.usize(1..9));
        let rest = &after[length.min(after.len())..];
        mutations.push(before.to_vec());
        mutations.push(changed(&|it| *it ^= 1 << bit));
        mutations.push(changed(&|it| *it = byte));
        mutations.push([before, rest].concat());
        mutations.push([before, &after[..after.len() - rest.len()], after].concat());
    }
    mutations
}

/// The inputs that the check of a target refuses; one for each file.
fn refused((target, check): Target) -> Vec<String> {
    let refused = files(&format!("corpus/{target}")).into_iter().filter_map(|file| {
        let is_refused = |input: &Vec<u8>| catch_unwind(AssertUnwindSafe(|| check(input))).is_err();
        let input = mutations(&fs::read(&file).unwrap()).into_iter().find(is_refused)?;
        Some(format!("{}: \"{}\"", file.display(), input.escape_ascii()))
    });
    refused.collect()
}

#[test]
fn targets_accept_their_corpus_and_its_mutations() {
    let refused: Vec<_> = TARGETS.into_iter().flat_map(refused).collect();
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}

#[test]
fn each_target_has_a_program_and_a_corpus() {
    let targets: BTreeSet<_> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names("fuzz_targets"), targets);
    assert_eq!(names("corpus"), targets);
    let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"));
    let manifest = manifest.unwrap();
    for target in targets {
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{target}.rs\"")), "{target}");
    }
}

#[test]
fn input_that_breaks_a_property_is_reported() {
    let never_holds: Target = ("session_id", |input| assert_ne!(input.len(), 3));
    assert!(!refused(never_holds).is_empty());
    assert!(refused(("session_id", |_| ())).is_empty());
}
