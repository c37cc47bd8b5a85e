//! What a unit is doing, for metrics and placement.

use std::time::Duration;

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
    /// How long packets stayed here.
    pub delays: Delays,
}

/// Upper bounds of what delays are counted by, in seconds.
pub const DELAY_BUCKETS: [f64; 9] = [0.000_25, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1];

/// How long packets stayed in a unit, by samples.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Delays {
    /// Samples below each of [`DELAY_BUCKETS`] and not below the one before; the last: above all.
    pub counts: [u64; DELAY_BUCKETS.len() + 1],
    /// All of them together.
    pub seconds: f64,
    /// Samples that were never found again: the port's buffer was full.
    pub lost: u64,
}

impl Delays {
    /// How many samples there are.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    pub(crate) fn note(&mut self, delay: Duration) {
        let seconds = delay.as_secs_f64();
        self.seconds += seconds;
        let bucket = DELAY_BUCKETS.iter().position(|bound| seconds <= *bound);
        if let Some(count) = self.counts.get_mut(bucket.unwrap_or(DELAY_BUCKETS.len())) {
            *count += 1;
        }
    }
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
            delays: Delays::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_counts_where_it_belongs() {
        let mut delays = Delays::default();
        for micros in [1, 250, 251, 100_000, 100_001, 5_000_000] {
            delays.note(Duration::from_micros(micros));
        }
        assert_eq!(delays.counts, [2, 1, 0, 0, 0, 0, 0, 0, 1, 2]);
        assert_eq!(delays.count(), 6);
        assert!((delays.seconds - 5.200_503).abs() < 1e-6, "{}", delays.seconds);
    }
}
