use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::{fmt, io};

use redis::Value;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream that fails as soon as the server sends or announces an answer that is too large.
pub(super) struct ResponseLimit<S> {
    stream: S,
    answer: Answer,
    is_exceeded: Arc<AtomicBool>,
}

/// Why the stream failed.
#[derive(Debug)]
pub(crate) struct TooLarge;

/// What is known of the current answer.
pub(crate) struct Answer {
    max_size: usize,
    /// What it takes in memory so far.
    size: usize,
    /// How many values of it are still to come.
    values: usize,
    /// How many bytes of the current string are still to come.
    string: usize,
    /// The start of the current line.
    line: Vec<u8>,
    /// Whether the last byte of the line so far was `\r`.
    is_after_return: bool,
}

impl<S> ResponseLimit<S> {
    pub(super) fn new(stream: S, max_size: usize) -> Self {
        Self { stream, answer: Answer::new(max_size), is_exceeded: Arc::default() }
    }

    /// Set when an answer was too large. The client does not always return the error of the stream.
    pub(super) fn is_exceeded(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.is_exceeded)
    }
}

impl Answer {
    /// The type and the longest number.
    const MAX_LINE: usize = 24;

    pub(crate) fn new(max_size: usize) -> Self {
        let line = Vec::with_capacity(Self::MAX_LINE);
        Self { max_size, size: 0, values: 1, string: 0, line, is_after_return: false }
    }

    pub(crate) fn read(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            if self.string > 0 {
                let length = self.string.min(bytes.len());
                bytes = bytes.get(length..).unwrap_or_default();
                self.string -= length;
            } else {
                let end = self.line_end(bytes);
                let (line, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
                bytes = rest;
                self.size = self.size.saturating_add(line.len());
                let missing = Self::MAX_LINE.saturating_sub(self.line.len());
                self.line.extend(line.iter().take(missing));
                self.is_after_return = line.last() == Some(&b'\r');
                if end.is_some() {
                    self.end_line();
                }
            }
            if self.size > self.max_size {
                return Err(io::Error::other(TooLarge));
            }
            if self.values == 0 && self.string == 0 {
                (self.size, self.values) = (0, 1);
            }
        }
        Ok(())
    }

    /// Whether the next byte begins an answer.
    #[cfg(any(feature = "fuzzing", test))]
    pub(crate) fn is_at_rest(&self) -> bool {
        (self.size, self.values, self.string) == (0, 1, 0)
    }

    /// Where the current line ends in `bytes`. As for the client, only `\r\n` ends it.
    fn line_end(&self, bytes: &[u8]) -> Option<usize> {
        if self.is_after_return && bytes.first() == Some(&b'\n') {
            return Some(1);
        }
        bytes.windows(2).position(|pair| pair == b"\r\n").map(|start| start + 2)
    }

    fn end_line(&mut self) {
        let number = self.number();
        let (string, values) = match self.line.first() {
            // A negative number announces nothing.
            Some(b'$' | b'*' | b'~' | b'>') if number.is_some_and(i64::is_negative) => (0, 0),
            Some(b'$' | b'=' | b'!') => (announced(number).saturating_add(2), 0),
            Some(b'*' | b'~' | b'>') => (0, announced(number)),
            Some(b'%') => (0, announced(number).saturating_mul(2)),
            Some(b'|') => (0, announced(number).saturating_mul(2).saturating_add(1)),
            _ => (0, 0),
        };
        self.line.clear();
        self.string = string;
        self.values = (self.values - 1).saturating_add(values);
        let values = values.saturating_mul(size_of::<Value>());
        self.size = self.size.saturating_add(string).saturating_add(values);
    }

    /// The number in the current line, as the client reads it; `None` if the line has none, or is too long.
    fn number(&self) -> Option<i64> {
        let text = self.line.strip_suffix(b"\r\n")?.get(1..)?;
        std::str::from_utf8(text).ok()?.trim().parse().ok()
    }
}

/// The size that a line announces. One that no server sends counts as the largest, because the client may take it for
/// any size.
fn announced(number: Option<i64>) -> usize {
    number.and_then(|number| number.try_into().ok()).unwrap_or(usize::MAX)
}

