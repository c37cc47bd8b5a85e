//! One accepted connection: frames in, frames out, both bounded.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsRawFd, RawFd};
use std::time::Instant;

use model::datagram::{Protocol, Transport};

use super::framing::{self, LENGTH_BYTES};
use super::{ANSWER_TIMEOUT, FRAME_TIMEOUT, QUEUE_BYTES_MAX, STUCK_TIMEOUT, SYSTEM_QUEUE_BYTES};
use crate::udp::canonical;

/// Memory of an emptied queue that is kept for the next frames; more is given back.
const QUEUE_BYTES_KEPT: usize = 16 * 1024;
/// Readings of one connection per pass: nobody with a fast line keeps the others waiting.
const READS_PER_PASS_MAX: usize = 4;

/// Why a connection is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Closed {
    /// The other end did, or the network.
    ByPeer,
    /// It sent what is no frame of ours.
    NotFramed,
}

pub(super) struct Connection {
    stream: TcpStream,
    pub(super) transport: Transport,
    /// The beginning of a frame whose end has not come.
    partial: Vec<u8>,
    /// Frames that wait to be written, from `written` on.
    queue: Vec<u8>,
    written: usize,
    /// Room to write is waited for.
    pub(super) waits_to_write: bool,
    opened: Instant,
    last_frame: Instant,
    /// We have sent something here: an engine knows the other end.
    pub(super) answered: bool,
    /// Since when nothing could be written.
    stuck_since: Option<Instant>,
}

impl Connection {
    pub(super) fn new(stream: TcpStream, remote: SocketAddr, now: Instant) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        // Media that waits is late: the system's own queue is kept short.
        socket2::SockRef::from(&stream).set_send_buffer_size(SYSTEM_QUEUE_BYTES)?;
        let local = canonical(stream.local_addr()?);
        Ok(Self {
            transport: Transport { protocol: Protocol::Tcp, local, remote: canonical(remote) },
            stream,
            partial: Vec::new(),
            queue: Vec::new(),
            written: 0,
            waits_to_write: false,
            opened: now,
            last_frame: now,
            answered: false,
            stuck_since: None,
        })
    }

    /// Reads what has come and hands out its frames; returns how many. `scratch` holds more than one whole frame.
    pub(super) fn read(
        &mut self,
        now: Instant,
        scratch: &mut [u8],
        take: &mut impl FnMut(Transport, &mut [u8]),
    ) -> Result<u64, Closed> {
        let mut frames = 0;
        for _ in 0..READS_PER_PASS_MAX {
            let kept = self.partial.len();
            let Some((front, free)) = scratch.split_at_mut_checked(kept) else {
                return Err(Closed::NotFramed);
            };
            front.copy_from_slice(&self.partial);
            let room = free.len();
            let count = match self.stream.read(free) {
                Ok(0) => return Err(Closed::ByPeer),
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(frames),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(_) => return Err(Closed::ByPeer),
            };
            let bytes = scratch.get_mut(..kept + count).unwrap_or_default();
            let before = frames;
            let used = framing::split(bytes, |frame| {
                frames += 1;
                take(self.transport, frame);
            })
            .map_err(|_| Closed::NotFramed)?;
            if frames > before {
                self.last_frame = now;
            }
            self.partial.clear();
            self.partial.extend_from_slice(bytes.get(used..).unwrap_or_default());
            if count < room {
                break;
            }
        }
        Ok(frames)
    }

    /// Puts a frame into the queue. False if the queue is full: the frame is dropped whole.
    pub(super) fn push(&mut self, frame: &[u8]) -> bool {
        self.answered = true;
        let waiting = self.queue.len() - self.written;
        waiting + LENGTH_BYTES + frame.len() <= QUEUE_BYTES_MAX && framing::append(&mut self.queue, frame)
    }

    /// Writes what the system takes. `waits_to_write` says whether something is left.
    pub(super) fn write(&mut self, now: Instant) -> Result<(), Closed> {
        self.waits_to_write = false;
        while let Some(waiting) = self.queue.get(self.written..).filter(|waiting| !waiting.is_empty()) {
            match self.stream.write(waiting) {
                Ok(count) => {
                    self.written += count;
                    self.stuck_since = None;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.stuck_since.get_or_insert(now);
                    self.waits_to_write = true;
                    break;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Err(Closed::ByPeer),
            }
        }
        self.forget_written();
        Ok(())
    }

    /// Frees what is written, moving what is left to the front only when that is the lesser part.
    fn forget_written(&mut self) {
        if self.written * 2 >= self.queue.len() {
            self.queue.drain(..self.written);
            self.written = 0;
        }
        if self.queue.is_empty() {
            self.queue.shrink_to(QUEUE_BYTES_KEPT);
        }
    }

    /// When this connection is given up if nothing happens.
    pub(super) fn deadline(&self) -> Instant {
        let silent = self.last_frame + FRAME_TIMEOUT;
        let unanswered = if self.answered { silent } else { self.opened + ANSWER_TIMEOUT };
        let stuck = self.stuck_since.map_or(silent, |since| since + STUCK_TIMEOUT);
        silent.min(unanswered).min(stuck)
    }

    /// Since when it is open without an engine knowing the other end.
    pub(super) fn unanswered_since(&self) -> Option<Instant> {
        (!self.answered).then_some(self.opened)
    }
}

impl AsRawFd for Connection {
    fn as_raw_fd(&self) -> RawFd {
        self.stream.as_raw_fd()
    }
}
