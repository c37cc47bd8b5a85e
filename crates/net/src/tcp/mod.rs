//! Connections that clients open where UDP is blocked: passive ICE-TCP candidates (RFC 6544) with framed packets
//! (RFC 4571), each presented as a transport like any other.

mod connection;
mod framing;

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsRawFd, RawFd};
use std::time::{Duration, Instant};

use model::datagram::{Protocol, Run, Transport};
use slab::Slab;
use socket2::{Domain, Socket, Type};
use tracing::{debug, info, warn};

#[cfg(target_os = "linux")]
use crate::sys;
use crate::udp::canonical;
use crate::{DATAGRAM_BYTES_MAX, NetConfig, SendOutcome};
use connection::{Closed, Connection};

/// Connections of one port. As many as participants of the largest meeting of a unit, if all were behind firewalls.
const CONNECTIONS_MAX: usize = 1024;
/// Connections that wait to be accepted.
const BACKLOG: i32 = 128;
/// Connections accepted per pass, so that a flood leaves time for those that are there.
const ACCEPTS_PER_PASS_MAX: usize = 32;
/// Bytes of frames that wait for a slow reader: half a second of 4 Mbit/s. What is older helps nobody.
const QUEUE_BYTES_MAX: usize = 256 * 1024;
/// Bytes that the system may hold for a connection on top of that.
const SYSTEM_QUEUE_BYTES: usize = 128 * 1024;
/// Bytes read at once: some frames, and the beginning of one that was left over.
const SCRATCH_BYTES: usize = 16 * 1024;
/// A connection that nobody has answered is closed. Engines answer only what they have authenticated.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// A connection without a whole frame for this long is closed. Consent expires after 30 s (RFC 7675 §5.1).
const FRAME_TIMEOUT: Duration = Duration::from_secs(45);
/// A connection that takes nothing for this long is closed.
const STUCK_TIMEOUT: Duration = Duration::from_secs(10);
/// How often timeouts are looked for; none is exact.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

const _: () = assert!(SCRATCH_BYTES > 2 * (DATAGRAM_BYTES_MAX + framing::LENGTH_BYTES));

const TOKEN_LISTENER: u64 = u64::MAX;

/// What a TCP port has done so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TcpCounters {
    /// Connections accepted.
    pub accepted: u64,
    /// Connections refused or given up because there were too many.
    pub too_many: u64,
    /// Connections closed because nobody answered, nothing came, or nothing was taken for too long.
    pub timed_out: u64,
    /// Connections closed because they sent something else than frames.
    pub not_framed: u64,
    /// Frames taken in.
    pub received: u64,
    /// Frames dropped because their reader is slow or gone.
    pub dropped: u64,
}

/// A listening port and its connections.
pub struct TcpPort {
    listener: TcpListener,
    local: SocketAddr,
    connections: Slab<Connection>,
    by_transport: HashMap<Transport, usize>,
    /// Connections with frames to be written in this pass.
    dirty: Vec<usize>,
    /// Ends of connections that were not told yet.
    closed: VecDeque<Transport>,
    scratch: Vec<u8>,
    /// Without one, everything is tried at each pass.
    #[cfg(target_os = "linux")]
    selector: Option<sys::Epoll>,
    /// Accepting is suspended until the next check: no descriptors are left.
    suspended: bool,
    next_check: Option<Instant>,
    counters: TcpCounters,
}

impl fmt::Debug for TcpPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let connections = self.connections.len();
        f.debug_struct("TcpPort").field("local", &self.local).field("connections", &connections).finish()
    }
}

impl TcpPort {
    /// Listens. An IPv6 port serves IPv6 only. Port 0: the system picks one.
    ///
    /// # Errors
    /// The address is in use or not ours, or no descriptor is left.
    pub fn bind(address: SocketAddr, config: &NetConfig) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        // A restarted server takes its port back at once, though old connections linger.
        socket.set_reuse_address(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        socket.set_nonblocking(true)?;
        let listener: TcpListener = socket.into();
        let local = canonical(listener.local_addr()?);
        #[cfg(target_os = "linux")]
        let selector = match config.epoll {
            true => {
                let epoll = sys::Epoll::new()?;
                epoll.add(listener.as_raw_fd(), TOKEN_LISTENER)?;
                Some(epoll)
            }
            false => None,
        };
        let _ = config;
        info!(port = local.port(), "media port for connections bound");
        Ok(Self {
            listener,
            local,
            connections: Slab::new(),
            by_transport: HashMap::new(),
            dirty: Vec::new(),
            closed: VecDeque::new(),
            scratch: vec![0; SCRATCH_BYTES],
            #[cfg(target_os = "linux")]
            selector,
            suspended: false,
            next_check: None,
            counters: TcpCounters::default(),
        })
    }

