//! Whether queues grow: the slope of the delay over the last groups of packets against an adaptive threshold
//! (draft-ietf-rmcat-gcc-02 §5.3 and §5.4; the line of least squares in place of the Kalman filter, and the constants,
//! as in libwebrtc's `TrendlineEstimator`; the threshold after Carlucci et al., 2016).

use arrayvec::ArrayVec;

/// Groups that the line goes through.
const WINDOW: usize = 20;
/// Share of the past in the smoothed delay.
const SMOOTHING: f64 = 0.9;
/// Makes a slope comparable to the threshold.
const GAIN: f64 = 4.0;
/// Below so many groups a slope counts less.
const DELTAS_MAX: f64 = 60.0;
/// The slope must be above the threshold for longer than this.
const OVERUSE_MS: f64 = 10.0;
/// A slope so far above the threshold is an event of its own (a new route, for one), to which it does not adapt.
const ADAPT_MAX: f64 = 15.0;
/// How fast the threshold follows upwards and downwards. Upwards is faster, or a flow that fills the queue (TCP) would
/// starve this one.
const UP: f64 = 0.0087;
const DOWN: f64 = 0.039;
const THRESHOLD_START: f64 = 12.5;
const THRESHOLD_MIN: f64 = 6.0;
const THRESHOLD_MAX: f64 = 600.0;
/// Time that the threshold follows by at most in one step.
const ADAPT_STEP_MS_MAX: f64 = 100.0;

/// What the path's queues do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Usage {
    /// They stay.
    #[default]
    Normal,
    /// They grow.
    Over,
    /// They shrink.
    Under,
}

#[derive(Debug, Clone, Copy)]
struct Point {
    arrival_ms: f64,
    delay_ms: f64,
}

/// Sees queues grow.
#[derive(Debug)]
pub(super) struct Trendline {
    first_arrival_us: Option<i64>,
    deltas: f64,
    accumulated_ms: f64,
    smoothed_ms: f64,
    points: ArrayVec<Point, WINDOW>,
    /// Where the oldest of a full window lies.
    oldest: usize,
    slope: f64,
    threshold: f64,
    adapted_us: Option<i64>,
    over_ms: Option<f64>,
    over_count: u32,
    usage: Usage,
}

impl Trendline {
    pub(super) fn new() -> Self {
        Self {
            first_arrival_us: None,
            deltas: 0.0,
            accumulated_ms: 0.0,
            smoothed_ms: 0.0,
            points: ArrayVec::new(),
            oldest: 0,
            slope: 0.0,
            threshold: THRESHOLD_START,
            adapted_us: None,
            over_ms: None,
            over_count: 0,
            usage: Usage::Normal,
        }
    }

    /// What was seen last.
    pub(super) fn usage(&self) -> Usage {
        self.usage
    }

    /// Takes the distance of a group to the one before.
    pub(super) fn update(&mut self, send_us: i64, arrival_delta_us: i64, arrival_us: i64) {
        let first_us = *self.first_arrival_us.get_or_insert(arrival_us);
        let send_ms = send_us as f64 / 1_000.0;
        self.deltas = (self.deltas + 1.0).min(DELTAS_MAX);
        self.accumulated_ms += arrival_delta_us as f64 / 1_000.0 - send_ms;
        self.smoothed_ms = SMOOTHING * self.smoothed_ms + (1.0 - SMOOTHING) * self.accumulated_ms;
        let point =
            Point { arrival_ms: (arrival_us - first_us) as f64 / 1_000.0, delay_ms: self.smoothed_ms };
        if let Some(oldest) = self.points.get_mut(self.oldest).filter(|_| self.deltas > WINDOW as f64) {
            *oldest = point;
            self.oldest = (self.oldest + 1) % WINDOW;
        } else {
            self.points.push(point);
        }
        let slope =
            if self.points.is_full() { slope(&self.points).unwrap_or(self.slope) } else { self.slope };
        self.detect(slope, send_ms, arrival_us);
    }

