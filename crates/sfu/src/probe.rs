//! What is sent beside what came in: packets that waited for a receiver's path, retransmissions that did, and probes of
//! what else it carries. All of it in bursts at wake-ups a few milliseconds apart, and no timer where there is nothing
//! of it.

use std::time::{Duration, Instant};

use model::MediaKind;
use rtc::Bandwidth;

use crate::fanout::write;
use crate::history::Stored;
use crate::pacer::{self, Waiting};
use crate::peer::Peer;
use crate::timeline::LayerKey;
use crate::track::Track;
use crate::unit::Unit;

/// How often an endpoint is told what its peer wants.
const WANTED_INTERVAL: Duration = Duration::from_millis(200);
/// Of its newest packets, a probe sends so many again before it takes padding.
const PROBE_BACK_MAX: u16 = 256;
/// Less than this is not worth a packet.
const PROBE_BYTES_MIN: usize = 50;
/// Packets of one burst of a probe: at 100 Mbit/s.
const BURST_PACKETS_MAX: usize = 128;

impl Unit {
    /// What a peer's path carries.
    pub fn bandwidth(&self, id: model::PeerId) -> Option<Bandwidth> {
        let peer = *self.by_id.get(&id)?;
        self.peers.get(peer as usize).map(|p| p.endpoint.bandwidth())
    }

    /// After anything that a peer may have reported: what it is sent is decided again, and a probe begins.
    pub(crate) fn follow_bandwidth(&mut self, now: Instant, peer: u32) {
        let changed = self.endpoint(peer).is_some_and(|e| e.take_bandwidth_change());
        if changed {
            self.plan_soon(peer);
        }
        let Some(known) = self.peers.get_mut(peer as usize) else { return };
        if known.pacer.tell_wanted_at <= now && known.endpoint.is_connected() {
            known.pacer.tell_wanted_at = now + WANTED_INTERVAL;
            known.endpoint.set_wanted(now, known.plan.wanted);
        }
        if known.pacer.deadline.is_none() && known.endpoint.wants_probe() {
            known.pacer.deadline = Some(now);
        }
    }

    /// Sends what waited for this moment.
    pub(crate) fn pace(&mut self, now: Instant, peer: u32) {
        let Some(known) = self.peers.get_mut(peer as usize) else { return };
        if known.pacer.deadline.is_none_or(|at| at > now) {
            return;
        }
        known.pacer.deadline = None;
        let bandwidth = known.endpoint.bandwidth();
        known.pacer.advance(now, bandwidth.target);
        known.pacer.advance_repairs(now, &bandwidth, known.plan.used);
        self.release_again(now, peer);
        self.release(now, peer);
        self.send_probe(now, peer);
        if let Some(known) = self.peers.get_mut(peer as usize)
            && (known.pacer.is_waiting() || known.endpoint.wants_probe())
        {
            known.pacer.deadline = Some(now + pacer::INTERVAL);
        }
    }

    fn release_again(&mut self, now: Instant, peer: u32) {
        while let Some(known) = self.peers.get_mut(peer as usize)
            && known.pacer.may_repair()
            && let Some((line, sequence)) = known.pacer.pop_again()
        {
            self.resend(now, peer, line, sequence);
        }
    }

    fn release(&mut self, now: Instant, peer: u32) {
        while let Some(known) = self.peers.get_mut(peer as usize)
            && known.pacer.may_release()
            && let Some(bytes) = self.release_one(now, peer)
        {
            if let Some(known) = self.peers.get_mut(peer as usize) {
                known.pacer.sent(bytes);
            }
        }
    }

