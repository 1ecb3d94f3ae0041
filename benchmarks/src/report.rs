mod chart;
mod file;
mod goals;
mod summary;
mod tables;

pub(crate) use file::write;
pub(crate) use goals::goals;
pub(crate) use summary::{Summary, median};
pub(crate) use tables::print;
