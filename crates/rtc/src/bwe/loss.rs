//! The rate that losses allow (draft-ietf-rmcat-gcc-02 §6, as libwebrtc's `SendSideBandwidthEstimation` does it): above
//! a tenth lost it falls, below a fiftieth it grows, in between it stays.
//!
//! It is a cap that exists only while losses limit: a path that loses five packets of a hundred by itself is not held
//! at whatever rate it began with. And losses that stay when the rate has been cut are the path's own (radio): cutting
//! further would help nobody.

/// Lost above which the rate falls.
const HIGH: f64 = 0.10;
/// Lost below which it grows.
const LOW: f64 = 0.02;
/// Packets that make a share: few are chance, with which five in a hundred are often a tenth.
const PACKETS_MIN: u32 = 50;
/// And they were sent over so long at least: losses come in rows.
const WINDOW_US: i64 = 200_000;
/// Fewer make one too after [`SLOW_WINDOW_US`].
const PACKETS_SLOW_MIN: u32 = 20;
const SLOW_WINDOW_US: i64 = 500_000;
/// Up to this share, more packets are waited for, up to so many.
const UNSURE: f64 = 0.16;
const PACKETS_SURE: u32 = 150;
/// Half of so many lost is no chance.
const PACKETS_HEAVY_MIN: u32 = 20;
/// A reduction is followed by another after a round trip and this.
const REDUCE_INTERVAL_US: i64 = 300_000;
/// Growth in a second.
const GROWTH: f64 = 1.08;
/// So far above the rate that the delay allows, the cap is of no use any more.
const LIFTED: f64 = 1.5;
/// An episode ends after so long without a reduction.
const EPISODE_US: i64 = 5_000_000;
/// When the rate has fallen to this part and not [`RELIEF`] times the share gets through, losses are not ours.
const CUT: f64 = 0.6;
const RELIEF: f64 = 1.15;
/// More than this is no path's own.
const INHERENT_MAX: f64 = 0.3;
/// How fast what is the path's own follows what is seen, never above what it was found to be.
const INHERENT_SPEED: f64 = 0.1;
/// So much lost means a full queue: what arrives is what the path carries.
const HEAVY: f64 = 0.3;
/// Of that, so much is sent, so that the queue drains.
const BACK_OFF: f64 = 0.85;
/// Share of the past in the loss that is shown.
const SMOOTHING: f64 = 0.7;

#[derive(Debug, Clone, Copy)]
struct Episode {
    rate: f64,
    loss: f64,
}

/// Packets of one feedback.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    pub(super) received: u32,
    pub(super) lost: u32,
    /// Of those received, these had been counted as lost before.
    pub(super) late: u32,
}

/// What else is known of the path.
#[derive(Debug, Clone, Copy)]
pub(super) struct Path {
    pub(super) now_us: i64,
    pub(super) round_trip_us: i64,
    /// What the delay allows, in bit/s.
    pub(super) delay_rate: f64,
    /// What arrives, in bit/s.
    pub(super) throughput: Option<f64>,
}

/// The rate that losses allow.
#[derive(Debug)]
pub(super) struct Loss {
    cap: Option<f64>,
    min: f64,
    expected: u32,
    lost: u32,
    window_us: i64,
    /// Of the last window.
    share: f64,
    smoothed: f64,
    /// Lost whatever is sent: now, and when that was found.
    inherent: f64,
    inherent_found: f64,
    episode: Option<Episode>,
    reduced_us: Option<i64>,
    grown_us: i64,
}

impl Loss {
    pub(super) fn new(now_us: i64, min: f64) -> Self {
        Self {
            cap: None,
            min,
            expected: 0,
            lost: 0,
            window_us: now_us,
            share: 0.0,
            smoothed: 0.0,
            inherent: 0.0,
            inherent_found: 0.0,
            episode: None,
            reduced_us: None,
            grown_us: now_us,
        }
    }

    /// In bit/s, while losses limit.
    pub(super) fn cap(&self) -> Option<f64> {
        self.cap
    }

    /// Smoothed share of packets lost, 0 to 1.
    pub(super) fn smoothed(&self) -> f64 {
        self.smoothed
    }

    /// When it last fell.
    pub(super) fn reduced_us(&self) -> Option<i64> {
        self.reduced_us
    }

    /// Losses are so many that more should not be tried.
    pub(super) fn is_high(&self) -> bool {
        self.effective() > HIGH
    }

    fn effective(&self) -> f64 {
        ((self.share - self.inherent) / (1.0 - self.inherent)).max(0.0)
    }

    /// What was lost last is too long ago to say anything.
    pub(super) fn forget_share(&mut self) {
        (self.share, self.expected, self.lost) = (0.0, 0, 0);
    }

    /// A probe has got through.
    pub(super) fn raise(&mut self, rate: f64) {
        if !self.is_high() {
            self.cap = self.cap.map(|cap| cap.max(rate));
        }
    }

