//! Role to role: requests, commands, facts. In-process; a broker takes its place when one machine is not enough, which
//! is why everything that crosses is a plain, serialisable value.
//!
//! - A *request* has one server and waits for its reply.
//! - A *command* has one consumer, arrives in the order it was sent, and is not answered.
//! - A *fact* has any number of subscribers. Facts are whole or numbered, so that a late one is harmless; a subscriber
//!   that is too slow is told that it missed some.

pub mod control;
mod in_process;
pub mod media;
pub mod platform;

use std::fmt::Debug;

use model::{NodeId, UnitId};
use serde::{Serialize, de::DeserializeOwned};

pub use in_process::{Bus, Commands, Incoming, Requests, Subscription};

/// What may cross the bus.
pub trait Message: Debug + Clone + Serialize + DeserializeOwned + Send + Sync + 'static {}
impl<T: Debug + Clone + Serialize + DeserializeOwned + Send + Sync + 'static> Message for T {}

/// A question to one server.
pub trait Request: Message {
    /// The answer.
    type Reply: Message;
}

/// An order to one consumer.
pub trait Command: Message {}

/// Something that happened.
pub trait Fact: Message {}

/// Whom a request or command is for, or whose facts are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Address {
    /// The platform's API for first-party customers, served by every gateway.
    Platform,
    /// The control role.
    Control,
    /// One gateway.
    Gateway(NodeId),
    /// One forwarding unit.
    Unit(UnitId),
    /// All forwarding units together.
    Units,
}

/// Why nothing came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BusError {
    /// Nobody serves this address, or whoever did has stopped.
    #[error("nobody serves {0:?}")]
    Nobody(Address),
    /// The server has more requests waiting than it can hold.
    #[error("{0:?} is overloaded")]
    Overloaded(Address),
    /// The server took the request and dropped it.
    #[error("{0:?} gave no reply")]
    NoReply(Address),
}
