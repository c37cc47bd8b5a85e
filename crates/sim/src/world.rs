//! The world's clock: what happens next, until the scenario is over.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::datagram::{Protocol, Transport};
use model::unit::{Offer, UnitFact};
use model::{Codec, MeetingId, Mid, PeerId, Rid};
use sfu::Counters;
use str0m::crypto::CryptoProvider;

use crate::client::{Client, Lines};
use crate::events::Events;
use crate::flow::Flow;
use crate::handshake;
use crate::meeting::{Arrival, Command, Meeting};
use crate::network::{Fate, Pipe};
use crate::random::Random;
use crate::scenario::{Person, Scenario};
use crate::seat::{PersonReport, Seat};
use crate::stations::{Batch, Stations};
use crate::trace::{Trace, Way};

/// Nobody acts at the same instant as others do: joining varies by this much with the seed.
const JOIN_SPREAD_MS: u64 = 300;
/// Rounds of one instant: what is sent without delay is answered at once.
const ROUNDS_MAX: usize = 1_000;
/// When everybody has gone, units forget each other within this: the longest lease between them, and some.
const FORGETTING: Duration = Duration::from_secs(5);

/// What a seed made of a scenario.
#[derive(Debug)]
pub struct Run {
    /// By person, in the order of the scenario.
    pub people: Vec<PersonReport>,
    /// What each unit counted.
    pub counters: Vec<Counters>,
    /// Batches between units that found the other one's queue full.
    pub batches_dropped: u64,
    /// What went wrong whatever the scenario is about; a line each.
    pub faults: Vec<String>,
    /// Of all datagrams and facts: two runs of one seed have the same.
    pub hash: u64,
    /// What happened, if it was to be written down.
    pub lines: Vec<String>,
}

#[derive(Debug)]
enum Event {
    Join(usize),
    Leave(usize),
    Offer(usize, String),
    Answer(usize, String),
    Up(usize, Vec<u8>),
    Down(usize, SocketAddr, Vec<u8>),
    Relay(Batch),
    /// What of its camera anybody looks at.
    Demand(usize, Mid, bool, Vec<Rid>),
}

