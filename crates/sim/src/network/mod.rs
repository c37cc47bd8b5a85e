//! A bad network: each direction of each client's path is a bottleneck with its queue, then loss, then delay, detours and
//! doubles. Pure: told the time, drawing from its own seeded sequence.

mod bottleneck;
mod delay;
mod duplicate;
mod loss;
mod reorder;

use std::time::{Duration, Instant};

pub use bottleneck::Rate;
pub use delay::Delay;
pub use duplicate::Duplicate;
pub use loss::Loss;
pub use reorder::Reorder;

use crate::random::Random;

/// What UDP and IPv4 add to a datagram.
const HEADER_BYTES: usize = 28;

/// One direction of a path, for a while.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Link {
    /// Latency and jitter.
    pub delay: Delay,
    /// What is lost on the air.
    pub loss: Loss,
    /// What is overtaken.
    pub reorder: Reorder,
    /// What comes twice.
    pub duplicate: Duplicate,
    /// The bottleneck; `None`: there is none.
    pub rate: Option<Rate>,
}

impl Link {
    /// A good line of that latency, with a millisecond of jitter.
    pub const fn good(latency_ms: u64) -> Self {
        Self {
            delay: Delay { latency: Duration::from_millis(latency_ms), jitter: Duration::from_millis(1) },
            loss: Loss::NONE,
            reorder: Reorder { share: 0.0, by: Duration::ZERO },
            duplicate: Duplicate { share: 0.0, after: Duration::ZERO },
            rate: None,
        }
    }

    /// The same with a bottleneck: kilobits a second, and milliseconds of its queue.
    pub const fn limited(self, kbps: u64, queue_ms: u64) -> Self {
        Self { rate: Some(Rate::kbps(kbps, queue_ms)), ..self }
    }

    /// The same with loss.
    pub const fn lossy(self, loss: Loss) -> Self {
        Self { loss, ..self }
    }
}

/// A link that changes over time.
#[derive(Debug, Clone, PartialEq)]
pub struct Script {
    first: Link,
    /// In order.
    changes: Vec<(Duration, Link)>,
}

impl From<Link> for Script {
    fn from(first: Link) -> Self {
        Self { first, changes: Vec::new() }
    }
}

impl Script {
    /// The link is another from then on, counted from the beginning of the world. Later changes come later.
    #[must_use]
    pub fn then(mut self, at: Duration, link: Link) -> Self {
        self.changes.push((at, link));
        self
    }

    /// The link at that time.
    pub fn at(&self, time: Duration) -> &Link {
        self.changes.iter().rev().find(|(from, _)| *from <= time).map_or(&self.first, |(_, link)| link)
    }

    /// The longest that a datagram is on its way, apart from detours.
    pub fn latency_max(&self) -> Duration {
        let of = |link: &Link| {
            link.delay.latency + link.delay.jitter + link.rate.map_or(Duration::ZERO, |rate| rate.queue)
        };
        self.changes.iter().map(|(_, link)| of(link)).fold(of(&self.first), Duration::max)
    }

    /// The same without loss: what would have been.
    #[must_use]
    pub fn without_loss(mut self) -> Self {
        self.first.loss = Loss::NONE;
        self.changes.iter_mut().for_each(|(_, link)| link.loss = Loss::NONE);
        self
    }
}

/// What becomes of a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The bottleneck's queue was full.
    QueueFull,
    /// It was lost on the air.
    Lost,
    /// It arrives, and perhaps once more.
    Arrives {
        /// When.
        at: Instant,
        /// When again.
        again: Option<Instant>,
    },
}

/// One direction of one client's path.
#[derive(Debug)]
pub struct Pipe {
    base: Instant,
    script: Script,
    random: Random,
    queue: bottleneck::QueueState,
    loss: loss::LossState,
    delay: delay::DelayState,
}

impl Pipe {
    /// A pipe whose script counts from `base`.
    pub fn new(base: Instant, script: Script, random: Random) -> Self {
        Self {
            base,
            script,
            random,
            queue: bottleneck::QueueState::default(),
            loss: loss::LossState::default(),
            delay: delay::DelayState::default(),
        }
    }

    /// Takes a datagram.
    pub fn send(&mut self, now: Instant, bytes: usize) -> Fate {
        let link = self.script.at(now.saturating_duration_since(self.base));
        let Some(leaves) = self.queue.departure(link.rate, now, bytes + HEADER_BYTES) else {
            return Fate::QueueFull;
        };
        if self.loss.loses(&link.loss, &mut self.random) {
            return Fate::Lost;
        }
        let at =
            self.delay.arrival(&link.delay, &mut self.random, leaves) + link.reorder.detour(&mut self.random);
        Fate::Arrives { at, again: link.duplicate.second(&mut self.random).map(|after| at + after) }
    }

    /// How long a message on a reliable connection takes now.
    pub fn latency(&self, now: Instant) -> Duration {
        self.script.at(now.saturating_duration_since(self.base)).delay.latency
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fates(base: Instant, script: Script, seed: u64) -> Vec<Fate> {
        let mut pipe = Pipe::new(base, script, Random::new(seed));
        (0..1_000u32).map(|n| pipe.send(base + Duration::from_millis(10) * n, 1_200)).collect()
    }

    fn storm() -> Link {
        Link {
            reorder: Reorder { share: 0.2, by: Duration::from_millis(50) },
            duplicate: Duplicate { share: 0.2, after: Duration::from_millis(20) },
            ..Link::good(30).lossy(Loss::bursts(0.1, 3.0)).limited(900, 100)
        }
    }

    #[test]
    fn one_seed_is_one_fate() {
        let base = crate::tests::base();
        assert_eq!(fates(base, storm().into(), 5), fates(base, storm().into(), 5));
        assert_ne!(fates(base, storm().into(), 5), fates(base, storm().into(), 6));
    }

    #[test]
    fn all_that_is_bad_happens_and_the_rest_arrives() {
        let all = fates(crate::tests::base(), storm().into(), 5);
        let count = |what: fn(&Fate) -> bool| all.iter().filter(|f| what(f)).count();
        assert!(count(|f| *f == Fate::QueueFull) > 20);
        assert!(count(|f| *f == Fate::Lost) > 30);
        assert!(count(|f| matches!(f, Fate::Arrives { again: Some(_), .. })) > 80);
        let arrivals: Vec<Instant> = all
            .iter()
            .filter_map(|f| if let Fate::Arrives { at, .. } = f { Some(*at) } else { None })
            .collect();
        assert!(arrivals.windows(2).filter(|w| w[1] < w[0]).count() > 50);
    }

    #[test]
    fn a_script_changes_the_link_at_its_time() {
        let second = Duration::from_secs(5);
        let script = Script::from(Link::good(10)).then(second, Link::good(10).lossy(Loss::even(1.0)));
        let all = fates(crate::tests::base(), script, 1);
        let lost = all.iter().position(|f| *f == Fate::Lost);
        assert_eq!(lost, Some(500));
        assert!(all.iter().skip(500).all(|f| *f == Fate::Lost));
    }
}