    /// Where it listens: the port is known, the address may be a wildcard.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// How many connections are open.
    pub fn connections(&self) -> usize {
        self.connections.len()
    }

    /// What it has done so far.
    pub fn counters(&self) -> TcpCounters {
        self.counters
    }

    /// Does everything that waits: accepts, reads, writes. Each whole frame is handed to `take` with its transport.
    /// Call when the poller reports the port.
    ///
    /// # Errors
    /// The listener or the selector is broken. What happens to single connections is counted and is no error.
    pub fn receive(&mut self, now: Instant, mut take: impl FnMut(Transport, &mut [u8])) -> io::Result<()> {
        for token in self.ready()? {
            if token == TOKEN_LISTENER {
                self.accept(now)?;
            } else {
                self.serve(token as usize, now, &mut take);
            }
        }
        Ok(())
    }

    /// Sends the runs whose transport is a connection of this port; others are left alone and not counted. Frames
    /// that a slow reader has no room for, and those of a connection that is gone, are dropped and counted.
    pub fn send(&mut self, now: Instant, data: &[u8], runs: &[Run]) -> SendOutcome {
        let mut outcome = SendOutcome::default();
        for run in runs {
            if !self.owns(&run.transport) {
                continue;
            }
            let Some(&index) = self.by_transport.get(&run.transport) else {
                outcome.dropped += u64::from(run.count);
                continue;
            };
            let Some(connection) = self.connections.get_mut(index) else { continue };
            let bytes = data.get(run.start..run.start + run.len).unwrap_or_default();
            for frame in bytes.chunks(run.segment.max(1)) {
                if connection.push(frame) {
                    outcome.sent += 1;
                    outcome.bytes += frame.len() as u64;
                } else {
                    outcome.dropped += 1;
                }
            }
            // Runs of one connection mostly follow each other; a doubled entry costs one needless look.
            if self.dirty.last() != Some(&index) {
                self.dirty.push(index);
            }
        }
        self.counters.dropped += outcome.dropped;
        while let Some(index) = self.dirty.pop() {
            // What waits for room is written when the system reports room.
            if self.connections.get(index).is_some_and(|connection| !connection.waits_to_write) {
                outcome.syscalls += 1;
                self.write(index, now);
            }
        }
        outcome
    }

    /// Whether a datagram for this transport leaves by this port.
    pub fn owns(&self, transport: &Transport) -> bool {
        let (ours, theirs) = (self.local, transport.local);
        transport.protocol == Protocol::Tcp
            && ours.port() == theirs.port()
            && (ours.ip() == theirs.ip()
                || (ours.ip().is_unspecified() && ours.is_ipv4() == theirs.is_ipv4()))
    }

    /// Closes a connection that is not needed any more. It is not told by [`TcpPort::poll_closed`].
    pub fn close(&mut self, transport: &Transport) {
        if let Some(&index) = self.by_transport.get(transport) {
            self.remove(index);
        }
    }

    /// A transport that has come to its end: closed by the other side, given up, broken.
    pub fn poll_closed(&mut self) -> Option<Transport> {
        self.closed.pop_front()
    }

    /// When to call [`TcpPort::handle_timeout`].
    pub fn next_deadline(&self) -> Option<Instant> {
        self.next_check
    }

