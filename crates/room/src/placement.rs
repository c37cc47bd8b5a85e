//! On which unit a participant's media goes: a pure function of what the units say of themselves and of where the room
//! is already.

use std::fmt;

use model::UnitId;

/// What is known of a unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UnitLoad {
    /// Which.
    pub unit: UnitId,
    /// Peers now.
    pub peers: u32,
    /// Peers that it takes at most.
    pub peers_max: u32,
    /// Share of one core used, 0 to 1.
    pub load: f32,
}

/// A unit that people of a room are on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoomUnit {
    /// Which.
    pub unit: UnitId,
    /// How many of this room.
    pub peers: u32,
}

/// Where a participant goes, and why there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placement {
    /// The unit.
    pub unit: UnitId,
    /// Why this one.
    pub reason: PlacementReason,
    /// People of this room on it, without this one.
    pub room_peers: u32,
    /// What the unit uses of what it is out of first, processor or peers, 0 to 1.
    pub share_used: f32,
}

/// Why a participant goes to a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlacementReason {
    /// The room is on no unit: this is the least loaded of all.
    First,
    /// The room is on this unit, which takes more of it.
    Together,
    /// The units that the room is on take no more of it; this is the least loaded of the others.
    Spill,
    /// No other unit takes anybody, so one that the room is on takes more of it than it should.
    Crowded,
}

impl fmt::Display for PlacementReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PlacementReason::First => "first",
            PlacementReason::Together => "together",
            PlacementReason::Spill => "spill",
            PlacementReason::Crowded => "crowded",
        })
    }
}

/// Why a participant cannot be placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoPlace {
    /// No unit is up.
    #[error("no media unit is up")]
    NoUnit,
    /// No unit takes one more peer.
    #[error("the media units are full")]
    Full,
}

/// The unit for one more participant of a room. `room` is where its people are, in the order in which the room came to
/// these units; those that are not among `units` are gone and count for nothing.
///
/// 1. The first of the room's units that takes one more peer and has fewer than `room_peers_per_unit` of this room.
///    People of one room are best together: what they send each other then crosses no link between units.
/// 2. Else the least loaded of the other units.
/// 3. Else the least loaded of the room's units.
///
/// Load is the larger share of what the unit is out of first, processor or peers; equal loads go by the unit's id, so
/// that the decision can be repeated. Cost: one pass over the units for each unit of the room.
///
/// # Errors
/// See [`NoPlace`].
pub fn place(units: &[UnitLoad], room: &[RoomUnit], room_peers_per_unit: u32) -> Result<Placement, NoPlace> {
    let room_peers = |unit: UnitId| room.iter().find(|r| r.unit == unit).map(|r| r.peers);
    let placement = |unit: &UnitLoad, reason| Placement {
        unit: unit.unit,
        reason,
        room_peers: room_peers(unit.unit).unwrap_or(0),
        share_used: share_used(unit),
    };
    let takes_more = |r: &&RoomUnit| r.peers < room_peers_per_unit;
    let mut own = room.iter().filter(takes_more).filter_map(|r| units.iter().find(|u| u.unit == r.unit));
    if let Some(unit) = own.find(|u| has_room(u)) {
        return Ok(placement(unit, PlacementReason::Together));
    }
    let is_on_one = units.iter().any(|u| room_peers(u.unit).is_some());
    if let Some(unit) = least_loaded(units.iter().filter(|u| room_peers(u.unit).is_none())) {
        let reason = if is_on_one { PlacementReason::Spill } else { PlacementReason::First };
        return Ok(placement(unit, reason));
    }
    if let Some(unit) = least_loaded(units.iter().filter(|u| room_peers(u.unit).is_some())) {
        return Ok(placement(unit, PlacementReason::Crowded));
    }
    Err(if units.is_empty() { NoPlace::NoUnit } else { NoPlace::Full })
}

/// Of those that take one more.
fn least_loaded<'a>(units: impl Iterator<Item = &'a UnitLoad>) -> Option<&'a UnitLoad> {
    let takes_more = units.filter(|u| has_room(u));
    takes_more.min_by(|a, b| share_used(a).total_cmp(&share_used(b)).then(a.unit.cmp(&b.unit)))
}

fn has_room(unit: &UnitLoad) -> bool {
    unit.peers < unit.peers_max
}

fn share_used(unit: &UnitLoad) -> f32 {
    let peers = unit.peers as f32 / unit.peers_max.max(1) as f32;
    // A load that is no number says nothing; the peers still do.
    if unit.load.is_finite() { peers.max(unit.load) } else { peers }
}

#[cfg(test)]
mod tests {
    use super::PlacementReason::{Crowded, First, Spill, Together};
    use super::*;

