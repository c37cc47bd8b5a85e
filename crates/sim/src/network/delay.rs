//! How long a packet is on its way, apart from queues.

use std::time::{Duration, Instant};

use crate::random::Random;

/// Latency and its variation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Delay {
    /// Of every packet.
    pub latency: Duration,
    /// At most so much more, mostly about half of it.
    pub jitter: Duration,
}

/// When the packet before arrived: jitter alone lets no packet overtake another, as in the queues of real networks.
#[derive(Debug, Clone, Default)]
pub(super) struct DelayState {
    newest: Option<Instant>,
}

impl DelayState {
    /// When a packet that leaves now arrives.
    pub(super) fn arrival(&mut self, delay: &Delay, random: &mut Random, now: Instant) -> Instant {
        let spread = if delay.jitter.is_zero() {
            0.0
        } else {
            (random.share() + random.share() + random.share()) / 3.0
        };
        let at = now + delay.latency + delay.jitter.mul_f64(spread);
        let at = self.newest.map_or(at, |newest| at.max(newest));
        self.newest = Some(at);
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn nobody_overtakes_and_nobody_is_early(
            seed: u64, latency in 0u64..500, jitter in 0u64..100, gaps in prop::collection::vec(0u64..20, 1..200)
        ) {
            let delay = Delay {
                latency: Duration::from_millis(latency),
                jitter: Duration::from_millis(jitter),
            };
            let (mut state, mut random) = (DelayState::default(), Random::new(seed));
            let base = crate::tests::base();
            let (mut now, mut before) = (base, base);
            for gap in gaps {
                now += Duration::from_millis(gap);
                let at = state.arrival(&delay, &mut random, now);
                prop_assert!(at >= now + delay.latency && at >= before);
                prop_assert!(at <= (now + delay.latency + delay.jitter).max(before));
                before = at;
            }
        }
    }
}