    fn detect(&mut self, slope: f64, send_ms: f64, arrival_us: i64) {
        if self.deltas < 2.0 {
            return;
        }
        let modified = self.deltas * slope * GAIN;
        if modified > self.threshold {
            // The group before began to be late somewhere in between.
            let over_ms = self.over_ms.map_or(send_ms / 2.0, |ms| ms + send_ms);
            self.over_ms = Some(over_ms);
            self.over_count += 1;
            if over_ms > OVERUSE_MS && self.over_count > 1 && slope >= self.slope {
                self.over_ms = Some(0.0);
                self.over_count = 0;
                self.usage = Usage::Over;
            }
        } else {
            self.over_ms = None;
            self.over_count = 0;
            self.usage = if modified < -self.threshold { Usage::Under } else { Usage::Normal };
        }
        self.slope = slope;
        self.adapt(modified.abs(), arrival_us);
    }

    fn adapt(&mut self, modified: f64, arrival_us: i64) {
        let last_us = self.adapted_us.replace(arrival_us).unwrap_or(arrival_us);
        if modified > self.threshold + ADAPT_MAX {
            return;
        }
        let speed = if modified < self.threshold { DOWN } else { UP };
        let passed_ms = ((arrival_us - last_us) as f64 / 1_000.0).clamp(0.0, ADAPT_STEP_MS_MAX);
        self.threshold += speed * (modified - self.threshold) * passed_ms;
        self.threshold = self.threshold.clamp(THRESHOLD_MIN, THRESHOLD_MAX);
    }
}

/// The slope of the line of least squares. `None` where all points are of one time.
fn slope(points: &[Point]) -> Option<f64> {
    let count = points.len() as f64;
    let (sum_x, sum_y) = points.iter().fold((0.0, 0.0), |(x, y), p| (x + p.arrival_ms, y + p.delay_ms));
    let (mean_x, mean_y) = (sum_x / count, sum_y / count);
    let (above, below) = points.iter().fold((0.0, 0.0), |(above, below), p| {
        let x = p.arrival_ms - mean_x;
        (above + x * (p.delay_ms - mean_y), below + x * x)
    });
    (below > 0.0).then(|| above / below)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Groups every 20 ms, each later than the one before by so much more.
    fn run(trendline: &mut Trendline, start: i64, groups: i64, more_us: i64) -> Vec<Usage> {
        (0..groups)
            .map(|n| {
                trendline.update(20_000, 20_000 + more_us, (start + n) * 20_000);
                trendline.usage()
            })
            .collect()
    }

    #[test]
    fn a_growing_queue_is_seen_and_a_steady_one_is_not() {
        let mut steady = Trendline::new();
        assert!(run(&mut steady, 0, 200, 0).iter().all(|u| *u == Usage::Normal));
        let seen = run(&mut steady, 200, 30, 2_000);
        assert!(seen.contains(&Usage::Over), "{seen:?}");
        let drained = run(&mut steady, 230, 60, -2_000);
        assert!(drained.contains(&Usage::Under), "{drained:?}");
        assert_eq!(run(&mut steady, 290, 60, 0).last(), Some(&Usage::Normal));
    }

    #[test]
    fn the_slope_is_that_of_least_squares() {
        let line: ArrayVec<Point, WINDOW> = (0..20)
            .map(|n| Point { arrival_ms: f64::from(n) * 7.0, delay_ms: f64::from(n) * 1.4 + 3.0 })
            .collect();
        assert!((slope(&line).unwrap() - 0.2).abs() < 1e-9);
        let same = [Point { arrival_ms: 5.0, delay_ms: 1.0 }; 20];
        assert_eq!(slope(&same), None);
    }

    #[test]
    fn jitter_raises_the_threshold_and_is_not_taken_for_a_queue() {
        let mut trendline = Trendline::new();
        let mut over = 0;
        for n in 0..2_000i64 {
            // ±8 ms by a fixed pattern of no trend.
            let jitter = [8_000, -8_000, 5_000, -5_000, 0, 3_000, -3_000][(n % 7) as usize];
            trendline.update(20_000, 20_000 + jitter, n * 20_000);
            over += usize::from(n > 100 && trendline.usage() == Usage::Over);
        }
        assert_eq!(over, 0);
    }
}
