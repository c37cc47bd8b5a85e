//! A seeded world: forwarding units, rooms and simulated clients on a virtual clock and a bad network.
//!
//! One seed is one world, to the bit: the same datagrams at the same instants, on every machine. A [`Scenario`] says who
//! takes part over which network and what they must notice; [`judge`] runs it with a seed and says what was not so. The
//! units are the real ones and so is everything between the client's camera and the receiver's decoder but three things:
//! the DTLS handshake (see [`handshake`]), the network (see [`network`]), and the room, which is a thin driver that
//! issues the commands a room would (see [`meeting`]).

pub mod client;
mod events;
mod flow;
pub mod handshake;
pub mod meeting;
pub mod network;
pub mod oracle;
mod random;
mod repeat;
pub mod scenario;
mod seat;
mod stations;
pub mod trace;
mod world;

pub use flow::Flow;
pub use oracle::judge;
pub use random::Random;
pub use repeat::{on_fixed_thread, start};
pub use scenario::Scenario;
pub use seat::PersonReport;
pub use world::{Run, run};

#[cfg(test)]
mod tests {
    /// Where tests begin to count time.
    pub(crate) fn base() -> std::time::Instant {
        crate::repeat::start()
    }
}
