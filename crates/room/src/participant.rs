//! One participant: its socket, its media path, what it offers, sends and receives. Plain data; the room acts.

use std::collections::VecDeque;
use std::fmt;
use std::time::{Duration, Instant};

use model::{ConnectionId, PeerId, UnitId};
use serde_json::Value;
use wire::server::MemberConnection;
use wire::{ClientMessage, Envelope, MessageId};

use crate::bucket::{Bucket, Rate};
use crate::slots::Slots;
use crate::streams::Streams;
use crate::{OfferToken, Recipient};

/// How long a participant whose socket is lost is kept: longer than a phone needs from Wi-Fi to mobile, and a laptop
/// from lid open to network; shorter than others look at a frozen picture with patience.
pub const GRACE: Duration = Duration::from_secs(30);

/// Offers of one participant that wait for the one in flight. A client that waits for answers has none waiting; each
/// can be half a megabyte.
pub const WAITING_OFFERS_MAX: usize = 4;

/// Intents that wait for an offer in flight, offers included. A client that asks for a full grid and its sound at once
/// sends about 110.
pub const WAITING_INTENTS_MAX: usize = 256;

/// All intents of one connection. A client that enters a large room asks for some hundred streams and sizes them at
/// once; after that a person clicks, and tiles move. Gateways allow the same, so this is for those that do not.
const INTENT_RATE: Rate = Rate { burst: 600, interval: Duration::from_millis(10) };

/// Refused intents, after which the connection is closed: who goes on at such a rate does not listen.
const REFUSAL_RATE: Rate = Rate { burst: 200, interval: Duration::from_millis(100) };

/// Chat messages of one participant: faster than anybody types.
const CHAT_RATE: Rate = Rate { burst: 10, interval: Duration::from_secs(1) };

/// Where a participant's media goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Home {
    /// The unit.
    pub unit: UnitId,
    /// The participant's place there. It is never used again, not even by the same participant on another unit, so that
    /// what a former unit still says is of nobody.
    pub peer: PeerId,
}

/// Somebody in the room.
pub(crate) struct Participant {
    /// Place in the order of arrival.
    pub(crate) order: u32,
    /// `None` for one that a snapshot holds and that has not come back yet, and while no unit takes it.
    pub(crate) home: Option<Home>,
    /// `None`: lost; it leaves at `grace_until`.
    pub(crate) socket: Option<Socket>,
    pub(crate) grace_until: Option<Instant>,
    /// What the client says of itself. Never logged, never persisted.
    pub(crate) profile: Value,
    pub(crate) path: Path,
    /// When to tell the client to offer again, unless it does so by itself before.
    pub(crate) reoffer_at: Option<Instant>,
    pub(crate) offers: Offers,
    pub(crate) streams: Streams,
    pub(crate) slots: Slots,
    /// The client has not been told what its slots show now.
    pub(crate) slots_changed: bool,
    pub(crate) chat: Bucket,
}

impl fmt::Debug for Participant {
    /// Without the profile.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { order, home, path, grace_until, .. } = self;
        write!(
            f,
            "Participant {{ order: {order}, home: {home:?}, path: {path:?}, grace_until: {grace_until:?} }}"
        )
    }
}

/// A socket of a participant.
#[derive(Debug)]
pub(crate) struct Socket {
    pub(crate) to: Recipient,
    /// It said `hello`, so it knows the added messages.
    pub(crate) hello: bool,
    /// An offer that came by it was answered.
    pub(crate) answered: bool,
    /// The version of the roster that it was sent; 0 is none.
    pub(crate) roster_seen: u64,
    pub(crate) intents: Bucket,
    pub(crate) refusals: Bucket,
}

/// What is known of the path between client and unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Path {
    /// No offer was answered yet.
    Idle,
    /// An offer was answered, media does not flow yet.
    Connecting,
    Up,
    /// No packets come; the unit waits for an ICE restart.
    Lost,
    /// The unit does not know the participant (any more): only an offer helps, and everything is to be bound anew.
    Gone,
}

/// Offers of one participant, and what has to wait for their answers.
#[derive(Debug, Default)]
pub(crate) struct Offers {
    pub(crate) in_flight: Option<InFlight>,
    /// Intents of the present socket, in their order.
    pub(crate) waiting: VecDeque<Envelope<ClientMessage>>,
    /// The unit may or may not have carried out the last offer.
    pub(crate) unsure: bool,
}

