//! The only crate with media sockets: batched UDP, framed TCP, waiting, pinned workers.
//!
//! It carries bytes and knows no protocol above RFC 4571. Engines write datagrams into a
//! [`model::datagram::Outbox`]; this crate sends its runs and hands in what arrived, each datagram with the
//! [`model::datagram::Transport`] it came by.
//!
//! On Linux datagrams leave in `sendmmsg` calls whose messages are whole runs (UDP segmentation offload) and arrive in
//! `recvmmsg` calls whose messages the kernel may have coalesced (receive offload). Where the kernel refuses one of these,
//! or elsewhere than Linux, plain calls do the same, one datagram each. A worker's loop:
//!
//! ```no_run
//! # use net::{NetConfig, Poller, RecvBatch, UdpSocket, clock};
//! # fn main() -> std::io::Result<()> {
//! let config = NetConfig::default();
//! let mut socket = UdpSocket::bind("0.0.0.0:5000".parse().unwrap(), &config)?;
//! let mut batch = RecvBatch::new(&config);
//! let mut poller = Poller::new(&config)?;
//! poller.add_udp(&socket, 0)?;
//! let mut outbox = model::datagram::Outbox::default();
//! loop {
//!     let ready = poller.wait(None)?;
//!     if !ready.udp.is_empty() {
//!         socket.recv_batch(&mut batch)?;
//!         for (transport, datagram) in batch.iter_mut() {
//!             outbox.push(transport, datagram); // an engine decides what to answer; this one echoes
//!         }
//!     }
//!     socket.send(outbox.data(), outbox.runs());
//!     outbox.clear();
//! }
//! # }
//! ```
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "this crate is the shell that reads the clock and opens the media sockets"
)]

pub mod clock;
mod config;
mod poller;
mod sys;
mod tcp;
mod udp;
mod waker;
mod worker;

pub use config::NetConfig;
pub use poller::{Poller, Ready};
pub use tcp::{TcpCounters, TcpPort};
pub use udp::{RecvBatch, SendOutcome, SocketFacts, UdpCounters, UdpSocket};
pub use waker::Waker;
pub use worker::{allowed_cores, spawn_pinned};

/// Bytes of the largest datagram or frame taken in. Media packets stay below an Ethernet frame (1,500 bytes), and
/// DTLS is cut to the same; what is larger is nothing we serve, so it is dropped and counted.
pub const DATAGRAM_BYTES_MAX: usize = 2048;
