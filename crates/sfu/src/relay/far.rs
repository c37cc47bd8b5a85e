//! The units of the receivers: tracks that come from another unit, and what is asked of it.

use std::time::{Duration, Instant};

use model::{Codec, Layer, MeetingId, UnitId};

use super::frame::Relayed;
use super::order::Place;
use super::words::{Announced, Control, Subscription};
use super::{Far, LEASE, Wish, bit};
use crate::demand::Asked;
use crate::ingest::Crossed;
use crate::keyframe::Urgency;
use crate::track::{Origin, Published};
use crate::unit::Unit;

/// A packet that is sent again may be as old as the history; nothing is older.
const AGE_MAX: Duration = Duration::from_secs(5);

impl Unit {
    /// Where a track comes from, for those who receive it here: another unit, or a peer of this one.
    pub(crate) fn route(&mut self, now: Instant, track: u32, home: Option<UnitId>, meeting: MeetingId) {
        let Some(known) = self.tracks.get(track as usize) else { return };
        if known.far.as_ref().map(|f| f.unit) == home {
            return;
        }
        self.unsubscribe(track);
        let (Some(unit), Some(known)) = (home, self.tracks.get_mut(track as usize)) else { return };
        let handle = self.relays.draw_handle();
        known.far = Some(Far {
            unit,
            handle,
            meeting,
            encodings: 0,
            wish: Wish::default(),
            codecs: Vec::new(),
            digest: 0,
            heard_at: now,
        });
        self.relays.by_handle.insert(handle, track);
        self.subscribe(track);
    }

    /// Asks for a track, or says what of it is looked at now.
    fn subscribe(&mut self, track: u32) {
        let Some(known) = self.tracks.get(track as usize) else { return };
        let local = known.published.as_ref().is_some_and(|p| matches!(p.origin, Origin::Local { .. }));
        // Its peer is here: the room knows better soon, or its former connection is not closed yet.
        let Some(far) = known.far.as_ref().filter(|_| !local) else { return };
        let (handle, encodings, digest, codecs) = (far.handle, far.encodings, far.digest, far.codecs.clone());
        let (source, meeting) = (known.source, far.meeting);
        let layers = far.wish.layers;
        let wanted = Subscription { handle, source, meeting, encodings, layers, codecs, digest };
        self.relays.say(far.unit, &Control::Subscribe(wanted));
    }

    /// A track does not come from another unit any more.
    pub(crate) fn unsubscribe(&mut self, track: u32) {
        let Some(known) = self.tracks.get_mut(track as usize) else { return };
        let Some(far) = known.far.take() else { return };
        let relayed = known.is_from_afar();
        self.relays.by_handle.remove(&far.handle);
        self.relays.say(far.unit, &Control::Unsubscribe { handle: far.handle });
        if relayed {
            self.unpublish(track);
        }
    }

    /// Its peer is not here (any more): it comes from where the room said, if it did.
    pub(crate) fn follow_route(&mut self, track: u32) {
        if self.tracks.get(track as usize).is_some_and(|t| t.far.is_some()) {
            self.subscribe(track);
        }
    }

    /// Which encodings are looked at here, and in which codecs they are needed.
    pub(crate) fn want_relayed(&mut self, now: Instant, track: u32, encodings: u32, codecs: &[Codec]) {
        let layers_changed = self.settle_layers(now, track);
        let Some(known) = self.tracks.get_mut(track as usize) else { return };
        let Some(far) = known.far.as_mut() else { return };
        if !layers_changed && far.encodings == encodings && far.codecs == codecs {
            return;
        }
        let new = encodings & !std::mem::replace(&mut far.encodings, encodings);
        far.codecs = codecs.to_vec();
        for (encoding, index) in known.published.iter_mut().flat_map(|p| &mut p.encodings).zip(0u8..) {
            if new & bit(index) != 0 {
                encoding.relayed.pause();
            }
        }
        self.subscribe(track);
    }

    /// Asks the unit of the sender for a key frame. False: the track does not come from another unit.
    pub(crate) fn ask_for_relayed_key_frame(&mut self, track: u32, encoding: u8, urgency: Urgency) -> bool {
        let Some(far) = self.tracks.get(track as usize).and_then(|t| t.far.as_ref()) else { return false };
        let urgent = urgency == Urgency::Urgent;
        self.relays.say(far.unit, &Control::KeyFrame { handle: far.handle, encoding, urgent });
        true
    }

    /// A receiver lacks a packet, and so do we.
    pub(crate) fn ask_for_relayed_packet(&mut self, track: u32, encoding: u8, sequence: u64) {
        if let Some(far) = self.tracks.get(track as usize).and_then(|t| t.far.as_ref()) {
            let sequences = vec![sequence];
            self.relays.say(far.unit, &Control::Resend { handle: far.handle, encoding, sequences });
        }
    }

