//! A store behind a connection, in this process. A request is the number of a call, and its answer is the same
//! number; a table holds the calls and the replies.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock};

use pycket_core::{
    Changes, Creation, Error, Loaded, MemoryStore, Record, SessionId, SessionStore, Ttl, Update,
};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

#[derive(Clone, Debug)]
pub(crate) enum Call {
    Create(SessionId, Record, Ttl),
    Load(SessionId),
    Update(SessionId, Changes, Option<Ttl>),
    Delete(SessionId),
}

#[derive(Clone, Debug)]
pub(crate) enum Reply {
    Create(Creation),
    Load(Option<Loaded>),
    Update(Update),
    Delete(Option<Record>),
}

#[derive(Default)]
struct Table {
    stores: HashMap<String, Arc<MemoryStore>>,
    calls: Vec<(String, Call)>,
    replies: HashMap<usize, Reply>,
}

static TABLE: OnceLock<Mutex<Table>> = OnceLock::new();

fn table() -> std::sync::MutexGuard<'static, Table> {
    TABLE.get_or_init(Mutex::default).lock().unwrap()
}

/// The number to send for a call.
pub(crate) fn number_of(namespace: &str, call: Call) -> usize {
    let mut table = table();
    table.calls.push((namespace.to_owned(), call));
    table.calls.len() - 1
}

/// The reply behind an answer.
pub(crate) fn reply(number: usize) -> Option<Reply> {
    table().replies.get(&number).cloned()
}

/// Where the server listens. The first call starts it.
pub(crate) fn address() -> SocketAddr {
    static ADDRESS: OnceLock<SocketAddr> = OnceLock::new();
    *ADDRESS.get_or_init(|| {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(serve(listener));
        });
        address
    })
}

async fn serve(listener: std::net::TcpListener) {
    let listener = TcpListener::from_std(listener).unwrap();
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(answer(stream));
    }
}

async fn answer(stream: TcpStream) {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    while let Ok(1..) = stream.read_line(&mut line).await {
        // A part of a request is not carried out.
        let Some(number) = line.strip_suffix('\n').and_then(|line| line.parse().ok()) else {
            return;
        };
        let call = table().calls.get::<usize>(number).cloned();
        let Some((namespace, call)) = call else { return };
        let store = table().stores.entry(namespace).or_default().clone();
        let reply = carry_out(&store, call).await.unwrap();
        table().replies.insert(number, reply);
        if stream.write_all(line.as_bytes()).await.is_err() {
            return;
        }
        line.clear();
    }
}

async fn carry_out(store: &MemoryStore, call: Call) -> Result<Reply, Error> {
    Ok(match call {
        Call::Create(id, record, ttl) => Reply::Create(store.create(&id, &record, ttl).await?),
        Call::Load(id) => Reply::Load(store.load(&id).await?),
        Call::Update(id, changes, ttl) => Reply::Update(store.update(&id, &changes, ttl).await?),
        Call::Delete(id) => Reply::Delete(store.delete(&id).await?),
    })
}
