//! What the room asks of the unit: answer an offer, bind, size, mute, close.

use std::time::Instant;

use model::unit::{Answer, Offer, OfferError, PublishedMedia, ReceiveSlot, Source, UnitCommand};
use model::{MeetingId, Mid, PeerId, ReceiveQuality, Rid, UnitId};
use rtc::Endpoint;
use rtc::sdp::{MediaLine, SessionDescription};

use crate::capture::SenderClock;
use crate::choice::TileSize;
use crate::keyframe::Urgency;
use crate::pacer::Pacer;
use crate::peer::Peer;
use crate::plan::Plan;
use crate::slot::Slot;
use crate::timeline::{PictureIds, Timeline};
use crate::track::{Origin, Published, SlotRef, Track};
use crate::unit::Unit;

impl Unit {
    /// Answers an offer. A new peer connection of a known peer takes the place of the former one.
    ///
    /// # Errors
    /// The offer cannot be used, or there is no room for one more peer.
    pub fn handle_offer(&mut self, now: Instant, offer: &Offer) -> Result<Answer, OfferError> {
        let answered = self.answer(now, offer);
        self.make_plans(now);
        match &answered {
            Ok(_) => self.counters.offers_answered += 1,
            Err(_) => self.counters.offers_refused += 1,
        }
        answered
    }

    fn answer(&mut self, now: Instant, offer: &Offer) -> Result<Answer, OfferError> {
        let invalid = |e: &dyn std::fmt::Display| OfferError::Invalid(e.to_string());
        let description = SessionDescription::parse(&offer.sdp).map_err(|e| invalid(&e))?;
        let known = self.by_id.get(&offer.peer).copied();
        let same = known
            .and_then(|p| self.peers.get(p as usize))
            .is_some_and(|p| p.endpoint.is_from(&description) && !p.failed);
        let (peer, sdp, replaced) = match known {
            Some(peer) if same => {
                (peer, self.renegotiate(now, peer, &description).map_err(|e| invalid(&e))?, false)
            }
            Some(peer) => (peer, self.replace(now, peer, &description).map_err(|e| invalid(&e))?, true),
            None => {
                if self.peers.len() >= self.peers_max {
                    return Err(OfferError::Full);
                }
                let (endpoint, sdp) = Endpoint::accept(now, &self.local, &description, &mut self.entropy)
                    .map_err(|e| invalid(&e))?;
                (self.insert(now, offer.peer, offer.meeting, endpoint)?, sdp, false)
            }
        };
        let media: Vec<MediaLine> = self.endpoint(peer).map(|e| e.media().to_vec()).unwrap_or_default();
        self.adopt(peer, &media);
        self.reschedule(now, peer);
        Ok(Answer {
            sdp,
            replaced,
            published: media.iter().filter_map(published_media).collect(),
            slots: media.iter().filter_map(receive_slot).collect(),
        })
    }

    fn renegotiate(
        &mut self,
        now: Instant,
        peer: u32,
        offer: &SessionDescription,
    ) -> Result<String, rtc::sdp::SdpError> {
        let Some(known) = self.peers.get_mut(peer as usize) else {
            return Err(rtc::sdp::SdpError::NoMediaLines);
        };
        let former = known.endpoint.ufrag().to_owned();
        let sdp = known.endpoint.handle_offer(now, &self.local, offer, &mut self.entropy)?;
        if known.endpoint.ufrag() != former {
            self.by_ufrag.remove(&former);
            self.by_ufrag.insert(known.endpoint.ufrag().to_owned(), peer);
        }
        Ok(sdp)
    }

    /// A peer came with a new peer connection, a reloaded page for one: nothing of the former is left.
    fn replace(
        &mut self,
        now: Instant,
        peer: u32,
        offer: &SessionDescription,
    ) -> Result<String, rtc::sdp::SdpError> {
        let (endpoint, sdp) = Endpoint::accept(now, &self.local, offer, &mut self.entropy)?;
        self.release_lines(peer);
        let Some(known) = self.peers.get_mut(peer as usize) else { return Ok(sdp) };
        let ufrag = endpoint.ufrag().to_owned();
        let former = std::mem::replace(&mut known.endpoint, endpoint);
        known.slots.clear();
        known.tracks.clear();
        known.work.clear();
        known.pacer.clear();
        known.clock = SenderClock::default();
        known.offered_at = now;
        known.failed = false;
        self.forget_connection(peer, &former);
        self.by_ufrag.insert(ufrag, peer);
        Ok(sdp)
    }