impl<S: AsyncRead + Unpin> AsyncRead for ResponseLimit<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        let result = self.answer.read(buffer.filled().get(before..).unwrap_or_default());
        if result.is_err() {
            self.is_exceeded.store(true, Ordering::Release);
        }
        Poll::Ready(result)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for ResponseLimit<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the answer of the server is larger than `max_response_bytes`")
    }
}

impl std::error::Error for TooLarge {}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt, BufWriter, duplex};
    use tokio::time::timeout;

    use super::*;

    fn answer() -> Answer {
        Answer::new(1_000_000)
    }

    #[test]
    fn announced_or_sent_size_over_the_limit_is_an_error() {
        for (start, rest) in [
            ("$1000000\r\n", ""),
            ("*2\r\n$600000\r\n", &*("a".repeat(600_000) + "\r\n$600000\r\n")),
            ("%1\r\n+name\r\n=1073741824\r\n", ""),
            ("$99999999999999999999\r\n", &"a".repeat(1_000_001)),
            ("+", &"a".repeat(1_000_001)),
            ("*1000000\r\n", ""),
            ("%500000\r\n", ""),
            ("", &"*1\r\n".repeat(100_000)),
            ("", &"|1\r\n".repeat(100_000)),
            // The client waits for more than a server can send, whatever follows.
            ("=-1\r\n", &"+a\r\n".repeat(500_000)),
            ("!-1\r\n", &"+a\r\n".repeat(500_000)),
            (&("$".to_owned() + &" ".repeat(30) + "2000000\r\n"), &"+a\r\n".repeat(500_000)),
            ("*0000000000000000000000000999999\r\n", ""),
            // For the client, this is one line.
            ("+a", &"\n".repeat(1_000_001)),
        ] {
            let mut answer = answer();
            let result = answer.read(start.as_bytes()).and_then(|()| answer.read(rest.as_bytes()));
            assert!(result.is_err(), "{start}");
        }
    }

    #[test]
    fn answer_of_the_largest_size_is_accepted() {
        for (answer, size) in [("+1234567\r\n", 10), ("$5\r\n12345\r\n", 11)] {
            assert!(Answer::new(size).read(answer.as_bytes()).is_ok(), "{answer}");
            assert!(Answer::new(size - 1).read(answer.as_bytes()).is_err(), "{answer}");
        }
    }

    #[test]
    fn any_number_of_smaller_answers_is_accepted_however_they_are_split() {
        let answers = [
            "+OK\r\n",
            "-ERR no\r\n",
            ":7\r\n",
            "$-1\r\n",
            "$0\r\n\r\n",
            "*-1\r\n",
            "*0\r\n",
            "*2\r\n$3\r\na\r\n\r\n:1\r\n",
            "%1\r\n+a\r\n*1\r\n:1\r\n",
            "|1\r\n+a\r\n+b\r\n:1\r\n",
            ">2\r\n+message\r\n+x\r\n",
            "=8\r\ntxt:some\r\n",
            "-ERR a\nb\rc\r\r\n",
            "_\r\n",
            "%0\r\n",
        ];
        for size in [1, 2, 3, 7, 4096] {
            let mut answer = answer();
            for bytes in answers.concat().repeat(5000).as_bytes().chunks(size) {
                answer.read(bytes).unwrap();
            }
            assert!(answer.is_at_rest(), "{size}");
            answer.read(b"*1\r\n").unwrap();
            assert!(!answer.is_at_rest(), "{size}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_flushed_reaches_the_server_and_so_does_the_end() {
        let (client, mut server) = duplex(64);
        let mut client = ResponseLimit::new(BufWriter::new(client), 1_000_000);
        client.write_all(b"PING").await.unwrap();
        client.flush().await.unwrap();
        let mut received = Vec::new();
        let read = timeout(Duration::from_secs(1), server.read_buf(&mut received));
        assert_eq!(read.await.unwrap().unwrap(), 4);
        client.shutdown().await.unwrap();
        let read = timeout(Duration::from_secs(1), server.read_buf(&mut received));
        assert_eq!(read.await.unwrap().unwrap(), 0);
    }
}
