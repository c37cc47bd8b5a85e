//! A room, its clients and its units, under virtual time.
#![allow(dead_code, reason = "each test file uses its part of the harness")]

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use model::unit::{Answer, Offer, PublishedMedia, ReceiveSlot, Source, UnitCommand, UnitFact};
use model::{
    Codec, ConnectionId, Layer, MediaKind, MeetingId, Mid, NodeId, ParticipantId, PeerId, Rid, Semantic,
    StreamId, UnitId,
};
use room::{
    Config, Effect, Home, Join, JoinError, NoPlace, Now, OfferFailure, OfferToken, Recipient, Room, RoomFact,
    Snapshot, UnitLoad, place,
};
use serde_json::{Value, json};
use wire::server::{Member, RosterEntry, RosterStream, Slot};
use wire::{ClientMessage, CloseCode, Envelope, ErrorType, ServerMessage};

pub(crate) const UNIT: UnitId = UnitId(1);
pub(crate) const GATEWAY: NodeId = NodeId(1);
pub(crate) const MEETING: MeetingId = MeetingId::from_bytes([7; 16]);
const UNIX_MS: u64 = 1_800_000_000_000;

/// A participant's id by a small number.
pub(crate) fn person(n: u8) -> ParticipantId {
    ParticipantId::from_bytes([n; 16])
}

pub(crate) fn mid(text: &str) -> Mid {
    text.parse().unwrap()
}

pub(crate) fn rid(text: &str) -> Rid {
    text.parse().unwrap()
}

pub(crate) struct World {
    /// Grows with each restart of the program.
    life: u64,
    pub(crate) room: Room,
    base: Instant,
    elapsed: Duration,
    next_connection: u64,
    next_peer: u64,
    next_id: u64,
    /// The newest socket of each.
    pub(crate) socket: BTreeMap<ParticipantId, ConnectionId>,
    pub(crate) inbox: BTreeMap<ConnectionId, Vec<Envelope<ServerMessage>>>,
    pub(crate) closed: BTreeMap<ConnectionId, CloseCode>,
    /// Offers that the unit has not answered.
    pub(crate) offers: VecDeque<(UnitId, OfferToken, Offer)>,
    pub(crate) commands: Vec<(UnitId, UnitCommand)>,
    pub(crate) persisted: Vec<Snapshot>,
    pub(crate) facts: Vec<RoomFact>,
    /// The units that are up, with the peers that they take beside those of this room.
    pub(crate) units: BTreeMap<UnitId, u32>,
    pub(crate) room_peers_per_unit: u32,
    /// Where each peer lives that ever offered.
    pub(crate) unit_by_peer: BTreeMap<PeerId, UnitId>,
}

#[expect(clippy::disallowed_methods, reason = "the base of all virtual time")]
fn base() -> Instant {
    Instant::now()
}

fn entropy(life: u64) -> room::Entropy {
    let mut drawn = life << 32;
    Box::new(move || {
        drawn += 1;
        let mut bytes = [9; 10];
        bytes[..8].copy_from_slice(&drawn.to_be_bytes());
        bytes
    })
}

