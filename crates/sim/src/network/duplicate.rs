//! Packets that arrive twice.

use std::time::Duration;

use crate::random::Random;

/// Some packets come a second time.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Duplicate {
    /// Share of packets.
    pub share: f64,
    /// At most so much later than the first; each time as likely.
    pub after: Duration,
}

impl Duplicate {
    /// How much later the next packet comes a second time, if it does.
    pub fn second(&self, random: &mut Random) -> Option<Duration> {
        random.happens(self.share).then(|| self.after.mul_f64(random.share()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_comes_twice() {
        let duplicate = Duplicate { share: 0.1, after: Duration::from_millis(10) };
        let mut random = Random::new(1);
        let seconds: Vec<_> = (0..10_000).filter_map(|_| duplicate.second(&mut random)).collect();
        assert!((900..1_100).contains(&seconds.len()), "{}", seconds.len());
        assert!(seconds.iter().all(|s| *s < duplicate.after));
    }
}