    /// Units as (id, peers of at most 100, load), the room as (id, peers), its bound for each unit, what comes out.
    type Case<'a> = (&'a [(u64, u32, f32)], &'a [(u64, u32)], u32, Result<(u64, PlacementReason), NoPlace>);

    fn check(cases: &[Case<'_>]) {
        for (units, room, bound, expected) in cases {
            let load = |(id, peers, load): &_| UnitLoad {
                unit: UnitId(*id),
                peers: *peers,
                peers_max: 100,
                load: *load,
            };
            let loads: Vec<UnitLoad> = units.iter().map(load).collect();
            let room_units: Vec<RoomUnit> =
                room.iter().map(|(id, peers)| RoomUnit { unit: UnitId(*id), peers: *peers }).collect();
            let placed = place(&loads, &room_units, *bound).map(|p| (p.unit.0, p.reason));
            assert_eq!(placed, *expected, "units {units:?}, room {room:?}, bound {bound}");
        }
    }

    #[test]
    fn a_new_room_goes_to_the_least_loaded_unit() {
        check(&[
            (&[(1, 50, 0.1), (2, 10, 0.3), (3, 5, 0.6)], &[], 50, Ok((2, First))),
            (&[(2, 10, 0.0), (1, 10, 0.0)], &[], 50, Ok((1, First))),
            (&[(1, 10, f32::NAN), (2, 20, 0.0)], &[], 50, Ok((1, First))),
            (&[(1, 100, 0.0), (2, 99, 1.0)], &[], 50, Ok((2, First))),
            (&[(1, 100, 0.0)], &[], 50, Err(NoPlace::Full)),
            (&[], &[], 50, Err(NoPlace::NoUnit)),
        ]);
    }

    #[test]
    fn a_room_stays_together_while_its_units_take_more_of_it() {
        check(&[
            (&[(1, 90, 0.9), (2, 0, 0.0)], &[(1, 49)], 50, Ok((1, Together))),
            // In the order in which the room came to them: who leaves makes place on the first.
            (&[(1, 0, 0.0), (2, 50, 0.5), (3, 20, 0.2)], &[(3, 20), (2, 50)], 50, Ok((3, Together))),
            (&[(1, 0, 0.0), (2, 40, 0.5), (3, 90, 0.2)], &[(3, 50), (2, 40)], 50, Ok((2, Together))),
            (&[(1, 0, 0.0), (2, 40, 0.5), (3, 100, 0.2)], &[(3, 20), (2, 40)], 50, Ok((2, Together))),
        ]);
    }

    #[test]
    fn a_room_spills_over_when_its_units_are_full_or_hold_much_of_it() {
        check(&[
            (&[(1, 50, 0.1), (2, 20, 0.4), (3, 30, 0.3)], &[(1, 50)], 50, Ok((3, Spill))),
            (&[(1, 100, 0.1), (2, 20, 0.4)], &[(1, 3)], 50, Ok((2, Spill))),
            (&[(1, 60, 0.1), (2, 60, 0.4), (3, 99, 0.0)], &[(1, 50), (2, 50)], 50, Ok((3, Spill))),
        ]);
    }

    #[test]
    fn where_no_other_unit_takes_anybody_the_room_is_crowded() {
        check(&[
            (&[(1, 60, 0.7), (2, 60, 0.4), (3, 100, 0.0)], &[(1, 50), (2, 50)], 50, Ok((2, Crowded))),
            (&[(1, 99, 0.0), (2, 100, 0.0)], &[(2, 60), (1, 60)], 50, Ok((1, Crowded))),
            (&[(1, 99, 0.0)], &[(1, 99)], 50, Ok((1, Crowded))),
            (&[(1, 100, 0.0), (2, 100, 0.0)], &[(2, 60), (1, 2)], 50, Err(NoPlace::Full)),
        ]);
    }

    #[test]
    fn units_that_are_gone_count_for_nothing() {
        check(&[
            (&[(2, 0, 0.0)], &[(1, 5)], 50, Ok((2, First))),
            (&[(2, 0, 0.0), (3, 30, 0.3)], &[(1, 50), (3, 10)], 50, Ok((3, Together))),
            (&[], &[(1, 5)], 50, Err(NoPlace::NoUnit)),
            (&[(2, 100, 0.0)], &[(1, 5)], 50, Err(NoPlace::Full)),
        ]);
    }

    #[test]
    fn the_decision_says_what_it_rests_on() {
        let unit = UnitLoad { unit: UnitId(1), peers: 40, peers_max: 100, load: 0.2 };
        let placed = place(&[unit], &[RoomUnit { unit: UnitId(1), peers: 7 }], 50);
        let expected = Placement { unit: UnitId(1), reason: Together, room_peers: 7, share_used: 0.4 };
        assert_eq!(placed, Ok(expected));
        assert_eq!(expected.reason.to_string(), "together");
    }
}
