//! What clients say, one small handler each.

use model::unit::UnitCommand;
use model::{ConnectionId, Mid, ParticipantId};
use serde_json::Value;
use tracing::{debug, warn};
use wire::client::TileSize;
use wire::server::ChatMessage;
use wire::{ClientMessage, CloseCode, Envelope, ErrorType, MessageId, ServerMessage};

use crate::offers::REOFFER_DELAY;
use crate::participant::{GRACE, Home, Path};
use crate::reply::{Refusal, success};
use crate::{Now, Room};

/// What is said at once to an intent, if anything is.
pub(crate) type Outcome = Result<Option<ServerMessage>, Refusal>;

impl Room {
    /// A client said something on a socket. Dropped if the socket is not the participant's (any more).
    pub fn handle_intent(
        &mut self,
        now: Now,
        participant: ParticipantId,
        connection: ConnectionId,
        envelope: Envelope<ClientMessage>,
    ) {
        let found = self.participants.get_mut(&participant).and_then(|p| p.socket_of(connection));
        let Some(socket) = found else {
            return;
        };
        if socket.intents.take(now.at) {
            self.admit(now, participant, envelope);
        } else if socket.refusals.take(now.at) {
            self.refuse(participant, envelope.id, Refusal::unavailable("too many messages: slow down"));
        } else {
            warn!(meeting = %self.config.meeting, %participant, "closed for flooding");
            self.close(now, participant, CloseCode::Final, None, "too many messages");
        }
        self.finish(now);
    }

    /// Carries an intent out, or lets it wait if an answer that is under way can change what it means.
    fn admit(&mut self, now: Now, id: ParticipantId, envelope: Envelope<ClientMessage>) {
        let Some(participant) = self.participants.get_mut(&id) else {
            return;
        };
        if participant.offers.in_flight.is_none() || !depends_on_offers(&envelope.message) {
            self.carry_out(now, id, envelope);
        } else if participant.offers.can_wait(&envelope.message) {
            participant.offers.waiting.push_back(envelope);
        } else {
            let refusal = Refusal::unavailable("too much is waiting for an answer to an offer");
            self.refuse(id, envelope.id, refusal);
        }
    }

    /// Carries out what waited, up to the next offer.
    pub(crate) fn carry_out_waiting(&mut self, now: Now, id: ParticipantId) {
        while let Some(participant) = self.participants.get_mut(&id) {
            if participant.offers.in_flight.is_some() {
                return;
            }
            let Some(envelope) = participant.offers.waiting.pop_front() else {
                return;
            };
            self.carry_out(now, id, envelope);
        }
    }

    fn carry_out(&mut self, now: Now, id: ParticipantId, envelope: Envelope<ClientMessage>) {
        let Envelope { id: reference, message, .. } = envelope;
        match self.outcome(now, id, &reference, message) {
            Ok(Some(reply)) => self.reply(id, reference, reply),
            Ok(None) => {}
            Err(refusal) => self.refuse(id, reference, refusal),
        }
    }

    fn outcome(
        &mut self,
        now: Now,
        id: ParticipantId,
        reference: &Option<MessageId>,
        message: ClientMessage,
    ) -> Outcome {
        match message {
            ClientMessage::Authenticate { .. } => {
                Err(Refusal::new(ErrorType::InvalidMessage, "this connection is authenticated already"))
            }
            ClientMessage::MediaOffer { sdp } => self.offer(now, id, reference.clone(), sdp),
            ClientMessage::AddNewCandidate { candidate, .. } => Ok(self.candidate(id, candidate)),
            ClientMessage::RequestStream { producer_id, stream_id, rid, receive_mid } => {
                self.request_stream(now, id, &producer_id, &stream_id, rid, receive_mid)
            }
            ClientMessage::DisconnectStream { receive_mid } => {
                Ok(Some(self.disconnect_stream(now, id, receive_mid)))
            }
            ClientMessage::Ping {} => Ok(Some(ServerMessage::Pong {})),
            ClientMessage::Pong {} => Ok(None),
            ClientMessage::Hello { client, profile } => {
                debug!(meeting = %self.config.meeting, participant = %id, client, "hello");
                self.hello(now, id, reference.clone(), profile)
            }
            ClientMessage::SetProfile { profile } => self.set_profile(now, id, profile),
            ClientMessage::TileSizes { tiles } => Ok(self.tile_sizes(id, &tiles)),
            ClientMessage::MuteStream { mid, muted } => self.mute(now, id, mid, muted),
            ClientMessage::Chat { text, to } => self.chat_message(now, id, reference.clone(), text, to),
            ClientMessage::Leave {} => Ok(self.leave_on_purpose(now, id, reference.clone())),
        }
    }

    pub(crate) fn reply(&mut self, id: ParticipantId, reference: Option<MessageId>, message: ServerMessage) {
        if let Some(to) = self.participants.get(&id).and_then(|p| p.socket.as_ref()).map(|s| s.to) {
            self.deliver(to, Envelope::reply(reference, message));
        }
    }

    pub(crate) fn refuse(&mut self, id: ParticipantId, reference: Option<MessageId>, refusal: Refusal) {
        self.reply(id, reference, refusal.into());
    }

