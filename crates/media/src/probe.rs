//! How long a packet stays in a unit. Four times a second the unit sends itself a datagram, and notes when the pass that
//! takes it in has sent everything: the kernel's queue, the wait for the thread and the work of a pass, as a packet that
//! is forwarded has them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use model::datagram::{Outbox, Protocol, Transport};
use net::UdpSocket;

use crate::stats::Delays;

/// From one probe to the next, while there are peers.
const INTERVAL: Duration = Duration::from_millis(250);
/// What makes a datagram a probe, and the probe's number.
const SECRET_BYTES: usize = 16;
const PROBE_BYTES: usize = SECRET_BYTES + 8;

#[derive(Debug)]
pub(crate) struct DelayProbe {
    /// From the unit's own socket to itself.
    transport: Transport,
    /// Nobody else can send what is taken for a probe.
    datagram: [u8; PROBE_BYTES],
    number: u64,
    next: Instant,
    /// The one under way.
    sent: Option<Instant>,
    came: bool,
    outbox: Outbox,
    delays: Delays,
}

impl DelayProbe {
    /// For this socket of the unit.
    pub(crate) fn new(now: Instant, socket: &UdpSocket, secret: [u8; SECRET_BYTES]) -> Self {
        let bound = socket.local_addr();
        let own = match bound.ip() {
            ip if !ip.is_unspecified() => ip,
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        };
        let own = SocketAddr::new(own, bound.port());
        let mut datagram = [0; PROBE_BYTES];
        if let Some(place) = datagram.first_chunk_mut() {
            *place = secret;
        }
        Self {
            transport: Transport { protocol: Protocol::Udp, local: own, remote: own },
            datagram,
            number: 0,
            next: now,
            sent: None,
            came: false,
            outbox: Outbox::default(),
            delays: Delays::default(),
        }
    }

    /// When to call [`DelayProbe::send`] next.
    pub(crate) fn deadline(&self) -> Instant {
        self.next
    }

    /// What was found so far.
    pub(crate) fn delays(&self) -> Delays {
        self.delays
    }

    /// Sends a probe when it is time for one.
    pub(crate) fn send(&mut self, now: Instant, socket: &mut UdpSocket) {
        if now < self.next {
            return;
        }
        self.next = now + INTERVAL;
        if self.sent.take().is_some() {
            self.delays.lost += 1;
        }
        self.number += 1;
        if let Some(place) = self.datagram.last_chunk_mut() {
            *place = self.number.to_be_bytes();
        }
        (self.sent, self.came) = (Some(now), false);
        self.outbox.push(self.transport, &self.datagram);
        socket.send(self.outbox.data(), self.outbox.runs());
        self.outbox.clear();
    }

    /// Whether a datagram is the probe that is under way, or was one.
    #[inline]
    pub(crate) fn takes(&mut self, transport: &Transport, datagram: &[u8]) -> bool {
        if datagram.len() != PROBE_BYTES || transport.remote != self.transport.remote {
            return false;
        }
        if datagram.get(..SECRET_BYTES) != self.datagram.get(..SECRET_BYTES) {
            return false;
        }
        self.came |= datagram == self.datagram;
        true
    }

    /// A pass has sent everything.
    #[inline]
    pub(crate) fn passed(&mut self, end: Instant) {
        if std::mem::take(&mut self.came)
            && let Some(sent) = self.sent.take()
        {
            self.delays.note(end.saturating_duration_since(sent));
        }
    }
}

#[cfg(test)]
mod tests {
    use net::{NetConfig, Poller, RecvBatch, clock};

    use super::*;

    /// A socket, its probe, and what has come to the socket.
    struct Own {
        socket: UdpSocket,
        probe: DelayProbe,
        poller: Poller,
        batch: RecvBatch,
    }

    impl Own {
        fn bound(address: &str) -> Self {
            let config = NetConfig::default();
            let socket = UdpSocket::bind(address.parse().unwrap(), &config).unwrap();
            let probe = DelayProbe::new(clock::now(), &socket, [0xfe; SECRET_BYTES]);
            let mut poller = Poller::new(&config).unwrap();
            poller.add_udp(&socket, 0).unwrap();
            Self { socket, probe, poller, batch: RecvBatch::new(&config) }
        }

        /// Waits for datagrams; how many of them were probes.
        fn take(&mut self) -> usize {
            self.poller.wait(Some(clock::now() + Duration::from_secs(10))).unwrap();
            self.socket.recv_batch(&mut self.batch).unwrap();
            self.batch
                .iter_mut()
                .filter(|(transport, datagram)| self.probe.takes(transport, datagram))
                .count()
        }
    }

    #[test]
    fn a_probe_comes_back_and_is_noted_once() {
        for address in ["0.0.0.0:0", "127.0.0.1:0"] {
            let mut own = Own::bound(address);
            let begin = own.probe.deadline();
            own.probe.send(begin, &mut own.socket);
            own.probe.send(begin, &mut own.socket);
            assert_eq!(own.take(), 1, "{address}: it was not time for a second one");
            own.probe.passed(begin + Duration::from_micros(700));
            own.probe.passed(begin + Duration::from_secs(1));
            let delays = own.probe.delays();
            assert_eq!((delays.count(), delays.lost), (1, 0));
            assert!((delays.seconds - 0.0007).abs() < 1e-9);
            assert_eq!(own.probe.deadline(), begin + INTERVAL);
        }
    }

    #[test]
    fn a_probe_that_does_not_come_back_is_lost() {
        let mut own = Own::bound("127.0.0.1:0");
        let begin = own.probe.deadline();
        own.probe.send(begin, &mut own.socket);
        own.probe.send(begin + INTERVAL, &mut own.socket);
        let delays = own.probe.delays();
        assert_eq!((delays.count(), delays.lost), (0, 1));
        // The late first one is nobody else's, and says nothing any more.
        own.probe.sent = None;
        assert!(own.take() >= 1);
    }

    #[test]
    fn what_others_send_is_no_probe() {
        let mut own = Own::bound("127.0.0.1:0");
        let (here, known) = (own.probe.transport, own.probe.datagram);
        let elsewhere = Transport { remote: "127.0.0.1:9".parse().unwrap(), ..here };
        assert!(own.probe.takes(&here, &known));
        assert!(!own.probe.takes(&elsewhere, &known));
        assert!(!own.probe.takes(&here, &[0; PROBE_BYTES]));
        assert!(!own.probe.takes(&here, &known[..PROBE_BYTES - 1]));
    }
}
