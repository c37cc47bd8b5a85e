//! Which forwarding units are up, and what is on them: by their reports, and by what was placed since.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bus::media::UnitReport;
use model::UnitId;
use room::{NoPlace, Placement, RoomUnit, UnitLoad, place};
use tokio::time::Instant;

/// Units report each second. Three reports missed and a bit are a dead unit: its people need the rest of five seconds to
/// be back on another one.
pub(crate) const UNIT_SILENT_MAX: Duration = Duration::from_millis(3_500);

/// Units of one deployment that are looked at. Far above what this version can run.
const UNITS_MAX: usize = 1_000;

/// The units, as the router and all rooms see them. A clone is the same table.
#[derive(Debug, Clone)]
pub(crate) struct Units {
    /// Held for one look or one change at a time, never while anybody is waited for.
    table: Arc<Mutex<Table>>,
    room_peers_per_unit: u32,
}

#[derive(Debug, Default)]
struct Table {
    up: BTreeMap<UnitId, Known>,
    /// People of all rooms by the unit that they were placed on, whether or not they have offered yet.
    placed: BTreeMap<UnitId, u32>,
}

/// A unit that is up.
#[derive(Debug, Clone, Copy)]
struct Known {
    report: UnitReport,
    heard_at: Instant,
    /// Who was placed on it when it reported.
    placed_then: u32,
}

impl Units {
    /// `room_peers_per_unit`: as [`crate::Config::room_peers_per_unit`].
    pub(crate) fn new(room_peers_per_unit: u32) -> Self {
        Self { table: Arc::default(), room_peers_per_unit }
    }

    /// Takes a report. True: the unit was not known to be up.
    pub(crate) fn heard(&self, report: UnitReport, now: Instant) -> bool {
        let mut table = self.table();
        if table.up.len() >= UNITS_MAX && !table.up.contains_key(&report.unit) {
            return false;
        }
        let placed_then = table.placed_on(report.unit);
        table.up.insert(report.unit, Known { report, heard_at: now, placed_then }).is_none()
    }

    /// Forgets the units that are silent, and names them.
    pub(crate) fn take_lost(&self, now: Instant) -> Vec<UnitId> {
        let mut table = self.table();
        let is_lost = |known: &Known| now.duration_since(known.heard_at) > UNIT_SILENT_MAX;
        let lost: Vec<UnitId> =
            table.up.iter().filter(|(_, known)| is_lost(known)).map(|(id, _)| *id).collect();
        lost.iter().for_each(|id| {
            table.up.remove(id);
        });
        lost
    }

    /// Where one more participant of a room that is on these units goes.
    pub(crate) fn place(&self, room: &[RoomUnit]) -> Result<Placement, NoPlace> {
        place(&self.table().loads(), room, self.room_peers_per_unit)
    }

