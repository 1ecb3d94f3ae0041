use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use async_trait::async_trait;
use pycket_core::{
    Changes, Creation, Error, ErrorKind, Loaded, Record, SessionId, SessionStore, Ttl, Update,
};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::server::{Call, Reply, number_of, reply};

const LIMIT: Duration = Duration::from_secs(20);

/// Digits of a number. The width is fixed, so that a truncated number is not another number.
const WIDTH: usize = 8;

/// What the driver does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Defect {
    ReportsEverythingAsUnavailable,
    RepeatsWrites,
    ReadsTheEndAsAnAnswer,
    WaitsForever,
    KeepsTheConnection,
    BelievesEverything,
    Panics,
    ShowsTheId,
}

#[derive(Debug)]
pub(crate) struct Driver {
    address: SocketAddr,
    namespace: String,
    defect: Option<Defect>,
    connection: Mutex<Option<BufReader<TcpStream>>>,
}

impl Driver {
    pub(crate) fn new(address: SocketAddr, namespace: &str, defect: Option<Defect>) -> Self {
        let namespace = namespace.to_owned();
        Self { address, namespace, defect, connection: Mutex::default() }
    }

    fn has(&self, defect: Defect) -> bool {
        self.defect == Some(defect)
    }

    async fn call(&self, id: &SessionId, call: Call) -> Result<Option<Reply>, Error> {
        let is_read = matches!(call, Call::Load(_));
        let mut answer = self.attempt(call.clone()).await;
        if answer.is_err() && self.has(Defect::RepeatsWrites) {
            answer = self.attempt(call).await;
        }
        answer.map_err(|error| {
            let is_unsent = error.kind() == io::ErrorKind::ConnectionRefused;
            let is_certain =
                is_read || is_unsent || self.has(Defect::ReportsEverythingAsUnavailable);
            let kind = if is_certain { ErrorKind::Unavailable } else { ErrorKind::Ambiguous };
            let id = if self.has(Defect::ShowsTheId) { id.expose() } else { String::new() };
            Error::new(kind, format!("no answer {id}")).with_source(error)
        })
    }

    async fn attempt(&self, call: Call) -> io::Result<Option<Reply>> {
        let number = number_of(&self.namespace, call);
        let mut connection = self.connection.lock().await;
        if connection.is_none() {
            *connection = Some(BufReader::new(TcpStream::connect(self.address).await?));
        }
        let Some(stream) = &mut *connection else { return Err(io::ErrorKind::NotFound.into()) };
        let exchange = self.exchange(stream, number);
        let answer = if self.has(Defect::WaitsForever) {
            exchange.await
        } else {
            // This defect reaches its timeout in real time too.
            let limit = if self.has(Defect::KeepsTheConnection) { LIMIT / 100 } else { LIMIT };
            timeout(limit, exchange).await.unwrap_or_else(|late| Err(late.into()))
        };
        if answer.is_err() && !self.has(Defect::KeepsTheConnection) {
            *connection = None;
        }
        answer
    }

    async fn exchange(
        &self,
        stream: &mut BufReader<TcpStream>,
        number: usize,
    ) -> io::Result<Option<Reply>> {
        stream.write_all(format!("{number:0WIDTH$}\n").as_bytes()).await?;
        let mut line = Vec::new();
        stream.read_until(b'\n', &mut line).await?;
        if line.pop() != Some(b'\n') && !self.has(Defect::ReadsTheEndAsAnAnswer) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let number_read = String::from_utf8(line).ok().and_then(|line| line.parse().ok());
        assert!(number_read.is_some() || !self.has(Defect::Panics), "an answer is a number");
        match number_read {
            Some(read) if read == number || self.has(Defect::KeepsTheConnection) => Ok(reply(read)),
            _ if self.has(Defect::ReadsTheEndAsAnAnswer) => Ok(None),
            _ if self.has(Defect::BelievesEverything) => Ok(None),
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }
}

#[async_trait]
impl SessionStore for Driver {
    async fn create(&self, id: &SessionId, record: &Record, ttl: Ttl) -> Result<Creation, Error> {
        match self.call(id, Call::Create(*id, record.clone(), ttl)).await? {
            Some(Reply::Create(creation)) => Ok(creation),
            _ => Ok(Creation::Taken),
        }
    }

    async fn load(&self, id: &SessionId) -> Result<Option<Loaded>, Error> {
        match self.call(id, Call::Load(*id)).await? {
            Some(Reply::Load(loaded)) => Ok(loaded),
            _ => Ok(None),
        }
    }

    async fn update(
        &self,
        id: &SessionId,
        changes: &Changes,
        ttl: Option<Ttl>,
    ) -> Result<Update, Error> {
        match self.call(id, Call::Update(*id, changes.clone(), ttl)).await? {
            Some(Reply::Update(update)) => Ok(update),
            _ => Ok(Update::Ended),
        }
    }

    async fn delete(&self, id: &SessionId) -> Result<Option<Record>, Error> {
        match self.call(id, Call::Delete(*id)).await? {
            Some(Reply::Delete(record)) => Ok(record),
            _ => Ok(None),
        }
    }
}