    fn insert(
        &mut self,
        now: Instant,
        id: PeerId,
        meeting: MeetingId,
        endpoint: Endpoint,
    ) -> Result<u32, OfferError> {
        let ufrag = endpoint.ufrag().to_owned();
        let entry = self.peers.vacant_entry();
        let peer = u32::try_from(entry.key()).map_err(|_| OfferError::Full)?;
        entry.insert(Peer {
            id,
            meeting,
            endpoint,
            slots: Vec::new(),
            tracks: Vec::new(),
            work: Vec::new(),
            pacer: Pacer::new(now),
            clock: SenderClock::default(),
            cap: None,
            plan: Plan::default(),
            plan_due: false,
            offered_at: now,
            failed: false,
        });
        self.by_id.insert(id, peer);
        self.by_ufrag.insert(ufrag, peer);
        self.rooms.entry(meeting).or_default().peers += 1;
        Ok(peer)
    }

    /// Brings slots and tracks in line with what was agreed.
    fn adopt(&mut self, peer: u32, media: &[MediaLine]) {
        let count = media.iter().map(|m| m.index + 1).max().unwrap_or(0);
        let Some(known) = self.peers.get_mut(peer as usize) else { return };
        known.slots.resize_with(count, || None);
        known.tracks.resize(count, None);
        let id = known.id;
        for index in 0..count {
            let Ok(line) = u16::try_from(index) else { break };
            let agreed = media.iter().find(|m| m.index == index);
            self.adopt_track(peer, id, line, agreed);
            self.adopt_slot(peer, line, agreed);
        }
    }

    fn adopt_track(&mut self, peer: u32, id: PeerId, line: u16, agreed: Option<&MediaLine>) {
        let current =
            self.peers.get(peer as usize).and_then(|p| p.tracks.get(usize::from(line))).copied().flatten();
        let Some((media, receive)) = agreed.and_then(|m| Some((m, m.receive.as_ref()?))) else {
            if let Some(track) = current {
                self.unpublish(track);
            }
            return;
        };
        let source = Source { peer: id, mid: media.mid };
        if let Some(track) = current {
            let known = self.tracks.get_mut(track as usize);
            let same = known.as_ref().is_some_and(|t| {
                let published = t.published.as_ref();
                t.source == source
                    && published.is_some_and(|p| {
                        p.kind == media.kind
                            && p.encodings
                                .iter()
                                .filter_map(|e| e.rid)
                                .eq(receive.layers.iter().map(|l| l.rid))
                    })
            });
            if same {
                let subscribers = known.as_ref().map(|t| t.subscribers.clone()).unwrap_or_default();
                if let Some(published) = known.and_then(|t| t.published.as_mut()) {
                    published.codecs.clone_from(&media.codecs);
                }
                // Payload types may have changed.
                for slot in subscribers {
                    self.agree(slot, track);
                }
                self.announce(track);
                return;
            }
            self.unpublish(track);
        }
        let track = self.track_of(source);
        // What is sent here comes from nowhere else.
        self.unsubscribe(track);
        let mut published = Published::new(
            Origin::Local { peer, line },
            media.kind,
            media.semantic,
            media.codecs.clone(),
            &receive.layers,
        );
        if let Some(known) = self.tracks.get_mut(track as usize) {
            // A mute that came before the offer was answered holds.
            published.muted = known.muted_ahead;
            known.published = Some(published);
        }
        if let Some(place) =
            self.peers.get_mut(peer as usize).and_then(|p| p.tracks.get_mut(usize::from(line)))
        {
            *place = Some(track);
        }
        let subscribers = self.tracks.get(track as usize).map(|t| t.subscribers.clone()).unwrap_or_default();
        for slot in subscribers {
            if !self.may_receive(slot.peer, id) {
                self.unbind(slot);
                continue;
            }
            self.agree(slot, track);
            self.plan_soon(slot.peer);
        }
        self.announce(track);
    }

