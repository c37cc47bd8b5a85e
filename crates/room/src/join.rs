use model::{ConnectionId, ParticipantId, limits};
use tracing::info;
use wire::server::GoodbyeReason;
use wire::{CloseCode, Envelope, ServerMessage};

use crate::participant::{Home, Participant, Path, Socket};
use crate::room::Phase;
use crate::{Effect, NoPlace, Now, Recipient, Room, RoomFact};

/// A participant, proven to be who it says and not removed, opened a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Join {
    /// Who.
    pub participant: ParticipantId,
    /// The socket.
    pub socket: Recipient,
    /// Where its media is to go, or why nowhere. Not looked at if the participant has a home already
    /// ([`Room::home_of`]).
    pub home: Result<Home, NoPlace>,
}

/// Why a participant cannot come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JoinError {
    /// As many are there as may be.
    #[error("the room is full")]
    Full,
    /// No media unit is up.
    #[error("no media unit is up")]
    NoUnit,
    /// The meeting is over.
    #[error("the meeting has ended")]
    Ended,
    /// The participant was removed.
    #[error("the participant was removed")]
    Removed,
    /// The program is stopping.
    #[error("the room is stopping")]
    Stopping,
}

impl Room {
    /// A participant comes, or comes back. The newest socket wins: a former one is told and closed; streams, slots and
    /// chat stay. Whoever comes back though no unit takes it is one of [`Room::homeless`].
    ///
    /// # Errors
    /// See [`JoinError`]. Whoever is there can always come back.
    pub fn handle_connect(&mut self, now: Now, join: Join) -> Result<(), JoinError> {
        self.may_join(&join)?;
        if !self.holds(join.participant) {
            self.arrive(now, join.participant);
        }
        let Some(participant) = self.participants.get_mut(&join.participant) else {
            return Ok(());
        };
        if let Some(former) = participant.attach(now.at, join.socket) {
            self.replaced(&former);
        }
        if let Ok(home) = join.home {
            self.settle(join.participant, home);
        }
        self.empty_since = None;
        // The new socket has seen no roster; the others may have to see somebody come (back).
        self.roster.mark(now.at, self.snapshot_interval());
        self.mark_members(now);
        self.finish(now);
        Ok(())
    }

    /// A socket is gone. On purpose: the participant leaves at once; else it may come back in the grace time.
    pub fn handle_disconnected(
        &mut self,
        now: Now,
        participant: ParticipantId,
        connection: ConnectionId,
        on_purpose: bool,
    ) {
        let Some(found) = self.participants.get_mut(&participant) else {
            return;
        };
        if found.socket_of(connection).is_none() {
            return;
        }
        found.detach(now.at);
        if on_purpose {
            self.leave(now, participant);
        } else {
            info!(meeting = %self.config.meeting, %participant, "socket lost");
            self.mark_members(now);
        }
        self.finish(now);
    }

    fn may_join(&self, join: &Join) -> Result<(), JoinError> {
        match self.phase {
            Phase::Ended => Err(JoinError::Ended),
            Phase::Stopped => Err(JoinError::Stopping),
            Phase::Open if self.removed.contains(&join.participant) => Err(JoinError::Removed),
            Phase::Open if self.holds(join.participant) => Ok(()),
            Phase::Open if self.participants.len() >= limits::PARTICIPANTS_MAX => Err(JoinError::Full),
            Phase::Open => match join.home {
                Ok(_) => Ok(()),
                Err(NoPlace::Full) => Err(JoinError::Full),
                Err(NoPlace::NoUnit) => Err(JoinError::NoUnit),
            },
        }
    }

    fn arrive(&mut self, now: Now, id: ParticipantId) {
        self.last_order = self.last_order.saturating_add(1);
        self.participants.insert(id, Participant::new(now.at, self.last_order));
        if !std::mem::replace(&mut self.started, true) {
            self.effects.push_back(Effect::Fact(RoomFact::Started));
        }
        self.effects.push_back(Effect::Fact(RoomFact::Joined(id)));
        self.mark_roster(now);
        self.mark_persist(now);
        info!(meeting = %self.config.meeting, participant = %id, order = self.last_order, "joined");
    }

    fn replaced(&mut self, former: &Socket) {
        if former.hello {
            let goodbye = ServerMessage::Goodbye { reason: GoodbyeReason::Replaced };
            self.deliver(former.to, Envelope::new(goodbye));
        }
        let text = "a newer connection of the same participant took over";
        self.effects.push_back(Effect::Close { to: former.to, code: CloseCode::Final, text });
    }

    /// The time has come to tell a client to offer again, which it has not done by itself.
    pub(crate) fn ask_to_reoffer(&mut self, now: Now, id: ParticipantId) {
        let Some(participant) = self.participants.get_mut(&id) else {
            return;
        };
        participant.reoffer_at = None;
        if participant.path != Path::Gone || participant.offers.in_flight.is_some() {
            return;
        }
        // Nowhere to go: asked when a unit is found.
        if participant.home.is_none() {
            return;
        }
        let Some(socket) = &participant.socket else {
            return;
        };
        if socket.hello {
            let to = socket.to;
            let reason = "the media path is gone".to_owned();
            self.deliver(to, Envelope::new(ServerMessage::Reoffer { reason }));
        } else if socket.answered {
            // The public package makes a new peer connection only when it connects anew.
            self.close(now, id, CloseCode::Restart, None, "the media path is gone");
        }
    }
}
