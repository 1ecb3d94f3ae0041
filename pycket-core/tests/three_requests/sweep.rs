use crate::explorer::{Counts, Plan};
use crate::requests::Then;
use crate::world::{Past, Setting};
use crate::{explore, triples};

/// Does nothing without the environment variable `PYCKET_ALL_TRIPLES`. With it, it runs every three requests on each
/// kind of session, with one fault and without, and prints how many states each has. It takes hours without
/// `--release`; a part of it runs with a list such as `PYCKET_ALL_TRIPLES=SignedIn,fault`.
#[test]
fn all_triples() {
    let Ok(chosen) = std::env::var("PYCKET_ALL_TRIPLES") else { return };
    let is_chosen = |word: &str, of: &[&str]| {
        chosen.contains(word) || !of.iter().any(|other| chosen.contains(other))
    };
    let mut total = Counts::default();
    for past in [Past::Anonymous, Past::SignedIn, Past::Aged] {
        if !is_chosen(&format!("{past:?}"), &["Anonymous", "SignedIn", "Aged"]) {
            continue;
        }
        let setting = Setting::new(past);
        for (with_fault, then) in
            [(false, Then::GivesUp), (true, Then::GivesUp), (true, Then::TriesAgain)]
        {
            if !is_chosen(if with_fault { "fault" } else { "sound" }, &["fault", "sound"]) {
                continue;
            }
            for kinds in triples() {
                let counts = explore(&Plan { setting: &setting, kinds, then, with_fault });
                eprintln!("{past:?} {then:?} fault: {with_fault} {kinds:?} {counts:?}");
                total += counts;
            }
        }
    }
    eprintln!("{total:?}");
}
