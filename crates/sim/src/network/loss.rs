//! Packets that vanish on the air.

use crate::random::Random;

/// The Gilbert–Elliott model (Gilbert 1960, Elliott 1963): a good and a bad state, each with its own loss, changed with
/// a probability at each packet.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Loss {
    /// From good to bad, at each packet.
    pub worsens: f64,
    /// From bad to good, at each packet.
    pub recovers: f64,
    /// Share of packets lost while good.
    pub in_good: f64,
    /// Share of packets lost while bad.
    pub in_bad: f64,
}

impl Loss {
    /// Nothing is lost.
    pub const NONE: Self = Self { worsens: 0.0, recovers: 0.0, in_good: 0.0, in_bad: 0.0 };

    /// Each packet by itself.
    pub const fn even(share: f64) -> Self {
        Self { worsens: 0.0, recovers: 0.0, in_good: share, in_bad: 0.0 }
    }

    /// That share of packets, in rows of that many on average: everything is lost while bad, nothing while good.
    pub fn bursts(share: f64, length: f64) -> Self {
        let recovers = 1.0 / length.max(1.0);
        // The share of time spent in the bad state is worsens / (worsens + recovers).
        let worsens = recovers * share / (1.0 - share).max(f64::EPSILON);
        Self { worsens: worsens.min(1.0), recovers, in_good: 0.0, in_bad: 1.0 }
    }
}

/// Where the model stands.
#[derive(Debug, Clone, Default)]
pub(super) struct LossState {
    bad: bool,
}

impl LossState {
    /// Whether the next packet is lost.
    pub(super) fn loses(&mut self, loss: &Loss, random: &mut Random) -> bool {
        let change = if self.bad { loss.recovers } else { loss.worsens };
        self.bad ^= random.happens(change);
        random.happens(if self.bad { loss.in_bad } else { loss.in_good })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Share of packets lost, and the mean length of rows of lost ones.
    fn measure(loss: Loss, seed: u64) -> (f64, f64) {
        let (mut state, mut random) = (LossState::default(), Random::new(seed));
        let fates: Vec<bool> = (0..200_000).map(|_| state.loses(&loss, &mut random)).collect();
        let lost = fates.iter().filter(|l| **l).count() as f64;
        let rows = fates.windows(2).filter(|w| !w[0] && w[1]).count() as f64;
        (lost / fates.len() as f64, lost / rows.max(1.0))
    }

    #[test]
    fn nothing_is_lost_on_a_good_line() {
        assert_eq!(measure(Loss::NONE, 1).0, 0.0);
    }

    #[test]
    fn even_loss_has_its_share_and_short_rows() {
        let (share, row) = measure(Loss::even(0.1), 2);
        assert!((0.095..0.105).contains(&share), "{share}");
        assert!((1.05..1.2).contains(&row), "{row}");
    }

    #[test]
    fn bursts_have_the_same_share_in_longer_rows() {
        for (wanted, length) in [(0.05, 4.0), (0.1, 8.0), (0.2, 3.0)] {
            let (share, row) = measure(Loss::bursts(wanted, length), 3);
            assert!((share - wanted).abs() < 0.01, "{wanted}: {share}");
            assert!((row - length).abs() < length * 0.1, "{length}: {row}");
        }
    }
}
