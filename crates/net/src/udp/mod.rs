//! UDP sockets: many datagrams per call where the kernel can, one per call where it cannot.

mod local;
mod recv;
mod send;

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
#[cfg(target_os = "linux")]
use std::os::fd::AsFd;
use std::os::fd::{AsRawFd, RawFd};

use model::datagram::{Protocol, Run, Transport};
use socket2::{Domain, Socket, Type};
use tracing::info;

pub(crate) use local::canonical;
pub use recv::RecvBatch;
#[cfg(target_os = "linux")]
pub(crate) use send::Message;
pub use send::SendOutcome;

use crate::{NetConfig, sys};
use local::LocalAddress;
use send::Sender;

/// What was made of a socket's configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SocketFacts {
    /// Where it is bound; the port is never 0.
    pub local: SocketAddr,
    /// Runs leave as one message each.
    pub gso: bool,
    /// The kernel may put arriving datagrams together.
    pub gro: bool,
    /// Several messages per call.
    pub batch: bool,
    /// Bytes of the kernel's receive buffer, as it counts them (twice what was asked for).
    pub receive_buffer_bytes: usize,
    /// Bytes of the kernel's send buffer, as it counts them.
    pub send_buffer_bytes: usize,
}

/// What a socket has done so far, beside what [`SendOutcome`] says of each call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UdpCounters {
    /// Datagrams taken in.
    pub received: u64,
    /// Bytes of them.
    pub received_bytes: u64,
    /// Messages dropped because they were larger than [`crate::DATAGRAM_BYTES_MAX`], or without an address.
    pub received_unusable: u64,
    /// Errors that the network reported on this socket (ICMP): of one peer, and no reason to stop.
    pub network_errors: u64,
}

/// A UDP socket for media.
#[derive(Debug)]
pub struct UdpSocket {
    socket: std::net::UdpSocket,
    facts: SocketFacts,
    local: LocalAddress,
    sender: Sender,
    counters: UdpCounters,
}

/// Errors of the network that end no reading: they are told of a datagram sent earlier, and each is told once. More
/// than this many in a row and the reading ends until the next wait.
const NETWORK_ERRORS_IN_A_ROW_MAX: usize = 16;