    /// Closes connections whose time is over, and begins to accept again where that was suspended.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.next_check.is_none_or(|check| now < check) {
            return;
        }
        let over: Vec<usize> =
            self.connections.iter().filter(|(_, c)| c.deadline() <= now).map(|(index, _)| index).collect();
        for index in over {
            self.counters.timed_out += 1;
            self.end(index);
        }
        if std::mem::take(&mut self.suspended) {
            #[cfg(target_os = "linux")]
            if let Some(selector) = &self.selector {
                let _ = selector.add(self.listener.as_raw_fd(), TOKEN_LISTENER);
            }
        }
        self.next_check = (!self.connections.is_empty()).then(|| now + CHECK_INTERVAL);
    }

    /// What another selector can wait for in place of all connections.
    pub(crate) fn selector_fd(&self) -> Option<RawFd> {
        #[cfg(target_os = "linux")]
        return self.selector.as_ref().map(sys::Epoll::as_raw_fd);
        #[cfg(not(target_os = "linux"))]
        None
    }

    fn ready(&mut self) -> io::Result<Vec<u64>> {
        #[cfg(target_os = "linux")]
        if let Some(selector) = &mut self.selector {
            return Ok(selector.wait(Some(Duration::ZERO))?.collect());
        }
        let connections = self.connections.iter().map(|(index, _)| index as u64);
        Ok(connections.chain((!self.suspended).then_some(TOKEN_LISTENER)).collect())
    }

    fn accept(&mut self, now: Instant) -> io::Result<()> {
        for _ in 0..ACCEPTS_PER_PASS_MAX {
            let (stream, remote) = match self.listener.accept() {
                Ok(accepted) => accepted,
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock => return Ok(()),
                    ErrorKind::InvalidInput => return Err(error),
                    _ if matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE)) => {
                        self.suspend(now, &error);
                        return Ok(());
                    }
                    // The connection was gone before it was accepted.
                    _ => continue,
                },
            };
            if self.connections.len() >= CONNECTIONS_MAX && !self.make_room() {
                self.counters.too_many += 1;
                continue;
            }
            let Ok(connection) = Connection::new(stream, remote, now) else { continue };
            self.insert(connection, now);
        }
        Ok(())
    }

    fn insert(&mut self, connection: Connection, now: Instant) {
        let (fd, transport) = (connection.as_raw_fd(), connection.transport);
        let index = self.connections.insert(connection);
        #[cfg(target_os = "linux")]
        if let Some(selector) = &self.selector
            && selector.add(fd, index as u64).is_err()
        {
            self.connections.remove(index);
            return;
        }
        let _ = fd;
        self.by_transport.insert(transport, index);
        self.counters.accepted += 1;
        self.next_check.get_or_insert(now + CHECK_INTERVAL);
    }

    /// Gives up the connection that has been open longest without an answer. Those that engines know are safe.
    fn make_room(&mut self) -> bool {
        let oldest =
            self.connections.iter().filter_map(|(index, c)| Some((c.unanswered_since()?, index))).min();
        let Some((_, index)) = oldest else { return false };
        self.counters.too_many += 1;
        self.end(index);
        true
    }

    /// Stops accepting for a moment: the listener would be reported as ready for ever.
    fn suspend(&mut self, now: Instant, error: &io::Error) {
        warn!(%error, "no descriptor left for a connection; accepting again in a moment");
        #[cfg(target_os = "linux")]
        if let Some(selector) = &self.selector {
            let _ = selector.remove(self.listener.as_raw_fd());
        }
        self.suspended = true;
        self.next_check.get_or_insert(now + CHECK_INTERVAL);
    }

    fn serve(&mut self, index: usize, now: Instant, take: &mut impl FnMut(Transport, &mut [u8])) {
        let Some(connection) = self.connections.get_mut(index) else { return };
        match connection.read(now, &mut self.scratch, take) {
            Ok(frames) => self.counters.received += frames,
            Err(reason) => {
                self.counters.not_framed += u64::from(reason == Closed::NotFramed);
                return self.end(index);
            }
        }
        if connection.waits_to_write {
            self.write(index, now);
        }
    }

    fn write(&mut self, index: usize, now: Instant) {
        let Some(connection) = self.connections.get_mut(index) else { return };
        let waited = connection.waits_to_write;
        let result = connection.write(now);
        let waits = connection.waits_to_write;
        #[cfg(target_os = "linux")]
        if waits != waited
            && let Some(selector) = &self.selector
            && selector.set_writable(connection.as_raw_fd(), index as u64, waits).is_err()
        {
            return self.end(index);
        }
        let _ = (waits, waited);
        if result.is_err() {
            self.end(index);
        }
    }

    /// Removes a connection and tells of it.
    fn end(&mut self, index: usize) {
        if let Some(transport) = self.remove(index) {
            debug!(?transport, "connection closed");
            if self.closed.len() >= CONNECTIONS_MAX {
                self.closed.pop_front();
            }
            self.closed.push_back(transport);
        }
    }

    /// Removes a connection; dropping it closes it, and the selector forgets what is closed.
    fn remove(&mut self, index: usize) -> Option<Transport> {
        let connection = self.connections.try_remove(index)?;
        self.by_transport.remove(&connection.transport);
        Some(connection.transport)
    }
}
