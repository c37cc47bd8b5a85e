//! What came in with this pass goes out: receivers outside, packets inside, so that the packets of one receiver lie next
//! to each other and leave as one call. And what a receiver lost goes out again.

use std::cell::Cell;
use std::time::Instant;

use model::MediaKind;
use model::datagram::Outbox;
use rtc::WriteRtp;

use crate::counters::Counters;
use crate::history::Stored;
use crate::pacer::{self, Waiting};
use crate::peer::{Peer, Work, is_narrow};
use crate::slot::{Outcome, Outgoing, Part, Slot};
use crate::timeline::LayerKey;
use crate::track::{Encoding, SlotRef};
use crate::unit::Unit;

/// Bytes after which the shell should send what there is: the arena stays in the processor's cache, and does not grow
/// without bound.
const OUTBOX_BYTES: usize = 2 << 20;

impl Unit {
    /// Sends on everything that came in since the last call. `flush` is called when much has gathered, and must send
    /// and clear the outbox; what is there at the end is left for the shell.
    pub fn forward(&mut self, now: Instant, mut flush: impl FnMut(&mut Outbox)) {
        self.make_plans(now);
        self.relay(now);
        self.gather_work();
        let mut dirty = std::mem::take(&mut self.dirty);
        for peer in dirty.drain(..) {
            self.forward_to(now, peer);
            if self.outbox.len_bytes() > OUTBOX_BYTES {
                flush(&mut self.outbox);
            }
        }
        self.dirty = dirty;
        self.finish_switches();
        for (track, encoding) in self.touched.drain(..) {
            let track = self.tracks.get_mut(track as usize).and_then(|t| t.published.as_mut());
            if let Some(encoding) = track.and_then(|p| p.encodings.get_mut(usize::from(encoding))) {
                encoding.arrived.clear();
            }
        }
        self.request_key_frames(now);
    }

    /// Notes for each watcher of an encoding with new packets that it has something to send.
    fn gather_work(&mut self) {
        for &(track, encoding) in &self.touched {
            let Some(published) = self.tracks.get(track as usize).and_then(|t| t.published.as_ref()) else {
                continue;
            };
            let Some(watched) = published.encodings.get(usize::from(encoding)) else { continue };
            for slot in &watched.watchers {
                let Some(peer) = self.peers.get_mut(slot.peer as usize) else { continue };
                if peer.work.is_empty() {
                    self.dirty.push(slot.peer);
                }
                peer.work.push(Work { line: slot.line, track, encoding });
            }
        }
    }

    fn forward_to(&mut self, now: Instant, peer: u32) {
        let Some(receiver) = self.peers.get_mut(peer as usize) else { return };
        let bandwidth = receiver.endpoint.bandwidth();
        receiver.pacer.advance(now, bandwidth.target);
        let sparing = is_narrow(&bandwidth);
        let mut work = std::mem::take(&mut receiver.work);
        for item in work.drain(..) {
            let Some(published) = self.tracks.get(item.track as usize).and_then(|t| t.published.as_ref())
            else {
                continue;
            };
            let Some(encoding) = published.encodings.get(usize::from(item.encoding)) else { continue };
            let may_wait = published.kind == MediaKind::Video;
            let pass =
                Pass { now, item, may_wait, sparing, outbox: &mut self.outbox, counters: &mut self.counters };
            if let Some(from) = pass.forward(receiver, encoding) {
                self.switched.push(Switched {
                    slot: SlotRef { peer, line: item.line },
                    track: item.track,
                    from,
                });
            }
        }
        receiver.work = work;
        if receiver.pacer.deadline.is_none() && receiver.pacer.is_waiting() {
            receiver.pacer.deadline = Some(now + pacer::INTERVAL);
            self.reschedule(now, peer);
        }
    }

    /// Slots that began to show another encoding stop watching the former one.
    fn finish_switches(&mut self) {
        let mut switched = std::mem::take(&mut self.switched);
        for Switched { slot, track, from } in switched.drain(..) {
            // One that fell silent goes on being asked for, to be shown when it comes again.
            let awaited =
                self.peers.get(slot.peer as usize).and_then(|p| p.slot(slot.line)).and_then(|s| s.awaited);
            if let Some(former) = from
                && awaited != from
                && let Some(encoding) = self.encoding_mut(track, former)
            {
                encoding.unwatch(slot);
            }
            self.tell_slot(slot);
        }
        self.switched = switched;
    }

    /// Sends a packet again to the receiver that says it lacks it, as soon as its path has room.
    pub(crate) fn retransmit(&mut self, now: Instant, peer: u32, line: u16, sequence: u16) {
        let Some(receiver) = self.peers.get_mut(peer as usize) else { return };
        let bandwidth = receiver.endpoint.bandwidth();
        receiver.pacer.advance(now, bandwidth.target);
        receiver.pacer.advance_repairs(now, &bandwidth, receiver.plan.used);
        if receiver.pacer.may_repair() {
            return self.resend(now, peer, line, sequence);
        }
        if !receiver.pacer.push_again(line, sequence) {
            self.counters.retransmissions_missed += 1;
        }
        receiver.pacer.deadline.get_or_insert(now + pacer::INTERVAL);
    }

