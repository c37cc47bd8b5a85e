//! Clients from the wire's side: sockets, `str0m`, packets counted.

mod answer;
mod client;
mod config;
mod fleet;
mod keys;
mod light;
mod publisher;
mod receiver;
pub mod seal;
pub mod stamp;
mod totals;

pub use answer::{SlotSsrc, lines_of, slots_of_answer, transport_cc_id};
pub use client::{Client, Role};
pub use config::{Negotiation, client_config, negotiate};
pub(crate) use fleet::socket_config;
pub use fleet::{Fleet, FleetHandle};
pub use keys::take_outbound;
pub use light::transport_sequence;
pub use publisher::Publisher;
pub use receiver::Receiver;
pub use totals::{Received, Totals};