    /// The track that another unit names so.
    fn relayed(&mut self, from: UnitId, handle: u32) -> Option<(u32, &mut Far)> {
        let track = *self.relays.by_handle.get(&handle)?;
        let far = self.tracks.get_mut(track as usize)?.far.as_mut()?;
        (far.unit == from && far.handle == handle).then_some((track, far))
    }

    pub(super) fn take_relayed(&mut self, now: Instant, from: UnitId, packet: &Relayed<'_>) {
        let Some((track, _)) = self.relayed(from, packet.handle) else {
            // It does not know that nobody is here any more.
            self.counters.relay_packets_unknown += 1;
            return self.relays.say(from, &Control::Unsubscribe { handle: packet.handle });
        };
        let Some(known) = self.tracks.get_mut(track as usize).filter(|t| t.is_from_afar()) else { return };
        let layer = usize::from(packet.received.layer);
        let encoding = known.published.as_mut().and_then(|p| p.encodings.get_mut(layer));
        let Some(encoding) = encoding else { return };
        let mut received = packet.received.clone();
        let place = encoding.relayed.take(received.sequence, received.restarted);
        match place {
            Place::Follows => {}
            Place::Ahead => received.restarted = true,
            Place::Back => {
                encoding.forget_packets();
                received.restarted = true;
            }
            Place::Refused => {
                self.counters.relay_garbage += 1;
                return;
            }
        }
        self.counters.relay_packets_received += 1;
        let crossed = Crossed {
            captured: now.checked_sub(packet.age.min(AGE_MAX)),
            layers: packet.layers,
            whole_len: packet.whole_len,
        };
        self.take_in(now, track, crossed, &received, packet.payload, packet.descriptor);
    }

    pub(super) fn handle_alive(&mut self, now: Instant, from: UnitId, handle: u32) {
        match self.relayed(from, handle) {
            Some((_, far)) => far.heard_at = now,
            None => self.relays.say(from, &Control::Unsubscribe { handle }),
        }
    }

    pub(super) fn handle_announce(
        &mut self,
        now: Instant,
        from: UnitId,
        handle: u32,
        digest: u64,
        media: Option<Announced>,
    ) {
        let Some((track, far)) = self.relayed(from, handle) else {
            return self.relays.say(from, &Control::Unsubscribe { handle });
        };
        (far.heard_at, far.digest) = (now, digest);
        let local = self.tracks.get(track as usize).and_then(|t| t.published.as_ref());
        if local.is_some_and(|p| matches!(p.origin, Origin::Local { .. })) {
            return;
        }
        match media.filter(|m| !m.encodings.is_empty()) {
            Some(media) => self.adopt_relayed(track, &media),
            None => self.unpublish(track),
        }
        self.demand_soon(track);
    }

    /// Brings a track in line with what its unit says of it.
    fn adopt_relayed(&mut self, track: u32, media: &Announced) {
        let Some(known) = self.tracks.get_mut(track as usize) else { return };
        let same = known.published.as_ref().is_some_and(|p| {
            p.kind == media.kind
                && p.semantic == media.semantic
                && p.encodings.iter().map(|e| e.rid).eq(media.encodings.iter().map(|e| e.rid))
        });
        if !same {
            self.unpublish(track);
            let layers: Vec<Layer> = media
                .encodings
                .iter()
                .filter_map(|e| e.rid.map(|rid| Layer { rid, width: e.size.0, height: e.size.1 }))
                .collect();
            let mut published =
                Published::new(Origin::Relayed, media.kind, media.semantic, media.codecs.clone(), &layers);
            for encoding in &mut published.encodings {
                // Nothing comes that is not asked for.
                encoding.asked = Asked::nothing();
            }
            if let Some(known) = self.tracks.get_mut(track as usize) {
                known.published = Some(published);
            }
        }
        let Some(known) = self.tracks.get_mut(track as usize) else { return };
        let Some(published) = known.published.as_mut() else { return };
        let agreed = same && published.codecs == media.codecs;
        published.codecs.clone_from(&media.codecs);
        for (encoding, announced) in published.encodings.iter_mut().zip(&media.encodings) {
            encoding.on_offer = announced.available;
            if !encoding.active {
                encoding.size = announced.size;
                encoding.codec = announced.codec;
                announced.cost.into_iter().for_each(|cost| encoding.cost.expect(cost));
            }
        }
        let subscribers = known.subscribers.clone();
        for at in subscribers {
            if !agreed {
                self.agree(at, track);
            }
            self.plan_soon(at.peer);
        }
        self.set_muted(track, media.muted);
    }

    /// Repeats subscriptions, and ends what is not heard of any more.
    pub(super) fn refresh_far(&mut self, now: Instant) {
        let tracks: Vec<u32> = self.relays.by_handle.values().copied().collect();
        for track in tracks {
            let Some(known) = self.tracks.get_mut(track as usize) else { continue };
            let relayed = known.is_from_afar();
            let Some(far) = known.far.as_mut() else { continue };
            if relayed && now.saturating_duration_since(far.heard_at) > LEASE {
                far.digest = 0;
                self.unpublish(track);
            }
            self.subscribe(track);
        }
    }
}
