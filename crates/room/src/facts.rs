//! What units say.

use std::collections::BTreeSet;
use std::time::Instant;

use model::unit::{Source, UnitFact};
use model::{Codec, Layer, LayerReason, Mid, ParticipantId, PeerId, Rid};
use tracing::{debug, info, warn};
use wire::server::StreamDemand;

use crate::offers::REOFFER_DELAY;
use crate::participant::Path;
use crate::room::Phase;
use crate::{Now, Room};

/// What a slot shows: encoding, spatial layer, whether packets flow, why.
type Shown = (Option<Rid>, Option<u8>, bool, LayerReason);

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
                self.media_lost(now, &[peer], now.at + REOFFER_DELAY);
            }
            UnitFact::PeersLost { peers } => {
                warn!(meeting = %self.config.meeting, peers = peers.len(), "the media unit lost peers");
                self.media_lost(now, &peers, now.at);
            }
            UnitFact::SlotLayer { peer, slot, rid, spatial, active, reason } => {
                self.slot_layer(now, peer, slot, (rid, spatial, active, reason));
            }
            UnitFact::Demand { source, watched, rids, codecs } => {
                self.demand_changed(source, StreamDemand { watched, rids, codecs });
            }
            UnitFact::SourceChanged { source, codec, layers, .. } => {
                self.source_changed(now, source, codec, &layers);
            }
            UnitFact::Speakers { meeting, unit, speakers } if meeting == self.config.meeting => {
                self.voices_heard(now, unit, speakers);
            }
            UnitFact::Speakers { .. } => {}
        }
        self.do_due(now);
    }

    pub(crate) fn participant_of(&self, peer: PeerId) -> Option<ParticipantId> {
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

    /// These peers are gone from their unit, which goes on.
    fn media_lost(&mut self, now: Now, peers: &[PeerId], reoffer_at: Instant) {
        let lost: BTreeSet<ParticipantId> =
            peers.iter().filter_map(|peer| self.participant_of(*peer)).collect();
        for id in &lost {
            if let Some(participant) = self.participants.get_mut(id) {
                participant.lose_media();
                participant.slots_changed = true;
                participant.reoffer_at = Some(reoffer_at);
            }
        }
        if !lost.is_empty() {
            self.sources_lost(&lost);
            self.mark_slots(now);
            self.mark_members(now);
        }
    }

    /// Nothing comes of these people until their next offer is answered: the units of those who receive them stop
    /// waiting for it, so that the next binding finds nothing of the former.
    pub(crate) fn sources_lost(&mut self, lost: &BTreeSet<ParticipantId>) {
        self.stage_changed = true;
        let mut receivers = Vec::new();
        for (id, participant) in &mut self.participants {
            if participant.slots.silence_where(|b| lost.contains(&b.producer)) {
                participant.slots_changed = true;
                receivers.push(*id);
            }
        }
        receivers.into_iter().for_each(|id| self.sync_slots(id));
    }

    fn slot_layer(&mut self, now: Now, peer: PeerId, mid: Mid, shown: Shown) {
        let id = self.participant_of(peer);
        let Some(participant) = id.and_then(|id| self.participants.get_mut(&id)) else {
            return;
        };
        let Some(slot) = participant.slots.get_mut(mid) else {
            return;
        };
        if (slot.shown_rid, slot.spatial, slot.active, slot.reason) != shown {
            (slot.shown_rid, slot.spatial, slot.active, slot.reason) = shown;
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

    /// Reoffers that are due at once, and what is to be sent.
    pub(crate) fn do_due(&mut self, now: Now) {
        let due = self.participants.iter().filter(|(_, p)| p.reoffer_at.is_some_and(|at| at <= now.at));
        let due: Vec<ParticipantId> = due.map(|(id, _)| *id).collect();
        due.into_iter().for_each(|id| self.ask_to_reoffer(now, id));
        self.finish(now);
    }
}
