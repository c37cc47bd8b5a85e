//! What is done about each answer of the kernel to "send this": the policy, apart from the calls.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::ops::AddAssign;
use std::os::fd::AsFd;
use std::time::Duration;

use model::datagram::{Run, Transport};
use tracing::warn;

use super::is_of_one_peer;
use crate::sys;

/// Messages given to the kernel with one call; it would take 1,024, and gains nothing from more than a few dozen.
const MESSAGES_PER_CALL_MAX: usize = 64;
/// A full buffer may drain for this long…
const DRAIN_WAIT: Duration = Duration::from_millis(1);
/// …this often per `send`: together well below what a call notices, and long enough for 2 MB on a 10 Gbit/s line.
const DRAIN_WAITS_MAX: u32 = 2;
/// Refused runs without one accepted in between, after which runs are not tried any more. A single path may refuse (a
/// tunnel, a small MTU) while all others gain; an interface that cannot refuses all.
const REFUSALS_IN_A_ROW_MAX: u32 = 16;

/// What became of the runs of one call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SendOutcome {
    /// Datagrams handed to the kernel.
    pub sent: u64,
    /// Datagrams that it did not take: buffer full, no route, refused.
    pub dropped: u64,
    /// Bytes of the datagrams handed over.
    pub bytes: u64,
    /// System calls made.
    pub syscalls: u64,
    /// Runs that had to be sent one by one because the kernel or the network refused them whole.
    pub runs_refused: u64,
}

impl AddAssign for SendOutcome {
    fn add_assign(&mut self, other: Self) {
        self.sent += other.sent;
        self.dropped += other.dropped;
        self.bytes += other.bytes;
        self.syscalls += other.syscalls;
        self.runs_refused += other.runs_refused;
    }
}

/// One message for the kernel: a whole run, or one datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) start: usize,
    pub(crate) len: usize,
    /// Bytes of each datagram but the last.
    pub(crate) segment: usize,
    pub(crate) remote: SocketAddr,
    /// Our address, where the socket does not say it.
    pub(crate) local: Option<IpAddr>,
}

impl Message {
    fn datagrams(&self) -> u64 {
        self.len.div_ceil(self.segment.max(1)) as u64
    }

    fn singly(self) -> impl Iterator<Item = Self> {
        let step = self.segment.max(1);
        (self.start..self.start + self.len).step_by(step).map(move |start| {
            let len = step.min(self.start + self.len - start);
            Self { start, len, segment: len, ..self }
        })
    }
}

/// The calls that the policy makes.
trait Link {
    /// Sends as many of the messages as are taken at once. An error is the first one's.
    fn send(&mut self, messages: &[Message]) -> io::Result<usize>;
    /// Waits until the buffer has room, at most for the time. Returns whether it has.
    fn wait_writable(&mut self, at_most: Duration) -> bool;
}

/// Sends runs by one socket. Keeps its memory between calls.
pub(super) struct Sender {
    #[cfg(target_os = "linux")]
    headers: Option<sys::SendHeaders>,
    messages: Vec<Message>,
    offload: Offload,
}

impl std::fmt::Debug for Sender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sender").field("offload", &self.offload).finish_non_exhaustive()
    }
}

/// Whether runs go out whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Offload {
    on: bool,
    refusals_in_a_row: u32,
}

impl Sender {
    pub(super) fn new(batch: bool, gso: bool) -> Self {
        #[cfg(not(target_os = "linux"))]
        let _ = batch;
        Self {
            #[cfg(target_os = "linux")]
            headers: batch.then(|| sys::SendHeaders::new(MESSAGES_PER_CALL_MAX)),
            messages: Vec::with_capacity(MESSAGES_PER_CALL_MAX),
            offload: Offload { on: gso, refusals_in_a_row: 0 },
        }
    }

    pub(super) fn gso(&self) -> bool {
        self.offload.on
    }

    pub(super) fn send<'a>(
        &mut self,
        socket: &UdpSocket,
        data: &[u8],
        runs: impl Iterator<Item = &'a Run>,
        source: impl Fn(&Transport) -> Option<IpAddr>,
    ) -> SendOutcome {
        let mut outcome = SendOutcome::default();
        let mut link = SocketLink {
            socket,
            data,
            #[cfg(target_os = "linux")]
            headers: self.headers.as_mut(),
        };
        let mut pass =
            Pass { waits_left: DRAIN_WAITS_MAX, offload: &mut self.offload, outcome: &mut outcome };
        let messages = &mut self.messages;
        messages.clear();
        for run in runs {
            let (local, remote) = (source(&run.transport), run.transport.remote);
            let message = Message { start: run.start, len: run.len, segment: run.segment, remote, local };
            let whole = pass.offload.on || message.segment >= message.len;
            let singles = if whole { 0 } else { usize::MAX };
            for message in message.singly().take(singles).chain(whole.then_some(message)) {
                messages.push(message);
                if messages.len() == MESSAGES_PER_CALL_MAX {
                    pass.deliver(&mut link, messages);
                    messages.clear();
                }
            }
        }
        pass.deliver(&mut link, messages);
        outcome
    }
}

