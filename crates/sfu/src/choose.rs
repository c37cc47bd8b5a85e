//! What slots show: stopped and begun again at key frames, which senders are asked for, and told to the room.

use std::time::Instant;

use model::MediaKind;
use model::unit::UnitFact;

use crate::keyframe::Urgency;
use crate::relay::RelayedTo;
use crate::svc::Choice;
use crate::track::{Encoding, Origin, SlotRef};
use crate::unit::Unit;

impl Unit {
    /// What a slot is to be sent of a scalable encoding. Asks for the key frame that it may need.
    pub(crate) fn want_layers(&mut self, at: SlotRef, track: u32, choice: Option<Choice>) {
        let Some(published) = self.tracks.get(track as usize).and_then(|t| t.published.as_ref()) else {
            return;
        };
        let Some(slot) = self.peers.get_mut(at.peer as usize).and_then(|p| p.slot_mut(at.line)) else {
            return;
        };
        let shown = slot.current.and_then(|c| published.encodings.get(usize::from(c)));
        let Some(ladder) = shown.and_then(|e| e.ladder.as_deref()) else {
            return slot.want(choice, None);
        };
        slot.want(choice, Some(ladder));
        // Less than before is wanted because more cannot be sent or seen, so what is sent now is too much.
        let urgency = match slot.selector.awaits_key_frame(ladder) {
            Some(true) => Urgency::Urgent,
            Some(false) => Urgency::Usual,
            None => return,
        };
        if let Some(current) = slot.current {
            self.want_key_frame(track, current, urgency);
        }
    }

    /// A slot shows nothing until the next key frame of what it is to show.
    pub(crate) fn stop_showing(&mut self, at: SlotRef, encoding: u8) {
        let Some(slot) = self.peers.get_mut(at.peer as usize).and_then(|p| p.slot_mut(at.line)) else {
            return;
        };
        if slot.current == Some(encoding) {
            slot.current = None;
            slot.target.get_or_insert(encoding);
        }
        self.tell_slot(at);
    }

    /// A peer can be sent something (again): what its slots show begins with a key frame.
    pub(crate) fn restart_slots(&mut self, now: Instant, peer: u32) {
        self.make_plan(now, peer);
        let Some(known) = self.peers.get(peer as usize) else { return };
        let lines: Vec<u16> = (0..known.slots.len()).filter_map(|l| u16::try_from(l).ok()).collect();
        for line in lines {
            let Some(slot) = self.peers.get(peer as usize).and_then(|p| p.slot(line)) else { continue };
            if let (Some(track), Some(encoding)) = (slot.track, slot.target.or(slot.current)) {
                self.want_key_frame(track, encoding, Urgency::Urgent);
            }
        }
    }

    /// What comes in from a track has changed: a size is known, an encoding fell silent or spoke.
    pub(crate) fn track_changed(&mut self, track: u32) {
        let Some(known) = self.tracks.get_mut(track as usize) else { return };
        let source = known.source;
        let relayed = known.is_from_afar();
        if let Some((codec, layers, active)) = known.published.as_mut().and_then(|p| p.news())
            && !relayed
        {
            self.facts.push_back(UnitFact::SourceChanged { source, codec, layers, active });
        }
        self.announce(track);
        self.plan_soon_for_all(track);
    }

    /// Somebody needs a key frame of a video encoding.
    pub(crate) fn want_key_frame(&mut self, track: u32, encoding: u8, urgency: Urgency) {
        let Some(published) = self.tracks.get_mut(track as usize).and_then(|t| t.published.as_mut()) else {
            return;
        };
        if published.kind != MediaKind::Video {
            return;
        }
        let Some(known) = published.encodings.get_mut(usize::from(encoding)) else { return };
        known.requests.want(urgency);
        if !self.key_frames_wanted.contains(&(track, encoding)) {
            self.key_frames_wanted.push((track, encoding));
        }
    }

    /// A receiver asks for a key frame of what a slot shows.
    pub(crate) fn handle_key_frame_request(&mut self, at: SlotRef) {
        let Some(slot) = self.peers.get(at.peer as usize).and_then(|p| p.slot(at.line)) else { return };
        if let (Some(track), Some(encoding)) = (slot.track, slot.current.or(slot.target)) {
            self.want_key_frame(track, encoding, Urgency::Usual);
        }
    }

    /// Asks senders for the key frames that are wanted, those whose time has come.
    pub(crate) fn request_key_frames(&mut self, now: Instant) {
        let mut wanted = std::mem::take(&mut self.key_frames_wanted);
        wanted.retain(|&(track, encoding)| {
            let Some(sent) = self.tracks.get_mut(track as usize) else { return false };
            let relayed = RelayedTo::of(sent).includes(encoding);
            let Some(published) = sent.published.as_mut() else { return false };
            let origin = published.origin;
            let Some(known) = published.encodings.get_mut(usize::from(encoding)) else { return false };
            if known.watchers.is_empty() && !relayed {
                known.requests.satisfied();
                return false;
            }
            // One that is switched off is asked when it comes; another unit knows whether it is.
            if known.asked.is_asleep() && !known.active && origin != Origin::Relayed {
                return true;
            }
            let Some(urgency) = known.requests.due(now) else {
                return known.requests.deadline(now).is_some();
            };
            // Before its first packet an encoding cannot be asked, and begins with a key frame anyway.
            let asked = match origin {
                Origin::Relayed => self.ask_for_relayed_key_frame(track, encoding, urgency),
                Origin::Local { peer, line } => self.peers.get_mut(peer as usize).is_some_and(|sender| {
                    sender.endpoint.request_key_frame(line, encoding, &mut self.outbox)
                }),
            };
            if asked && let Some(known) = self.encoding_mut(track, encoding) {
                known.requests.sent(now);
                self.counters.key_frames_requested += u64::from(origin != Origin::Relayed);
            }
            true
        });
        self.key_frames_wanted = wanted;
    }

    /// Tells the room what a slot shows, if that is news.
    pub(crate) fn tell_slot(&mut self, at: SlotRef) {
        let Some(peer) = self.peers.get_mut(at.peer as usize) else { return };
        let id = peer.id;
        let Some(slot) = peer.slot_mut(at.line) else { return };
        let published =
            slot.track.and_then(|t| self.tracks.get(t as usize)).and_then(|t| t.published.as_ref());
        let shown = published.zip(slot.current).and_then(|(p, c)| {
            let encoding = p.encodings.get(usize::from(c))?;
            let is_scalable =
                encoding.ladder.as_ref().is_some_and(|l| l.points().last().is_some_and(|p| p.spatial > 0));
            let planned = slot.planned.filter(|(planned, ..)| is_scalable && *planned == c);
            Some((encoding.rid, planned.map(|(_, spatial, _)| spatial), encoding.active && !p.muted))
        });
        let (rid, spatial, active) = shown.unwrap_or((None, None, false));
        let now = (rid, spatial, active, slot.reason);
        if now != slot.told {
            slot.told = now;
            let (slot, reason) = (slot.mid, slot.reason);
            self.facts.push_back(UnitFact::SlotLayer { peer: id, slot, rid, spatial, active, reason });
        }
    }

    pub(crate) fn encoding_mut(&mut self, track: u32, encoding: u8) -> Option<&mut Encoding> {
        let published = self.tracks.get_mut(track as usize)?.published.as_mut()?;
        published.encodings.get_mut(usize::from(encoding))
    }

    pub(crate) fn with_encoding(&mut self, track: u32, encoding: u8, act: impl FnOnce(&mut Encoding)) {
        if let Some(known) = self.encoding_mut(track, encoding) {
            act(known);
        }
    }
}