pub(crate) fn config() -> Config {
    Config { meeting: MEETING, server: "althing 0".to_owned() }
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(&Snapshot::default(), 0)
    }

    /// With so many units, the first of which is [`UNIT`], and so many people of the room on each before the next.
    pub(crate) fn with_units(units: u64, room_peers_per_unit: u32) -> Self {
        let mut world = Self::new();
        world.units = (0..units).map(|n| (UnitId(UNIT.0 + n), 10_000)).collect();
        world.room_peers_per_unit = room_peers_per_unit;
        world
    }

    /// After a restart of the program.
    fn with(snapshot: &Snapshot, life: u64) -> Self {
        let base = base();
        let room = Room::restore(Now { at: base, unix_ms: UNIX_MS }, config(), entropy(life), snapshot);
        Self {
            life,
            room,
            base,
            elapsed: Duration::ZERO,
            next_connection: 0,
            next_peer: 100,
            next_id: 0,
            socket: BTreeMap::new(),
            inbox: BTreeMap::new(),
            closed: BTreeMap::new(),
            offers: VecDeque::new(),
            commands: Vec::new(),
            persisted: Vec::new(),
            facts: Vec::new(),
            units: BTreeMap::from([(UNIT, 10_000)]),
            room_peers_per_unit: 500,
            unit_by_peer: BTreeMap::new(),
        }
    }

    /// A restart with a snapshot that went through its text form; ids that are drawn do not repeat.
    pub(crate) fn restarted(&self) -> Self {
        let text = serde_json::to_string(self.persisted.last().unwrap()).unwrap();
        let mut next = Self::with(&serde_json::from_str(&text).unwrap(), self.life + 1);
        next.next_connection = self.next_connection + 1000;
        next.next_peer = self.next_peer + 1000;
        next.units.clone_from(&self.units);
        next.room_peers_per_unit = self.room_peers_per_unit;
        next
    }

    pub(crate) fn now(&self) -> Now {
        let unix_ms = UNIX_MS + u64::try_from(self.elapsed.as_millis()).unwrap();
        Now { at: self.base + self.elapsed, unix_ms }
    }

    // ---- time

    /// Lets time pass, with all timeouts on the way.
    pub(crate) fn pass(&mut self, time: Duration) {
        let end = self.elapsed + time;
        while let Some(at) = self.room.poll_timeout().filter(|at| *at <= self.base + end) {
            self.elapsed = self.elapsed.max(at.duration_since(self.base));
            self.room.handle_timeout(self.now());
            self.drain();
            if self.room.is_over(self.now().at) {
                break;
            }
        }
        self.elapsed = end;
    }

    pub(crate) fn pass_ms(&mut self, ms: u64) {
        self.pass(Duration::from_millis(ms));
    }

    // ---- clients

    /// A socket of this participant, without any message.
    pub(crate) fn connect(&mut self, who: ParticipantId) -> Result<ConnectionId, JoinError> {
        self.next_connection += 1;
        let connection = ConnectionId(self.next_connection);
        let socket = Recipient { gateway: GATEWAY, connection };
        let home = self.room.home_of(who).map_or_else(|| self.find_home(), Ok);
        let join = Join { participant: who, socket, home };
        let result = self.room.handle_connect(self.now(), join);
        if result.is_ok() {
            self.socket.insert(who, connection);
        }
        self.drain();
        result.map(|()| connection)
    }

    /// A client as the public package: no `hello`.
    pub(crate) fn join(&mut self, n: u8) -> ParticipantId {
        self.connect(person(n)).unwrap();
        person(n)
    }

    /// A client of ours.
    pub(crate) fn join_hello(&mut self, n: u8) -> ParticipantId {
        let who = self.join(n);
        self.hello(who, json!({ "name": format!("name {n}") }));
        who
    }

    pub(crate) fn hello(&mut self, who: ParticipantId, profile: Value) -> String {
        self.say(who, ClientMessage::Hello { client: "test".to_owned(), profile })
    }

    /// Says something on the newest socket; gives the message's id.
    pub(crate) fn say(&mut self, who: ParticipantId, message: ClientMessage) -> String {
        self.say_on(who, self.socket[&who], message)
    }

    pub(crate) fn say_on(&mut self, who: ParticipantId, on: ConnectionId, message: ClientMessage) -> String {
        self.next_id += 1;
        let id = format!("m{}", self.next_id);
        let envelope = Envelope { id: Some(id.clone()), ..Envelope::new(message) };
        self.room.handle_intent(self.now(), who, on, envelope);
        self.drain();
        id
    }

    pub(crate) fn lose_socket(&mut self, who: ParticipantId) {
        self.room.handle_disconnected(self.now(), who, self.socket[&who], false);
        self.drain();
    }

    pub(crate) fn close_on_purpose(&mut self, who: ParticipantId) {
        self.room.handle_disconnected(self.now(), who, self.socket[&who], true);
        self.drain();
    }

    pub(crate) fn offer(&mut self, who: ParticipantId) -> String {
        self.say(who, ClientMessage::MediaOffer { sdp: "offer".to_owned() })
    }

    /// Offers these lines and has them answered.
    pub(crate) fn negotiate(&mut self, who: ParticipantId, lines: &Lines) -> String {
        let id = self.offer(who);
        self.answer(Ok(lines.answer(false)));
        id
    }

    /// As `negotiate`, by a new peer connection.
    pub(crate) fn negotiate_anew(&mut self, who: ParticipantId, lines: &Lines) -> String {
        let id = self.offer(who);
        self.answer(Ok(lines.answer(true)));
        id
    }

    pub(crate) fn request(&mut self, who: ParticipantId, whose: ParticipantId, stream: StreamId) -> String {
        self.request_with(who, whose, stream, None, None)
    }

    pub(crate) fn request_with(
        &mut self,
        who: ParticipantId,
        whose: ParticipantId,
        stream: StreamId,
        rid: Option<&str>,
        receive_mid: Option<&str>,
    ) -> String {
        self.say(
            who,
            ClientMessage::RequestStream {
                producer_id: whose.to_string(),
                stream_id: stream.to_string(),
                rid: rid.map(self::rid),
                receive_mid: receive_mid.map(mid),
            },
        )
    }

    pub(crate) fn disconnect(&mut self, who: ParticipantId, receive_mid: &str) -> String {
        self.say(who, ClientMessage::DisconnectStream { receive_mid: mid(receive_mid) })
    }

    // ---- administrators, the program

    pub(crate) fn end(&mut self) {
        self.room.handle_end(self.now());
        self.drain();
    }

    pub(crate) fn remove(&mut self, who: ParticipantId) {
        self.room.handle_remove(self.now(), who);
        self.drain();
    }

    pub(crate) fn stop(&mut self) {
        self.room.handle_stop(self.now());
        self.drain();
    }

    // ---- units

    /// Where one more participant would go.
    fn find_home(&mut self) -> Result<Home, NoPlace> {
        let room = self.room.units();
        let load = |(unit, peers_free): (&UnitId, &u32)| {
            let peers = room.iter().find(|r| r.unit == *unit).map_or(0, |r| r.peers);
            UnitLoad { unit: *unit, peers, peers_max: *peers_free, load: 0.0 }
        };
        let loads: Vec<UnitLoad> = self.units.iter().map(load).collect();
        let unit = place(&loads, room, self.room_peers_per_unit)?.unit;
        self.next_peer += 1;
        Ok(Home { unit, peer: PeerId(self.next_peer) })
    }

    /// Finds units for all who have none, as far as there are any.
    fn find_homes(&mut self) {
        for who in self.room.homeless() {
            let Ok(home) = self.find_home() else { break };
            self.room.handle_placed(self.now(), who, home);
            self.drain();
        }
    }

    pub(crate) fn lose_unit(&mut self, unit: UnitId) {
        self.units.remove(&unit);
        self.room.handle_unit_lost(self.now(), unit);
        self.drain();
        self.find_homes();
    }

    pub(crate) fn start_unit(&mut self, unit: UnitId) {
        self.units.insert(unit, 10_000);
        self.find_homes();
    }

    /// The unit of a participant and its place there.
    pub(crate) fn home(&self, who: ParticipantId) -> (UnitId, PeerId) {
        let Home { unit, peer } = self.room.home_of(who).expect("a home");
        (unit, peer)
    }

    /// The unit answers the oldest offer.
    pub(crate) fn answer(&mut self, result: Result<Answer, OfferFailure>) {
        let (_, token, _) = self.offers.pop_front().expect("an offer");
        self.room.handle_answer(self.now(), token, result);
        self.drain();
        // As control does: a full unit may have refused somebody.
        self.find_homes();
    }

    pub(crate) fn fact(&mut self, fact: UnitFact) {
        self.room.handle_unit_fact(self.now(), fact);
        self.drain();
    }

    /// Commands since the last call.
    pub(crate) fn take_commands(&mut self) -> Vec<UnitCommand> {
        self.commands.drain(..).map(|(_, command)| command).collect()
    }

    /// Bindings since the last call: slot, source.
    pub(crate) fn take_binds(&mut self) -> Vec<(PeerId, Mid, Option<Source>, Option<Rid>)> {
        let bind = |c| match c {
            UnitCommand::Bind { peer, slot, source, rid, .. } => Some((peer, slot, source, rid)),
            _ => None,
        };
        self.take_commands().into_iter().filter_map(bind).collect()
    }

    // ---- what clients have got

    pub(crate) fn got(&self, who: ParticipantId) -> &[Envelope<ServerMessage>] {
        self.socket.get(&who).and_then(|c| self.inbox.get(c)).map_or(&[], Vec::as_slice)
    }

    /// Forgets what everybody has got.
    pub(crate) fn clear(&mut self) {
        self.inbox.clear();
        self.commands.clear();
    }

    /// Replies to this message.
    pub(crate) fn replies(&self, who: ParticipantId, id: &str) -> Vec<&ServerMessage> {
        self.got(who).iter().filter(|e| e.reference.as_deref() == Some(id)).map(|e| &e.message).collect()
    }

    /// The one reply to this message.
    pub(crate) fn reply(&self, who: ParticipantId, id: &str) -> &ServerMessage {
        let replies = self.replies(who, id);
        assert_eq!(replies.len(), 1, "replies to {id}: {replies:?}");
        replies[0]
    }

    pub(crate) fn error(&self, who: ParticipantId, id: &str) -> (ErrorType, String, Value) {
        match self.reply(who, id) {
            ServerMessage::Error { error_type, error_message, detail } => {
                (*error_type, error_message.clone().unwrap(), Value::Object(detail.clone()))
            }
            other => panic!("no error: {other:?}"),
        }
    }

    pub(crate) fn requested_mid(&self, who: ParticipantId, id: &str) -> String {
        match self.reply(who, id) {
            ServerMessage::RequestStreamResponse { receive_mid } => receive_mid.to_string(),
            other => panic!("no response: {other:?}"),
        }
    }

    pub(crate) fn rosters(&self, who: ParticipantId) -> Vec<&BTreeMap<ParticipantId, RosterEntry>> {
        let roster = |e: &'_ Envelope<ServerMessage>| matches!(e.message, ServerMessage::RosterUpdate { .. });
        let found = self.got(who).iter().filter(|e| roster(e));
        found
            .filter_map(|e| match &e.message {
                ServerMessage::RosterUpdate { participants } => Some(participants),
                _ => None,
            })
            .collect()
    }

    pub(crate) fn roster(&self, who: ParticipantId) -> &BTreeMap<ParticipantId, RosterEntry> {
        self.rosters(who).last().expect("a roster")
    }

    /// The first video that this viewer is shown of that participant.
    pub(crate) fn video(&mut self, viewer: ParticipantId, of: ParticipantId) -> StreamId {
        self.listed(viewer, of, |s| matches!(s, RosterStream::Video { .. }))
    }

    /// The first sound that this viewer is shown of that participant.
    pub(crate) fn audio(&mut self, viewer: ParticipantId, of: ParticipantId) -> StreamId {
        self.listed(viewer, of, |s| matches!(s, RosterStream::Audio { .. }))
    }

    /// A stream that this viewer is shown of that participant.
    pub(crate) fn listed(
        &mut self,
        viewer: ParticipantId,
        of: ParticipantId,
        which: impl Fn(&RosterStream) -> bool,
    ) -> StreamId {
        self.pass_ms(100);
        let entry = &self.roster(viewer)[&of];
        *entry.streams.iter().find(|(_, s)| which(s)).expect("such a stream").0
    }

    pub(crate) fn members(&self, who: ParticipantId) -> &BTreeMap<ParticipantId, Member> {
        let members = |m: &'_ ServerMessage| matches!(m, ServerMessage::Members { .. });
        let found = self.got(who).iter().rev().map(|e| &e.message).find(|m| members(m));
        match found {
            Some(ServerMessage::Members { members }) => members,
            _ => panic!("no members"),
        }
    }

    pub(crate) fn slots(&self, who: ParticipantId) -> &BTreeMap<Mid, Slot> {
        let slots = |m: &'_ ServerMessage| matches!(m, ServerMessage::Slots { .. });
        let found = self.got(who).iter().rev().map(|e| &e.message).find(|m| slots(m));
        match found {
            Some(ServerMessage::Slots { slots }) => slots,
            _ => panic!("no slots"),
        }
    }

    pub(crate) fn types(&self, who: ParticipantId) -> Vec<String> {
        let kind = |e: &Envelope<ServerMessage>| {
            serde_json::to_value(e).unwrap()["type"].as_str().unwrap_or_default().to_owned()
        };
        self.got(who).iter().map(kind).collect()
    }

    /// The peer by which the unit knows a participant, from the last command or offer that named it.
    pub(crate) fn peer_of_last_offer(&self) -> PeerId {
        self.offers.back().expect("an offer").2.peer
    }

    fn drain(&mut self) {
        while let Some(effect) = self.room.poll_effect() {
            match effect {
                Effect::Deliver { to, envelope } => {
                    assert!(!to.is_empty());
                    for to in to {
                        assert!(!self.closed.contains_key(&to.connection), "a message after the close");
                        self.inbox.entry(to.connection).or_default().push((*envelope).clone());
                    }
                }
                Effect::Close { to, code, .. } => {
                    assert_eq!(self.closed.insert(to.connection, code), None, "closed twice");
                }
                Effect::Offer { unit, offer, token } => {
                    let former = self.unit_by_peer.insert(offer.peer, unit);
                    assert!(former.is_none_or(|u| u == unit), "a peer on two units");
                    self.offers.push_back((unit, token, offer));
                }
                Effect::Command { unit, command } => {
                    self.check_command(unit, &command);
                    self.commands.push((unit, command));
                }
                Effect::Persist(snapshot) => self.persisted.push(*snapshot),
                Effect::Fact(fact) => self.facts.push(fact),
            }
        }
    }
}

