//! A person's place in a world: the client, its path, and what is noted of it.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use model::{Bitrate, PeerId, UnitId};

use crate::client::{Client, Sent, SlotReport};
use crate::flow::Flow;
use crate::network::Pipe;
use crate::scenario::Person;

/// What one person noticed.
#[derive(Debug, Clone)]
pub struct PersonReport {
    /// When it came, from the beginning of the world on.
    pub joined: Duration,
    /// When its slots were looked at last: when it left, or the world ended.
    pub until: Duration,
    /// Its peer connection came up and stayed.
    pub connected: bool,
    /// When it came up first.
    pub connected_at: Option<Duration>,
    /// By slot: sound first, then pictures, each in the order of the others.
    pub slots: Vec<SlotReport>,
    /// By stream: microphone first, then the camera's encodings.
    pub sent: Vec<Sent>,
    /// Retransmissions that it was asked for.
    pub repairs_asked: u64,
    /// SSRCs of its streams, in the same order.
    pub ssrcs: Vec<u32>,
    /// By source, what was sent to it of that, as the packets say.
    pub sent_of: Vec<(u32, Flow)>,
    /// Datagrams on the way to it: bytes that were sent.
    pub down: Flow,
    /// Those of them that found the queue before it full.
    pub dropped_down: Flow,
    /// Instant zero of all times.
    pub base: Instant,
}

/// One person.
pub(crate) struct Seat<'a> {
    pub(crate) person: &'a Person,
    pub(crate) peer: PeerId,
    pub(crate) address: SocketAddr,
    /// Where its media goes, once it has offered.
    pub(crate) unit: Option<UnitId>,
    pub(crate) up: Pipe,
    pub(crate) down: Pipe,
    pub(crate) client: Option<Client>,
    pub(crate) joined: Duration,
    pub(crate) sent_of: Vec<(u32, Flow)>,
    pub(crate) sent_down: Flow,
    pub(crate) dropped_down: Flow,
    /// Its path as it was noted last.
    pub(crate) bandwidth: Option<(Option<Bitrate>, bool)>,
    /// Kept when it left.
    pub(crate) report: Option<PersonReport>,
}

/// The source that a media packet names (RFC 3550 §5.1: it is in clear); `None` for anything else.
fn source_of(datagram: &[u8]) -> Option<u32> {
    match datagram {
        [first @ 128..=191, second, ..] if first & 0xf > 0 && !(192..=223).contains(second) => {
            datagram.get(12..16)?.try_into().ok().map(u32::from_be_bytes)
        }
        _ => None,
    }
}

impl Seat<'_> {
    /// A datagram leaves a unit towards it.
    pub(crate) fn note_sent(&mut self, base: Instant, now: Instant, datagram: &[u8]) {
        self.sent_down.count(now, datagram.len());
        let Some(source) = source_of(datagram) else { return };
        match self.sent_of.iter_mut().find(|(known, _)| *known == source) {
            Some((_, flow)) => flow.count(now, datagram.len()),
            None => {
                let mut flow = Flow::new(base);
                flow.count(now, datagram.len());
                self.sent_of.push((source, flow));
            }
        }
    }

    pub(crate) fn look(&self, base: Instant, now: Instant) -> PersonReport {
        let client = self.client.as_ref();
        PersonReport {
            joined: self.joined,
            until: now - base,
            connected: client.is_some_and(Client::is_connected),
            connected_at: client.and_then(Client::connected_at).map(|at| at - base),
            slots: client.map(|c| c.slots().collect()).unwrap_or_default(),
            sent: client.map(Client::sent).unwrap_or_default(),
            repairs_asked: client.map_or(0, Client::repairs_asked),
            ssrcs: client.map(|c| c.ssrcs().iter().map(|ssrc| **ssrc).collect()).unwrap_or_default(),
            sent_of: self.sent_of.clone(),
            down: self.sent_down.clone(),
            dropped_down: self.dropped_down.clone(),
            base,
        }
    }
}
