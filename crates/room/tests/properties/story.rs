//! One random life of a room.

use std::collections::{BTreeMap, BTreeSet};

use model::unit::{OfferError, Source, UnitFact, Voice};
use model::{ConnectionId, LayerReason, MediaKind, Mid, ParticipantId, PeerId, StreamId, UnitId};
use room::OfferFailure;
use serde_json::json;
use wire::client::TileSize;
use wire::{ClientMessage, ServerMessage};

use crate::common::{Lines, MEETING, World, added_types, mid, person};
use crate::fleet::Fleet;

const STEPS: usize = 250;
const PEOPLE: u64 = 5;

/// People of the room on one unit, where there are several.
const ROOM_PEERS_PER_UNIT: u32 = 2;

/// A socket of a life of the program.
pub(crate) type SocketKey = (u64, ConnectionId);

/// What each socket got, and last how it was closed, if it was.
pub(crate) type Transcript = BTreeMap<SocketKey, Vec<String>>;

/// xorshift64*: enough to shuffle with, and the same everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % sides
    }

    fn one_in(&mut self, sides: u64) -> bool {
        self.roll(sides) == 0
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> Option<T> {
        let index = self.roll(from.len().max(1) as u64) as usize;
        from.get(index).cloned()
    }
}

pub(crate) struct Story {
    dice: Dice,
    world: World,
    fleet: Fleet,
    may_lose_units: bool,
    next_unit: u64,
    /// Units that were lost and have no replacement yet.
    units_missing: u64,
    /// Peers of units that were lost: such a unit may only have slept, and say something of them.
    former_peers: Vec<PeerId>,
    /// Who opened a socket, and whether it said hello.
    sockets: BTreeMap<ConnectionId, (ParticipantId, bool)>,
    offers: BTreeMap<ConnectionId, Vec<String>>,
    people: BTreeMap<PeerId, ParticipantId>,
    /// Whose last offer was carried out, but too late: the room and the unit may differ until the next.
    unsure: BTreeSet<PeerId>,
    seen_streams: BTreeSet<StreamId>,
    checked: BTreeMap<ConnectionId, usize>,
    lives: u64,
    transcript: Transcript,
}