    fn hello(
        &mut self,
        now: Now,
        id: ParticipantId,
        reference: Option<MessageId>,
        profile: Value,
    ) -> Outcome {
        let Some(participant) = self.participants.get_mut(&id) else {
            return Ok(None);
        };
        let Some(socket) = &mut participant.socket else {
            return Ok(None);
        };
        socket.hello = true;
        let to = socket.to;
        participant.profile = profile;
        if participant.path == Path::Gone && participant.offers.in_flight.is_none() {
            participant.reoffer_at = Some(now.at + REOFFER_DELAY);
        }
        let welcome = ServerMessage::Welcome {
            server: self.config.server.clone(),
            participant_id: id,
            grace_ms: u32::try_from(GRACE.as_millis()).unwrap_or(u32::MAX),
            virtual_producers: Self::virtual_producers(),
            chat: self.chat.readable_by(id),
        };
        self.deliver(to, Envelope::reply(reference, welcome));
        let members = self.members_message();
        self.deliver(to, Envelope::new(members));
        self.send_published_to(id);
        self.send_slots_to(id);
        self.send_demand_to(id);
        let speakers = self.speakers.clone();
        self.deliver(to, Envelope::new(ServerMessage::Speakers { speakers }));
        let stage = self.line_up.message();
        self.deliver(to, Envelope::new(stage));
        self.mark_members(now);
        Ok(None)
    }

    fn set_profile(&mut self, now: Now, id: ParticipantId, profile: Value) -> Outcome {
        self.needs_hello(id)?;
        if let Some(participant) = self.participants.get_mut(&id) {
            participant.profile = profile;
            self.mark_members(now);
        }
        Ok(None)
    }

    fn tile_sizes(&mut self, id: ParticipantId, tiles: &[TileSize]) -> Option<ServerMessage> {
        let participant = self.participants.get_mut(&id)?;
        for tile in tiles {
            participant.slots.resize(tile.receive_mid, (tile.width, tile.height, tile.quality));
        }
        self.sync_sizes(id);
        None
    }

    fn mute(&mut self, now: Now, id: ParticipantId, mid: Mid, muted: bool) -> Outcome {
        let Some(participant) = self.participants.get_mut(&id) else {
            return Ok(None);
        };
        let Some(stream) = participant.streams.by_mid_mut(mid) else {
            return Err(Refusal::parameter("mid", mid, "no stream is published on this m-line"));
        };
        if stream.muted != muted {
            stream.muted = muted;
            self.sync_mutes(id);
            self.stage_changed = true;
            self.mark_members(now);
            self.mark_persist(now);
        }
        Ok(None)
    }

    fn chat_message(
        &mut self,
        now: Now,
        id: ParticipantId,
        reference: Option<MessageId>,
        text: String,
        to: Option<ParticipantId>,
    ) -> Outcome {
        self.needs_hello(id)?;
        if let Some(addressee) = to.filter(|to| !self.holds(*to)) {
            return Err(Refusal::parameter("to", addressee, "no such participant is in the meeting"));
        }
        let Some(author) = self.participants.get_mut(&id) else {
            return Ok(None);
        };
        if !author.chat.take(now.at) {
            return Err(Refusal::unavailable("too many chat messages: wait a moment"));
        }
        let name = author.name();
        let message = ChatMessage { number: 0, from: id, name, to, text, at_ms: now.unix_ms };
        let message = ServerMessage::ChatMessage { message: self.chat.add(message) };
        let reads = |reader: &ParticipantId| *reader != id && to.is_none_or(|to| to == *reader);
        let readers = self.participants.iter().filter(|(reader, _)| reads(reader));
        let readers = readers.filter_map(|(_, p)| p.hello_socket()).collect();
        self.reply(id, reference, message.clone());
        self.deliver_all(readers, message);
        Ok(None)
    }

    fn leave_on_purpose(
        &mut self,
        now: Now,
        id: ParticipantId,
        reference: Option<MessageId>,
    ) -> Option<ServerMessage> {
        self.reply(id, reference, success("left"));
        self.close(now, id, CloseCode::Final, None, "left");
        self.leave(now, id);
        None
    }

    /// What others answer to by added messages is for those who know them.
    fn needs_hello(&self, id: ParticipantId) -> Result<(), Refusal> {
        match self.participants.get(&id).and_then(|p| p.hello_socket()) {
            Some(_) => Ok(()),
            None => Err(Refusal::new(ErrorType::UnsupportedMessage, "say `hello` first")),
        }
    }

    fn candidate(&mut self, id: ParticipantId, candidate: String) -> Option<ServerMessage> {
        let participant = self.participants.get(&id)?;
        let Home { unit, peer } = participant.known_home()?;
        if !candidate.is_empty() {
            self.command(unit, UnitCommand::AddCandidate { peer, candidate });
        }
        None
    }
}

/// Whether an intent speaks of m-lines, which an answer can make, change, or end.
fn depends_on_offers(message: &ClientMessage) -> bool {
    match message {
        ClientMessage::MediaOffer { .. }
        | ClientMessage::AddNewCandidate { .. }
        | ClientMessage::RequestStream { .. }
        | ClientMessage::DisconnectStream { .. }
        | ClientMessage::TileSizes { .. }
        | ClientMessage::MuteStream { .. } => true,
        ClientMessage::Authenticate { .. }
        | ClientMessage::Ping {}
        | ClientMessage::Pong {}
        | ClientMessage::Hello { .. }
        | ClientMessage::SetProfile { .. }
        | ClientMessage::Chat { .. }
        | ClientMessage::Leave {} => false,
    }
}
