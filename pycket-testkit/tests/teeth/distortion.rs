use pycket_core::{Metadata, Record, Timestamp, Value};

use crate::fault::Fault;

/// The record as a store that breaks it would give it back.
pub(crate) fn distorted(fault: Option<Fault>, record: &Record) -> Record {
    let Metadata { created, idle_timeout: lifetime, .. } = *record.metadata();
    let metadata = match fault {
        Some(Fault::LifetimeIsForgotten) => Metadata::new(created),
        Some(Fault::TimesAreFloats) => {
            let float = created.unix_millis() as f64;
            Metadata::new(Timestamp::from_unix_millis(float as u64)).with_idle_timeout(lifetime)
        }
        _ => *record.metadata(),
    };
    let names = if fault == Some(Fault::NamesStopAtAThousand) { 1_000 } else { usize::MAX };
    let values = record.iter().take(names).filter(|(name, _)| {
        fault != Some(Fault::NamesOfItsOwnVanish) || !["v", "meta", "created"].contains(name)
    });
    Record::new(
        metadata,
        values.map(|(name, value)| (stored_name(fault, name), stored_value(fault, value))),
    )
}

fn stored_name(fault: Option<Fault>, name: &str) -> String {
    match fault {
        Some(Fault::NamesAreLowerCase) => name.to_lowercase(),
        Some(Fault::NamesEndAtNul) => name.split('\0').next().unwrap_or_default().to_owned(),
        _ => name.to_owned(),
    }
}

fn stored_value(fault: Option<Fault>, value: &Value) -> Value {
    let bytes = value.as_bytes();
    match fault {
        Some(Fault::ValuesAreText) => {
            String::from_utf8_lossy(bytes).into_owned().into_bytes().into()
        }
        Some(Fault::ValuesEndAt64K) => bytes[..bytes.len().min(65_535)].to_vec().into(),
        _ => value.clone(),
    }
}
