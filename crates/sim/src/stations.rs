//! The units of a world, the links between them, and who goes to which.
//!
//! A link is what it is between the threads of one machine: batches wait for a unit in one bounded queue, until its next
//! pass. What comes beyond is lost, and counted.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use model::datagram::Protocol;
use model::{MeetingId, UnitId};
use room::{RoomUnit, UnitLoad, place};
use rtc::NtpClock;
use sfu::{Config, Unit};

use crate::handshake;
use crate::random::Random;

const ADDRESS: [u8; 4] = [192, 0, 2, 1];
const FIRST_PORT: u16 = 5000;

/// Batches that wait for one unit, as between threads.
const BATCHES_MAX: usize = 512;
/// A batch waits until the other thread's next pass: at most the time for which that gathers input, and its own work.
const LINK_DELAY_US: (u64, u64) = (50, 600);

/// One unit with what lies around it.
pub(crate) struct Station {
    pub(crate) id: UnitId,
    pub(crate) unit: Unit,
    pub(crate) address: SocketAddr,
    /// Batches under way to it.
    coming: usize,
    /// When the newest of them arrives: they stay in order.
    newest_arrives: Instant,
    random: Random,
}

/// All units.
pub(crate) struct Stations {
    all: Vec<Station>,
    peers_max: usize,
    /// People of one room that one unit takes before the next one is asked.
    room_peers_per_unit: u32,
    /// By room, where its people are, in the order in which the room came there.
    rooms: Vec<(MeetingId, Vec<RoomUnit>)>,
    pub(crate) batches_dropped: u64,
}

/// A batch on a link.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) from: UnitId,
    pub(crate) to: usize,
    pub(crate) bytes: Vec<u8>,
}

impl Stations {
    /// So many units for so many people. Rooms are spread as widely as they can be, for the links are what is of interest.
    pub(crate) fn new(base: Instant, units: usize, peers_max: usize, random: &Random) -> Self {
        let station = |number: usize| {
            let id = UnitId(1 + number as u64);
            let address = SocketAddr::from((ADDRESS, FIRST_PORT + number as u16));
            let mut entropy = random.part("unit", number as u64);
            let config = Config {
                unit: id,
                peers_max,
                candidates: vec![(Protocol::Udp, address)],
                identity: handshake::identity(random),
                clock: NtpClock::new(base, Duration::from_secs(1_800_000_000)),
            };
            let entropy = Box::new(move |buffer: &mut [u8]| buffer.fill_with(|| entropy.draw() as u8));
            Station {
                id,
                unit: Unit::new(base, config, entropy),
                address,
                coming: 0,
                newest_arrives: base,
                random: random.part("link", number as u64),
            }
        };
        Self {
            all: (0..units.max(1)).map(station).collect(),
            peers_max,
            room_peers_per_unit: if units > 1 { 1 } else { u32::MAX },
            rooms: Vec::new(),
            batches_dropped: 0,
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Station> {
        self.all.iter()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Station> {
        self.all.iter_mut()
    }

    pub(crate) fn of(&self, id: UnitId) -> Option<&Station> {
        self.all.iter().find(|s| s.id == id)
    }

    pub(crate) fn of_mut(&mut self, id: UnitId) -> Option<&mut Station> {
        self.all.iter_mut().find(|s| s.id == id)
    }

    /// Where one more person of a room goes.
    pub(crate) fn place(&mut self, meeting: MeetingId) -> UnitId {
        let (first, most) = (self.all.first().map_or(UnitId(1), |s| s.id), self.room_peers_per_unit);
        let load = |s: &Station| UnitLoad {
            unit: s.id,
            peers: s.unit.peer_count() as u32,
            peers_max: self.peers_max as u32,
            load: 0.0,
        };
        let loads: Vec<UnitLoad> = self.all.iter().map(load).collect();
        if !self.rooms.iter().any(|(id, _)| *id == meeting) {
            self.rooms.push((meeting, Vec::new()));
        }
        let Some((_, room)) = self.rooms.iter_mut().find(|(id, _)| *id == meeting) else { return first };
        let unit = place(&loads, room, most).map_or(first, |placement| placement.unit);
        match room.iter_mut().find(|r| r.unit == unit) {
            Some(known) => known.peers += 1,
            None => room.push(RoomUnit { unit, peers: 1 }),
        }
        unit
    }

    /// Somebody of a room has gone from a unit.
    pub(crate) fn leave(&mut self, meeting: MeetingId, unit: UnitId) {
        for (_, room) in self.rooms.iter_mut().filter(|(id, _)| *id == meeting) {
            room.iter_mut().filter(|r| r.unit == unit).for_each(|r| r.peers = r.peers.saturating_sub(1));
            room.retain(|r| r.peers > 0);
        }
    }

    /// What units have for each other now, with when it arrives.
    pub(crate) fn take_batches(&mut self, now: Instant) -> Vec<(Instant, Batch)> {
        let mut batches = Vec::new();
        for station in &mut self.all {
            while let Some((to, bytes)) = station.unit.poll_relay() {
                batches.push((station.id, to, bytes));
            }
        }
        let mut under_way = Vec::new();
        for (from, to, bytes) in batches {
            let found = self.all.iter_mut().enumerate().find(|(_, s)| s.id == to && s.coming < BATCHES_MAX);
            let Some((number, station)) = found else {
                self.batches_dropped += 1;
                continue;
            };
            station.coming += 1;
            let (least, most) = LINK_DELAY_US;
            let delay = Duration::from_micros(least + station.random.below(most - least));
            station.newest_arrives = station.newest_arrives.max(now + delay);
            under_way.push((station.newest_arrives, Batch { from, to: number, bytes }));
        }
        under_way
    }

    /// A batch arrives.
    pub(crate) fn arrive(&mut self, now: Instant, batch: &Batch) {
        if let Some(station) = self.all.get_mut(batch.to) {
            station.coming -= 1;
            station.unit.handle_relay(now, batch.from, &batch.bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_is_spread_and_a_unit_that_is_behind_loses_batches() {
        let random = Random::new(1);
        let base = crate::tests::base();
        let mut stations = Stations::new(base, 2, 10, &random);
        let [one, other] = [1, 2].map(|n| MeetingId::from_bytes([n; 16]));
        let placed = [one, one, other, one].map(|room| stations.place(room).0);
        assert_eq!(placed, [1, 2, 1, 1], "nobody is on a unit yet, so equal loads go by the id");
        stations.leave(one, UnitId(2));
        assert_eq!(stations.place(one), UnitId(2));
        let station = stations.all.get_mut(1).unwrap();
        station.coming = BATCHES_MAX;
        assert!(stations.take_batches(base).is_empty(), "nothing to say yet");
    }
}
