//! Datagrams as they arrive.

use std::fmt;
use std::io;
use std::net::{SocketAddr, UdpSocket};
#[cfg(target_os = "linux")]
use std::os::fd::BorrowedFd;
use std::time::Duration;

use model::datagram::{Protocol, Transport};

use super::local::{LocalAddress, canonical};
use crate::{DATAGRAM_BYTES_MAX, NetConfig};

/// What the kernel may put together has at most 64 KiB, and what does not fit is lost.
const COALESCED_BYTES_MAX: usize = 64 * 1024;
/// Messages per call with receive offload: 512 KiB. Measured with `examples/send_rate`, ns to receive a datagram of its
/// own: 641 with 1 message per call, 515 with 4, 487 with 8, 488 with 16, 490 with 32.
const COALESCED_MESSAGES: usize = 8;
/// Messages per call without: 128 KiB.
const SINGLE_MESSAGES: usize = 64;

/// Memory for datagrams taken in with one call; kept and used again. One serves all sockets of a thread.
pub struct RecvBatch {
    buffer: Vec<u8>,
    slot_bytes: usize,
    messages_max: usize,
    /// Messages of the last call, those that nobody can use among them.
    messages: usize,
    /// What lies in the slots, from the first on.
    filled: Vec<Filled>,
    #[cfg(target_os = "linux")]
    headers: crate::sys::RecvHeaders,
}

#[derive(Debug, Clone, Copy)]
struct Filled {
    transport: Transport,
    slot: usize,
    len: usize,
    /// Bytes of each datagram but the last.
    segment: usize,
    /// When the kernel had it, since 1970.
    at: Option<Duration>,
}

impl fmt::Debug for RecvBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecvBatch").field("filled", &self.filled).finish_non_exhaustive()
    }
}

impl RecvBatch {
    /// Memory that fits sockets of this configuration.
    pub fn new(config: &NetConfig) -> Self {
        let coalesced = cfg!(target_os = "linux") && config.batch && config.gro;
        Self::with_messages(config, if coalesced { COALESCED_MESSAGES } else { SINGLE_MESSAGES })
    }

    /// The same with another number of messages per call.
    pub fn with_messages(config: &NetConfig, messages_max: usize) -> Self {
        let coalesced = cfg!(target_os = "linux") && config.batch && config.gro;
        let slot_bytes = if coalesced { COALESCED_BYTES_MAX } else { DATAGRAM_BYTES_MAX };
        Self {
            buffer: vec![0; slot_bytes * messages_max],
            slot_bytes,
            messages_max,
            messages: 0,
            filled: Vec::with_capacity(messages_max),
            #[cfg(target_os = "linux")]
            headers: crate::sys::RecvHeaders::new(messages_max),
        }
    }

    /// Every datagram with the transport it came by, in the order of arrival. The bytes may be changed in place.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (Transport, &mut [u8])> {
        self.iter_arrived().map(|(transport, _, datagram)| (transport, datagram))
    }

    /// The same with the wall-clock time of arrival since 1970, where the socket asks for it
    /// ([`NetConfig::timestamps`]). Datagrams that the kernel has put together share the time of the first.
    pub fn iter_arrived(&mut self) -> impl Iterator<Item = (Transport, Option<Duration>, &mut [u8])> {
        let mut filled = self.filled.iter().peekable();
        self.buffer
            .chunks_exact_mut(self.slot_bytes)
            .enumerate()
            .filter_map(move |(slot, bytes)| {
                let filled = filled.next_if(|filled| filled.slot == slot)?;
                Some((filled, bytes.get_mut(..filled.len)?))
            })
            .flat_map(|(filled, bytes)| {
                bytes.chunks_mut(filled.segment).map(|d| (filled.transport, filled.at, d))
            })
    }

    /// How many datagrams it holds.
    pub fn datagrams(&self) -> usize {
        self.filled.iter().map(|filled| filled.len.div_ceil(filled.segment)).sum()
    }

    /// How many bytes they have.
    pub fn bytes(&self) -> usize {
        self.filled.iter().map(|filled| filled.len).sum()
    }

    /// Whether the last call filled it: there may be more to take in.
    pub fn is_full(&self) -> bool {
        self.messages == self.messages_max
    }

    pub(super) fn clear(&mut self) {
        self.filled.clear();
        self.messages = 0;
    }

    fn note(&mut self, slot: usize, transport: Transport, len: usize, segment: usize, at: Option<Duration>) {
        // An empty datagram carries nothing for anybody.
        if len > 0 {
            self.filled.push(Filled { transport, slot, len, segment, at });
        }
    }

    #[cfg(target_os = "linux")]
    pub(super) fn receive_many(
        &mut self,
        fd: BorrowedFd<'_>,
        local: &mut LocalAddress,
        unusable: &mut u64,
    ) -> io::Result<usize> {
        let count = self.headers.receive(fd, &mut self.buffer, self.slot_bytes)?;
        for slot in 0..count {
            let arrived = self.headers.arrived(slot);
            let segment = arrived.segment.unwrap_or(arrived.len).clamp(1, arrived.len.max(1));
            let remote = arrived.remote.map(canonical);
            let local = remote.and_then(|remote| local.of(remote, arrived.local));
            match (remote, local) {
                (Some(remote), Some(local)) if !arrived.truncated && segment <= DATAGRAM_BYTES_MAX => {
                    let transport = Transport { protocol: Protocol::Udp, local, remote };
                    self.note(slot, transport, arrived.len, segment, arrived.at);
                }
                _ => *unusable += 1,
            }
        }
        self.messages = count;
        Ok(count)
    }

    pub(super) fn receive_each(
        &mut self,
        socket: &UdpSocket,
        local: &mut LocalAddress,
        unusable: &mut u64,
    ) -> io::Result<usize> {
        let mut count = 0;
        while let Some(bytes) = self.buffer.chunks_exact_mut(self.slot_bytes).nth(count) {
            let (len, remote): (usize, SocketAddr) = match socket.recv_from(bytes) {
                Ok(received) => received,
                Err(_) if count > 0 => break,
                Err(error) => return Err(error),
            };
            let remote = canonical(remote);
            // A datagram that fills its slot was larger, or might have been: plain calls do not say.
            match local.of(remote, None).filter(|_| len < self.slot_bytes) {
                Some(local) => {
                    let transport = Transport { protocol: Protocol::Udp, local, remote };
                    self.note(count, transport, len, len.max(1), None);
                }
                None => *unusable += 1,
            }
            count += 1;
        }
        self.messages = count;
        Ok(count)
    }
}
