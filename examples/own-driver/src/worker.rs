use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use pycket_core::{Error, ErrorKind};
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::connection::Reopening;
use crate::error::Failure;

type Job = Box<dyn FnOnce(&mut Reopening) + Send>;

/// The thread that uses the connection: SQLite blocks, and an async task must not.
///
/// A call that has begun is finished, even if its future is dropped. A call whose future is dropped before
/// that is not begun.
#[derive(Debug)]
pub(crate) struct Worker {
    /// `None` while this is being dropped.
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    timeout: Duration,
}

impl Worker {
    pub(crate) fn start(mut file: Reopening, timeout: Duration) -> Result<Self, Error> {
        let (jobs, queue) = mpsc::channel::<Job>();
        let work = move || queue.into_iter().for_each(|job| job(&mut file));
        let thread = thread::Builder::new().name("sqlite-sessions".to_owned()).spawn(work);
        let thread = thread.map_err(|source| {
            Error::new(ErrorKind::Unavailable, "no thread can be started for SQLite")
                .with_source(source)
        })?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread), timeout })
    }

    /// Does `work` on the thread. The timeout covers the wait for other calls and for other connections.
    pub(crate) async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Error> {
        let deadline = Instant::now() + self.timeout;
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |file| {
            if !answer.is_closed() {
                drop(answer.send(file.run(deadline, work)));
            }
        });
        match self.jobs.as_ref().map(|jobs| jobs.send(job)) {
            Some(Ok(())) => {}
            _ => return Err(Error::new(ErrorKind::Unavailable, "the thread of SQLite has ended")),
        }
        match answered.await {
            Ok(answer) => answer.map_err(Error::from),
            Err(_) => {
                Err(Error::new(ErrorKind::Ambiguous, "the thread of SQLite ended during a call"))
            }
        }
    }
}

/// Waits for the running call, so that the file is closed properly before the process ends.
impl Drop for Worker {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}
