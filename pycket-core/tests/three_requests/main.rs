//! The commit of a session as a model that is checked exhaustively. The model is the code itself: three requests run
//! over a store that carries out one call at a time, in every order, and each call fails once in every way.

#![expect(clippy::unwrap_used, reason = "test code: a panic is a failure")]
#![expect(clippy::indexing_slicing, reason = "of three requests")]

mod explorer;
mod gate;
mod names;
mod promises;
mod records;
mod requests;
mod world;

use explorer::{Counts, Plan};
use promises::problem;
use records::Defect;
use requests::{Kind, Then};
use world::{Past, Setting};

#[test]
fn measure() {
    let with_fault = std::env::var_os("FAULT").is_some();
    let then = if std::env::var_os("AGAIN").is_some() { Then::TriesAgain } else { Then::GivesUp };
    let past = match std::env::var("PAST").as_deref() { Ok("anon") => Past::Anonymous, Ok("aged") => Past::Aged, _ => Past::SignedIn };
    let setting = Setting::new(past);
    let only: Option<usize> = std::env::var("ONLY").ok().map(|n| n.parse().unwrap());
    let mut n = 0;
    let mut total = Counts::default();
    for (i, one) in Kind::ALL.into_iter().enumerate() {
        for (j, two) in Kind::ALL.into_iter().enumerate().skip(i) {
            for three in Kind::ALL.into_iter().skip(j) {
                n += 1;
                if only.is_some_and(|only| only != n) { continue }
                let kinds = [one, two, three];
                let plan = Plan { setting: &setting, kinds, then, with_fault };
                let start = std::time::Instant::now();
                match plan.explore(problem) {
                    Ok(counts) => {
                        total.states += counts.states;
                        total.runs += counts.runs;
                        eprintln!("{n} {kinds:?} {counts:?} {:?}", start.elapsed());
                    }
                    Err(finding) => {
                        eprintln!("{n} {kinds:?} {:?} {}", start.elapsed(), finding.problem);
                        if only.is_some() { eprintln!("{:#?}", finding.choices.iter().map(|c| format!("{:?}", c)).collect::<Vec<_>>()); }
                    }
                }
            }
        }
    }
    eprintln!("{total:?}");
}
