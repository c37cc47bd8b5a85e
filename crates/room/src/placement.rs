//! On which unit a room lives: a pure function of what the units say of themselves.

use model::UnitId;

/// What a unit says of itself.
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

/// Why a room cannot be placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoPlace {
    /// No unit is up.
    #[error("no media unit is up")]
    NoUnit,
    /// No unit that may be used takes one more peer.
    #[error("the media units are full")]
    Full,
}

/// The unit for one more participant of a room: the room's own (`current`) as long as that is up, else the least loaded
/// one that takes one more. All of a room lives on one unit for now, so a room on a full unit is full.
///
/// Load is the larger share of what the unit is out of first, processor or peers; equal loads go by the unit's id, so
/// that the decision can be repeated. Cost: one pass.
///
/// # Errors
/// See [`NoPlace`].
pub fn place(units: &[UnitLoad], current: Option<UnitId>) -> Result<UnitId, NoPlace> {
    if let Some(own) = units.iter().find(|u| Some(u.unit) == current) {
        return if has_room(own) { Ok(own.unit) } else { Err(NoPlace::Full) };
    }
    let least = units
        .iter()
        .filter(|u| has_room(u))
        .min_by(|a, b| share_used(a).total_cmp(&share_used(b)).then(a.unit.cmp(&b.unit)));
    match least {
        Some(unit) => Ok(unit.unit),
        None if units.is_empty() => Err(NoPlace::NoUnit),
        None => Err(NoPlace::Full),
    }
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
    use super::*;

    fn unit(id: u64, peers: u32, load: f32) -> UnitLoad {
        UnitLoad { unit: UnitId(id), peers, peers_max: 100, load }
    }

    #[test]
    fn a_new_room_goes_to_the_least_loaded_unit() {
        assert_eq!(place(&[unit(1, 50, 0.1), unit(2, 10, 0.3), unit(3, 5, 0.6)], None), Ok(UnitId(2)));
        assert_eq!(place(&[unit(2, 10, 0.0), unit(1, 10, 0.0)], None), Ok(UnitId(1)));
        assert_eq!(place(&[unit(1, 10, f32::NAN), unit(2, 20, 0.0)], None), Ok(UnitId(1)));
    }

    #[test]
    fn a_room_stays_on_its_unit_while_that_is_up() {
        assert_eq!(place(&[unit(1, 90, 0.9), unit(2, 0, 0.0)], Some(UnitId(1))), Ok(UnitId(1)));
        assert_eq!(place(&[unit(1, 100, 0.9), unit(2, 0, 0.0)], Some(UnitId(1))), Err(NoPlace::Full));
    }

    #[test]
    fn a_room_whose_unit_is_gone_moves() {
        assert_eq!(place(&[unit(2, 0, 0.0)], Some(UnitId(1))), Ok(UnitId(2)));
        assert_eq!(place(&[], Some(UnitId(1))), Err(NoPlace::NoUnit));
        assert_eq!(place(&[unit(2, 100, 0.0)], Some(UnitId(1))), Err(NoPlace::Full));
    }
}
