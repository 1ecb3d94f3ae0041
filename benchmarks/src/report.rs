mod chart;
mod file;
mod goals;
mod summary;
mod tables;

pub(crate) use file::write;
pub(crate) use goals::{Goal, goals, goals_of_records};
pub(crate) use summary::{Summary, median};
pub(crate) use tables::{print, print_records};

use crate::bench::Plan;

/// The results with one number of worker threads.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) plan: Plan,
    pub(crate) summary: Summary,
    pub(crate) goals: Vec<Goal>,
}
