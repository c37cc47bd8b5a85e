//! What units say, and what becomes of a room whose unit is gone.

use std::time::Instant;

use model::unit::{Source, UnitFact, Voice};
use model::{Codec, Layer, LayerReason, Mid, ParticipantId, PeerId, Rid, UnitId};
use tracing::{debug, info, warn};
use wire::server::{Speaker, StreamDemand};

use crate::offers::REOFFER_DELAY;
use crate::participant::Path;
use crate::room::Phase;
use crate::{Now, Room, stage};

/// −dBov of silence (RFC 6464 §3).
const SILENCE_DBOV: u32 = 127;

/// Speakers that clients are told of. A unit names a few; more than this nobody can follow.
const SPEAKERS_MAX: usize = 16;

impl Room {
    /// A unit said something. Facts of peers that are not (any more) in this room are dropped.
    pub fn handle_unit_fact(&mut self, now: Now, fact: UnitFact) {
        if self.phase != Phase::Open {
            return;
        }
        match fact {
            UnitFact::Connected { peer, after_ms } => {
                debug!(meeting = %self.config.meeting, %peer, after_ms, "media connected");
                self.set_path(now, peer, Path::Up);
            }
            UnitFact::PathRestored { peer } => self.set_path(now, peer, Path::Up),
            UnitFact::PathLost { peer } => self.set_path(now, peer, Path::Lost),
            UnitFact::Failed { peer, reason } => {
                info!(meeting = %self.config.meeting, %peer, reason, "media failed");
                self.media_lost(now, peer, now.at + REOFFER_DELAY);
            }
            UnitFact::PeersLost { peers } => {
                warn!(meeting = %self.config.meeting, peers = peers.len(), "the media unit lost peers");
                peers.into_iter().for_each(|peer| self.media_lost(now, peer, now.at));
            }
            UnitFact::SlotLayer { peer, slot, rid, active, reason } => {
                self.slot_layer(now, peer, slot, (rid, active, reason));
            }
            UnitFact::Demand { source, watched, rids, codecs } => {
                self.demand_changed(source, StreamDemand { watched, rids, codecs });
            }
            UnitFact::SourceChanged { source, codec, layers, .. } => {
                self.source_changed(now, source, codec, &layers);
            }
            UnitFact::Speakers { meeting, speakers, .. } if meeting == self.config.meeting => {
                self.speakers_changed(now, &speakers);
            }
            UnitFact::Speakers { .. } => {}
        }
        self.do_due(now);
    }

    /// The room's media goes to another unit, or, with `None`, nowhere for now. Everybody has to offer again, and is
    /// told so as soon as there is a unit.
    pub fn handle_unit_changed(&mut self, now: Now, unit: Option<UnitId>) {
        if self.phase != Phase::Open || unit == self.config.unit {
            return;
        }
        info!(meeting = %self.config.meeting, from = ?self.config.unit, to = ?unit, "media unit changed");
        self.config.unit = unit;
        for participant in self.participants.values_mut() {
            participant.lose_media();
            participant.slots_changed = true;
            if participant.path == Path::Gone {
                participant.reoffer_at = unit.map(|_| now.at);
            }
        }
        self.set_speakers(Vec::new());
        self.mark_slots(now);
        self.mark_members(now);
        self.do_due(now);
    }

    fn participant_of(&self, peer: PeerId) -> Option<ParticipantId> {
        self.participant_by_peer.get(&peer).copied()
    }

    fn set_path(&mut self, now: Now, peer: PeerId, path: Path) {
        let id = self.participant_of(peer);
        let participant = id.and_then(|id| self.participants.get_mut(&id));
        // What the unit says of a peer connection that it has given up since is late.
        if let Some(participant) = participant.filter(|p| p.unit_knows()) {
            participant.path = path;
            participant.reoffer_at = None;
            self.mark_members(now);
        }
    }

    fn media_lost(&mut self, now: Now, peer: PeerId, reoffer_at: Instant) {
        let id = self.participant_of(peer);
        if let Some(participant) = id.and_then(|id| self.participants.get_mut(&id)) {
            participant.lose_media();
            participant.slots_changed = true;
            participant.reoffer_at = Some(reoffer_at);
            self.mark_slots(now);
            self.mark_members(now);
        }
    }

    fn slot_layer(&mut self, now: Now, peer: PeerId, mid: Mid, shown: (Option<Rid>, bool, LayerReason)) {
        let id = self.participant_of(peer);
        let Some(participant) = id.and_then(|id| self.participants.get_mut(&id)) else {
            return;
        };
        let Some(slot) = participant.slots.get_mut(mid) else {
            return;
        };
        if (slot.shown_rid, slot.active, slot.reason) != shown {
            (slot.shown_rid, slot.active, slot.reason) = shown;
            participant.slots_changed = true;
            self.mark_slots(now);
        }
    }

    fn demand_changed(&mut self, source: Source, demand: StreamDemand) {
        let Some(id) = self.participant_of(source.peer) else {
            return;
        };
        let stream = self.participants.get_mut(&id).and_then(|p| p.streams.by_mid_mut(source.mid));
        if let Some(stream) = stream.filter(|s| s.demand.as_ref() != Some(&demand)) {
            stream.demand = Some(demand);
            self.send_demand_to(id);
        }
    }

    fn source_changed(&mut self, now: Now, source: Source, codec: Codec, layers: &[Layer]) {
        let id = self.participant_of(source.peer);
        let streams = id.and_then(|id| self.participants.get_mut(&id)).map(|p| &mut p.streams);
        let Some(stream) = streams.and_then(|s| s.by_mid_mut(source.mid)) else {
            return;
        };
        let mut changed = false;
        if codec.kind() == stream.kind && codec != stream.codec {
            stream.codec = codec;
            changed = true;
        }
        for layer in &mut stream.layers {
            let learned = layers.iter().find(|l| l.rid == layer.rid && l.width > 0 && l.height > 0);
            if let Some(learned) = learned.filter(|l| *l != layer) {
                layer.clone_from(learned);
                changed = true;
            }
        }
        if changed {
            self.mark_roster(now);
        }
    }

    fn speakers_changed(&mut self, now: Now, loudest: &[Voice]) {
        let mut speakers: Vec<Speaker> = Vec::new();
        let mut voices = Vec::new();
        for Voice { peer, level_dbov, activity } in loudest {
            let Some(participant_id) = self.participant_of(*peer) else {
                continue;
            };
            let heard = speakers.iter().any(|s| s.participant_id == participant_id);
            if !heard && speakers.len() < SPEAKERS_MAX {
                speakers.push(Speaker { participant_id, level: level_percent(*level_dbov) });
                voices.push(stage::Voice { who: participant_id, activity: *activity });
            }
        }
        self.set_speakers(speakers);
        self.stage.hear(now.at, voices);
        self.stage_changed = true;
    }

    /// Reoffers that are due at once, and what is to be sent.
    fn do_due(&mut self, now: Now) {
        let due = self.participants.iter().filter(|(_, p)| p.reoffer_at.is_some_and(|at| at <= now.at));
        let due: Vec<ParticipantId> = due.map(|(id, _)| *id).collect();
        due.into_iter().for_each(|id| self.ask_to_reoffer(now, id));
        self.finish(now);
    }
}

/// From −dBov (0 loudest, 127 silence) to 0 (silence) to 100.
fn level_percent(dbov: u8) -> u8 {
    let loud = SILENCE_DBOV.saturating_sub(u32::from(dbov));
    u8::try_from(loud * 100 / SILENCE_DBOV).unwrap_or(100)
}
