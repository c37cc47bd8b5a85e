//! The stage of a room and the slots that follow it: what a client asks for as streams of [`PRODUCER`].

use std::collections::BTreeMap;

use model::{MediaKind, Mid, ParticipantId, Semantic};
use wire::ServerMessage;

use crate::intents::Outcome;
use crate::participant::Participant;
use crate::reply::Refusal;
use crate::slots::Binding;
use crate::stage::{Performer, Seat};
use crate::streams::Stream;
use crate::{Now, Room};

/// The producer of the stage.
pub const PRODUCER: &str = "@speakers";

impl Room {
    /// The streams of virtual producers, as clients that know them are told.
    pub(crate) fn virtual_producers() -> BTreeMap<String, BTreeMap<String, MediaKind>> {
        let seats = Seat::all().map(|seat| (seat.to_string(), seat.kind));
        BTreeMap::from([(PRODUCER.to_owned(), seats.collect())])
    }

    /// A client asks for a seat of the stage.
    pub(crate) fn request_seat(
        &mut self,
        now: Now,
        id: ParticipantId,
        stream_id: &str,
        wish: Option<Mid>,
    ) -> Outcome {
        let unknown = || Refusal::parameter("stream_id", stream_id, "the stage has no such seat");
        let seat = Seat::from_stream_id(stream_id).ok_or_else(unknown)?;
        let mid = self.find_slot(id, seat.kind, Semantic::Main, wish)?;
        if let Some(participant) = self.participants.get_mut(&id) {
            participant.slots.seat(mid, seat);
            participant.slots_changed = true;
        }
        self.stage_changed = true;
        self.mark_slots(now);
        self.mark_persist(now);
        Ok(Some(ServerMessage::RequestStreamResponse { receive_mid: mid }))
    }

    /// Brings the stage up to date, and the slots that follow it. Cost: one pass over the room where anything changed.
    pub(crate) fn sync_stage(&mut self, now: Now) {
        if !std::mem::take(&mut self.stage_changed) {
            return;
        }
        self.admit_performers(now);
        self.sync_speaking();
        let mut changed = Vec::new();
        for (id, participant) in &self.participants {
            for (mid, slot) in participant.slots.iter() {
                let Some(seat) = slot.seat else { continue };
                let binding = self.stage.at(*id, seat).and_then(|who| self.performance(who, seat.kind));
                if slot.binding != binding {
                    changed.push((*id, mid, binding));
                }
            }
        }
        if changed.is_empty() {
            return;
        }
        for (id, mid, binding) in &changed {
            if let Some(participant) = self.participants.get_mut(id) {
                participant.slots.follow(*mid, *binding);
                participant.slots_changed = true;
            }
        }
        changed.dedup_by_key(|(id, ..)| *id);
        changed.into_iter().for_each(|(id, ..)| self.sync_slots(id));
        self.mark_slots(now);
    }

    fn admit_performers(&mut self, now: Now) {
        let mut performers: Vec<(u32, Performer)> = self
            .participants
            .iter()
            .map(|(who, p)| {
                let has = |kind| main_stream(p, kind).is_some();
                let performer =
                    Performer { who: *who, sounds: has(MediaKind::Audio), is_seen: has(MediaKind::Video) };
                (p.order, performer)
            })
            .collect();
        performers.sort_by_key(|(order, _)| *order);
        let performers: Vec<Performer> = performers.into_iter().map(|(_, p)| p).collect();
        self.stage.admit(&performers);
        self.line_up(now, &performers);
    }

    fn performance(&self, who: ParticipantId, kind: MediaKind) -> Option<Binding> {
        let stream = main_stream(self.participants.get(&who)?, kind)?;
        Some(Binding { producer: who, stream: stream.id, rid: None })
    }
}

/// The microphone or the first camera, if it is on.
fn main_stream(participant: &Participant, kind: MediaKind) -> Option<&Stream> {
    participant.streams.iter().find(|s| s.kind == kind && s.semantic == Semantic::Main && !s.muted)
}