    /// Sends a packet again, if it is still there.
    pub(crate) fn resend(&mut self, now: Instant, peer: u32, line: u16, sequence: u16) {
        let tracks = &self.tracks;
        let missing = Cell::new(None);
        let lookup = |layer: LayerKey, number: u64| {
            let published = tracks.get(layer.track as usize)?.published.as_ref()?;
            let found = published.encodings.get(usize::from(layer.layer))?.history.get_whole(number);
            missing.set(found.is_none().then_some((layer, number)));
            found
        };
        let Some(receiver) = self.peers.get_mut(peer as usize) else { return };
        let round_trip = receiver.endpoint.bandwidth().round_trip;
        let Some(slot) = receiver.slots.get_mut(usize::from(line)).and_then(Option::as_mut) else { return };
        if slot.needs_no_repair(now, sequence, round_trip) {
            return;
        }
        match slot.again(now, sequence, lookup) {
            Some((outgoing, packet)) => {
                let write = write(line, &outgoing, packet);
                let payload_type = outgoing.rtx_payload_type;
                let bytes = receiver.endpoint.write_rtx(now, &mut self.outbox, &write, payload_type);
                if bytes > 0 {
                    receiver.pacer.repaired(bytes);
                    self.counters.packets_retransmitted += 1;
                }
            }
            None => {
                self.counters.retransmissions_missed += 1;
                // It may have got lost between two units.
                if let Some((layer, number)) = missing.get() {
                    self.ask_for_relayed_packet(layer.track, layer.layer, number);
                }
            }
        }
    }
}

/// A slot that began to show another encoding.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Switched {
    slot: SlotRef,
    track: u32,
    from: Option<u8>,
}

/// One encoding's new packets for one slot.
struct Pass<'a> {
    now: Instant,
    item: Work,
    /// Sound never waits.
    may_wait: bool,
    /// Sound goes without redundancy.
    sparing: bool,
    outbox: &'a mut Outbox,
    counters: &'a mut Counters,
}

impl Pass<'_> {
    /// Sends them. `Some` when the slot began to show this encoding, with the one that it showed before.
    fn forward(self, receiver: &mut Peer, encoding: &Encoding) -> Option<Option<u8>> {
        let Peer { slots, endpoint, pacer, .. } = receiver;
        // Whoever cannot be sent anything yet begins with a key frame later.
        if !endpoint.is_connected() {
            return None;
        }
        let slot = slots.get_mut(usize::from(self.item.line))?.as_mut()?;
        if slot.track != Some(self.item.track) {
            return None;
        }
        let mut switched = None;
        for &sequence in &encoding.arrived {
            let Some(packet) = encoding.history.get(sequence) else { continue };
            if slot.current != Some(self.item.encoding) {
                if slot.target != Some(self.item.encoding) || !packet.key_frame {
                    continue;
                }
                switched = Some(slot.current);
                let source = LayerKey { track: self.item.track, layer: self.item.encoding };
                slot.switch(source, packet, encoding.ladder.as_deref());
            }
            let outgoing = match slot.outgoing(packet, encoding.ladder.as_deref(), self.sparing) {
                Outcome::Send(outgoing) => outgoing,
                Outcome::LeftOut => continue,
                Outcome::NoCodec => {
                    self.counters.packets_without_codec += 1;
                    continue;
                }
                Outcome::Damaged => {
                    self.counters.red_damaged += 1;
                    continue;
                }
            };
            if self.may_wait && pacer.must_wait() {
                let waiting = self.waiting(packet, outgoing);
                self.counters.packets_waited += 1;
                self.counters.packets_dropped_waiting += u64::from(!pacer.push(waiting));
                continue;
            }
            let bytes = endpoint.write_rtp(self.now, self.outbox, &write(self.item.line, &outgoing, packet));
            if bytes > 0 {
                pacer.sent(bytes);
                self.counters.red_stripped += u64::from(outgoing.part == Part::Primary);
                self.counters.packets_forwarded += 1;
                self.counters.bytes_forwarded += bytes as u64;
            }
        }
        switched
    }

    #[cold]
    fn waiting(&self, packet: &Stored, outgoing: Outgoing) -> Waiting {
        Waiting {
            line: self.item.line,
            source: LayerKey { track: self.item.track, layer: self.item.encoding },
            sequence: packet.sequence,
            outgoing,
            bytes: u16::try_from(packet.payload().len()).unwrap_or(u16::MAX),
        }
    }
}

pub(crate) fn write<'a>(line: u16, outgoing: &Outgoing, packet: &'a Stored) -> WriteRtp<'a> {
    let ids = Slot::ids(outgoing, packet);
    // VP8 says all of it in its payload descriptor, whose counters are rewritten. A dependency descriptor that was not
    // read is not sent on: its frame numbers would be those of the source, and go back at a switch.
    let described = ids.is_none() && packet.mark.is_some() && !packet.descriptor().is_empty();
    WriteRtp {
        line,
        payload_type: outgoing.payload_type,
        marker: outgoing.marker,
        sequence: outgoing.mapped.sequence,
        timestamp: outgoing.mapped.timestamp,
        csrc: packet.ssrc,
        carried: packet.carried,
        vp8: ids.map(|ids| (ids.picture_id, ids.tl0_pic_idx)),
        descriptor: described.then(|| (packet.descriptor(), outgoing.descriptor)),
        red: match outgoing.part {
            Part::Renamed(blocks) => Some(blocks),
            Part::Whole | Part::Primary => None,
        },
        payload: match outgoing.part {
            Part::Primary => packet.primary(),
            Part::Whole | Part::Renamed(_) => packet.payload(),
        },
    }
}
