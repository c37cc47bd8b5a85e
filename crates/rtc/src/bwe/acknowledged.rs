//! The rate at which packets arrive (libwebrtc's `BitrateEstimator`): rates of short windows, joined by a Bayesian
//! estimate that trusts a window the less the further off it is.

/// The first window, from which the first value comes.
const FIRST_WINDOW_US: i64 = 500_000;
const WINDOW_US: i64 = 150_000;
/// After so long without a packet no rate can be told. A picture of two frames a second has none that long.
const PAUSE_US: i64 = 1_000_000;
/// Uncertainty of a window, relative to its distance from the estimate.
const UNCERTAINTY: f64 = 10.0;
/// How much the uncertainty of the estimate grows with each window.
const PROCESS_VARIANCE: f64 = 5.0;
/// The uncertainty of the estimate when a fast change is to be expected.
const FAST_CHANGE_VARIANCE: f64 = 200.0;

/// Measures what arrives.
#[derive(Debug)]
pub(super) struct Acknowledged {
    begun_us: Option<i64>,
    last_us: i64,
    bytes: u64,
    estimate_kbps: Option<f64>,
    variance: f64,
}

impl Acknowledged {
    pub(super) fn new() -> Self {
        Self { begun_us: None, last_us: 0, bytes: 0, estimate_kbps: None, variance: 50.0 }
    }

    /// In bit/s.
    pub(super) fn rate(&self) -> Option<f64> {
        self.estimate_kbps.map(|kbps| kbps * 1_000.0)
    }

    /// Sending goes on after a pause, or changes its rate: the past says little.
    pub(super) fn expect_fast_change(&mut self) {
        self.variance = self.variance.max(FAST_CHANGE_VARIANCE);
    }

    /// A packet arrived.
    #[inline]
    pub(super) fn update(&mut self, arrival_us: i64, bytes: u16) {
        let window_us = if self.estimate_kbps.is_some() { WINDOW_US } else { FIRST_WINDOW_US };
        let Some(begun_us) = self.begun_us else {
            (self.begun_us, self.last_us, self.bytes) = (Some(arrival_us), arrival_us, bytes.into());
            return;
        };
        let passed_us = arrival_us - begun_us;
        // The receiver's clock went back, or there was a pause.
        if arrival_us < self.last_us - WINDOW_US || arrival_us - self.last_us > PAUSE_US {
            (self.begun_us, self.last_us, self.bytes) = (Some(arrival_us), arrival_us, bytes.into());
            return;
        }
        self.last_us = self.last_us.max(arrival_us);
        if passed_us >= window_us {
            self.sample(self.bytes as f64 * 8_000.0 / passed_us as f64);
            (self.begun_us, self.bytes) = (Some(arrival_us), 0);
        }
        self.bytes += u64::from(bytes);
    }

    fn sample(&mut self, kbps: f64) {
        let Some(estimate) = self.estimate_kbps else {
            self.estimate_kbps = Some(kbps);
            return;
        };
        let uncertainty = UNCERTAINTY * (estimate - kbps).abs() / estimate.max(1.0);
        let sample_variance = uncertainty * uncertainty;
        let variance = self.variance + PROCESS_VARIANCE;
        let total = sample_variance + variance;
        self.estimate_kbps = Some((sample_variance * estimate + variance * kbps) / total);
        self.variance = sample_variance * variance / total;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(rate: &mut Acknowledged, from_ms: i64, to_ms: i64, kbps: i64) {
        for ms in (from_ms..to_ms).step_by(10) {
            rate.update(ms * 1_000, (kbps * 10 / 8) as u16);
        }
    }

    #[test]
    fn it_finds_a_rate_and_follows_a_change() {
        let mut rate = Acknowledged::new();
        run(&mut rate, 0, 400, 1_000);
        assert_eq!(rate.rate(), None);
        run(&mut rate, 400, 3_000, 1_000);
        assert!((0.95e6..1.05e6).contains(&rate.rate().unwrap()), "{:?}", rate.rate());
        run(&mut rate, 3_000, 5_000, 300);
        assert!((0.25e6..0.4e6).contains(&rate.rate().unwrap()), "{:?}", rate.rate());
    }

    #[test]
    fn a_pause_is_no_rate() {
        let mut rate = Acknowledged::new();
        run(&mut rate, 0, 3_000, 1_000);
        run(&mut rate, 60_000, 60_100, 1_000);
        assert!((0.95e6..1.05e6).contains(&rate.rate().unwrap()), "{:?}", rate.rate());
        rate.update(i64::MIN / 4, 100);
        rate.update(i64::MAX / 4, 100);
        assert!((0.95e6..1.05e6).contains(&rate.rate().unwrap()), "{:?}", rate.rate());
    }
}
