//! Calls as Rust, in the words that the head of the script defines.

use std::fmt::Write;

use super::{Call, Delta};

impl Call {
    pub(super) fn code(&self, handle: usize) -> String {
        let store = format!("stores[{handle}]");
        match self {
            Self::Create { id, created, values, ttl } => {
                let values: Vec<_> = values.iter().collect();
                format!(
                    "{store}.create(&ids[{id}], &record({created}, &{values:?}), ttl({ttl})).await?"
                )
            }
            Self::Load { id } => {
                format!("shown({store}.load(&ids[{id}]).await?.map(|found| found.record))")
            }
            Self::Update { id, delta, ttl } => {
                let ttl = ttl.map_or("None".to_owned(), |ttl| format!("Some(ttl({ttl}))"));
                format!("{store}.update(&ids[{id}], &{}, {ttl}).await?", delta.code())
            }
            Self::Delete { id } => format!("shown({store}.delete(&ids[{id}]).await?)"),
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
            let value = value.map_or("None".to_owned(), |value| format!("Some(value({value}))"));
            let _ = write!(code, ".expect({name:?}, {value})");
        }
        if let Some(created) = self.created {
            let _ = write!(code, ".with_metadata(metadata({created}))");
        }
        code
    }
}
