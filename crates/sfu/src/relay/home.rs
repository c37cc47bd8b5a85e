//! The unit of the sender: who else receives its tracks, and what they are told and sent.

use std::hash::Hasher;
use std::time::Instant;

use model::{Codec, MediaKind, UnitId};
use rustc_hash::FxHasher;

use super::frame::Crosses;
use super::words::{Announced, AnnouncedEncoding, Control, Subscription};
use super::{Crossing, LEASE, Relay, bit};
use crate::keyframe::Urgency;
use crate::track::{Encoding, Origin, Published, Track};
use crate::unit::Unit;

/// Units that one track goes to.
const RELAYS_PER_TRACK_MAX: usize = 256;
/// Packets that are sent again for one request.
const RESEND_MAX: usize = 64;

impl Relay {
    fn wants(&self, kind: MediaKind, encoding: u8) -> bool {
        self.allowed && (kind == MediaKind::Audio || self.encodings & bit(encoding) != 0)
    }

    /// Whether all receivers there can decode it.
    pub(crate) fn takes(&self, codec: Codec) -> bool {
        !self.allowed || self.codecs.is_empty() || self.codecs.contains(&codec)
    }
}

impl Track {
    fn announced(&self) -> Option<Announced> {
        let published = self.published.as_ref().filter(|p| matches!(p.origin, Origin::Local { .. }))?;
        Some(Announced {
            kind: published.kind,
            semantic: published.semantic,
            muted: published.muted,
            codecs: published.codecs.clone(),
            encodings: published.encodings.iter().map(|e| announced_encoding(published, e)).collect(),
        })
    }
}

fn announced_encoding(published: &Published, encoding: &Encoding) -> AnnouncedEncoding {
    AnnouncedEncoding {
        rid: encoding.rid,
        size: encoding.size,
        codec: encoding.codec,
        available: encoding.active || encoding.asked.is_asleep() && !published.disobeys,
        cost: encoding.cost.measured(),
    }
}

/// 0 stands for nothing known.
fn digest(media: Option<&Announced>) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(&serde_json::to_vec(&media).unwrap_or_default());
    hasher.finish() | 1
}

impl Unit {
    pub(super) fn handle_subscribe(&mut self, now: Instant, from: UnitId, wanted: Subscription) {
        let Subscription { handle, source, meeting, encodings, layers, codecs, digest: known } = wanted;
        let track = self.track_of(source);
        let Some(relayed) = self.tracks.get_mut(track as usize) else { return };
        let until = now + LEASE;
        let former = relayed.relays.iter().find(|r| r.unit == from).map(|r| &r.crossing);
        let crossing = Crossing::new(layers, former);
        let relay = Relay { unit: from, handle, meeting, encodings, crossing, codecs, allowed: false, until };
        match relayed.relays.iter().position(|r| r.unit == from) {
            Some(place) => {
                if let Some(former) = relayed.relays.get_mut(place) {
                    self.relays.by_subscriber.remove(&(from, former.handle));
                    *former = relay;
                }
            }
            None if relayed.relays.len() >= RELAYS_PER_TRACK_MAX => return,
            None => relayed.relays.push(relay),
        }
        self.relays.by_subscriber.insert((from, handle), track);
        self.check_relays(track);
        let media = self.tracks.get(track as usize).and_then(|t| {
            let allowed = t.relays.iter().any(|r| r.unit == from && r.allowed);
            t.announced().filter(|_| allowed)
        });
        let digest = digest(media.as_ref());
        let answer = if digest == known {
            Control::Alive { handle }
        } else {
            Control::Announce { handle, digest, media }
        };
        self.relays.say(from, &answer);
        self.codecs_soon(track);
        self.demand_soon(track);
    }

    /// Media never leaves its room: neither towards a unit that asks for it in the name of another one.
    fn check_relays(&mut self, track: u32) {
        let Some(known) = self.tracks.get_mut(track as usize) else { return };
        let sender = self.by_id.get(&known.source.peer).and_then(|p| self.peers.get(*p as usize));
        for relay in &mut known.relays {
            relay.allowed = sender.is_some_and(|s| s.meeting == relay.meeting);
        }
    }

