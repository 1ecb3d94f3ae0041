/// What becomes of a request or an answer on its way through a [`FaultProxy`](crate::FaultProxy).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetworkFault {
    /// The connection is closed, to both sides, before any of the message has passed.
    Cut,
    /// The connection is closed, to both sides, when so many bytes of the message have passed.
    Truncate {
        /// How many; if the message has fewer it passes whole and nothing is closed.
        after: usize,
    },
    /// The message is lost, and all that follows it in this direction of the connection, which stays
    /// open: what a peer or a firewall that vanished looks like. A [heal](crate::FaultProxy::heal) lets
    /// new connections work; this one stays silent, for TCP has no gaps.
    Swallow,
    /// The message waits, and all that follows it in this direction of the connection, until the next
    /// [heal](crate::FaultProxy::heal). So it is later than every timeout, without any waiting.
    Delay,
    /// Some bits of one byte are flipped; the rest passes as it is.
    Corrupt {
        /// Which byte of the message, the first being number 0.
        offset: usize,
        /// Which bits.
        mask: u8,
    },
}