/// One call of [`Sender::send`].
struct Pass<'a> {
    waits_left: u32,
    offload: &'a mut Offload,
    outcome: &'a mut SendOutcome,
}

impl Pass<'_> {
    /// Gives all messages to the kernel, whatever becomes of any of them.
    fn deliver(&mut self, link: &mut impl Link, mut messages: &[Message]) {
        // Errors told of something sent earlier: the message itself was not tried, and is once more.
        let mut tried_again = false;
        while let Some((&first, rest)) = messages.split_first() {
            self.outcome.syscalls += 1;
            match link.send(messages) {
                Ok(taken) => {
                    let (sent, rest) = messages.split_at_checked(taken.max(1)).unwrap_or((messages, &[]));
                    for message in sent {
                        self.sent(message);
                    }
                    messages = rest;
                    tried_again = false;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if is_full(&error) => {
                    if self.waits_left == 0 {
                        return self.drop_all(messages);
                    }
                    self.waits_left -= 1;
                    self.outcome.syscalls += 1;
                    if !link.wait_writable(DRAIN_WAIT) && self.waits_left == 0 {
                        return self.drop_all(messages);
                    }
                }
                Err(error) if first.segment < first.len && refuses_runs(&error) => {
                    let sent_before = self.outcome.sent;
                    for single in first.singly() {
                        self.deliver(link, &[single]);
                    }
                    // A path that takes nothing at all (our address is gone, say) does not speak against runs.
                    if self.outcome.sent > sent_before {
                        self.refused(&error);
                    }
                    messages = rest;
                }
                Err(error) if is_of_one_peer(&error) && !tried_again => tried_again = true,
                Err(_) => {
                    self.outcome.dropped += first.datagrams();
                    messages = rest;
                    tried_again = false;
                }
            }
        }
    }

    fn sent(&mut self, message: &Message) {
        self.outcome.sent += message.datagrams();
        self.outcome.bytes += message.len as u64;
        if message.segment < message.len {
            self.offload.refusals_in_a_row = 0;
        }
    }

    fn drop_all(&mut self, messages: &[Message]) {
        self.outcome.dropped += messages.iter().map(Message::datagrams).sum::<u64>();
    }

    fn refused(&mut self, error: &io::Error) {
        self.outcome.runs_refused += 1;
        self.offload.refusals_in_a_row += 1;
        if self.offload.on && self.offload.refusals_in_a_row >= REFUSALS_IN_A_ROW_MAX {
            self.offload.on = false;
            warn!(%error, "segmentation offload is refused again and again; sending one by one from now on");
        }
    }
}

/// No room in the socket's buffer, in the queue of the interface, or for its memory.
fn is_full(error: &io::Error) -> bool {
    error.kind() == ErrorKind::WouldBlock
        || matches!(error.raw_os_error(), Some(libc::ENOBUFS | libc::ENOMEM))
}

/// What a run is refused with: no checksums in hardware or a tunnel (EIO), a segment larger than the path takes
/// (EMSGSIZE, and EINVAL before Linux 6.x), no such thing (EOPNOTSUPP).
fn refuses_runs(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EIO | libc::EMSGSIZE | libc::EINVAL | libc::EOPNOTSUPP))
}

struct SocketLink<'a> {
    socket: &'a UdpSocket,
    data: &'a [u8],
    #[cfg(target_os = "linux")]
    headers: Option<&'a mut sys::SendHeaders>,
}