    fn adopt_slot(&mut self, peer: u32, line: u16, agreed: Option<&MediaLine>) {
        let known = self.peers.get(peer as usize).and_then(|p| p.slot(line)).map(|s| (s.mid, s.track));
        let at = SlotRef { peer, line };
        let Some(media) = agreed.filter(|m| m.send.is_some()) else {
            if known.is_some() {
                self.unbind(at);
                self.put_slot(at, None);
            }
            return;
        };
        if let Some((mid, track)) = known
            && mid == media.mid
        {
            // Payload types may have changed.
            if let Some(track) = track {
                self.agree(at, track);
            }
            return;
        }
        self.unbind(at);
        let mut random = [0u8; 9];
        (self.entropy)(&mut random);
        let [s0, s1, t0, t1, t2, t3, p0, p1, tl0] = random;
        let ids = PictureIds { picture_id: u16::from_be_bytes([p0, p1]) & 0x7fff, tl0_pic_idx: tl0 };
        let timeline = Timeline::new(u16::from_be_bytes([s0, s1]), u32::from_be_bytes([t0, t1, t2, t3]), ids);
        let clock_rate = media.codecs.first().map_or(90_000, |c| c.codec.clock_rate_hz());
        self.put_slot(at, Some(Slot::new(media.mid, clock_rate, timeline)));
    }

    fn put_slot(&mut self, at: SlotRef, slot: Option<Slot>) {
        let place = self.peers.get_mut(at.peer as usize).and_then(|p| p.slots.get_mut(usize::from(at.line)));
        if let Some(place) = place {
            *place = slot;
        }
    }

    /// Which payload types carry this track to this slot.
    pub(crate) fn agree(&mut self, at: SlotRef, track: u32) {
        let Some(published) = self.tracks.get(track as usize).and_then(|t| t.published.as_ref()) else {
            return;
        };
        let Some(peer) = self.peers.get_mut(at.peer as usize) else { return };
        let Peer { slots, endpoint, .. } = peer;
        let media = endpoint.media().iter().find(|m| m.index == usize::from(at.line));
        if let (Some(slot), Some(media)) =
            (slots.get_mut(usize::from(at.line)).and_then(Option::as_mut), media)
        {
            let described = media.extmap_allow_mixed && media.send_extensions.dependency_descriptor.is_some();
            slot.agree(&published.codecs, &media.codecs, described);
        }
        self.codecs_soon(track);
    }

    /// The track of a source; made if somebody waits for it before it is published.
    pub(crate) fn track_of(&mut self, source: Source) -> u32 {
        if let Some(track) = self.by_source.get(&source) {
            return *track;
        }
        let track = self.tracks.insert(Track::new(source)) as u32;
        self.by_source.insert(source, track);
        track
    }

    /// Nothing comes from a track any more. Who waits for it goes on waiting.
    pub(crate) fn unpublish(&mut self, track: u32) {
        let Some(known) = self.tracks.get_mut(track as usize) else { return };
        let Some(published) = known.published.take() else { return };
        let subscribers = known.subscribers.clone();
        let local = match published.origin {
            Origin::Local { peer, line } => Some((peer, usize::from(line))),
            Origin::Relayed => None,
        };
        let place = local.and_then(|(peer, line)| self.peers.get_mut(peer as usize)?.tracks.get_mut(line));
        if let Some(place) = place {
            *place = None;
        }
        for at in subscribers {
            if let Some(slot) = self.peers.get_mut(at.peer as usize).and_then(|p| p.slot_mut(at.line)) {
                slot.clear();
            }
            self.plan_soon(at.peer);
            self.tell_slot(at);
        }
        if local.is_some() {
            self.announce(track);
            self.follow_route(track);
        }
        self.drop_if_unused(track);
    }

    pub(crate) fn drop_if_unused(&mut self, track: u32) {
        if self.tracks.get(track as usize).is_some_and(|t| t.far.is_some() && t.subscribers.is_empty()) {
            self.unsubscribe(track);
        }
        if self.tracks.get(track as usize).is_some_and(Track::is_unused) {
            let gone = self.tracks.remove(track as usize);
            self.by_source.remove(&gone.source);
            for room in self.rooms.values_mut() {
                room.voices.retain(|v| *v != track);
            }
        }
    }