/// The offer that the unit has now.
#[derive(Debug)]
pub(crate) struct InFlight {
    pub(crate) token: OfferToken,
    /// By which socket it came.
    pub(crate) connection: ConnectionId,
    pub(crate) reference: Option<MessageId>,
}

impl Participant {
    pub(crate) fn new(now: Instant, order: u32) -> Self {
        Self {
            order,
            home: None,
            socket: None,
            grace_until: Some(now + GRACE),
            profile: Value::Null,
            path: Path::Idle,
            reoffer_at: None,
            offers: Offers::default(),
            streams: Streams::default(),
            slots: Slots::default(),
            slots_changed: false,
            chat: Bucket::new(now, CHAT_RATE),
        }
    }

    /// The socket, if it is this one.
    pub(crate) fn socket_of(&mut self, connection: ConnectionId) -> Option<&mut Socket> {
        self.socket.as_mut().filter(|s| s.to.connection == connection)
    }

    /// The socket, if it knows the added messages.
    pub(crate) fn hello_socket(&self) -> Option<Recipient> {
        self.socket.as_ref().filter(|s| s.hello).map(|s| s.to)
    }

    /// Takes a new socket and gives the former one.
    pub(crate) fn attach(&mut self, now: Instant, to: Recipient) -> Option<Socket> {
        self.grace_until = None;
        self.reoffer_at = None;
        self.offers.waiting.clear();
        self.socket.replace(Socket::new(now, to))
    }

    /// Gives up the socket; the participant stays for the grace time.
    pub(crate) fn detach(&mut self, now: Instant) -> Option<Socket> {
        let socket = self.socket.take()?;
        self.grace_until = Some(now + GRACE);
        self.reoffer_at = None;
        self.offers.waiting.clear();
        Some(socket)
    }

    /// The unit does not know this participant any more.
    pub(crate) fn lose_media(&mut self) {
        if self.path != Path::Idle {
            self.path = Path::Gone;
            self.slots.forget_sent();
            self.streams.forget_sent();
        }
    }

    /// Whether the unit knows this participant, so that commands make sense.
    pub(crate) fn unit_knows(&self) -> bool {
        !matches!(self.path, Path::Idle | Path::Gone)
    }

    /// Where its media is, if the unit knows it.
    pub(crate) fn known_home(&self) -> Option<Home> {
        self.home.filter(|_| self.unit_knows())
    }

    /// Whether the unit knows this participant, or may, or may come to.
    pub(crate) fn unit_may_know(&self) -> bool {
        self.path != Path::Idle || self.offers.in_flight.is_some() || self.offers.unsure
    }

    /// What others are shown.
    pub(crate) fn connection(&self) -> MemberConnection {
        let offering = self.offers.in_flight.is_some();
        match self.path {
            _ if self.socket.is_none() => MemberConnection::Reconnecting,
            Path::Idle | Path::Gone if offering => MemberConnection::Connecting,
            Path::Lost | Path::Gone => MemberConnection::Reconnecting,
            Path::Connecting => MemberConnection::Connecting,
            Path::Idle | Path::Up => MemberConnection::Connected,
        }
    }

    /// The author's name for chat, where the profile holds one.
    pub(crate) fn name(&self) -> Option<String> {
        self.profile.get("name").and_then(Value::as_str).map(str::to_owned)
    }

    /// When something is to be done though nothing comes in.
    pub(crate) fn timeout(&self) -> Option<Instant> {
        [self.grace_until, self.reoffer_at].into_iter().flatten().min()
    }
}

impl Socket {
    fn new(now: Instant, to: Recipient) -> Self {
        Self {
            to,
            hello: false,
            answered: false,
            roster_seen: 0,
            intents: Bucket::new(now, INTENT_RATE),
            refusals: Bucket::new(now, REFUSAL_RATE),
        }
    }
}

impl Offers {
    /// Whether one more intent can wait.
    pub(crate) fn can_wait(&self, message: &ClientMessage) -> bool {
        let is_offer = |m: &ClientMessage| matches!(m, ClientMessage::MediaOffer { .. });
        let offers = self.waiting.iter().filter(|e| is_offer(&e.message)).count();
        self.waiting.len() < WAITING_INTENTS_MAX && !(is_offer(message) && offers >= WAITING_OFFERS_MAX)
    }
}
