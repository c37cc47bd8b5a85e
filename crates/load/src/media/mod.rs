//! Clients from the wire's side: sockets, `str0m`, packets counted.

mod answer;
mod client;
mod config;
mod fleet;
mod publisher;
mod receiver;
mod totals;

pub use answer::{SlotSsrc, slots_of_answer};
pub use client::{Client, Role};
pub use config::{Negotiation, negotiate};
pub(crate) use fleet::socket_config;
pub use fleet::{Fleet, FleetHandle};
pub use publisher::Publisher;
pub use receiver::Receiver;
pub use totals::{Received, Totals};
