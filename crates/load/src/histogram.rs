//! Durations counted by size, in memory that does not grow with their number.

use std::ops::AddAssign;
use std::time::Duration;

/// Microseconds that are counted exactly.
const EXACT: u64 = 64;
/// Beyond, each doubling is cut into this many steps: a value is known to 3 %.
const STEPS: u64 = 32;
/// Doublings beyond the exact ones: up to 71 minutes.
const DOUBLINGS: u64 = 26;
const BUCKETS: usize = (EXACT + DOUBLINGS * STEPS) as usize;

/// How often durations of about which length occurred.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Histogram {
    counts: Box<[u64]>,
    max: Duration,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: vec![0; BUCKETS].into(), max: Duration::ZERO }
    }
}

impl Histogram {
    /// Counts one.
    pub fn record(&mut self, duration: Duration) {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        if let Some(count) = self.counts.get_mut(bucket(micros)) {
            *count += 1;
        }
        self.max = self.max.max(duration);
    }

    /// How many were counted.
    pub fn len(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Whether none was.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The longest since the beginning, exactly.
    pub fn max(&self) -> Duration {
        self.max
    }

    /// The length below which that share (0 to 1) lies, by nearest rank; at most 3 % too long. None without any.
    pub fn percentile(&self, share: f64) -> Option<Duration> {
        let rank = ((share * self.len() as f64).ceil() as u64).max(1);
        let mut below = 0;
        let index = self.counts.iter().position(|count| {
            below += count;
            below >= rank
        })?;
        Some(Duration::from_micros(upper_end(index as u64)).min(self.max))
    }

    /// What was counted after the earlier reading. The longest stays that of all.
    pub fn since(mut self, earlier: &Self) -> Self {
        for (count, earlier) in self.counts.iter_mut().zip(&earlier.counts) {
            *count = count.saturating_sub(*earlier);
        }
        self
    }
}

impl AddAssign<&Self> for Histogram {
    fn add_assign(&mut self, other: &Self) {
        for (count, other) in self.counts.iter_mut().zip(&other.counts) {
            *count += other;
        }
        self.max = self.max.max(other.max);
    }
}

fn bucket(micros: u64) -> usize {
    if micros < EXACT {
        return micros as usize;
    }
    let doubling = u64::from((micros / EXACT).ilog2());
    let step = (micros >> (doubling + 1)) - STEPS;
    ((EXACT + doubling * STEPS + step) as usize).min(BUCKETS - 1)
}

/// The largest value of a bucket.
fn upper_end(index: u64) -> u64 {
    match index.checked_sub(EXACT) {
        None => index,
        Some(beyond) => ((STEPS + beyond % STEPS + 1) << (beyond / STEPS + 1)) - 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_in_a_bucket_whose_end_is_at_most_a_thirtieth_above() {
        for micros in (0..5_000).chain((12..41).map(|bit| (1 << bit) + 77)) {
            if micros >= 1 << 32 {
                continue;
            }
            let end = upper_end(bucket(micros) as u64);
            assert!(end >= micros && end <= micros + micros / 30, "{micros} {end}");
            assert!(micros == 0 || bucket(micros) >= bucket(micros - 1));
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn percentiles_are_by_rank_and_windows_are_differences() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.percentile(0.5), None);
        (1..=50).for_each(|us| histogram.record(Duration::from_micros(us)));
        assert_eq!(histogram.percentile(0.5), Some(Duration::from_micros(25)));
        assert_eq!(histogram.percentile(1.0), Some(Duration::from_micros(50)));
        let earlier = histogram.clone();
        histogram.record(Duration::from_millis(3));
        assert_eq!(histogram.max(), Duration::from_millis(3));
        let window = histogram.since(&earlier);
        assert_eq!((window.len(), window.percentile(0.01)), (1, Some(Duration::from_millis(3))));
        let mut sum = earlier.clone();
        sum += &window;
        assert_eq!(sum.len(), 51);
    }
}
