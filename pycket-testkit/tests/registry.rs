//! Every case and every fault is in the list that the macros run.

use std::fs;
use std::path::Path;

macro_rules! registered {
    ($($group:ident { $($case:ident)* })*) => {
        vec![$($((stringify!($group).to_owned(), stringify!($case).to_owned())),*),*]
    };
}

#[test]
fn every_case_named_in_the_contract_exists() {
    let contract = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pycket-core/src/store.rs");
    let contract = fs::read_to_string(contract).unwrap();
    let registered: Vec<(String, String)> = pycket_testkit::for_every_case!(registered);
    let named: Vec<_> = contract
        .lines()
        .filter(|line| line.trim_start().starts_with("///"))
        .flat_map(|line| line.split('`').filter_map(|quoted| quoted.split_once("::")))
        .filter(|(group, _)| group.chars().all(|letter| letter.is_ascii_lowercase()))
        .collect();
    assert!(named.len() > 10, "{named:?}");
    for (group, case) in named {
        let exists = registered.iter().any(|(g, c)| g == group && (c == case || case == "…"));
        assert!(exists, "the contract names `{group}::{case}`");
    }
}

#[test]
fn every_case_is_registered_once() {
    let mut registered: Vec<(String, String)> = pycket_testkit::for_every_case!(registered);
    registered.sort();
    let mut written = Vec::new();
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cases");
    for file in fs::read_dir(directory).unwrap() {
        let path = file.unwrap().path();
        let group = path.file_stem().unwrap().to_str().unwrap().to_owned();
        for line in fs::read_to_string(&path).unwrap().lines() {
            if let Some(rest) = line.strip_prefix("pub async fn ") {
                let case = rest.split_once('(').unwrap().0;
                written.push((group.clone(), case.to_owned()));
            }
        }
    }
    written.sort();
    assert!(!written.is_empty());
    assert_eq!(registered, written);
}

#[cfg(feature = "servers")]
#[test]
fn every_fault_is_registered_once() {
    macro_rules! registered {
        ({ $($fault:ident)* }) => { vec![$(stringify!($fault)),*] };
    }
    let registered: Vec<&str> = pycket_testkit::for_every_fault!([registered]);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/servers/faults.rs");
    let source = fs::read_to_string(path).unwrap();
    let functions = source.lines().filter_map(|line| line.strip_prefix("pub async fn "));
    let written: Vec<&str> = functions.map(|rest| rest.split_once('(').unwrap().0).collect();
    assert!(!written.is_empty());
    assert_eq!(registered, written);
}
