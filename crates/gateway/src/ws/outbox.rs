//! What waits to be sent to one socket, bounded in messages and bytes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::extract::ws::Utf8Bytes;
use tokio::sync::{Notify, mpsc};
use wire::CloseCode;

/// Messages that may wait for a client. A healthy one has a few; a room of a thousand changes some hundred times in
/// the seconds that a mobile network may pause for.
const MESSAGES_MAX: usize = 1024;

/// Bytes that may wait for a client: ten whole rosters of a large room. More, and a client that does not read would
/// cost everybody's memory.
const BYTES_MAX: usize = 4 * 1024 * 1024;

/// One thing to send.
#[derive(Debug, Clone)]
pub(crate) enum Outgoing {
    /// A message, written out once for all its receivers.
    Message(Utf8Bytes),
    /// The end, after everything before it.
    Close(CloseCode, String),
}

/// The end that deliveries are put into.
#[derive(Debug, Clone)]
pub(crate) struct Inlet {
    queue: mpsc::Sender<Outgoing>,
    bytes: Arc<AtomicUsize>,
    overflow: Arc<Notify>,
}

/// The end that the socket sends from.
#[derive(Debug)]
pub(crate) struct Outbox {
    queue: mpsc::Receiver<Outgoing>,
    bytes: Arc<AtomicUsize>,
    overflow: Arc<Notify>,
}

/// More waits than may: the client does not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Overflow;

pub(crate) fn outbox() -> (Inlet, Outbox) {
    let (sender, receiver) = mpsc::channel(MESSAGES_MAX);
    let (bytes, overflow) = (Arc::<AtomicUsize>::default(), Arc::<Notify>::default());
    let inlet = Inlet { queue: sender, bytes: bytes.clone(), overflow: overflow.clone() };
    (inlet, Outbox { queue: receiver, bytes, overflow })
}

impl Inlet {
    /// Puts something in. A socket that is gone takes anything.
    pub(crate) fn put(&self, outgoing: Outgoing) -> Result<(), Overflow> {
        let size = size_bytes(&outgoing);
        let waiting = self.bytes.fetch_add(size, Ordering::AcqRel);
        if waiting + size <= BYTES_MAX {
            match self.queue.try_send(outgoing) {
                Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => return Ok(()),
                Err(mpsc::error::TrySendError::Full(_)) => {}
            }
        }
        self.overflow.notify_one();
        Err(Overflow)
    }
}

impl Outbox {
    /// The next thing to send; `None`: nothing can come any more. Cancel safe.
    pub(crate) async fn next(&mut self) -> Option<Outgoing> {
        let outgoing = self.queue.recv().await?;
        self.bytes.fetch_sub(size_bytes(&outgoing), Ordering::AcqRel);
        Some(outgoing)
    }

    /// Returns once something did not fit.
    pub(crate) fn overflow(&self) -> Arc<Notify> {
        self.overflow.clone()
    }
}

fn size_bytes(outgoing: &Outgoing) -> usize {
    match outgoing {
        Outgoing::Message(text) => text.len(),
        Outgoing::Close(_, reason) => reason.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(len: usize) -> Outgoing {
        Outgoing::Message("x".repeat(len).into())
    }

    #[tokio::test]
    async fn too_many_messages_or_bytes_are_an_overflow() {
        let (inlet, mut outbox) = outbox();
        for _ in 0..MESSAGES_MAX {
            inlet.put(message(1)).unwrap();
        }
        assert_eq!(inlet.put(message(1)), Err(Overflow));
        outbox.overflow().notified().await;
        assert!(matches!(outbox.next().await, Some(Outgoing::Message(_))));

        let (inlet, _outbox) = super::outbox();
        for _ in 0..4 {
            inlet.put(message(BYTES_MAX / 4)).unwrap();
        }
        assert_eq!(inlet.put(message(1)), Err(Overflow));
    }

    #[tokio::test]
    async fn what_was_sent_makes_room() {
        let (inlet, mut outbox) = outbox();
        for _ in 0..20 {
            inlet.put(message(BYTES_MAX)).unwrap();
            outbox.next().await.unwrap();
        }
    }
}