    /// A slot shows nothing and waits for nothing.
    fn unbind(&mut self, at: SlotRef) {
        let Some(slot) = self.peers.get_mut(at.peer as usize).and_then(|p| p.slot_mut(at.line)) else {
            return;
        };
        let Some(track) = slot.track.take() else { return };
        slot.clear();
        slot.wanted = None;
        if let Some(known) = self.tracks.get_mut(track as usize) {
            known.subscribers.retain(|s| *s != at);
            for encoding in known.published.iter_mut().flat_map(|p| &mut p.encodings) {
                encoding.unwatch(at);
            }
        }
        self.plan_soon(at.peer);
        self.tell_slot(at);
        self.codecs_soon(track);
        self.drop_if_unused(track);
    }

    /// Carries out a command of the room. One for something that is gone does nothing.
    pub fn handle_command(&mut self, now: Instant, command: UnitCommand) {
        match command {
            // A lite endpoint learns the client's addresses from its checks.
            UnitCommand::AddCandidate { .. } => {}
            UnitCommand::Bind { peer, slot, source, home, rid } => {
                let home = home.filter(|unit| *unit != self.id);
                self.bind(now, (peer, slot), source.map(|source| (source, home)), rid);
            }
            UnitCommand::Speaking { meeting, peer } => {
                if let Some(room) = self.rooms.get_mut(&meeting) {
                    room.speaking = peer;
                }
            }
            UnitCommand::Resize { peer, slot, width, height, quality } => {
                self.resize(peer, slot, TileSize { width, height }, quality);
            }
            UnitCommand::Mute { source, muted } => self.mute(source, muted),
            UnitCommand::Close { peer } => self.close(peer),
        }
        self.make_plans(now);
        self.request_key_frames(now);
    }

    fn find_slot(&self, peer: PeerId, mid: Mid) -> Option<SlotRef> {
        let peer = *self.by_id.get(&peer)?;
        let slots = &self.peers.get(peer as usize)?.slots;
        let line = slots.iter().position(|s| s.as_ref().is_some_and(|s| s.mid == mid))?;
        Some(SlotRef { peer, line: u16::try_from(line).ok()? })
    }

    /// `source` comes with the unit that it is on, if that is another one.
    fn bind(
        &mut self,
        now: Instant,
        (peer, mid): (PeerId, Mid),
        source: Option<(Source, Option<UnitId>)>,
        rid: Option<Rid>,
    ) {
        let Some(at) = self.find_slot(peer, mid) else { return };
        let Some((source, home)) = source else { return self.unbind(at) };
        let Some(meeting) = self.peers.get(at.peer as usize).map(|p| p.meeting) else { return };
        let known = self.by_source.get(&source).and_then(|t| self.tracks.get(*t as usize));
        let relayed_elsewhere = known.and_then(|t| t.far.as_ref()).is_some_and(|f| f.meeting != meeting);
        if relayed_elsewhere || !self.may_receive(at.peer, source.peer) {
            return;
        }
        let bound = self.peers.get(at.peer as usize).and_then(|p| p.slot(at.line)).and_then(|s| s.track);
        if bound.and_then(|t| self.tracks.get(t as usize)).is_none_or(|t| t.source != source) {
            self.unbind(at);
            let track = self.track_of(source);
            if let Some(known) = self.tracks.get_mut(track as usize) {
                known.subscribers.push(at);
            }
            if let Some(slot) = self.peers.get_mut(at.peer as usize).and_then(|p| p.slot_mut(at.line)) {
                slot.track = Some(track);
            }
            self.agree(at, track);
        }
        if let Some(slot) = self.peers.get_mut(at.peer as usize).and_then(|p| p.slot_mut(at.line)) {
            slot.wanted = rid;
        }
        let track = self.track_of(source);
        self.route(now, track, home, meeting);
        self.plan_soon(at.peer);
    }

    /// Media never leaves its room, whatever a room says. A sender that is not here yet will be looked at when it sends.
    fn may_receive(&self, receiver: u32, sender: PeerId) -> bool {
        let meeting = |peer: u32| self.peers.get(peer as usize).map(|p| p.meeting);
        match self.by_id.get(&sender) {
            Some(sender) => meeting(receiver) == meeting(*sender),
            None => true,
        }
    }