    /// Tells the units that receive a track what it is now.
    pub(crate) fn announce(&mut self, track: u32) {
        if self.tracks.get(track as usize).is_none_or(|t| t.relays.is_empty()) {
            return;
        }
        self.check_relays(track);
        let Some(known) = self.tracks.get(track as usize) else { return };
        let announced = known.announced();
        let (whole, nothing) = (digest(announced.as_ref()), digest(None));
        for relay in &known.relays {
            let media = announced.clone().filter(|_| relay.allowed);
            let digest = if relay.allowed { whole } else { nothing };
            self.relays.say(relay.unit, &Control::Announce { handle: relay.handle, digest, media });
        }
    }

    fn subscribed(&self, from: UnitId, handle: u32) -> Option<u32> {
        self.relays.by_subscriber.get(&(from, handle)).copied()
    }

    pub(super) fn handle_unsubscribe(&mut self, from: UnitId, handle: u32) {
        let Some(track) = self.relays.by_subscriber.remove(&(from, handle)) else { return };
        if let Some(known) = self.tracks.get_mut(track as usize) {
            known.relays.retain(|r| (r.unit, r.handle) != (from, handle));
        }
        self.codecs_soon(track);
        self.demand_soon(track);
        self.drop_if_unused(track);
    }

    pub(super) fn handle_relayed_wish(&mut self, from: UnitId, handle: u32, encoding: u8, urgent: bool) {
        if let Some(track) = self.subscribed(from, handle) {
            let urgency = if urgent { Urgency::Urgent } else { Urgency::Usual };
            self.want_key_frame(track, encoding, urgency);
        }
    }

    pub(super) fn handle_resend(
        &mut self,
        now: Instant,
        from: UnitId,
        handle: u32,
        encoding: u8,
        sequences: &[u64],
    ) {
        let Some(track) = self.subscribed(from, handle) else { return };
        let Some(known) = self.tracks.get(track as usize) else { return };
        let relay = known.relays.iter().find(|r| r.unit == from && r.handle == handle);
        let published = known.published.as_ref().filter(|p| matches!(p.origin, Origin::Local { .. }));
        let (Some(relay), Some(published)) = (relay, published) else { return };
        let Some(sent) = published.encodings.get(usize::from(encoding)) else { return };
        if !relay.wants(published.kind, encoding) {
            return;
        }
        for packet in sequences.iter().take(RESEND_MAX).filter_map(|s| sent.history.get(*s)) {
            if self.relays.push(
                now,
                relay,
                encoding,
                &Crosses { packet, layers: relay.crossing.now(), head_only: false },
            ) {
                self.counters.relay_packets_sent += 1;
            }
        }
    }

    /// Sends what came in with this pass to the units that want it.
    pub(crate) fn relay(&mut self, now: Instant) {
        for &(track, encoding) in &self.touched {
            let Some(known) = self.tracks.get_mut(track as usize).filter(|t| !t.relays.is_empty()) else {
                continue;
            };
            let Track { published, relays, .. } = known;
            let local = published.as_ref().filter(|p| matches!(p.origin, Origin::Local { .. }));
            let Some(published) = local else { continue };
            let Some(arrived) = published.encodings.get(usize::from(encoding)) else { continue };
            let ladder = arrived.ladder.as_deref().filter(|_| published.encodings.len() == 1);
            for relay in relays.iter_mut().filter(|r| r.wants(published.kind, encoding)) {
                for packet in arrived.arrived.iter().filter_map(|s| arrived.history.get(*s)) {
                    let (whole, above) = relay.crossing.pass(ladder, packet.mark.as_ref());
                    let crosses = Crosses { packet, layers: whole, head_only: above };
                    if self.relays.push(now, relay, encoding, &crosses) {
                        self.counters.relay_packets_sent += 1;
                        self.counters.relay_heads_sent += u64::from(above);
                    } else {
                        self.counters.relay_packets_dropped += 1;
                    }
                }
            }
        }
    }

    /// Ends subscriptions that were not repeated.
    pub(super) fn expire_relays(&mut self, now: Instant) {
        let is_over = |relay: &Relay| relay.until <= now;
        let tracks: Vec<u32> = self.relays.by_subscriber.values().copied().collect();
        for track in tracks {
            let Some(known) = self.tracks.get_mut(track as usize) else { continue };
            let mut changed = false;
            for relay in known.relays.extract_if(.., |r| is_over(r)) {
                self.relays.by_subscriber.remove(&(relay.unit, relay.handle));
                changed = true;
            }
            if changed {
                self.codecs_soon(track);
                self.demand_soon(track);
                self.drop_if_unused(track);
            }
        }
    }
}
