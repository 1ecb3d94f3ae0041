//! A TCP listener that acts as the only node of a cluster and sends the replies that a test chooses.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::*;

pub(crate) struct FakeNode {
    port: u16,
    state: Arc<State>,
}

struct State {
    port: u16,
    /// The replies to the next requests, in order. The last one repeats. `None` closes the connection. `{port}`
    /// stands for the port of this node.
    answers: Mutex<VecDeque<Option<&'static str>>>,
    requests: AtomicUsize,
}

impl FakeNode {
    pub(crate) async fn new(answers: impl IntoIterator<Item = Option<&'static str>>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let answers = Mutex::new(answers.into_iter().collect());
        let state = Arc::new(State { port, answers, requests: AtomicUsize::new(0) });
        let serving = state.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serving.clone().serve(stream));
            }
        });
        Self { port, state }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis+cluster://127.0.0.1:{}", self.port)
    }

    /// The number of requests for a session so far.
    pub(crate) fn requests(&self) -> usize {
        self.state.requests.load(Ordering::SeqCst)
    }
}

impl State {
    async fn serve(self: Arc<Self>, mut stream: TcpStream) {
        let mut buffer = [0; 65536];
        while let Ok(length @ 1..) = stream.read(&mut buffer).await {
            let request = String::from_utf8_lossy(&buffer[..length]).into_owned();
            let answer = if request.contains("\r\nCLUSTER\r\n") {
                let node = format!("*2\r\n$9\r\n127.0.0.1\r\n:{}\r\n", self.port);
                format!("*1\r\n*3\r\n:0\r\n:16383\r\n{node}")
            } else if request.contains("EVAL") || request.contains("HGETALL") {
                self.requests.fetch_add(1, Ordering::SeqCst);
                match self.answer() {
                    Some(answer) if request.contains("ASKING") => format!("+OK\r\n{answer}"),
                    // `PTTL` follows `HGETALL`; -2 means that the key does not exist.
                    Some(answer) if request.contains("HGETALL") => format!("{answer}:-2\r\n"),
                    Some(answer) => answer,
                    None => return,
                }
            } else {
                // The commands that set up the connection.
                "+OK\r\n".repeat(request.matches("CLIENT").count().max(1))
            };
            if stream.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
        }
    }

    fn answer(&self) -> Option<String> {
        let mut answers = self.answers.lock().unwrap();
        let answer = if answers.len() > 1 { answers.pop_front().unwrap() } else { answers[0] };
        answer.map(|answer| answer.replace("{port}", &self.port.to_string()))
    }
}