    /// Sends the next packet that waits, and says how many bytes it had.
    fn release_one(&mut self, now: Instant, peer: u32) -> Option<usize> {
        let Peer { slots, endpoint, pacer, .. } = self.peers.get_mut(peer as usize)?;
        let Waiting { line, source, sequence, outgoing, .. } = pacer.pop()?;
        let slot = slots.get(usize::from(line)).and_then(Option::as_ref);
        let shown = slot.is_some_and(|s| s.track == Some(source.track));
        let Some(packet) = packet(&self.tracks, source, sequence).filter(|_| shown) else {
            self.counters.packets_dropped_waiting += 1;
            return Some(0);
        };
        let bytes = endpoint.write_rtp(now, &mut self.outbox, &write(line, &outgoing, packet));
        if bytes > 0 {
            self.counters.packets_forwarded += 1;
            self.counters.bytes_forwarded += bytes as u64;
        }
        Some(bytes)
    }

    /// Sends this moment's part of a probe: what waits, else what was sent lately once more, which helps where it was
    /// lost, else padding.
    fn send_probe(&mut self, now: Instant, peer: u32) {
        let Some(known) = self.peers.get_mut(peer as usize) else { return };
        let room = known.pacer.may_release() || known.pacer.is_waiting();
        if !known.endpoint.wants_probe() || !room {
            return;
        }
        let Some(probe) = known.endpoint.poll_probe(now) else {
            known.pacer.probe_back = 0;
            return;
        };
        let mut left = probe.bytes;
        for _ in 0..BURST_PACKETS_MAX {
            if left < PROBE_BYTES_MIN {
                break;
            }
            let bytes = match self.release_one(now, peer) {
                Some(bytes) => bytes,
                None => match self.send_filler(now, peer, left) {
                    0 => break,
                    bytes => {
                        self.counters.probe_bytes += bytes as u64;
                        bytes
                    }
                },
            };
            left = left.saturating_sub(bytes);
        }
    }

    /// Sends a packet of the past once more, or padding, of about so many bytes. Returns how many it had.
    fn send_filler(&mut self, now: Instant, peer: u32, bytes: usize) -> usize {
        let Some(known) = self.peers.get_mut(peer as usize) else { return 0 };
        let video = video_line(known);
        let padding = padding_stream(known, video);
        let Peer { slots, endpoint, pacer, .. } = known;
        let slot = video.and_then(|line| Some((line, slots.get(usize::from(line))?.as_ref()?)));
        if pacer.probe_back < PROBE_BACK_MAX
            && let Some((line, slot)) = slot
            && let Some((outgoing, packet)) =
                slot.sent_before(pacer.probe_back, |layer, number| packet(&self.tracks, layer, number))
            && packet.payload().len() <= bytes.saturating_mul(2)
        {
            pacer.probe_back += 1;
            let again = write(line, &outgoing, packet);
            let sent = endpoint.write_rtx(now, &mut self.outbox, &again, outgoing.rtx_payload_type);
            if sent > 0 {
                return sent;
            }
        }
        let Some((line, payload_type)) = padding else { return 0 };
        endpoint.write_padding(now, &mut self.outbox, line, payload_type, bytes)
    }
}

/// A packet of a track, if it is still there.
fn packet(tracks: &slab::Slab<Track>, source: LayerKey, sequence: u64) -> Option<&Stored> {
    let published = tracks.get(source.track as usize)?.published.as_ref()?;
    published.encodings.get(usize::from(source.layer))?.history.get_whole(sequence)
}

/// A line on which a picture is sent, with retransmission.
fn video_line(peer: &Peer) -> Option<u16> {
    let at = peer.slots.iter().position(|s| {
        s.as_ref().is_some_and(|s| s.current.is_some() && s.retransmission_payload_type().is_some())
    })?;
    u16::try_from(at).ok()
}

/// The line and payload type under which padding goes.
fn padding_stream(peer: &Peer, video: Option<u16>) -> Option<(u16, u8)> {
    let slot = video.and_then(|line| peer.slot(line)?.retransmission_payload_type().map(|pt| (line, pt)));
    slot.or_else(|| {
        peer.endpoint.media().iter().filter(|m| m.send.is_some() && m.kind == MediaKind::Video).find_map(
            |m| {
                let payload_type = m.codecs.iter().find_map(|c| c.rtx_pt)?;
                Some((u16::try_from(m.index).ok()?, payload_type))
            },
        )
    })
}
