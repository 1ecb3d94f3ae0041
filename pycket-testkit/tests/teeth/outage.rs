use std::fmt::Display;
use std::io;

use async_trait::async_trait;
use pycket_core::{
    Changes, Creation, Error, ErrorKind, Loaded, Record, SessionId, SessionStore, Ttl, Update,
};

use crate::fault::Fault;

/// A handle on a store that cannot be reached.
#[derive(Debug)]
pub(crate) struct Outage(pub(crate) Option<Fault>);

#[async_trait]
impl SessionStore for Outage {
    async fn create(&self, id: &SessionId, record: &Record, _: Ttl) -> Result<Creation, Error> {
        Err(match self.0 {
            Some(Fault::ErrorsShowValues) => {
                let password: Option<String> = record.get("password").and_then(|v| v.decode().ok());
                refused(format!("could not write {password:?}"))
            }
            _ => self.error(id),
        })
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Loaded>, Error> {
        Err(self.error(id))
    }

    async fn update(&self, id: &SessionId, _: &Changes, _: Option<Ttl>) -> Result<Update, Error> {
        Err(self.error(id))
    }

    async fn delete(&self, id: &SessionId) -> Result<Option<Record>, Error> {
        Err(self.error(id))
    }
}

/// A handle on a server that refuses every call.
#[derive(Debug)]
pub(crate) struct Refusal(pub(crate) Option<Fault>);

#[async_trait]
impl SessionStore for Refusal {
    async fn create(&self, id: &SessionId, _: &Record, _: Ttl) -> Result<Creation, Error> {
        Err(self.error(id))
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Loaded>, Error> {
        Err(self.error(id))
    }

    async fn update(&self, id: &SessionId, _: &Changes, _: Option<Ttl>) -> Result<Update, Error> {
        Err(self.error(id))
    }

    async fn delete(&self, id: &SessionId) -> Result<Option<Record>, Error> {
        Err(self.error(id))
    }
}

impl Refusal {
    fn error(&self, id: &SessionId) -> Error {
        let kind = match self.0 {
            Some(Fault::RefusalsAreAmbiguous) => ErrorKind::Ambiguous,
            _ => ErrorKind::Rejected,
        };
        let said = match self.0 {
            // Servers cut what they repeat.
            Some(Fault::RefusalsShowTheId) => {
                format!("refused: key (id)=({}…)", &id.expose()[..20])
            }
            _ => "permission denied for table sessions".to_owned(),
        };
        Error::new(kind, "the server refused the call").with_source(io::Error::other(said))
    }
}

impl Outage {
    fn error(&self, id: &SessionId) -> Error {
        let message = "could not connect to the store";
        match self.0 {
            Some(Fault::OutageIsRejected) => {
                Error::new(ErrorKind::Rejected, message).with_source(cause(""))
            }
            Some(Fault::ErrorsHaveNoSource) => Error::new(ErrorKind::Unavailable, message),
            Some(Fault::ErrorsRepeatTheSource) => refused(format!("{message}: {}", cause(""))),
            Some(Fault::ErrorsShowTheId) => refused(format!("could not load {}", id.expose())),
            Some(Fault::SourcesShowTheId) => {
                let key = id.expose().replace('-', "").to_uppercase();
                Error::new(ErrorKind::Unavailable, message).with_source(cause(key))
            }
            _ => refused(message.to_owned()),
        }
    }
}

fn refused(message: String) -> Error {
    Error::new(ErrorKind::Unavailable, message).with_source(cause(""))
}

fn cause(detail: impl Display) -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionRefused, format!("connection refused {detail}"))
}