struct World<'a> {
    now: Instant,
    base: Instant,
    random: Random,
    stations: Stations,
    crypto: Arc<CryptoProvider>,
    seats: Vec<Seat<'a>>,
    meetings: Vec<Meeting>,
    events: Events<Event>,
    trace: Trace,
    /// Until when decisions were noted.
    noted: Option<Instant>,
    astray: bool,
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
        let mut world = Self {
            now: base,
            base,
            stations: Stations::new(base, scenario.units, scenario.people.len(), &random),
            crypto: handshake::provider(),
            seats: Vec::new(),
            meetings: Vec::new(),
            events: Events::new(),
            trace: Trace::new(base, trace),
            noted: None,
            astray: scenario.astray,
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
            unit: None,
            client: None,
            joined,
            sent_of: Vec::new(),
            sent_down: Flow::new(self.base),
            dropped_down: Flow::new(self.base),
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
        let units = self.stations.iter().filter_map(|s| s.unit.poll_timeout());
        clients.chain(self.events.next_at()).chain(units).min()
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
            let mut facts = Vec::new();
            for station in self.stations.iter_mut() {
                if station.unit.poll_timeout().is_some_and(|at| at <= self.now) {
                    station.unit.handle_timeout(self.now);
                }
                station.unit.forward(self.now, |_| {});
                facts.extend(std::iter::from_fn(|| station.unit.poll_fact()).map(|fact| (station.id, fact)));
            }
            self.send_batches();
            self.send_down();
            self.send_up();
            for (unit, fact) in facts {
                self.take_fact(unit, &fact);
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
                let Some(station) = seat.unit.and_then(|unit| self.stations.of_mut(unit)) else { return };
                let transport =
                    Transport { protocol: Protocol::Udp, local: station.address, remote: seat.address };
                station.unit.handle_datagram(self.now, transport, &mut datagram);
            }
            Event::Down(seat, from, datagram) => {
                if let Some(client) = self.seats.get_mut(seat).and_then(|s| s.client.as_mut()) {
                    client.handle_datagram(self.now, from, &datagram);
                }
            }
            Event::Relay(batch) => self.stations.arrive(self.now, &batch),
            Event::Demand(seat, mid, watched, rids) => {
                if let Some(client) = self.seats.get_mut(seat).and_then(|s| s.client.as_mut()) {
                    client.set_demand(&mid, watched, &rids);
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
        // Where rooms err, everybody has a slot to be shown what they should not.
        let spare = usize::from(self.astray);
        let lines = Lines {
            camera: person.camera,
            codec: if person.scalable { Codec::Vp9 } else { Codec::Vp8 },
            microphone: person.microphone,
            audio_slots: others().filter(|(_, s)| s.person.microphone && person.watches).count() + spare,
            video_slots: others().filter(|(_, s)| s.person.camera && person.watches).count() + spare,
        };
        let random = self.random.part("client", index as u64);
        let Some(seat) = self.seats.get_mut(index) else { return };
        match Client::offer((self.base, self.now), seat.address, lines, self.crypto.clone(), random) {
            Ok((client, sdp)) => {
                seat.client = Some(client);
                let at = self.now + seat.up.latency(self.now);
                self.events.push(at, Event::Offer(index, sdp));
            }
            Err(error) => self.fault(index, &format!("{error:#}")),
        }
    }

    fn offer(&mut self, index: usize, sdp: String) {
        let Some(seat) = self.seats.get_mut(index).filter(|s| s.client.is_some()) else { return };
        let (peer, person) = (seat.peer, seat.person);
        let meeting = MeetingId::from_bytes([person.room; 16]);
        let unit = self.stations.place(meeting);
        seat.unit = Some(unit);
        let Some(station) = self.stations.of_mut(unit) else { return };
        match station.unit.handle_offer(self.now, &Offer { peer, meeting, sdp }) {
            Ok(answer) => {
                self.events
                    .push(self.now + seat.down.latency(self.now), Event::Answer(index, answer.sdp.clone()));
                let sized = |(name, tile): &(&str, _)| {
                    let other = self.seats.iter().find(|s| s.person.name == *name)?;
                    Some((other.peer, Some(*tile)))
                };
                let tiles = person.tiles.iter().filter_map(sized).collect();
                let arrival = Arrival { peer, unit, answer: &answer, tile: person.tile, tiles };
                let room = self.meetings.iter_mut().find(|m| m.id == meeting);
                let commands = room.map(|room| room.joined(arrival));
                self.command(commands.unwrap_or_default());
                self.go_astray();
            }
            Err(error) => self.fault(index, &error.to_string()),
        }
    }

    /// Rooms bind what is of others.
    fn go_astray(&mut self) {
        if !self.astray {
            return;
        }
        let sources: Vec<_> = self.meetings.iter().map(|room| (room.id, room.sources())).collect();
        for room in 0..self.meetings.len() {
            let Some(meeting) = self.meetings.get(room) else { continue };
            let others = sources.iter().filter(|(id, _)| *id != meeting.id);
            let commands = others.flat_map(|(_, sources)| meeting.astray(sources)).collect();
            self.command(commands);
        }
    }

    fn leave(&mut self, index: usize) {
        let Some(seat) = self.seats.get_mut(index) else { return };
        seat.report = Some(seat.look(self.base, self.now));
        seat.client = None;
        let meeting = MeetingId::from_bytes([seat.person.room; 16]);
        if let Some(unit) = seat.unit {
            self.stations.leave(meeting, unit);
        }
        let room = self.meetings.iter_mut().find(|m| m.id == meeting);
        let commands = room.map(|room| room.left(seat.peer));
        self.command(commands.unwrap_or_default());
    }

    fn command(&mut self, commands: Vec<Command>) {
        for (unit, command) in commands {
            self.trace.event(self.now, &command);
            if let Some(station) = self.stations.of_mut(unit) {
                station.unit.handle_command(self.now, command);
            }
        }
    }

    fn take_fact(&mut self, unit: model::UnitId, fact: &UnitFact) {
        self.trace.event(self.now, fact);
        match fact {
            UnitFact::Failed { .. } | UnitFact::PeersLost { .. } | UnitFact::PathLost { .. } => {
                self.faults.push(format!("{:?}: {fact:?}", self.now - self.base));
            }
            UnitFact::Demand { source, watched, rids, .. } => {
                let whose = self.seats.iter().enumerate().find(|(_, s)| s.peer == source.peer);
                let Some((index, seat)) = whose else { return };
                let at = self.now + seat.down.latency(self.now);
                self.events.push(at, Event::Demand(index, source.mid, *watched, rids.clone()));
            }
            UnitFact::Speakers { meeting, speakers, .. } => {
                let room = self.meetings.iter_mut().find(|m| m.id == *meeting);
                let commands = room.map(|room| room.heard(unit, speakers));
                self.command(commands.unwrap_or_default());
            }
            _ => {}
        }
    }

    fn send_batches(&mut self) {
        for (at, batch) in self.stations.take_batches(self.now) {
            self.trace.batch(self.now, batch.from, &batch.bytes, at);
            self.events.push(at, Event::Relay(batch));
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
        for station in self.stations.iter_mut() {
            let from = station.address;
            let outbox = station.unit.outbox();
            for run in outbox.runs() {
                let bytes = outbox.data().get(run.start..run.start + run.len).unwrap_or_default();
                let to = |s: &Seat<'_>| s.address == run.transport.remote;
                let Some(index) = self.seats.iter().position(to) else { continue };
                let Some(seat) = self.seats.get_mut(index) else { continue };
                for datagram in bytes.chunks(run.segment.max(1)) {
                    let fate = seat.down.send(self.now, datagram.len());
                    self.trace.datagram(self.now, seat.person.name, Way::Down, datagram, fate);
                    seat.note_sent(self.base, self.now, datagram);
                    match fate {
                        Fate::QueueFull => seat.dropped_down.count(self.now, datagram.len()),
                        Fate::Lost => {}
                        Fate::Arrives { at, again } => {
                            for at in [Some(at), again].into_iter().flatten() {
                                self.events.push(at, Event::Down(index, from, datagram.to_vec()));
                            }
                        }
                    }
                }
            }
            outbox.clear();
        }
    }

    /// What the units think of each path, and what they decided.
    fn note_decisions(&mut self) {
        for seat in &mut self.seats {
            let Some(station) = seat.unit.and_then(|unit| self.stations.of(unit)) else { continue };
            let bandwidth = station.unit.bandwidth(seat.peer).map(|b| (b.target, b.congested));
            if bandwidth == seat.bandwidth {
                continue;
            }
            seat.bandwidth = bandwidth;
            let Some((target, congested)) = bandwidth else { continue };
            let target = target.map_or("unknown".to_owned(), |t| format!("{} kbit/s", t.as_bps() / 1_000));
            let full = if congested { ", congested" } else { "" };
            self.trace.note(self.now, &format!("{}'s path: {target}{full}", seat.person.name));
        }
        for station in self.stations.iter() {
            let new =
                station.unit.layer_changes().filter(|change| self.noted.is_none_or(|at| change.at > at));
            for change in new {
                self.trace.note(self.now, &format!("{change:?}"));
            }
        }
        self.noted = Some(self.now);
    }

    fn fault(&mut self, seat: usize, text: &str) {
        let name = self.seats.get(seat).map_or("?", |s| s.person.name);
        self.faults.push(format!("{:?} {name}: {text}", self.now - self.base));
    }

    /// Everybody leaves, and nothing must be left of anybody.
    fn finish(mut self) -> Run {
        let counters = self.stations.iter().map(|s| *s.unit.counters()).collect();
        for index in 0..self.seats.len() {
            if self.seats.get(index).is_some_and(|s| s.report.is_none()) {
                self.leave(index);
            }
        }
        self.stations.iter_mut().for_each(|s| s.unit.outbox().clear());
        if self.stations.iter().count() > 1 {
            // What units know of each other ends by itself.
            self.run_until(self.now + FORGETTING);
        }
        for station in self.stations.iter() {
            if !station.unit.is_empty() {
                let left = format!("something is left when everybody has gone: {:?}", station.unit);
                self.faults.push(left);
            }
        }
        let hash = self.trace.hash();
        Run {
            people: self.seats.into_iter().filter_map(|s| s.report).collect(),
            counters,
            batches_dropped: self.stations.batches_dropped,
            faults: self.faults,
            hash,
            lines: self.trace.into_lines(),
        }
    }
}
