//! Packets that are overtaken.

use std::time::Duration;

use crate::random::Random;

/// Some packets take a longer way, and those behind them do not wait.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Reorder {
    /// Share of packets.
    pub share: f64,
    /// At most so much later; each time as likely.
    pub by: Duration,
}

impl Reorder {
    /// How much later the next packet comes.
    pub fn detour(&self, random: &mut Random) -> Duration {
        if random.happens(self.share) { self.by.mul_f64(random.share()) } else { Duration::ZERO }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_takes_a_detour_that_is_bounded() {
        let reorder = Reorder { share: 0.25, by: Duration::from_millis(40) };
        let mut random = Random::new(1);
        let detours: Vec<Duration> = (0..10_000).map(|_| reorder.detour(&mut random)).collect();
        let count = detours.iter().filter(|d| !d.is_zero()).count();
        assert!((2_300..2_700).contains(&count), "{count}");
        assert!(detours.iter().all(|d| *d < reorder.by));
        assert!((0..100).all(|_| Reorder::default().detour(&mut random).is_zero()));
    }
}
