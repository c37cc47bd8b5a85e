//! Datagrams on their way out, as engines write them and sockets send them: one arena of bytes, cut into runs.
//!
//! A *run* is a row of datagrams for one transport that lie next to each other, all of one size but the last, which
//! may be shorter: exactly what the kernel can send with one call (UDP segmentation offload).

use std::net::SocketAddr;

/// What carries packets between us and a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// Datagrams.
    Udp,
    /// A connection that the client opened, with the framing of RFC 4571.
    Tcp,
}

/// A path of packets. Never keyed by the remote address alone: one client may reach us on several of our addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Transport {
    /// How.
    pub protocol: Protocol,
    /// Our address, as the client was told (a candidate), never a wildcard.
    pub local: SocketAddr,
    /// The client's address, as we see it.
    pub remote: SocketAddr,
}

/// Datagrams of one run. The kernel takes at most 64 segments; 44 of 1,460 bytes stay below 64 KiB.
const RUN_DATAGRAMS_MAX: u16 = 44;
/// Bytes of one run: below the largest UDP payload over IPv4.
const RUN_BYTES_MAX: usize = 65_000;

/// A row of datagrams for one transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// Where to.
    pub transport: Transport,
    /// First byte in the arena.
    pub start: usize,
    /// Bytes of all datagrams together.
    pub len: usize,
    /// Bytes of each datagram but the last, which may have fewer.
    pub segment: usize,
    /// How many datagrams.
    pub count: u16,
    /// A shorter datagram has closed the run.
    closed: bool,
}

/// The arena and its runs. Filled in one pass of a unit, sent, cleared; its memory is kept.
#[derive(Debug, Default)]
pub struct Outbox {
    data: Vec<u8>,
    runs: Vec<Run>,
}

impl Outbox {
    /// Whether there is nothing to send.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Bytes waiting.
    pub fn len_bytes(&self) -> usize {
        self.data.len()
    }

    /// All bytes; runs point into them.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// The runs, in the order to send them.
    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// Adds a copy of a datagram.
    pub fn push(&mut self, transport: Transport, datagram: &[u8]) {
        let start = self.data.len();
        self.data.extend_from_slice(datagram);
        self.commit(transport, start);
    }

    /// The arena, to append a datagram in place; [`Outbox::commit`] makes it one. What is appended and not committed
    /// must be taken off again.
    pub fn arena(&mut self) -> &mut Vec<u8> {
        &mut self.data
    }

    /// Makes the bytes from `start` to the end of the arena one datagram. An empty one is ignored.
    #[inline]
    pub fn commit(&mut self, transport: Transport, start: usize) {
        let len = self.data.len().saturating_sub(start);
        if len == 0 {
            return;
        }
        if let Some(run) = self.runs.last_mut()
            && !run.closed
            && run.transport == transport
            && run.start + run.len == start
            && len <= run.segment
            && run.count < RUN_DATAGRAMS_MAX
            && run.len + len <= RUN_BYTES_MAX
        {
            run.closed = len < run.segment;
            run.len += len;
            run.count += 1;
            return;
        }
        self.runs.push(Run { transport, start, len, segment: len, count: 1, closed: false });
    }

    /// Forgets everything that was to be sent; keeps the memory.
    pub fn clear(&mut self) {
        self.data.clear();
        self.runs.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transport(port: u16) -> Transport {
        let local = SocketAddr::from(([127, 0, 0, 1], 1));
        Transport { protocol: Protocol::Udp, local, remote: SocketAddr::from(([127, 0, 0, 1], port)) }
    }

    #[test]
    fn equal_sizes_for_one_transport_make_one_run_that_a_shorter_one_closes() {
        let mut outbox = Outbox::default();
        for len in [100, 100, 60, 60, 100] {
            outbox.push(transport(1), &vec![0; len]);
        }
        outbox.push(transport(2), &[0; 100]);
        let shape: Vec<_> =
            outbox.runs().iter().map(|r| (r.transport.remote.port(), r.count, r.segment, r.len)).collect();
        assert_eq!(shape, [(1, 3, 100, 260), (1, 1, 60, 60), (1, 1, 100, 100), (2, 1, 100, 100)]);
    }

    #[test]
    fn a_run_stays_below_what_the_kernel_takes() {
        let mut outbox = Outbox::default();
        for _ in 0..100 {
            outbox.push(transport(1), &[0; 1500]);
        }
        assert!(outbox.runs().iter().all(|r| r.len <= RUN_BYTES_MAX && r.count <= RUN_DATAGRAMS_MAX));
        assert_eq!(outbox.runs().iter().map(|r| r.count).sum::<u16>(), 100);
    }
}