    /// Counts packets of one feedback.
    pub(super) fn count(&mut self, counts: Counts, path: Path) {
        self.expected += counts.received.saturating_sub(counts.late) + counts.lost;
        self.lost = (self.lost + counts.lost).saturating_sub(counts.late);
        let passed_us = path.now_us - self.window_us;
        let heavy = self.expected >= PACKETS_HEAVY_MIN && self.lost * 2 > self.expected;
        let enough = self.expected >= PACKETS_MIN && passed_us >= WINDOW_US
            || self.expected >= PACKETS_SLOW_MIN && passed_us >= SLOW_WINDOW_US;
        let share = f64::from(self.lost) / f64::from(self.expected.max(1));
        // A little above what is too much: with few packets that is chance more often than not.
        let unsure =
            (HIGH..UNSURE).contains(&share) && self.expected < PACKETS_SURE && passed_us < SLOW_WINDOW_US;
        if heavy || enough && !unsure {
            (self.expected, self.lost, self.window_us) = (0, 0, path.now_us);
            self.update(share, path);
        }
    }

    /// Takes a share of packets lost.
    pub(super) fn update(&mut self, share: f64, path: Path) {
        let Path { now_us, delay_rate, .. } = path;
        self.share = share.clamp(0.0, 1.0);
        self.smoothed = SMOOTHING * self.smoothed + (1.0 - SMOOTHING) * self.share;
        let inherent = self.inherent + INHERENT_SPEED * (self.share - self.inherent);
        self.inherent = inherent.min(self.inherent_found);
        let rate = self.cap.unwrap_or(delay_rate).min(delay_rate);
        if self.effective() > HIGH {
            self.reduce(rate, path);
        } else if self.effective() < LOW {
            self.grow(now_us, delay_rate);
        } else {
            self.grown_us = now_us;
        }
        if self.reduced_us.is_none_or(|at| now_us - at > EPISODE_US) {
            self.episode = None;
        }
    }

    fn reduce(&mut self, rate: f64, Path { now_us, round_trip_us, throughput, .. }: Path) {
        self.grown_us = now_us;
        let wait_us = REDUCE_INTERVAL_US + round_trip_us;
        if self.reduced_us.is_some_and(|at| now_us - at < wait_us) {
            return;
        }
        let episode = *self.episode.get_or_insert(Episode { rate, loss: self.share });
        let relieved = 1.0 - self.share >= RELIEF * (1.0 - episode.loss);
        if rate <= CUT * episode.rate && !relieved && self.share <= INHERENT_MAX {
            self.inherent = self.share;
            self.inherent_found = self.share.max(episode.loss).min(INHERENT_MAX);
            self.episode = None;
            return;
        }
        let mut reduced = rate * (1.0 - 0.5 * self.effective());
        if let Some(throughput) = throughput.filter(|_| self.effective() > HEAVY) {
            reduced = reduced.min(BACK_OFF * throughput);
        }
        self.cap = Some(reduced.max(self.min));
        self.reduced_us = Some(now_us);
    }

    fn grow(&mut self, now_us: i64, delay_rate: f64) {
        let passed_s = ((now_us - self.grown_us) as f64 / 1e6).clamp(0.0, 1.0);
        self.grown_us = now_us;
        self.cap = self
            .cap
            .map(|cap| cap * GROWTH.powf(passed_s) + 1_000.0 * passed_s)
            .filter(|cap| *cap < LIFTED * delay_rate);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Windows of a tenth of a second with this share lost at each rate; what is allowed at the end.
    fn run(loss: &mut Loss, from_s: i64, seconds: i64, delay_rate: f64, share: impl Fn(f64) -> f64) -> f64 {
        for n in 0..seconds * 10 {
            let rate = loss.cap().map_or(delay_rate, |c| c.min(delay_rate));
            let now_us = from_s * 1_000_000 + n * 100_000;
            let path = Path { now_us, round_trip_us: 50_000, delay_rate, throughput: None };
            loss.update(share(rate), path);
        }
        loss.cap().map_or(delay_rate, |c| c.min(delay_rate))
    }

    #[test]
    fn five_in_a_hundred_limit_nothing() {
        let mut loss = Loss::new(0, 30e3);
        assert_eq!(run(&mut loss, 0, 60, 4e6, |_| 0.05), 4e6);
        assert!((loss.smoothed() - 0.05).abs() < 1e-3);
    }

    #[test]
    fn a_full_queue_takes_the_rate_to_what_passes_and_it_comes_back() {
        let mut loss = Loss::new(0, 30e3);
        let bottleneck = |rate: f64| (1.0 - 1e6 / rate).max(0.0);
        let limited = run(&mut loss, 0, 5, 4e6, bottleneck);
        assert!((0.8e6..1.15e6).contains(&limited), "{limited}");
        assert!(run(&mut loss, 5, 30, 4e6, |_| 0.0) >= 4e6);
        assert_eq!(loss.cap(), None);
    }

    #[test]
    fn losses_that_stay_are_the_paths_own() {
        let mut loss = Loss::new(0, 30e3);
        let limited = run(&mut loss, 0, 60, 1e6, |_| 0.2);
        assert!(limited > 0.5e6, "{limited}");
        assert!(!loss.is_high());
        assert!(run(&mut loss, 60, 2, 1e6, |_| 0.5) < 0.7e6, "more than that is ours again");
    }
}
