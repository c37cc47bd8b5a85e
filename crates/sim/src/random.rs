//! Numbers that are the same in every run.

/// A repeatable sequence (SplitMix64, Steele et al. 2014). Every part of a world has one of its own, so that one more
/// draw in one part changes nothing in another.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// A sequence of its own for each seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A sequence of its own for a part, whatever was drawn here before or will be after.
    pub fn part(&self, label: &str, number: u64) -> Self {
        let mut part = Self(self.0 ^ number.wrapping_mul(0xd6e8_feb8_6659_fd93));
        for byte in label.bytes() {
            part.0 = part.draw() ^ u64::from(byte);
        }
        Self(part.draw())
    }

    /// The next number.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Between 0 and 1, 1 excluded.
    pub fn share(&mut self) -> f64 {
        (self.draw() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// True in this share of draws. Nothing is drawn for never and always.
    pub fn happens(&mut self, share: f64) -> bool {
        share >= 1.0 || (share > 0.0 && self.share() < share)
    }

    /// Less than `end`, each as likely; 0 for an empty range.
    pub fn below(&mut self, end: u64) -> u64 {
        self.draw().checked_rem(end).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_spread_evenly_and_repeat() {
        let mean = |seed| {
            let mut random = Random::new(seed);
            (0..10_000).map(|_| random.share()).sum::<f64>() / 10_000.0
        };
        assert_eq!(mean(1), mean(1));
        for seed in 0..20 {
            assert!((0.48..0.52).contains(&mean(seed)), "{seed}: {}", mean(seed));
        }
    }

    #[test]
    fn parts_differ_by_label_and_by_number() {
        let world = Random::new(7);
        let mut first: Vec<u64> = ["up", "down"]
            .into_iter()
            .flat_map(|label| (0..100).map(move |n| (label, n)))
            .map(|(label, n)| world.part(label, n).draw())
            .collect();
        first.sort_unstable();
        first.dedup();
        assert_eq!(first.len(), 200);
    }
}
