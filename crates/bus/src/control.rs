//! What gateways and the control role say to each other.
//!
//! A gateway asks [`Connect`] once per authenticated socket, then sends every message of the client as a
//! [`RoomCommand`]. Everything that a client is to be told comes back as a [`Delivery`] to its gateway, in order.

use model::{ConnectionId, MeetingId, NodeId, ParticipantId};
use serde::{Deserialize, Serialize};
use wire::{ClientMessage, CloseCode, Envelope, ServerMessage};

use crate::{Command, Fact, Request};

/// A participant, proven to be who it says, opened a socket. A former socket of the same participant is closed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Connect {
    /// The meeting.
    pub meeting: MeetingId,
    /// Who.
    pub participant: ParticipantId,
    /// The socket.
    pub connection: ConnectionId,
    /// The gateway that holds it.
    pub gateway: NodeId,
}

impl Request for Connect {
    type Reply = Result<(), ConnectError>;
}

/// Why a participant cannot come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum ConnectError {
    /// As many are there as may be. The public package knows this text.
    #[error("Meeting is full")]
    Full,
    /// The meeting is over.
    #[error("the meeting has ended")]
    Ended,
    /// The participant was removed.
    #[error("the participant was removed from the meeting")]
    Removed,
    /// Neither meeting nor participant is known.
    #[error("no such participant")]
    Unknown,
    /// No media unit is up, or the store cannot be read.
    #[error("the service is not ready")]
    Unavailable,
}

/// What a room is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum RoomCommand {
    /// A message of a connected client. Messages of a connection that is not (any more) the participant's are dropped.
    Intent {
        /// The meeting.
        meeting: MeetingId,
        /// Who.
        participant: ParticipantId,
        /// On which socket.
        connection: ConnectionId,
        /// What, already parsed and validated.
        envelope: Envelope<ClientMessage>,
    },
    /// The socket is gone.
    Disconnected {
        /// The meeting.
        meeting: MeetingId,
        /// Who.
        participant: ParticipantId,
        /// Which socket.
        connection: ConnectionId,
        /// The client closed it on purpose (1000, 1001): it leaves at once. Otherwise it may come back in the grace time.
        on_purpose: bool,
    },
    /// An administrator ended the meeting.
    End {
        /// The meeting.
        meeting: MeetingId,
    },
    /// An administrator removed a participant.
    Remove {
        /// The meeting.
        meeting: MeetingId,
        /// Who.
        participant: ParticipantId,
    },
    /// The program stops: tell everybody to come back, write down what must last.
    Stop,
}

impl Command for RoomCommand {}

/// What a gateway is to give to some of its sockets: a command to that gateway, so that a gateway
/// without members of a room hears nothing of it; one per gateway, however many of its sockets it is for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    /// The sockets.
    pub connections: Vec<ConnectionId>,
    /// What.
    pub what: Deliverable,
}

/// What a socket is given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Deliverable {
    /// A message.
    Message(Box<Envelope<ServerMessage>>),
    /// The end.
    Close(CloseCode, String),
}

impl Command for Delivery {}

/// What happened in a meeting, for the platform's records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum MeetingFact {
    /// The first participant came.
    Started(MeetingId),
    /// A participant came.
    Joined(MeetingId, ParticipantId),
    /// A participant left.
    Left(MeetingId, ParticipantId),
}

impl Fact for MeetingFact {}
