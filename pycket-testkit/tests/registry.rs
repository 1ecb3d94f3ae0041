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
fn readme_names_every_case_and_the_mistakes_in_sql_that_it_catches() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(folder.join("README.md")).unwrap();
    let registered: Vec<(String, String)> = pycket_testkit::for_every_case!(registered);
    for (group, case) in registered {
        assert!(readme.contains(&format!("\n| `{group}::{case}` | ")), "{group}::{case}");
    }
    let broken =
        fs::read_to_string(folder.join("../examples/own-driver/tests/broken/main.rs")).unwrap();
    let (_, alone) = broken.split_once("\nalone! {\n").unwrap();
    let mistakes = alone.lines().map_while(|line| line.trim().strip_suffix(';')?.split_once(": "));
    let mut count = 0;
    for (mistake, case) in mistakes {
        let is_row = |line: &&str| line.starts_with(&format!("| {}", words(mistake)));
        let row =
            readme.lines().find(|line| is_row(line) && line.ends_with(&format!("| `{case}` |")));
        assert!(row.is_some(), "{mistake}: {case}");
        count += 1;
    }
    assert!(count > 20, "{count}");
}

/// `CreateReplaces` as "Create replaces".
fn words(name: &str) -> String {
    let mut words = String::new();
    let mut was_digit = false;
    for letter in name.chars() {
        let begins_a_word = letter.is_ascii_uppercase() || (letter.is_ascii_digit() && !was_digit);
        if begins_a_word && !words.is_empty() {
            words.push(' ');
        }
        was_digit = letter.is_ascii_digit();
        words.push(if words.is_empty() { letter } else { letter.to_ascii_lowercase() });
    }
    words
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