impl World {
    /// A command goes to the unit of its peer, and names where its source is.
    fn check_command(&self, to: UnitId, command: &UnitCommand) {
        let home = |peer: &PeerId| self.unit_by_peer.get(peer).copied();
        match command {
            UnitCommand::Bind { peer, source, home: named, .. } => {
                assert_eq!(home(peer), Some(to), "{command:?}");
                let source = source.and_then(|s| home(&s.peer));
                assert_eq!(*named, source.filter(|home| *home != to), "{command:?}");
            }
            UnitCommand::AddCandidate { peer, .. }
            | UnitCommand::Resize { peer, .. }
            | UnitCommand::Mute { source: Source { peer, .. }, .. } => {
                assert_eq!(home(peer), Some(to), "{command:?}");
            }
            // Also for who has not offered there yet.
            UnitCommand::Close { peer } => assert!(home(peer).is_none_or(|home| home == to), "{command:?}"),
            UnitCommand::Speaking { meeting, .. } => assert_eq!(*meeting, MEETING),
        }
    }
}

/// The m-lines of a session.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lines {
    published: Vec<PublishedMedia>,
    slots: Vec<ReceiveSlot>,
}

impl Lines {
    pub(crate) fn none() -> Self {
        Self::default()
    }

    /// Microphone on `0`, camera with three layers on `1`; two audio slots `2`, `3`; three video slots `4`, `5`, `6`.
    pub(crate) fn usual() -> Self {
        let slots = [("2", MediaKind::Audio), ("3", MediaKind::Audio)];
        let video = ["4", "5", "6"].map(|m| (m, MediaKind::Video));
        let lines = Self::none().audio("0").camera("1");
        slots.into_iter().chain(video).fold(lines, |lines, (m, kind)| lines.slot(m, kind))
    }

