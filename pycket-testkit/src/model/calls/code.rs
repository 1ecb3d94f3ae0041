//! Calls and answers as Rust, in the words that the script's head defines.

use std::fmt::Write;

use crate::check::Show;
use crate::model::records::{Answer, Values};
use crate::shown;

use super::{Call, Delta, Life};

impl Call {
    pub(super) fn code(&self, handle: usize) -> String {
        match self {
            Self::Create { id, created, values, life } => format!(
                "stores[{handle}].create(&ids[{id}], &record({created}, {}), ttl({})).await?",
                entries(values),
                life.millis()
            ),
            Self::Load { id } => {
                format!("shown(stores[{handle}].load(&ids[{id}]).await?.map(|found| found.record))")
            }
            Self::Update { id, delta, life } => format!(
                "stores[{handle}].update(&ids[{id}], &{}, {}).await?",
                delta.code(),
                life.map_or("None".to_owned(), Life::code)
            ),
            Self::Delete { id } => {
                format!("shown(stores[{handle}].delete(&ids[{id}]).await?)")
            }
            Self::Pass => String::new(),
        }
    }

    /// Of a load whose record is right.
    pub(super) fn code_of_expires_in(&self, handle: usize) -> String {
        let id = self.id().unwrap_or_default();
        format!(
            "println!(\"{{:?}}\", stores[{handle}].load(&ids[{id}]).await?.unwrap().expires_in);"
        )
    }
}

impl Delta {
    fn code(&self) -> String {
        let mut code = "Changes::new()".to_owned();
        for (name, value) in &self.writes {
            let _ = match value {
                Some(value) => write!(code, ".set({name:?}, value({value}))"),
                None => write!(code, ".remove({name:?})"),
            };
        }
        for (name, value) in &self.expected {
            let _ = match value {
                Some(value) => write!(code, ".expect({name:?}, Some(value({value})))"),
                None => write!(code, ".expect({name:?}, None)"),
            };
        }
        if let Some(created) = self.created {
            let _ = write!(code, ".with_metadata(metadata({created}))");
        }
        code
    }
}

impl Life {
    fn code(self) -> String {
        format!("Some(ttl({}))", self.millis())
    }
}

impl Answer {
    pub(super) fn code(&self) -> String {
        match self {
            Self::Creation(creation) => format!("Creation::{creation:?}"),
            Self::Update(update) => format!("Update::{update:?}"),
            Self::Record(record) => format!("{:?}", shown(record.clone())),
        }
    }

    pub(super) fn show(&self) -> String {
        match self {
            Self::Creation(creation) => creation.show(),
            Self::Update(update) => update.show(),
            Self::Record(record) => record.show(),
        }
    }
}

fn entries(values: &Values) -> String {
    let entries: Vec<_> =
        values.iter().map(|(name, value)| format!("({name:?}, {value})")).collect();
    format!("&[{}]", entries.join(", "))
}