    fn resize(&mut self, peer: PeerId, mid: Mid, tile: TileSize, quality: Option<ReceiveQuality>) {
        let Some(at) = self.find_slot(peer, mid) else { return };
        if let Some(slot) = self.peers.get_mut(at.peer as usize).and_then(|p| p.slot_mut(at.line)) {
            slot.tile = tile;
            slot.quality = quality;
        }
        self.plan_soon(at.peer);
    }

    fn mute(&mut self, source: Source, muted: bool) {
        let track = self.track_of(source);
        let Some(known) = self.tracks.get_mut(track as usize) else { return };
        known.muted_ahead = muted;
        if !known.is_from_afar() {
            self.set_muted(track, muted);
            self.announce(track);
        }
    }

    /// Takes over whether a track is muted.
    pub(crate) fn set_muted(&mut self, track: u32, muted: bool) {
        let Some(known) = self.tracks.get_mut(track as usize) else { return };
        let Some(published) = known.published.as_mut() else { return };
        if std::mem::replace(&mut published.muted, muted) == muted {
            return;
        }
        published.voice.silence();
        let encodings = published.encodings.len() as u8;
        let subscribers = known.subscribers.clone();
        for slot in subscribers {
            // What comes after a pause does not continue what came before it.
            for encoding in 0..encodings {
                self.stop_showing(slot, encoding);
            }
            self.plan_soon(slot.peer);
            self.tell_slot(slot);
        }
        if !muted {
            for encoding in 0..encodings {
                self.want_key_frame(track, encoding, Urgency::Urgent);
            }
        }
    }

    fn close(&mut self, id: PeerId) {
        let Some(peer) = self.by_id.remove(&id) else { return self.drop_unused_of(id) };
        self.release_lines(peer);
        if !self.peers.contains(peer as usize) {
            return;
        }
        let mut gone = self.peers.remove(peer as usize);
        gone.endpoint.close(&mut self.outbox);
        self.forget_connection(peer, &gone.endpoint);
        self.timers.cancel(peer as usize);
        self.dirty.retain(|p| *p != peer);
        self.plans_due.retain(|p| *p != peer);
        self.drop_unused_of(id);
        if let Some(room) = self.rooms.get_mut(&gone.meeting) {
            room.peers -= 1;
            if room.peers == 0 {
                self.rooms.remove(&gone.meeting);
            }
        }
    }

    /// A mute may have outlived the stream it was for, or come for one that never was.
    fn drop_unused_of(&mut self, id: PeerId) {
        let left: Vec<u32> =
            self.by_source.iter().filter(|(s, _)| s.peer == id).map(|(_, track)| *track).collect();
        for track in left {
            self.drop_if_unused(track);
        }
    }

    /// Everything that a peer sends ends, and everything that it is sent.
    fn release_lines(&mut self, peer: u32) {
        let Some(known) = self.peers.get(peer as usize) else { return };
        let tracks: Vec<u32> = known.tracks.iter().copied().flatten().collect();
        let lines = known.slots.len();
        for track in tracks {
            self.unpublish(track);
        }
        for line in (0..lines).filter_map(|l| u16::try_from(l).ok()) {
            self.unbind(SlotRef { peer, line });
        }
    }

    fn forget_connection(&mut self, peer: u32, endpoint: &Endpoint) {
        self.by_ufrag.remove(endpoint.ufrag());
        for transport in endpoint.transports() {
            if self.by_transport.get(transport) == Some(&peer) {
                self.by_transport.remove(transport);
            }
        }
    }
}

fn published_media(media: &MediaLine) -> Option<PublishedMedia> {
    let receive = media.receive.as_ref()?;
    Some(PublishedMedia {
        mid: media.mid,
        kind: media.kind,
        codec: media.codecs.first()?.codec,
        semantic: media.semantic,
        layers: receive.layers.clone(),
    })
}

fn receive_slot(media: &MediaLine) -> Option<ReceiveSlot> {
    media.send.as_ref()?;
    Some(ReceiveSlot { mid: media.mid, kind: media.kind, semantic: media.semantic })
}
