//! What a unit is doing, for metrics and placement.

use model::UnitId;
use sfu::Counters;

/// One unit, at most a second ago.
#[derive(Debug, Clone, Copy)]
pub struct UnitStats {
    /// Which.
    pub unit: UnitId,
    /// Peers.
    pub peers: usize,
    /// Share of one core in the last second, 0 to 1.
    pub load: f32,
    /// Totals of forwarding.
    pub forwarding: Counters,
    /// Datagrams that could not be sent.
    pub datagrams_dropped: u64,
    /// Batches for other units that were lost, because those were behind.
    pub batches_dropped: u64,
    /// Times that the unit failed and began anew.
    pub panics: u64,
}

impl UnitStats {
    pub(crate) fn new(unit: UnitId) -> Self {
        Self {
            unit,
            peers: 0,
            load: 0.0,
            forwarding: Counters::default(),
            datagrams_dropped: 0,
            batches_dropped: 0,
            panics: 0,
        }
    }
}
