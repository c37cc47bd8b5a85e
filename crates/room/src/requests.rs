//! Who receives what: requests of clients, and bringing the unit to what is wanted.

use model::unit::{Source, UnitCommand};
use model::{MediaKind, Mid, ParticipantId, Rid, Semantic, StreamId, UnitId};
use wire::ServerMessage;

use crate::intents::Outcome;
use crate::participant::Home;
use crate::reply::{Refusal, success};
use crate::seats::PRODUCER;
use crate::slots::{Binding, Wanted};
use crate::streams::Stream;
use crate::{Now, Room};

impl Room {
    pub(crate) fn request_stream(
        &mut self,
        now: Now,
        id: ParticipantId,
        producer_id: &str,
        stream_id: &str,
        rid: Option<Rid>,
        receive_mid: Option<Mid>,
    ) -> Outcome {
        if producer_id == PRODUCER {
            return match rid {
                Some(rid) => Err(Refusal::parameter("rid", rid, "the server chooses what is seen on stage")),
                None => self.request_seat(now, id, stream_id, receive_mid),
            };
        }
        let (producer, stream) = self.find_stream(id, producer_id, stream_id)?;
        if let Some(rid) = rid.filter(|rid| !stream.layers.iter().any(|l| l.rid == *rid)) {
            return Err(Refusal::parameter("rid", rid, "the stream has no such encoding"));
        }
        let mid = self.find_slot(id, stream.kind, stream.semantic, receive_mid)?;
        let binding = Binding { producer, stream: stream.id, rid };
        if let Some(participant) = self.participants.get_mut(&id) {
            participant.slots.bind(mid, binding);
            participant.slots_changed = true;
        }
        self.sync_slots(id);
        self.mark_slots(now);
        self.mark_persist(now);
        Ok(Some(ServerMessage::RequestStreamResponse { receive_mid: mid }))
    }

    /// Harmless for a slot that is free already or does not exist: its stream may just have ended.
    pub(crate) fn disconnect_stream(&mut self, now: Now, id: ParticipantId, mid: Mid) -> ServerMessage {
        let freed = self.participants.get_mut(&id).is_some_and(|p| {
            let freed = p.slots.free(mid);
            p.slots_changed |= freed;
            freed
        });
        if !freed {
            return success("nothing was received there");
        }
        self.sync_slots(id);
        self.mark_slots(now);
        self.mark_persist(now);
        success("disconnected")
    }

    fn find_stream(
        &self,
        receiver: ParticipantId,
        producer_id: &str,
        stream_id: &str,
    ) -> Result<(ParticipantId, &Stream), Refusal> {
        let unknown =
            || Refusal::parameter("producer_id", producer_id, "no such participant is in the meeting");
        let producer: ParticipantId = producer_id.parse().map_err(|_| unknown())?;
        if producer == receiver {
            let text = "a participant does not receive its own streams";
            return Err(Refusal::parameter("producer_id", producer_id, text));
        }
        let streams = &self.participants.get(&producer).ok_or_else(unknown)?.streams;
        let stream = stream_id.parse::<StreamId>().ok().and_then(|id| streams.get(id));
        let unknown =
            || Refusal::parameter("stream_id", stream_id, "the participant publishes no such stream");
        Ok((producer, stream.ok_or_else(unknown)?))
    }

    /// The slot wished for, if it is of the right kind, or the free one to be used.
    pub(crate) fn find_slot(
        &self,
        id: ParticipantId,
        kind: MediaKind,
        semantic: Semantic,
        wish: Option<Mid>,
    ) -> Result<Mid, Refusal> {
        let slots = self.participants.get(&id).map(|p| &p.slots);
        let Some(mid) = wish else {
            let none = || {
                Refusal::unavailable(
                    "no receiving m-line of this kind is free: offer one more, or disconnect one",
                )
            };
            return slots.and_then(|s| s.pick(kind, semantic)).ok_or_else(none);
        };
        match slots.and_then(|s| s.get(mid)) {
            None => Err(Refusal::parameter("receive_mid", mid, "no such receiving m-line was answered")),
            Some(slot) if slot.kind != kind => {
                Err(Refusal::parameter("receive_mid", mid, "the m-line is of another kind than the stream"))
            }
            Some(_) => Ok(mid),
        }
    }

    /// Tells the unit what is to be sent on a participant's slots, where that is not what it was told last.
    pub(crate) fn sync_slots(&mut self, receiver: ParticipantId) {
        let Some(participant) = self.participants.get(&receiver) else {
            return;
        };
        let Some(Home { unit, peer }) = participant.known_home() else {
            return;
        };
        let wanted: Vec<(Mid, Wanted)> =
            participant.slots.iter().map(|(mid, slot)| (mid, self.wanted(unit, slot.binding))).collect();
        for (slot, wanted) in wanted {
            let participant = self.participants.get_mut(&receiver);
            if participant.is_some_and(|p| p.slots.take_rebound(slot, wanted)) {
                let Wanted { source, home, rid } = wanted;
                self.command(unit, UnitCommand::Bind { peer, slot, source, home, rid });
            }
        }
    }

    /// What a binding means to a receiver's unit now: nothing while its stream is not (back) there.
    fn wanted(&self, unit: UnitId, binding: Option<Binding>) -> Wanted {
        let found = binding.and_then(|binding| {
            let producer = self.participants.get(&binding.producer)?;
            let stream = producer.streams.get(binding.stream)?;
            let home = producer.known_home()?;
            let source = Some(Source { peer: home.peer, mid: stream.mid });
            let home = Some(home.unit).filter(|home| *home != unit);
            // An encoding that a later offer has taken away leaves the choice to the unit.
            let rid = binding.rid.filter(|rid| stream.layers.iter().any(|l| l.rid == *rid));
            Some(Wanted { source, home, rid })
        });
        found.unwrap_or_default()
    }

    pub(crate) fn sync_sizes(&mut self, id: ParticipantId) {
        let Some(participant) = self.participants.get_mut(&id) else {
            return;
        };
        let Some(Home { unit, peer }) = participant.known_home() else {
            return;
        };
        for (slot, (width, height, quality)) in participant.slots.take_resized() {
            self.command(unit, UnitCommand::Resize { peer, slot, width, height, quality });
        }
    }

    pub(crate) fn sync_mutes(&mut self, id: ParticipantId) {
        let Some(participant) = self.participants.get_mut(&id) else {
            return;
        };
        let Some(Home { unit, peer }) = participant.known_home() else {
            return;
        };
        let mut commands = Vec::new();
        for stream in participant.streams.iter_mut().filter(|s| s.muted != s.mute_sent) {
            stream.mute_sent = stream.muted;
            let source = Source { peer, mid: stream.mid };
            commands.push(UnitCommand::Mute { source, muted: stream.muted });
        }
        commands.into_iter().for_each(|command| self.command(unit, command));
    }
}