impl UdpSocket {
    /// Binds a socket. An IPv6 socket serves IPv6 only, so that no address has two forms. Port 0: the system picks one.
    /// On a wildcard address every datagram is asked for the address it came to.
    ///
    /// # Errors
    /// The address is in use or not ours, or no descriptor is left.
    pub fn bind(address: SocketAddr, config: &NetConfig) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::DGRAM, None)?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        socket.set_nonblocking(true)?;
        sys::enlarge_buffers(&socket, config.receive_buffer_bytes, config.send_buffer_bytes);
        socket.bind(&address.into())?;
        let mut facts = SocketFacts {
            local: canonical(socket.local_addr()?.as_socket().ok_or(ErrorKind::Unsupported)?),
            gso: false,
            gro: false,
            batch: false,
            receive_buffer_bytes: socket.recv_buffer_size()?,
            send_buffer_bytes: socket.send_buffer_size()?,
        };
        let socket: std::net::UdpSocket = socket.into();
        let packet_info = use_offloads(&socket, config, &mut facts);
        info!(
            gso = facts.gso,
            gro = facts.gro,
            batch = facts.batch,
            receive_buffer_bytes = facts.receive_buffer_bytes,
            send_buffer_bytes = facts.send_buffer_bytes,
            port = facts.local.port(),
            "media socket bound"
        );
        let local = LocalAddress::new(facts.local, packet_info);
        let sender = Sender::new(facts.batch, facts.gso);
        Ok(Self { socket, facts, local, sender, counters: UdpCounters::default() })
    }

    /// Where it is bound: the port is known, the address may be a wildcard.
    pub fn local_addr(&self) -> SocketAddr {
        self.facts.local
    }

    /// What was made of the configuration. Offload may be switched off later, when the network refuses it.
    pub fn facts(&self) -> SocketFacts {
        SocketFacts { gso: self.sender.gso(), ..self.facts }
    }

    /// What it has done so far.
    pub fn counters(&self) -> UdpCounters {
        self.counters
    }

    /// Whether a datagram for this transport leaves by this socket.
    pub fn owns(&self, transport: &Transport) -> bool {
        transport.protocol == Protocol::Udp && self.local.owns(transport.local)
    }

    /// Takes in what waits, up to what the batch holds, and returns the number of messages (each one datagram, or
    /// several that the kernel has put together). 0: nothing waits. What the batch held before is forgotten.
    ///
    /// # Errors
    /// The socket is broken. What the network reports of single peers is counted and is no error.
    pub fn recv_batch(&mut self, batch: &mut RecvBatch) -> io::Result<usize> {
        batch.clear();
        for _ in 0..NETWORK_ERRORS_IN_A_ROW_MAX {
            let result = self.receive(batch);
            match result {
                Ok(messages) => {
                    self.counters.received += batch.datagrams() as u64;
                    self.counters.received_bytes += batch.bytes() as u64;
                    return Ok(messages);
                }
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock => return Ok(0),
                    ErrorKind::Interrupted => {}
                    _ if is_of_one_peer(&error) => self.counters.network_errors += 1,
                    _ => return Err(error),
                },
            }
        }
        Ok(0)
    }

    fn receive(&mut self, batch: &mut RecvBatch) -> io::Result<usize> {
        #[cfg(target_os = "linux")]
        if self.facts.batch {
            let unusable = &mut self.counters.received_unusable;
            return batch.receive_many(self.socket.as_fd(), &mut self.local, unusable);
        }
        batch.receive_each(&self.socket, &mut self.local, &mut self.counters.received_unusable)
    }

    /// Sends the runs that leave by this socket (see [`UdpSocket::owns`]); others are left alone and not counted, so
    /// the same runs can be given to every socket of a unit in turn. `data` is the arena they point into.
    ///
    /// Never waits long: a full buffer is given about two milliseconds per call to drain, because a key frame for many
    /// receivers is larger than any buffer and would otherwise always be cut off for the same, last ones. After that
    /// everything that remains is dropped and counted: whoever congests is told by loss, which is what congestion
    /// control on the other end listens to, and waiting would make everybody late.
    pub fn send(&mut self, data: &[u8], runs: &[Run]) -> SendOutcome {
        let (local, socket) = (&self.local, &self.socket);
        let runs =
            runs.iter().filter(|r| r.transport.protocol == Protocol::Udp && local.owns(r.transport.local));
        self.sender.send(socket, data, runs, |transport| local.source(transport))
    }
}

impl AsRawFd for UdpSocket {
    fn as_raw_fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }
}

/// Switches on what is configured and granted. Returns whether each datagram comes with the address it came to.
#[cfg(target_os = "linux")]
fn use_offloads(socket: &std::net::UdpSocket, config: &NetConfig, facts: &mut SocketFacts) -> bool {
    facts.batch = config.batch;
    facts.gso = config.batch && config.gso && sys::has_gso(socket.as_fd());
    facts.gro = config.batch && config.gro && sys::set_gro(socket.as_fd()).is_ok();
    if facts.batch && config.timestamps && sys::set_timestamps(socket.as_fd()).is_err() {
        tracing::warn!("the kernel does not say when datagrams arrive");
    }
    facts.batch
        && facts.local.ip().is_unspecified()
        && sys::set_packet_info(socket.as_fd(), facts.local.is_ipv6()).is_ok()
}

#[cfg(not(target_os = "linux"))]
fn use_offloads(_socket: &std::net::UdpSocket, _config: &NetConfig, _facts: &mut SocketFacts) -> bool {
    false
}

/// Whether an error tells of one destination (mostly by ICMP, of something sent earlier) and not of the socket.
fn is_of_one_peer(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionRefused
            | ErrorKind::ConnectionReset
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable
            | ErrorKind::NetworkDown
            | ErrorKind::PermissionDenied
            | ErrorKind::AddrNotAvailable
    ) || matches!(
        error.raw_os_error(),
        Some(libc::EPROTO | libc::ENOPROTOOPT | libc::EMSGSIZE | libc::EHOSTDOWN)
    )
}
