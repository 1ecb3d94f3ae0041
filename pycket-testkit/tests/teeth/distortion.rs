use pycket_core::{Metadata, Record, Timestamp, Value};

use crate::fault::Fault;

/// The record as the broken store would return it.
pub(crate) fn distorted(fault: Option<Fault>, record: &Record) -> Record {
    let Metadata { created, granted, .. } = *record.metadata();
    let metadata = match fault {
        Some(Fault::GrantedTtlIsLost) => Metadata::new(created),
        Some(Fault::TimesAreFloats) => {
            let float = created.unix_millis() as f64;
            Metadata::new(Timestamp::from_unix_millis(float as u64)).with_granted(granted)
        }
        _ => *record.metadata(),
    };
    let names = if fault == Some(Fault::OnlyAThousandNamesAreStored) { 1_000 } else { usize::MAX };
    let values = record.iter().take(names).filter(|(name, _)| {
        fault != Some(Fault::ReservedNamesVanish) || !["v", "meta", "created"].contains(name)
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
        Some(Fault::ValuesAreCutAt64K) => bytes[..bytes.len().min(65_535)].to_vec().into(),
        _ => value.clone(),
    }
}