impl Link for SocketLink<'_> {
    fn send(&mut self, messages: &[Message]) -> io::Result<usize> {
        #[cfg(target_os = "linux")]
        if let Some(headers) = &mut self.headers {
            return headers.send(self.socket.as_fd(), self.data, messages);
        }
        let Some(message) = messages.first() else { return Ok(0) };
        let bytes = self.data.get(message.start..message.start + message.len).unwrap_or_default();
        self.socket.send_to(bytes, message.remote).map(|_| 1)
    }

    fn wait_writable(&mut self, at_most: Duration) -> bool {
        sys::wait_writable(self.socket.as_fd(), at_most)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    /// Answers as told, then takes everything; notes what was given.
    #[derive(Default)]
    struct Script {
        answers: VecDeque<io::Result<usize>>,
        writable: bool,
        waits: u32,
        taken: Vec<Message>,
    }

    impl Script {
        fn new(answers: impl IntoIterator<Item = Result<usize, i32>>) -> Self {
            let answers = answers.into_iter().map(|a| a.map_err(io::Error::from_raw_os_error)).collect();
            Self { answers, ..Self::default() }
        }
    }

    impl Link for Script {
        fn send(&mut self, messages: &[Message]) -> io::Result<usize> {
            let taken = self.answers.pop_front().unwrap_or(Ok(messages.len()))?;
            self.taken.extend(&messages[..taken]);
            Ok(taken)
        }

        fn wait_writable(&mut self, _: Duration) -> bool {
            self.waits += 1;
            self.writable
        }
    }

    fn runs(count: usize) -> Vec<Message> {
        let remote = SocketAddr::from(([127, 0, 0, 1], 9));
        (0..count).map(|i| Message { start: i * 250, len: 250, segment: 100, remote, local: None }).collect()
    }

    fn deliver(link: &mut Script, messages: &[Message], offload: &mut Offload) -> SendOutcome {
        let mut outcome = SendOutcome::default();
        Pass { waits_left: DRAIN_WAITS_MAX, offload, outcome: &mut outcome }.deliver(link, messages);
        outcome
    }

    const ON: Offload = Offload { on: true, refusals_in_a_row: 0 };

    #[test]
    fn what_was_not_taken_at_once_is_given_again() {
        let mut link = Script::new([Ok(2), Err(libc::EINTR), Ok(1)]);
        let messages = runs(4);
        let outcome = deliver(&mut link, &messages, &mut ON.clone());
        assert_eq!(link.taken, messages);
        assert_eq!((outcome.sent, outcome.dropped, outcome.bytes, outcome.syscalls), (12, 0, 1000, 4));
    }

    #[test]
    fn one_destination_that_cannot_be_reached_costs_only_its_own() {
        let mut link = Script::new([Ok(1), Err(libc::ENETUNREACH), Err(libc::ENETUNREACH)]);
        let messages = runs(3);
        let outcome = deliver(&mut link, &messages, &mut ON.clone());
        assert_eq!(link.taken, [messages[0], messages[2]]);
        assert_eq!((outcome.sent, outcome.dropped), (6, 3));
    }

    #[test]
    fn an_error_of_something_sent_earlier_costs_nothing() {
        let mut link = Script::new([Err(libc::ECONNREFUSED)]);
        let messages = runs(2);
        assert_eq!(deliver(&mut link, &messages, &mut ON.clone()).sent, 6);
        assert_eq!(link.taken, messages);
    }

    #[test]
    fn a_full_buffer_is_waited_for_a_little_and_then_the_rest_is_dropped() {
        let mut link =
            Script { writable: true, ..Script::new([Err(libc::EAGAIN), Ok(1), Err(libc::ENOBUFS)]) };
        assert_eq!(deliver(&mut link, &runs(3), &mut ON.clone()).sent, 9);
        assert_eq!(link.waits, 2);
        let full = || std::iter::repeat_n(Err(libc::EAGAIN), 100);
        let mut link = Script { writable: true, ..Script::new(full()) };
        let outcome = deliver(&mut link, &runs(3), &mut ON.clone());
        assert_eq!((outcome.sent, outcome.dropped, link.waits), (0, 9, DRAIN_WAITS_MAX));
    }

    #[test]
    fn a_refused_run_leaves_singly_and_in_order() {
        let mut link = Script::new([Err(libc::EMSGSIZE)]);
        let mut offload = ON;
        let outcome = deliver(&mut link, &runs(2), &mut offload);
        let shape: Vec<_> = link.taken.iter().map(|m| (m.start, m.len, m.segment)).collect();
        assert_eq!(shape, [(0, 100, 100), (100, 100, 100), (200, 50, 50), (250, 250, 100)]);
        assert_eq!((outcome.sent, outcome.runs_refused, outcome.bytes), (6, 1, 500));
        assert_eq!(offload, ON, "one path may refuse while others gain");
    }

    #[test]
    fn a_path_that_takes_nothing_at_all_does_not_switch_offload_off() {
        let mut offload = ON;
        for _ in 0..2 * REFUSALS_IN_A_ROW_MAX {
            let mut link = Script::new([Err(libc::EINVAL); 4]);
            assert_eq!(deliver(&mut link, &runs(1), &mut offload).dropped, 3);
        }
        assert_eq!(offload, ON);
    }

    #[test]
    fn offload_is_switched_off_when_nothing_but_refusals_comes() {
        let mut offload = ON;
        for _ in 0..REFUSALS_IN_A_ROW_MAX {
            assert!(offload.on);
            assert_eq!(deliver(&mut Script::new([Err(libc::EIO)]), &runs(1), &mut offload).sent, 3);
        }
        assert!(!offload.on);
    }
}
