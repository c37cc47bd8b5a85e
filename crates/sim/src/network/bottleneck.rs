//! The slowest link of a path, and the queue before it.

use std::time::{Duration, Instant};

/// A rate with a drop-tail queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Bits a second, of whole packets: what UDP and IP add is counted.
    pub bps: u64,
    /// A packet that would wait longer than this is dropped.
    pub queue: Duration,
}

impl Rate {
    /// A rate in kilobits a second with a queue in milliseconds.
    pub const fn kbps(kbps: u64, queue_ms: u64) -> Self {
        Self { bps: kbps * 1_000, queue: Duration::from_millis(queue_ms) }
    }

    fn time_of(&self, bits: u64) -> Duration {
        Duration::from_nanos(
            u64::try_from(u128::from(bits) * 1_000_000_000 / u128::from(self.bps.max(1))).unwrap_or(u64::MAX),
        )
    }
}

/// What waits.
#[derive(Debug, Clone, Default)]
pub(super) struct QueueState {
    /// When the last bit that was taken in has left.
    drained: Option<Instant>,
    /// The rate that was reckoned with.
    rate: Option<Rate>,
}

impl QueueState {
    /// When a packet that comes now has left; `None`: the queue is full.
    pub(super) fn departure(&mut self, rate: Option<Rate>, now: Instant, bytes: usize) -> Option<Instant> {
        self.change(rate, now);
        let Some(rate) = rate else { return Some(now) };
        let begins = self.drained.map_or(now, |at| at.max(now));
        if begins - now > rate.queue {
            return None;
        }
        let leaves = begins + rate.time_of(bytes as u64 * 8);
        self.drained = Some(leaves);
        Some(leaves)
    }

    /// What waits now leaves at another rate. (Packets that were given their time of departure keep it: a change moves
    /// at most the queue's length.)
    fn change(&mut self, rate: Option<Rate>, now: Instant) {
        let former = std::mem::replace(&mut self.rate, rate);
        if former.map(|r| r.bps) == rate.map(|r| r.bps) {
            return;
        }
        let (Some(former), Some(rate), Some(drained)) = (former, rate, self.drained) else {
            self.drained = None;
            return;
        };
        let waiting =
            drained.saturating_duration_since(now).as_nanos() * u128::from(former.bps) / 1_000_000_000;
        self.drained = Some(now + rate.time_of(u64::try_from(waiting).unwrap_or(u64::MAX)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PACKET: usize = 1_250;

    #[test]
    fn a_burst_leaves_at_the_rate_and_its_end_is_dropped() {
        let (mut queue, base) = (QueueState::default(), crate::tests::base());
        // 10 kbit a packet: 10 ms each at 1 Mbit/s.
        let rate = Some(Rate::kbps(1_000, 200));
        let left: Vec<_> = (0..40).filter_map(|_| queue.departure(rate, base, PACKET)).collect();
        assert_eq!(left.len(), 21, "200 ms of packets wait, and one more that begins within them");
        for (n, at) in (1..).zip(&left) {
            assert_eq!(*at - base, Duration::from_millis(10 * n));
        }
        let later = base + Duration::from_secs(1);
        assert_eq!(queue.departure(rate, later, PACKET), Some(later + Duration::from_millis(10)));
    }

    #[test]
    fn what_waits_leaves_slower_when_the_rate_falls() {
        let (mut queue, base) = (QueueState::default(), crate::tests::base());
        for _ in 0..10 {
            queue.departure(Some(Rate::kbps(4_000, 200)), base, PACKET);
        }
        // 25 ms of 4 Mbit/s are 100 ms of 1 Mbit/s.
        let slow = Some(Rate::kbps(1_000, 200));
        assert_eq!(queue.departure(slow, base, PACKET), Some(base + Duration::from_millis(110)));
    }

    proptest! {
        #[test]
        fn no_more_passes_than_the_rate_and_nothing_waits_longer_than_the_queue(
            kbps in 50u64..10_000, queue_ms in 0u64..500, packets in prop::collection::vec((0u64..30, 40usize..1_300), 1..300)
        ) {
            let rate = Rate::kbps(kbps, queue_ms);
            let (mut queue, base) = (QueueState::default(), crate::tests::base());
            let (mut now, mut bits, mut last) = (base, 0u64, base);
            for (gap, bytes) in packets {
                now += Duration::from_millis(gap);
                if let Some(at) = queue.departure(Some(rate), now, bytes) {
                    prop_assert!(at >= last);
                    prop_assert!(at - now <= rate.queue + rate.time_of(bytes as u64 * 8));
                    last = at;
                    bits += bytes as u64 * 8;
                }
            }
            prop_assert!((last - base).as_secs_f64() * rate.bps as f64 >= bits as f64 * 0.999 - 1.0);
        }
    }
}
