//! The world's clock: what happens next, until the scenario is over.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::datagram::{Protocol, Transport};
use model::unit::{Offer, UnitFact};
use model::{Bitrate, Codec, MeetingId, PeerId, UnitId};
use rtc::NtpClock;
use sfu::{Config, Counters, Unit};
use str0m::crypto::CryptoProvider;

use crate::client::{Client, Lines, Sent, SlotReport};
use crate::events::Events;
use crate::handshake;
use crate::meeting::Meeting;
use crate::network::{Fate, Pipe};
use crate::random::Random;
use crate::scenario::{Person, Scenario};
use crate::trace::{Trace, Way};

const SERVER: ([u8; 4], u16) = ([192, 0, 2, 1], 5000);
/// Nobody acts at the same instant as others do: joining varies by this much with the seed.
const JOIN_SPREAD_MS: u64 = 300;
/// Rounds of one instant: what is sent without delay is answered at once.
const ROUNDS_MAX: usize = 1_000;

/// What a seed made of a scenario.
#[derive(Debug)]
pub struct Run {
    /// By person, in the order of the scenario.
    pub people: Vec<PersonReport>,
    /// What the unit counted.
    pub counters: Counters,
    /// What went wrong whatever the scenario is about; a line each.
    pub faults: Vec<String>,
    /// Of all datagrams and facts: two runs of one seed have the same.
    pub hash: u64,
    /// What happened, if it was to be written down.
    pub lines: Vec<String>,
}

/// What one person noticed.
#[derive(Debug, Clone)]
pub struct PersonReport {
    /// When it came, from the beginning of the world on.
    pub joined: Duration,
    /// When its slots were looked at last: when it left, or the world ended.
    pub until: Duration,
    /// Its peer connection came up and stayed.
    pub connected: bool,
    /// By slot: sound first, then pictures, each in the order of the others.
    pub slots: Vec<SlotReport>,
    /// By stream: microphone first, then the camera's encodings.
    pub sent: Vec<Sent>,
    /// Retransmissions that it was asked for.
    pub repairs_asked: u64,
    /// SSRCs of its streams.
    pub ssrcs: Vec<u32>,
    /// Datagrams that found the queue before it full, on the way to it.
    pub dropped_down: u64,
    /// Instant zero of all times.
    pub base: Instant,
}

#[derive(Debug)]
enum Event {
    Join(usize),
    Leave(usize),
    Offer(usize, String),
    Answer(usize, String),
    Up(usize, Vec<u8>),
    Down(usize, Vec<u8>),
}

struct Seat<'a> {
    person: &'a Person,
    peer: PeerId,
    address: SocketAddr,
    up: Pipe,
    down: Pipe,
    client: Option<Client>,
    joined: Duration,
    dropped_down: u64,
    /// Its path as it was noted last.
    bandwidth: Option<(Option<Bitrate>, bool)>,
    /// Kept when it left.
    report: Option<PersonReport>,
}

struct World<'a> {
    now: Instant,
    base: Instant,
    random: Random,
    unit: Unit,
    crypto: Arc<CryptoProvider>,
    seats: Vec<Seat<'a>>,
    meetings: Vec<Meeting>,
    events: Events<Event>,
    trace: Trace,
    /// Until when decisions were noted.
    noted: Option<Instant>,
    faults: Vec<String>,
}

/// Runs a scenario with a seed, on a thread of its own. `trace`: write down what happens.
pub fn run(scenario: &Scenario, seed: u64, trace: bool) -> Run {
    crate::repeat::on_fixed_thread(seed, || {
        let mut world = World::new(scenario, seed, trace);
        let end = world.base + scenario.length;
        world.run_until(end);
        world.finish()
    })
}

impl<'a> World<'a> {
    fn new(scenario: &'a Scenario, seed: u64, trace: bool) -> Self {
        let (base, random) = (crate::repeat::start(), Random::new(seed));
        let mut entropy = random.part("unit", 0);
        let config = Config {
            unit: UnitId(1),
            peers_max: scenario.people.len(),
            candidates: vec![(Protocol::Udp, SERVER.into())],
            identity: handshake::identity(&random),
            clock: NtpClock::new(base, Duration::from_secs(1_800_000_000)),
        };
        let entropy = Box::new(move |buffer: &mut [u8]| buffer.fill_with(|| entropy.draw() as u8));
        let mut world = Self {
            now: base,
            base,
            unit: Unit::new(base, config, entropy),
            crypto: handshake::provider(),
            seats: Vec::new(),
            meetings: Vec::new(),
            events: Events::new(),
            trace: Trace::new(base, trace),
            noted: None,
            faults: Vec::new(),
            random,
        };
        for (index, person) in scenario.people.iter().enumerate() {
            world.seat(index, person);
        }
        world
    }