impl Story {
    /// A life on so many units.
    pub(crate) fn new(seed: u64, units: u64) -> Self {
        Self {
            dice: Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1),
            world: World::with_units(units, if units == 1 { 500 } else { ROOM_PEERS_PER_UNIT }),
            fleet: Fleet::default(),
            may_lose_units: false,
            next_unit: 100,
            units_missing: 0,
            former_peers: Vec::new(),
            sockets: BTreeMap::new(),
            offers: BTreeMap::new(),
            people: BTreeMap::new(),
            unsure: BTreeSet::new(),
            seen_streams: BTreeSet::new(),
            checked: BTreeMap::new(),
            lives: 0,
            transcript: Transcript::new(),
        }
    }

    /// In which units are lost, too.
    pub(crate) fn with_losses(self) -> Self {
        Self { may_lose_units: true, ..self }
    }

    pub(crate) fn run(mut self) -> Transcript {
        for _ in 0..STEPS {
            self.step();
            self.settle();
            self.check_messages();
            if self.dice.one_in(25) {
                self.quiesce();
                self.check_bindings();
            }
        }
        self.quiesce();
        self.check_offers_answered();
        self.everybody_leaves();
        self.transcript
    }

    fn step(&mut self) {
        let who = self.someone();
        match self.dice.roll(40) {
            0..5 => self.connect(who),
            5 => self.world_call(who, World::lose_socket),
            6 if self.dice.one_in(3) => self.world_call(who, World::close_on_purpose),
            7..10 => self.hello(who),
            10..17 => self.offer(who),
            17..23 => self.answer_one(),
            23..27 => self.request(who),
            27 | 28 => self.request_seat(who),
            29 => {
                let slot = self.some_mid();
                self.say(who, ClientMessage::DisconnectStream { receive_mid: slot });
            }
            30 => {
                let tile = TileSize { receive_mid: self.some_mid(), width: 320, height: 180, quality: None };
                self.say(who, ClientMessage::TileSizes { tiles: vec![tile] });
            }
            31 => {
                let muted = self.dice.one_in(2);
                let on = self.some_mid();
                self.say(who, ClientMessage::MuteStream { mid: on, muted });
            }
            32 => {
                let to = self.dice.one_in(2).then(|| self.someone());
                self.say(who, ClientMessage::Chat { text: "hi".to_owned(), to });
            }
            33 if self.dice.one_in(4) => self.say(who, ClientMessage::Leave {}),
            34 | 35 => self.fact(),
            36 if self.dice.one_in(10) => self.restart(),
            37 if self.dice.one_in(5) => self.lose_or_start_unit(),
            38 if self.dice.one_in(40) => self.world.remove(who),
            _ => {
                let ms = [1, 40, 600, 5_000, 20_000, 31_000][self.dice.roll(6) as usize];
                self.world.pass_ms(ms);
            }
        }
    }

    // ---- steps

    fn someone(&mut self) -> ParticipantId {
        person(1 + self.dice.roll(PEOPLE) as u8)
    }

    fn some_mid(&mut self) -> Mid {
        mid(["0", "1", "2", "3", "4", "5", "6", "7"][self.dice.roll(8) as usize])
    }

    fn connect(&mut self, who: ParticipantId) {
        let former = self.world.socket.get(&who).copied();
        let held = self.world.room.holds(who);
        if let Ok(connection) = self.world.connect(who) {
            self.sockets.insert(connection, (who, false));
            if let Some(former) = former.filter(|_| held) {
                self.sockets.remove(&former);
            }
        }
    }

    fn world_call(&mut self, who: ParticipantId, call: impl Fn(&mut World, ParticipantId)) {
        if let Some(connection) = self.world.socket.get(&who).copied() {
            call(&mut self.world, who);
            self.sockets.remove(&connection);
        }
    }

    fn say(&mut self, who: ParticipantId, message: ClientMessage) {
        if self.world.socket.contains_key(&who) {
            self.world.say(who, message);
        }
    }

    fn hello(&mut self, who: ParticipantId) {
        if let Some((_, hello)) = self.world.socket.get(&who).and_then(|c| self.sockets.get_mut(c)) {
            *hello = true;
        }
        if self.world.socket.contains_key(&who) {
            self.world.hello(who, json!({ "name": "x" }));
        }
    }

    fn offer(&mut self, who: ParticipantId) {
        let Some(connection) = self.world.socket.get(&who).copied() else { return };
        // The unit finds in the description who it is.
        let id = self.world.say(who, ClientMessage::MediaOffer { sdp: who.to_string() });
        self.offers.entry(connection).or_default().push(id);
    }

    fn answer_one(&mut self) {
        let Some((unit, _, offer)) = self.world.offers.front() else { return };
        if !self.world.units.contains_key(unit) {
            return self.world.answer(Err(OfferFailure::NoAnswer));
        }
        let (unit, peer) = (*unit, offer.peer);
        self.people.insert(peer, offer.sdp.parse().unwrap());
        let lines = self.some_lines();
        let new_connection = self.dice.one_in(4);
        let result = match self.dice.roll(12) {
            0 => Err(OfferFailure::Refused(OfferError::Invalid("bad".to_owned()))),
            1 => Err(OfferFailure::Refused(OfferError::Full)),
            2 => Err(OfferFailure::NoAnswer),
            3 => {
                // Carried out, but too late.
                self.fleet.answer(unit, peer, &lines, new_connection);
                self.unsure.insert(peer);
                Err(OfferFailure::NoAnswer)
            }
            _ => {
                self.unsure.remove(&peer);
                Ok(self.fleet.answer(unit, peer, &lines, new_connection))
            }
        };
        self.world.answer(result);
    }

    fn some_lines(&mut self) -> Lines {
        let mut lines = Lines::none();
        if !self.dice.one_in(4) {
            lines = lines.audio("0");
        }
        match self.dice.roll(4) {
            0 => {}
            1 => lines = lines.screen("1"),
            _ => lines = lines.camera("1"),
        }
        for slot in ["2", "3", "4", "5", "6"] {
            if !self.dice.one_in(6) {
                let kind = if slot < "4" { MediaKind::Audio } else { MediaKind::Video };
                lines = lines.slot(slot, kind);
            }
        }
        lines
    }

    fn request(&mut self, who: ParticipantId) {
        let seen: Vec<StreamId> = self.seen_streams.iter().copied().collect();
        let stream = self.dice.pick(&seen).unwrap_or(StreamId::from_bytes([0; 10]));
        let whose = self.someone();
        let on = self.dice.one_in(2).then(|| self.some_mid());
        let with = ["l", "m", "x"][self.dice.roll(3) as usize];
        let rid = self.dice.one_in(4).then_some(with);
        if self.world.socket.contains_key(&who) {
            self.world.request_with(who, whose, stream, rid, on.as_ref().map(Mid::as_str));
        }
    }

    fn request_seat(&mut self, who: ParticipantId) {
        let seat = ["video-1", "video-2", "audio-1", "audio-2"][self.dice.roll(4) as usize];
        let receive_mid = Some(self.some_mid());
        let request = ClientMessage::RequestStream {
            producer_id: room::PRODUCER.to_owned(),
            stream_id: seat.to_owned(),
            rid: None,
            receive_mid,
        };
        self.say(who, request);
    }

    fn fact(&mut self) {
        let peers: Vec<PeerId> = self.fleet.peers.keys().chain(&self.former_peers).copied().collect();
        let Some(peer) = self.dice.pick(&peers) else { return };
        let fact = match self.dice.roll(10) {
            0 => UnitFact::Connected { peer, after_ms: 1 },
            1 => UnitFact::PathLost { peer },
            2 => UnitFact::PathRestored { peer },
            3 => {
                self.hear(peer, None);
                self.fleet.forget(peer);
                UnitFact::Failed { peer, reason: "test".to_owned() }
            }
            4 => {
                self.hear(peer, None);
                self.fleet.forget(peer);
                UnitFact::PeersLost { peers: vec![peer] }
            }
            5 => UnitFact::SlotLayer {
                peer,
                slot: self.some_mid(),
                rid: None,
                spatial: None,
                active: true,
                reason: LayerReason::Bandwidth,
            },
            6 => {
                let source = Source { peer, mid: self.some_mid() };
                let watched = self.dice.one_in(2);
                UnitFact::Demand { source, watched, rids: Vec::new(), codecs: Vec::new() }
            }
            _ => {
                let (level_dbov, activity) = (self.dice.roll(50) as u8, self.dice.roll(101) as u8);
                let voice = Voice { peer, level_dbov, activity };
                let heard = self.dice.roll(3) > 0;
                return self.hear(peer, heard.then_some(voice));
            }
        };
        self.world.fact(fact);
    }

    /// A unit hears one of its peers, or not any more, and says so.
    fn hear(&mut self, peer: PeerId, voice: Option<Voice>) {
        if let Some((unit, speakers)) = self.fleet.hear(peer, voice) {
            self.world.fact(UnitFact::Speakers { meeting: MEETING, unit, speakers });
        }
    }

    fn restart(&mut self) {
        self.world.stop();
        self.note_transcript();
        self.world = self.world.restarted();
        self.fleet = Fleet::default();
        self.sockets.clear();
        self.offers.clear();
        self.checked.clear();
    }

    fn note_transcript(&mut self) {
        for (connection, messages) in &self.world.inbox {
            let messages = messages.iter().map(|e| serde_json::to_string(e).unwrap());
            self.transcript.insert((self.lives, *connection), messages.collect());
        }
        for (connection, code) in &self.world.closed {
            self.transcript.entry((self.lives, *connection)).or_default().push(format!("{code:?}"));
        }
        self.lives += 1;
    }

    fn lose_or_start_unit(&mut self) {
        if !self.may_lose_units {
            return;
        }
        if self.units_missing > 0 && self.dice.one_in(2) {
            return self.start_unit();
        }
        let up: Vec<UnitId> = self.world.units.keys().copied().collect();
        let Some(unit) = self.dice.pick(&up) else { return };
        self.settle();
        self.former_peers.extend(self.fleet.lose(unit));
        let untouched = |who: &ParticipantId| self.world.room.home_of(*who).is_some_and(|h| h.unit != unit);
        let untouched: Vec<(ConnectionId, usize)> = self
            .sockets
            .iter()
            .filter(|(_, (who, _))| untouched(who))
            .map(|(connection, _)| (*connection, self.world.inbox.get(connection).map_or(0, Vec::len)))
            .collect();
        self.world.lose_unit(unit);
        self.units_missing += 1;
        for (connection, had) in untouched {
            assert!(!self.world.closed.contains_key(&connection), "closed for a unit that others are on");
            let got = self.world.inbox.get(&connection).map_or(&[][..], |inbox| &inbox[had..]);
            let bad = got
                .iter()
                .map(|e| &e.message)
                .find(|m| matches!(m, ServerMessage::Reoffer { .. } | ServerMessage::Error { .. }));
            assert_eq!(bad, None, "told for a unit that others are on");
        }
    }

    fn start_unit(&mut self) {
        self.units_missing -= 1;
        self.next_unit += 1;
        self.world.start_unit(UnitId(self.next_unit));
    }

    /// The units obey; sockets that the room closed are gone.
    fn settle(&mut self) {
        for (unit, command) in std::mem::take(&mut self.world.commands) {
            if self.world.units.contains_key(&unit) {
                self.fleet.obey(unit, &command);
            }
        }
        let closed = &self.world.closed;
        self.sockets.retain(|connection, _| !closed.contains_key(connection));
        self.world.socket.retain(|_, connection| self.sockets.contains_key(connection));
    }

    /// Answers everything and sends everything that is to be sent.
    fn quiesce(&mut self) {
        while self.units_missing > 0 {
            self.start_unit();
        }
        while let Some((unit, _, offer)) = self.world.offers.front() {
            if !self.world.units.contains_key(unit) {
                self.world.answer(Err(OfferFailure::NoAnswer));
                self.settle();
                continue;
            }
            let (unit, peer) = (*unit, offer.peer);
            self.people.insert(peer, offer.sdp.parse().unwrap());
            let lines = self.some_lines();
            self.unsure.remove(&peer);
            let answer = self.fleet.answer(unit, peer, &lines, false);
            self.world.answer(Ok(answer));
            self.settle();
        }
        self.world.pass_ms(2_000);
        self.settle();
        self.check_messages();
    }

    // ---- what must hold

    fn check_messages(&mut self) {
        let mut in_flight = BTreeSet::new();
        for (_, _, offer) in &self.world.offers {
            assert!(in_flight.insert(offer.peer), "two offers of {} in flight", offer.peer);
        }
        let open: BTreeSet<ParticipantId> = self.sockets.values().map(|(who, _)| *who).collect();
        assert_eq!(open.len(), self.sockets.len(), "two sockets of one participant are open");
        let sockets: Vec<_> = self.sockets.iter().map(|(c, (who, hello))| (*c, *who, *hello)).collect();
        for (connection, who, hello) in sockets {
            let Some(inbox) = self.world.inbox.get(&connection) else { continue };
            let checked = self.checked.entry(connection).or_default();
            for envelope in &inbox[*checked..] {
                let value = serde_json::to_value(envelope).unwrap();
                let kind = value["type"].as_str().unwrap();
                assert!(hello || !added_types().contains(kind), "{kind} without hello");
                if let ServerMessage::RosterUpdate { participants } = &envelope.message {
                    assert!(!participants.contains_key(&who), "a roster holds its receiver");
                    let ids: Vec<StreamId> =
                        participants.values().flat_map(|e| e.streams.keys().copied()).collect();
                    let unique: BTreeSet<StreamId> = ids.iter().copied().collect();
                    assert_eq!(ids.len(), unique.len(), "a stream id twice");
                    self.seen_streams.extend(unique);
                }
            }
            *checked = inbox.len();
        }
    }

    /// Answers come once, in order; and when nothing is in flight, each offer of an open socket has one reply.
    fn check_offers_answered(&self) {
        for (connection, ids) in self.offers.iter().filter(|(c, _)| self.sockets.contains_key(c)) {
            let empty = Vec::new();
            let inbox = self.world.inbox.get(connection).unwrap_or(&empty);
            let mut last = None;
            for (place, id) in ids.iter().enumerate() {
                let replies: Vec<_> =
                    inbox.iter().enumerate().filter(|(_, e)| e.reference.as_ref() == Some(id)).collect();
                assert_eq!(replies.len(), 1, "offer {place} of {connection}");
                if let ServerMessage::MediaOffer { .. } = replies[0].1.message {
                    assert!(last < Some(replies[0].0), "answers out of order");
                    last = Some(replies[0].0);
                }
            }
        }
    }

    /// What clients are told of their slots is what the unit does, and what the unit does exists.
    fn check_bindings(&self) {
        for (connection, (who, hello)) in &self.sockets {
            if !hello {
                continue;
            }
            let inbox = &self.world.inbox[connection];
            let slots = inbox.iter().rev().find_map(|e| match &e.message {
                ServerMessage::Slots { slots } => Some(slots),
                _ => None,
            });
            let roster = inbox.iter().rev().find_map(|e| match &e.message {
                ServerMessage::RosterUpdate { participants } => Some(participants),
                _ => None,
            });
            let (Some(slots), Some(roster)) = (slots, roster) else { continue };
            for slot in slots.values() {
                let streams = roster.get(&slot.producer_id).map(|e| &e.streams);
                assert!(streams.is_some_and(|s| s.contains_key(&slot.stream_id)), "a slot shows nothing");
            }
            let Some(peer) = self.peer_of(*who).filter(|p| !self.unsure.contains(p)) else { continue };
            let told: BTreeMap<Mid, ParticipantId> =
                slots.iter().map(|(slot, s)| (*slot, s.producer_id)).collect();
            let bound = self.fleet.bound.iter().filter(|((receiver, _), b)| *receiver == peer && b.alive);
            let bound: BTreeMap<Mid, ParticipantId> =
                bound.map(|((_, slot), b)| (*slot, self.people[&b.source.peer])).collect();
            let is_live = |producer| self.peer_of(producer).is_some_and(|p| !self.unsure.contains(&p));
            let live = |slots: BTreeMap<Mid, ParticipantId>| -> BTreeMap<Mid, ParticipantId> {
                slots.into_iter().filter(|(_, producer)| is_live(*producer)).collect()
            };
            assert_eq!(live(told), live(bound), "{who} is told of other slots than the unit has");
        }
        for ((receiver, slot), bound) in &self.fleet.bound {
            let alive = bound.alive || self.unsure.contains(&bound.source.peer);
            assert!(alive, "the unit of {receiver} waits for what is not sent: {slot} {bound:?}");
        }
        let speaking: BTreeSet<PeerId> = self.fleet.speaking.values().copied().collect();
        assert!(speaking.len() <= 1, "units are told of different speakers: {:?}", self.fleet.speaking);
        assert_ne!(self.fleet.speaking.len(), 1, "a unit that has everybody is told who speaks");
    }

    /// The peer by which the unit knows a participant now.
    fn peer_of(&self, who: ParticipantId) -> Option<PeerId> {
        let mut known = self.fleet.peers.keys();
        known.find(|peer| self.people.get(peer) == Some(&who)).copied()
    }

    fn everybody_leaves(&mut self) {
        self.world.pass_ms(31_000);
        for who in (1..=PEOPLE as u8).map(person) {
            self.say(who, ClientMessage::Leave {});
            self.settle();
        }
        while !self.world.offers.is_empty() {
            self.answer_one();
        }
        self.settle();
        assert!(self.fleet.peers.is_empty(), "a unit keeps peers of people who have left");
        assert!(self.fleet.bound.is_empty());
        assert!(self.fleet.speaking.is_empty());
        self.world.pass_ms(61_000);
        assert!(self.world.room.is_over(self.world.now().at));
        assert!(self.world.room.units().is_empty());
        assert!(self.world.persisted.last().is_none_or(|s| s.participants.is_empty()));
        self.note_transcript();
    }
}
