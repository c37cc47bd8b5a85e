//! Offers: one in flight per participant, answered in order, and what an answer changes.

use std::time::Duration;

use model::unit::{Answer, Offer, OfferError, UnitCommand};
use model::{ParticipantId, PeerId, UnitId};
use tracing::{debug, warn};
use wire::{CloseCode, Envelope, ErrorType, MessageId, ServerMessage};

use crate::intents::Outcome;
use crate::participant::{Home, InFlight, Participant, Path};
use crate::reply::Refusal;
use crate::roster::roster_entry;
use crate::slots::Binding;
use crate::{Effect, Now, OfferToken, Room};

/// How long a client has to offer again by itself before it is told to. A client that mends its media closes the old
/// peer connection first, which the unit reports, and offers a moment later: telling it then would make it begin anew.
pub(crate) const REOFFER_DELAY: Duration = Duration::from_millis(500);

/// Who is waiting for the answer to an offer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    /// `None`: it has left, or left the unit, which is told to close the peer as soon as it has answered.
    pub(crate) participant: Option<ParticipantId>,
    pub(crate) peer: PeerId,
    pub(crate) unit: UnitId,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OfferFailure {
    /// The unit refused.
    #[error(transparent)]
    Refused(#[from] OfferError),
    /// The unit is not there, or did not answer in time. It may have carried the offer out all the same.
    #[error("the media unit did not answer")]
    NoAnswer,
}

impl Room {
    /// Hands an offer to the unit. The answer comes later.
    pub(crate) fn offer(
        &mut self,
        now: Now,
        id: ParticipantId,
        reference: Option<MessageId>,
        sdp: String,
    ) -> Outcome {
        let Some(participant) = self.participants.get_mut(&id) else {
            return Ok(None);
        };
        let Some(socket) = &participant.socket else {
            return Ok(None);
        };
        let Some(Home { unit, peer }) = participant.home else {
            let text = "no media unit is up: try again in a moment";
            return Err(Refusal::new(ErrorType::ServerError, text));
        };
        self.last_token += 1;
        let token = OfferToken(self.last_token);
        let connection = socket.to.connection;
        participant.offers.in_flight = Some(InFlight { token, connection, reference });
        participant.reoffer_at = None;
        self.asked.insert(token, Asked { participant: Some(id), peer, unit });
        let offer = Offer { peer, meeting: self.config.meeting, sdp };
        self.effects.push_back(Effect::Offer { unit, offer, token });
        self.mark_members(now);
        Ok(None)
    }

    /// What came of an [`Effect::Offer`]. Whom the unit has no place for is one of [`Room::homeless`] then.
    pub fn handle_answer(&mut self, now: Now, token: OfferToken, result: Result<Answer, OfferFailure>) {
        let Some(asked) = self.asked.remove(&token) else {
            return;
        };
        let Some(id) = asked.participant else {
            let command = UnitCommand::Close { peer: asked.peer };
            self.effects.push_back(Effect::Command { unit: asked.unit, command });
            return;
        };
        let Some(in_flight) = self.participants.get_mut(&id).and_then(|p| p.offers.in_flight.take()) else {
            return;
        };
        match result {
            Ok(answer) => self.answered(now, id, in_flight, answer),
            Err(failure) => self.not_answered(now, id, in_flight, &failure),
        }
        self.carry_out_waiting(now, id);
        self.mark_members(now);
        self.finish(now);
    }

    fn answered(&mut self, now: Now, id: ParticipantId, in_flight: InFlight, answer: Answer) {
        let Some(participant) = self.participants.get_mut(&id) else {
            return;
        };
        let Answer { sdp, replaced, published, slots } = answer;
        let fresh = begin_answered(participant, replaced);
        let former = roster_entry(participant);
        let mut new_id = || Self::new_stream_id(&mut self.entropy);
        let ignored = participant.streams.apply(published, &mut new_id);
        participant.slots.apply(slots, fresh);
        participant.slots_changed = true;
        self.stage_changed = true;
        let roster_changed = roster_entry(participant) != former;
        if ignored > 0 {
            warn!(meeting = %self.config.meeting, participant = %id, ignored, "publishes too many streams");
        }
        if roster_changed {
            self.mark_roster(now);
        }
        self.deliver_answer(id, &in_flight, sdp);
        self.free_ended(now, id, fresh);
        self.sync_mutes(id);
        self.sync_slots(id);
        self.sync_sizes(id);
        self.mark_slots(now);
        self.mark_persist(now);
    }

    /// To the socket by which the offer came, if that is still there.
    fn deliver_answer(&mut self, id: ParticipantId, in_flight: &InFlight, sdp: String) {
        let socket = self.participants.get_mut(&id).and_then(|p| p.socket_of(in_flight.connection));
        let Some(socket) = socket else {
            return;
        };
        socket.answered = true;
        let to = socket.to;
        let answer = ServerMessage::MediaOffer { sdp };
        self.deliver(to, Envelope::reply(in_flight.reference.clone(), answer));
        self.send_published_to(id);
        self.send_roster_to(id);
        self.send_demand_to(id);
    }

    pub(crate) fn not_answered(
        &mut self,
        now: Now,
        id: ParticipantId,
        in_flight: InFlight,
        failure: &OfferFailure,
    ) {
        let Some(participant) = self.participants.get_mut(&id) else {
            return;
        };
        if *failure == OfferFailure::NoAnswer {
            participant.offers.unsure = true;
            warn!(meeting = %self.config.meeting, participant = %id, "no answer to an offer");
        }
        let is_new = matches!(participant.path, Path::Idle | Path::Gone);
        if is_new && *failure == OfferFailure::Refused(OfferError::Full) {
            // More are on the unit than it said when the participant was placed there; another may have place.
            self.leave_unit(id);
        }
        let socket = self.participants.get_mut(&id).and_then(|p| p.socket_of(in_flight.connection));
        let Some(socket) = socket else {
            return;
        };
        let (knows_errors, answered) = (socket.hello, socket.answered);
        let (error_type, close) = match failure {
            OfferFailure::Refused(OfferError::Invalid(_)) if answered => {
                (ErrorType::SdpOfferUpdateProcessing, None)
            }
            OfferFailure::Refused(OfferError::Invalid(_)) => (ErrorType::SdpOfferProcessing, None),
            OfferFailure::Refused(OfferError::Full) => {
                (ErrorType::ResourceUnavailable, Some(CloseCode::TryAgainLater))
            }
            OfferFailure::NoAnswer => (ErrorType::ServerError, Some(CloseCode::Restart)),
        };
        debug!(meeting = %self.config.meeting, participant = %id, ?error_type, "an offer was refused");
        self.refuse(id, in_flight.reference, Refusal::new(error_type, failure.to_string()));
        // The public package ignores errors to offers and would wait for ever: it has to connect anew.
        if let Some(code) = close.filter(|_| !knows_errors) {
            self.close(now, id, code, None, "the offer could not be carried out");
        }
    }

    /// Frees what showed streams that are not published any more, and binds again what a new peer connection needs.
    fn free_ended(&mut self, now: Now, producer: ParticipantId, fresh: bool) {
        let Some(streams) = self.participants.get(&producer).map(|p| &p.streams) else {
            return;
        };
        let published: Vec<_> = streams.iter().map(|s| s.id).collect();
        let mut receivers = Vec::new();
        // One pass over all slots of the room; offers are rare beside packets.
        for (id, receiver) in &mut self.participants {
            let of_producer = |b: &Binding| b.producer == producer;
            let freed = receiver.slots.free_where(|b| of_producer(b) && !published.contains(&b.stream));
            let rebound = fresh && receiver.slots.forget_sent_where(of_producer);
            // A slot whose stream has come back for the first time has not been bound yet.
            let shown = receiver.slots.iter().any(|(_, s)| s.binding.as_ref().is_some_and(of_producer));
            receiver.slots_changed |= freed || rebound;
            if freed || rebound || shown {
                receivers.push(*id);
            }
        }
        receivers.into_iter().for_each(|id| self.sync_slots(id));
        self.mark_slots(now);
    }
}

/// The path of a participant whose offer was answered. True: the unit knows nothing that it was told before.
fn begin_answered(participant: &mut Participant, replaced: bool) -> bool {
    let unsure = std::mem::take(&mut participant.offers.unsure);
    let fresh = replaced || unsure || matches!(participant.path, Path::Idle | Path::Gone);
    if fresh {
        participant.path = Path::Connecting;
        participant.streams.forget_sent();
    }
    fresh
}