    pub(crate) fn audio(self, on: &str) -> Self {
        self.publish(on, Codec::Opus, Semantic::Main, &[])
    }

    pub(crate) fn camera(self, on: &str) -> Self {
        self.publish(on, Codec::Vp8, Semantic::Main, &["l", "m", "h"])
    }

    pub(crate) fn screen(self, on: &str) -> Self {
        self.publish(on, Codec::Vp8, Semantic::Presentation, &[])
    }

    pub(crate) fn publish(mut self, on: &str, codec: Codec, semantic: Semantic, rids: &[&str]) -> Self {
        let layers = rids.iter().map(|r| Layer { rid: rid(r), width: 0, height: 0 }).collect();
        self.published.push(PublishedMedia { mid: mid(on), kind: codec.kind(), codec, semantic, layers });
        self
    }

    pub(crate) fn slot(mut self, on: &str, kind: MediaKind) -> Self {
        self.slots.push(ReceiveSlot { mid: mid(on), kind, semantic: Semantic::Main });
        self
    }

    pub(crate) fn without(mut self, on: &str) -> Self {
        self.published.retain(|p| p.mid != mid(on));
        self.slots.retain(|s| s.mid != mid(on));
        self
    }

    pub(crate) fn answer(&self, replaced: bool) -> Answer {
        Answer {
            sdp: "answer".to_owned(),
            replaced,
            published: self.published.clone(),
            slots: self.slots.clone(),
        }
    }
}

/// Types that only clients that said `hello` may get.
pub(crate) fn added_types() -> BTreeSet<&'static str> {
    ["welcome", "published", "members", "slots", "demand", "speakers", "chat_message", "reoffer", "goodbye"]
        .into()
}