    fn seat(&mut self, index: usize, person: &'a Person) {
        let number = index as u64;
        let spread = self.random.part("join", number).below(JOIN_SPREAD_MS);
        let joined = person.joins + Duration::from_millis(spread);
        self.events.push(self.base + joined, Event::Join(index));
        if let Some(leaves) = person.leaves {
            self.events.push(self.base + leaves, Event::Leave(index));
        }
        let pipe = |label, script: &crate::network::Script| {
            Pipe::new(self.base, script.clone(), self.random.part(label, number))
        };
        let [high, low] = (index as u16).to_be_bytes();
        self.seats.push(Seat {
            up: pipe("up", &person.up),
            down: pipe("down", &person.down),
            person,
            peer: PeerId(100 + number),
            address: SocketAddr::from(([10, 0, high, low], 6000)),
            client: None,
            joined,
            dropped_down: 0,
            bandwidth: None,
            report: None,
        });
        let id = MeetingId::from_bytes([person.room; 16]);
        if !self.meetings.iter().any(|m| m.id == id) {
            self.meetings.push(Meeting::new(id));
        }
    }

    fn run_until(&mut self, end: Instant) {
        while let Some(at) = self.next_deadline().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.happen();
        }
        self.now = end;
    }

    fn next_deadline(&self) -> Option<Instant> {
        let clients = self.seats.iter().filter_map(|s| s.client.as_ref()?.deadline());
        clients.chain(self.events.next_at()).chain(self.unit.poll_timeout()).min()
    }

    /// Everything of this instant.
    fn happen(&mut self) {
        for _ in 0..ROUNDS_MAX {
            let mut quiet = true;
            while let Some(event) = self.events.pop_due(self.now) {
                quiet = false;
                self.handle(event);
            }
            for seat in &mut self.seats {
                if let Some(client) =
                    seat.client.as_mut().filter(|c| c.deadline().is_some_and(|at| at <= self.now))
                {
                    client.handle_timeout(self.now);
                }
            }
            if self.unit.poll_timeout().is_some_and(|at| at <= self.now) {
                self.unit.handle_timeout(self.now);
            }
            self.unit.forward(self.now, |_| {});
            self.send_down();
            self.send_up();
            while let Some(fact) = self.unit.poll_fact() {
                self.take_fact(&fact);
            }
            if self.trace.has_lines() {
                self.note_decisions();
            }
            if quiet && self.next_deadline().is_none_or(|at| at > self.now) {
                return;
            }
        }
        self.faults.push(format!("{:?}: an instant without end", self.now - self.base));
        self.now += Duration::from_millis(1);
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Join(seat) => self.join(seat),
            Event::Leave(seat) => self.leave(seat),
            Event::Offer(seat, sdp) => self.offer(seat, sdp),
            Event::Answer(seat, sdp) => {
                let answered = self.seats.get_mut(seat).and_then(|s| s.client.as_mut());
                if let Some(Err(error)) = answered.map(|client| client.answer(self.now, &sdp)) {
                    self.fault(seat, &format!("{error:#}"));
                }
            }
            Event::Up(seat, mut datagram) => {
                let Some(seat) = self.seats.get(seat) else { return };
                let transport =
                    Transport { protocol: Protocol::Udp, local: SERVER.into(), remote: seat.address };
                self.unit.handle_datagram(self.now, transport, &mut datagram);
            }
            Event::Down(seat, datagram) => {
                if let Some(client) = self.seats.get_mut(seat).and_then(|s| s.client.as_mut()) {
                    client.handle_datagram(self.now, SERVER.into(), &datagram);
                }
            }
        }
    }

    fn join(&mut self, index: usize) {
        let Some(person) = self.seats.get(index).map(|s| s.person) else { return };
        let others = || {
            let other = |(i, s): &(usize, &Seat<'_>)| *i != index && s.person.room == person.room;
            self.seats.iter().enumerate().filter(other)
        };
        let lines = Lines {
            camera: person.camera,
            codec: if person.scalable { Codec::Vp9 } else { Codec::Vp8 },
            microphone: person.microphone,
            audio_slots: others().filter(|(_, s)| s.person.microphone && person.watches).count(),
            video_slots: others().filter(|(_, s)| s.person.camera && person.watches).count(),
        };
        let random = self.random.part("client", index as u64);
        let Some(seat) = self.seats.get_mut(index) else { return };
        match Client::offer(self.now, seat.address, lines, self.crypto.clone(), random) {
            Ok((client, sdp)) => {
                seat.client = Some(client);
                let at = self.now + seat.up.latency(self.now);
                self.events.push(at, Event::Offer(index, sdp));
            }
            Err(error) => self.fault(index, &format!("{error:#}")),
        }
    }

    fn offer(&mut self, index: usize, sdp: String) {
        let Some(seat) = self.seats.get(index).filter(|s| s.client.is_some()) else { return };
        let meeting = MeetingId::from_bytes([seat.person.room; 16]);
        match self.unit.handle_offer(self.now, &Offer { peer: seat.peer, meeting, sdp }) {
            Ok(answer) => {
                self.events
                    .push(self.now + seat.down.latency(self.now), Event::Answer(index, answer.sdp.clone()));
                let room = self.meetings.iter_mut().find(|m| m.id == meeting);
                let commands = room.map(|room| room.joined(seat.peer, &answer, seat.person.tile));
                self.command(commands.unwrap_or_default());
            }
            Err(error) => self.fault(index, &error.to_string()),
        }
    }

    fn leave(&mut self, index: usize) {
        let Some(seat) = self.seats.get_mut(index) else { return };
        seat.report = Some(seat.look(self.base, self.now));
        seat.client = None;
        let meeting = MeetingId::from_bytes([seat.person.room; 16]);
        let room = self.meetings.iter_mut().find(|m| m.id == meeting);
        let commands = room.map(|room| room.left(seat.peer));
        self.command(commands.unwrap_or_default());
    }

    fn command(&mut self, commands: Vec<model::unit::UnitCommand>) {
        for command in commands {
            self.trace.event(self.now, &command);
            self.unit.handle_command(self.now, command);
        }
    }

    fn take_fact(&mut self, fact: &UnitFact) {
        self.trace.event(self.now, fact);
        if let UnitFact::Failed { .. } | UnitFact::PeersLost { .. } | UnitFact::PathLost { .. } = fact {
            self.faults.push(format!("{:?}: {fact:?}", self.now - self.base));
        }
    }

    fn send_up(&mut self) {
        for (index, seat) in self.seats.iter_mut().enumerate() {
            let Some(client) = &mut seat.client else { continue };
            for datagram in client.take_outgoing() {
                let fate = seat.up.send(self.now, datagram.len());
                self.trace.datagram(self.now, seat.person.name, Way::Up, &datagram, fate);
                if let Fate::Arrives { at, again } = fate {
                    if let Some(again) = again {
                        self.events.push(again, Event::Up(index, datagram.clone()));
                    }
                    self.events.push(at, Event::Up(index, datagram));
                }
            }
        }
    }

    fn send_down(&mut self) {
        let outbox = self.unit.outbox();
        for run in outbox.runs() {
            let bytes = outbox.data().get(run.start..run.start + run.len).unwrap_or_default();
            let to = |s: &Seat<'_>| s.address == run.transport.remote;
            let Some(index) = self.seats.iter().position(to) else { continue };
            let Some(seat) = self.seats.get_mut(index) else { continue };
            for datagram in bytes.chunks(run.segment.max(1)) {
                let fate = seat.down.send(self.now, datagram.len());
                self.trace.datagram(self.now, seat.person.name, Way::Down, datagram, fate);
                match fate {
                    Fate::QueueFull => seat.dropped_down += 1,
                    Fate::Lost => {}
                    Fate::Arrives { at, again } => {
                        for at in [Some(at), again].into_iter().flatten() {
                            self.events.push(at, Event::Down(index, datagram.to_vec()));
                        }
                    }
                }
            }
        }
        outbox.clear();
    }

    /// What the unit thinks of each path, and what it decided.
    fn note_decisions(&mut self) {
        for seat in &mut self.seats {
            let bandwidth = self.unit.bandwidth(seat.peer).map(|b| (b.target, b.congested));
            if bandwidth == seat.bandwidth {
                continue;
            }
            seat.bandwidth = bandwidth;
            let Some((target, congested)) = bandwidth else { continue };
            let target = target.map_or("unknown".to_owned(), |t| format!("{} kbit/s", t.as_bps() / 1_000));
            let full = if congested { ", congested" } else { "" };
            self.trace.note(self.now, &format!("{}'s path: {target}{full}", seat.person.name));
        }
        let new = self.unit.layer_changes().filter(|change| self.noted.is_none_or(|at| change.at > at));
        let new: Vec<String> = new.map(|change| format!("{change:?}")).collect();
        for change in &new {
            self.trace.note(self.now, change);
        }
        self.noted = Some(self.now);
    }

    fn fault(&mut self, seat: usize, text: &str) {
        let name = self.seats.get(seat).map_or("?", |s| s.person.name);
        self.faults.push(format!("{:?} {name}: {text}", self.now - self.base));
    }

    /// Everybody leaves, and nothing must be left of anybody.
    fn finish(mut self) -> Run {
        let counters = *self.unit.counters();
        for index in 0..self.seats.len() {
            if self.seats.get(index).is_some_and(|s| s.report.is_none()) {
                self.leave(index);
            }
        }
        self.unit.outbox().clear();
        if !self.unit.is_empty() {
            self.faults.push(format!("something is left when everybody has gone: {:?}", self.unit));
        }
        let hash = self.trace.hash();
        Run {
            people: self.seats.into_iter().filter_map(|s| s.report).collect(),
            counters,
            faults: self.faults,
            hash,
            lines: self.trace.into_lines(),
        }
    }
}

impl Seat<'_> {
    fn look(&self, base: Instant, now: Instant) -> PersonReport {
        let client = self.client.as_ref();
        PersonReport {
            joined: self.joined,
            until: now - base,
            connected: client.is_some_and(Client::is_connected),
            slots: client.map(|c| c.slots().collect()).unwrap_or_default(),
            sent: client.map(Client::sent).unwrap_or_default(),
            repairs_asked: client.map_or(0, Client::repairs_asked),
            ssrcs: client.map(|c| c.ssrcs().iter().map(|ssrc| **ssrc).collect()).unwrap_or_default(),
            dropped_down: self.dropped_down,
            base,
        }
    }
}
