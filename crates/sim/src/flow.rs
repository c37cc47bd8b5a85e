//! How much went by when.

use std::time::{Duration, Instant};

/// Of one entry.
const STEP: Duration = Duration::from_millis(100);

/// Bytes over time, in steps of 100 ms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    base: Instant,
    bytes: Vec<u32>,
}

impl Flow {
    /// Nothing yet; time counts from `base`.
    pub fn new(base: Instant) -> Self {
        Self { base, bytes: Vec::new() }
    }

    /// Something went by.
    pub fn count(&mut self, now: Instant, bytes: usize) {
        let step = index(now.saturating_duration_since(self.base));
        if self.bytes.len() <= step {
            self.bytes.resize(step + 1, 0);
        }
        if let Some(entry) = self.bytes.get_mut(step) {
            *entry = entry.saturating_add(bytes as u32);
        }
    }

    /// What went by from then until then.
    pub fn bytes(&self, from: Duration, to: Duration) -> u64 {
        let steps = self.bytes.iter().skip(index(from)).take(index(to).saturating_sub(index(from)));
        steps.map(|bytes| u64::from(*bytes)).sum()
    }

    /// The instants, to the step, at which something went by.
    pub fn times(&self) -> impl Iterator<Item = Duration> {
        (0u32..).zip(&self.bytes).filter(|(_, bytes)| **bytes > 0).map(|(step, _)| STEP * step)
    }
}

fn index(at: Duration) -> usize {
    (at.as_millis() / STEP.as_millis()) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_counted_where_they_went_by() {
        let base = crate::tests::base();
        let mut flow = Flow::new(base);
        for (ms, bytes) in [(0, 10), (50, 5), (210, 7), (999, 1)] {
            flow.count(base + Duration::from_millis(ms), bytes);
        }
        let ms = Duration::from_millis;
        assert_eq!(flow.times().collect::<Vec<_>>(), [ms(0), ms(200), ms(900)]);
        assert_eq!((flow.bytes(ms(0), ms(100)), flow.bytes(ms(100), ms(1_000))), (15, 8));
        assert_eq!(flow.bytes(ms(300), ms(900)), 0);
    }
}
