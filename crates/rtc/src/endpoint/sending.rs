//! What is sent on a connection, and how much its path carries.

use std::time::Instant;

use model::Bitrate;
use model::datagram::Outbox;

use super::{Endpoint, State, abs_send_time};
use crate::bandwidth::Bandwidth;
use crate::bwe::Probe;
use crate::send::{WriteRtp, Written};

impl Endpoint {
    /// Sends a packet on a slot. Returns its bytes on the wire; 0 where it cannot be sent now.
    #[inline]
    pub fn write_rtp(&mut self, now: Instant, outbox: &mut Outbox, packet: &WriteRtp<'_>) -> usize {
        let (Some(keys), Some(to)) = (&self.keys, self.ice.selected()) else { return 0 };
        if self.state != State::Connected {
            return 0;
        }
        let send_time = abs_send_time(now.saturating_duration_since(self.epoch));
        let written = self.sender.write(&keys.outbound, to, send_time, outbox, packet);
        self.note(now, written)
    }

    /// Sends a packet again. Returns its bytes on the wire; 0 where it cannot be.
    pub fn write_rtx(
        &mut self,
        now: Instant,
        outbox: &mut Outbox,
        packet: &WriteRtp<'_>,
        payload_type: Option<u8>,
    ) -> usize {
        let (Some(keys), Some(to)) = (&self.keys, self.ice.selected()) else { return 0 };
        if self.state != State::Connected {
            return 0;
        }
        let send_time = abs_send_time(now.saturating_duration_since(self.epoch));
        let written = self.sender.write_rtx(&keys.outbound, to, send_time, outbox, packet, payload_type);
        self.note(now, written)
    }

    /// Sends padding on the retransmission stream of an m-line, about so many bytes and up to 255 of them: for a probe,
    /// when there is nothing to send again. Returns its bytes on the wire; 0 where it cannot be sent.
    pub fn write_padding(
        &mut self,
        now: Instant,
        outbox: &mut Outbox,
        line: u16,
        payload_type: u8,
        bytes: usize,
    ) -> usize {
        let (Some(keys), Some(to)) = (&self.keys, self.ice.selected()) else { return 0 };
        if self.state != State::Connected {
            return 0;
        }
        let send_time = abs_send_time(now.saturating_duration_since(self.epoch));
        let stream = (line, payload_type);
        let written = self.sender.write_padding(&keys.outbound, to, send_time, outbox, stream, bytes);
        self.note(now, written)
    }

    #[inline]
    fn note(&mut self, now: Instant, written: Written) -> usize {
        if written.bytes > 0 {
            self.estimator.handle_sent(now, written.transport_sequence, written.bytes);
        }
        written.bytes
    }

    /// What the path to the client carries.
    pub fn bandwidth(&self) -> Bandwidth {
        self.estimator.bandwidth()
    }

    /// Whether [`Endpoint::bandwidth`] has changed by 3 % or more, or losses have become many or few, since this was
    /// asked last.
    pub fn take_bandwidth_change(&mut self) -> bool {
        self.estimator.take_change()
    }

    /// What everything that the client wants would cost at its best: as far as that it is worth to probe.
    pub fn set_wanted(&mut self, now: Instant, wanted: Bitrate) {
        self.estimator.set_wanted(now, wanted);
    }

    /// Whether [`Endpoint::poll_probe`] is to be called.
    pub fn wants_probe(&self) -> bool {
        self.state == State::Connected && self.estimator.wants_probe()
    }

    /// What is to be sent now for the sake of a probe. `None`: there is none (any more). While there is one, call it
    /// again every [`crate::bwe::PROBE_BURST_INTERVAL`].
    pub fn poll_probe(&mut self, now: Instant) -> Option<Probe> {
        if self.state != State::Connected {
            return None;
        }
        self.estimator.poll_probe(now)
    }
}