    /// The part of a room that is on no unit yet.
    pub(crate) fn share(&self) -> Share {
        Share { units: self.clone(), counted: Vec::new() }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn placed_on(&self, unit: UnitId) -> u32 {
        self.placed.get(&unit).copied().unwrap_or(0)
    }

    fn loads(&self) -> Vec<UnitLoad> {
        self.up.values().map(|known| load(known, self.placed_on(known.report.unit))).collect()
    }

    fn move_people(&mut self, from: &[RoomUnit], to: &[RoomUnit]) {
        for RoomUnit { unit, peers } in to {
            *self.placed.entry(*unit).or_default() += peers;
        }
        for RoomUnit { unit, peers } in from {
            let placed = self.placed.entry(*unit).or_default();
            *placed = placed.saturating_sub(*peers);
        }
        self.placed.retain(|_, placed| *placed > 0);
    }
}

/// A unit now. Its report is up to a second old, and whoever is placed needs a moment to offer: a crowd that comes
/// within that time must not all go to the unit that was empty before. So whoever was placed since counts as a peer
/// already, and as costing what the others cost.
fn load(known: &Known, placed: u32) -> UnitLoad {
    let UnitReport { unit, peers: reported, peers_max, load } = known.report;
    let since = placed.saturating_sub(known.placed_then);
    let peers = reported.saturating_add(since).max(placed);
    let growth = peers.max(1) as f32 / reported.max(1) as f32;
    UnitLoad { unit, peers, peers_max, load: load * growth }
}

/// What one room has on units. Given back when it is dropped, however the room ends.
#[derive(Debug)]
pub(crate) struct Share {
    units: Units,
    counted: Vec<RoomUnit>,
}

impl Share {
    /// The room has this now.
    pub(crate) fn set(&mut self, room: &[RoomUnit]) {
        if self.counted != room {
            self.units.table().move_people(&self.counted, room);
            self.counted = room.to_vec();
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.set(&[]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(id: u64, peers: u32, load: f32) -> UnitReport {
        UnitReport { unit: UnitId(id), peers, peers_max: 10, load }
    }

    fn on(units: &[(u64, u32)]) -> Vec<RoomUnit> {
        units.iter().map(|(id, peers)| RoomUnit { unit: UnitId(*id), peers: *peers }).collect()
    }

    #[tokio::test]
    async fn a_silent_unit_is_lost_once() {
        let units = Units::new(5);
        let start = Instant::now();
        assert!(units.heard(report(1, 0, 0.0), start));
        assert!(units.heard(report(2, 0, 0.0), start));
        let later = start + UNIT_SILENT_MAX + Duration::from_millis(1);
        assert!(!units.heard(report(2, 0, 0.0), later));
        assert_eq!(units.take_lost(later), [UnitId(1)]);
        assert!(units.take_lost(later).is_empty());
        assert_eq!(units.place(&on(&[(1, 1)])).map(|p| p.unit), Ok(UnitId(2)));
        assert!(units.heard(report(1, 0, 0.0), later), "it is back");
    }

    #[tokio::test]
    async fn a_crowd_between_two_reports_does_not_all_go_to_one_unit() {
        let units = Units::new(100);
        let now = Instant::now();
        units.heard(report(1, 0, 0.0), now);
        units.heard(report(2, 4, 0.4), now);
        let mut rooms: Vec<Share> = (0..16).map(|_| units.share()).collect();
        let placed: Vec<u64> = rooms
            .iter_mut()
            .map(|room| {
                let unit = units.place(&[]).unwrap().unit;
                room.set(&[RoomUnit { unit, peers: 1 }]);
                unit.0
            })
            .collect();
        assert_eq!(placed, [1, 1, 1, 1, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2]);
        assert_eq!(units.place(&[]), Err(NoPlace::Full));
        // Whoever has not offered yet is not in the next reports, but there all the same.
        units.heard(report(1, 3, 0.0), now);
        units.heard(report(2, 5, 0.4), now);
        assert_eq!(units.place(&[]).map(|p| p.unit), Ok(UnitId(2)));
        rooms.truncate(1);
        let left = units.place(&[]).unwrap();
        assert_eq!((left.unit, left.share_used), (UnitId(1), 0.3), "the report counts until the next");
    }

    #[tokio::test]
    async fn people_who_move_or_go_are_not_counted_where_they_were() {
        let units = Units::new(100);
        let now = Instant::now();
        units.heard(report(1, 0, 0.0), now);
        let mut room = units.share();
        let placed = |expected: &[(u64, u32)]| {
            let expected: BTreeMap<_, _> = expected.iter().map(|(id, peers)| (UnitId(*id), *peers)).collect();
            assert_eq!(units.table().placed, expected);
        };
        room.set(&on(&[(1, 3), (2, 1)]));
        placed(&[(1, 3), (2, 1)]);
        room.set(&on(&[(2, 4)]));
        placed(&[(2, 4)]);
        drop(room);
        placed(&[]);
    }
}
