use model::unit::{Offer, UnitCommand};
use model::{ConnectionId, NodeId, ParticipantId, UnitId};
use wire::{CloseCode, Envelope, ServerMessage};

use crate::Snapshot;

/// A socket and the gateway that holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Recipient {
    /// Which gateway.
    pub gateway: NodeId,
    /// Which of its sockets.
    pub connection: ConnectionId,
}

/// Names an offer between [`Effect::Offer`] and its answer. Unique in its room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OfferToken(pub u64);

/// What happened, for the platform's records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoomFact {
    /// The first participant came.
    Started,
    /// A participant came. Said once per participation, not at reconnections.
    Joined(ParticipantId),
    /// A participant left.
    Left(ParticipantId),
}

/// What a room wants done. Effects for one socket, and commands for one unit, must stay in their order.
///
/// `Debug` shows messages, which hold what people wrote: never log an effect.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Give this message to these sockets; at least one.
    Deliver {
        /// To whom.
        to: Vec<Recipient>,
        /// What.
        envelope: Box<Envelope<ServerMessage>>,
    },
    /// Close this socket. The room has forgotten it already.
    Close {
        /// Which.
        to: Recipient,
        /// How.
        code: CloseCode,
        /// Why, in words.
        text: &'static str,
    },
    /// Ask the unit; what comes back, in time or not, goes into [`crate::Room::handle_answer`] exactly once.
    Offer {
        /// Whom to ask.
        unit: UnitId,
        /// What.
        offer: Offer,
        /// For the answer.
        token: OfferToken,
    },
    /// Tell the unit.
    Command {
        /// Which.
        unit: UnitId,
        /// What.
        command: UnitCommand,
    },
    /// Write this down in the place of the former snapshot; an empty one can be deleted.
    Persist(Box<Snapshot>),
    /// Tell whoever keeps records.
    Fact(RoomFact),
}
