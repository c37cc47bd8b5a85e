//! Waiting for sockets, a waker and a deadline at the same time.

use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::time::{Duration, Instant};

#[cfg(target_os = "linux")]
use crate::sys::Epoll;
use crate::sys::{self, PollEntry};
use crate::waker::Wakeable;
use crate::{NetConfig, TcpPort, UdpSocket, Waker, clock};

/// Tokens at the top of the range are the poller's own.
const TOKEN_WAKER: u64 = u64::MAX;
const TOKEN_TCP: u64 = u64::MAX - 1;
/// With `poll`, a TCP port cannot be waited for as one: it is looked at this often instead.
const TCP_LOOK_INTERVAL: Duration = Duration::from_millis(10);

/// What a wait ended with. All empty and false: the deadline is reached (or a signal came).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ready {
    /// Tokens of UDP sockets with something to read.
    pub udp: Vec<usize>,
    /// A TCP port has something to do: call [`TcpPort::receive`].
    pub tcp: bool,
    /// Somebody called [`Waker::wake`].
    pub woken: bool,
}

/// Waits for sockets and for its waker. One per worker thread.
///
/// Everything is level-triggered: what was not taken in is reported again.
pub struct Poller {
    selector: Selector,
    wakeable: Wakeable,
    ready: Ready,
}

enum Selector {
    #[cfg(target_os = "linux")]
    Epoll(Epoll),
    Poll {
        tokens: Vec<u64>,
        entries: Vec<PollEntry>,
        tcp: bool,
    },
}

impl Poller {
    /// A poller with a waker and no socket.
    ///
    /// # Errors
    /// The system has no file descriptor left.
    pub fn new(config: &NetConfig) -> io::Result<Self> {
        let mut poller =
            Self { selector: Selector::new(config)?, wakeable: Wakeable::new()?, ready: Ready::default() };
        let fd = poller.wakeable.as_raw_fd();
        poller.selector.add(fd, TOKEN_WAKER)?;
        Ok(poller)
    }

    /// Waits for that socket, too, and reports it by `token`, the caller's own number for it.
    ///
    /// # Errors
    /// The socket is waited for already, or the system has no memory for it.
    pub fn add_udp(&mut self, socket: &UdpSocket, token: usize) -> io::Result<()> {
        self.selector.add(socket.as_raw_fd(), token as u64)
    }

    /// Waits for a TCP port, its listener and all its connections. At most one.
    ///
    /// # Errors
    /// As [`Poller::add_udp`].
    pub fn add_tcp(&mut self, port: &TcpPort) -> io::Result<()> {
        match (&mut self.selector, port.selector_fd()) {
            (Selector::Poll { tcp, .. }, _) => *tcp = true,
            #[cfg(target_os = "linux")]
            (selector, Some(fd)) => selector.add(fd, TOKEN_TCP)?,
            #[cfg(target_os = "linux")]
            (_, None) => return Err(io::ErrorKind::Unsupported.into()),
        }
        Ok(())
    }

    /// Forgets a socket. Do this before the socket is dropped.
    ///
    /// # Errors
    /// The socket was never added.
    pub fn remove_udp(&mut self, socket: &UdpSocket) -> io::Result<()> {
        self.selector.remove(socket.as_raw_fd())
    }

    /// A handle that ends the wait, for other threads.
    pub fn waker(&self) -> Waker {
        self.wakeable.waker()
    }

    /// Waits until something is ready or the deadline is reached; for ever without one. A deadline in the past only
    /// looks.
    ///
    /// # Errors
    /// Only what a programming error causes: a closed descriptor.
    pub fn wait(&mut self, deadline: Option<Instant>) -> io::Result<&Ready> {
        let timeout = deadline.map(|deadline| deadline.saturating_duration_since(clock::now()));
        self.ready.udp.clear();
        (self.ready.tcp, self.ready.woken) = (false, false);
        self.selector.wait(timeout, &mut self.ready)?;
        if self.ready.woken {
            self.wakeable.acknowledge();
        }
        Ok(&self.ready)
    }
}

impl Ready {
    fn note(&mut self, token: u64) {
        match token {
            TOKEN_WAKER => self.woken = true,
            TOKEN_TCP => self.tcp = true,
            token => self.udp.push(token as usize),
        }
    }
}

impl Selector {
    fn new(config: &NetConfig) -> io::Result<Self> {
        #[cfg(target_os = "linux")]
        if config.epoll {
            return Ok(Self::Epoll(Epoll::new()?));
        }
        let _ = config;
        Ok(Self::Poll { tokens: Vec::new(), entries: Vec::new(), tcp: false })
    }

    fn add(&mut self, fd: RawFd, token: u64) -> io::Result<()> {
        match self {
            #[cfg(target_os = "linux")]
            Self::Epoll(epoll) => epoll.add(fd, token),
            Self::Poll { tokens, entries, .. } => {
                tokens.push(token);
                entries.push(PollEntry { fd, readable: false, gone: false });
                Ok(())
            }
        }
    }

    fn remove(&mut self, fd: RawFd) -> io::Result<()> {
        match self {
            #[cfg(target_os = "linux")]
            Self::Epoll(epoll) => epoll.remove(fd),
            Self::Poll { tokens, entries, .. } => {
                let index = entries.iter().position(|e| e.fd == fd).ok_or(io::ErrorKind::NotFound)?;
                tokens.swap_remove(index);
                entries.swap_remove(index);
                Ok(())
            }
        }
    }

    fn wait(&mut self, timeout: Option<Duration>, ready: &mut Ready) -> io::Result<()> {
        match self {
            #[cfg(target_os = "linux")]
            Self::Epoll(epoll) => epoll.wait(timeout)?.for_each(|token| ready.note(token)),
            Self::Poll { tokens, entries, tcp } => {
                let timeout = if *tcp {
                    Some(timeout.map_or(TCP_LOOK_INTERVAL, |timeout| timeout.min(TCP_LOOK_INTERVAL)))
                } else {
                    timeout
                };
                sys::poll(entries, timeout)?;
                entries
                    .iter()
                    .zip(tokens.iter())
                    .filter(|(e, _)| e.readable)
                    .for_each(|(_, &t)| ready.note(t));
                ready.tcp = *tcp;
                // A socket that was closed without being removed would end every wait at once.
                let mut gone = entries.iter().map(|e| e.gone);
                tokens.retain(|_| !gone.next().unwrap_or(false));
                entries.retain(|e| !e.gone);
            }
        }
        Ok(())
    }
}
