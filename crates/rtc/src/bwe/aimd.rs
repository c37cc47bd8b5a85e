//! The rate that the delay allows: additive or multiplicative increase, multiplicative decrease
//! (draft-ietf-rmcat-gcc-02 §5.5, as libwebrtc's `AimdRateControl` and `LinkCapacityEstimator` do it).

use super::trendline::Usage;

/// To what part of the throughput it falls, so that the queue drains.
const BACK_OFF: f64 = 0.85;
/// Growth in a second while the capacity is unknown.
const GROWTH: f64 = 1.08;
/// What lies between sending too much and seeing it, beside the round trip.
const RESPONSE_S: f64 = 0.1;
/// Growth near the capacity, in bit/s each second, at least.
const NEAR_MAX_GROWTH_MIN: f64 = 4_000.0;
/// A frame near the capacity is cut into packets of this size.
const PACKET_BITS: f64 = 1_200.0 * 8.0;
const FRAMES_PER_S: f64 = 30.0;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Until the queue has drained.
    Hold,
    Increase,
}

/// What the link seems to carry: throughputs seen while queues grew.
#[derive(Debug, Default)]
struct Capacity {
    estimate_kbps: Option<f64>,
    /// Variance, relative to the estimate.
    deviation: f64,
}

impl Capacity {
    fn spread_kbps(&self) -> f64 {
        3.0 * (self.deviation * self.estimate_kbps.unwrap_or(0.0)).sqrt()
    }

    /// Whether a throughput is about what was seen before.
    fn is_near(&self, bps: f64) -> bool {
        self.estimate_kbps.is_some_and(|e| (bps / 1_000.0 - e).abs() <= self.spread_kbps())
    }

    fn is_above(&self, bps: f64) -> bool {
        self.estimate_kbps.is_some_and(|e| bps / 1_000.0 > e + self.spread_kbps())
    }

    fn update(&mut self, bps: f64, weight: f64) {
        let sample = bps / 1_000.0;
        let former = self.estimate_kbps.unwrap_or(sample);
        let estimate = former + weight * (sample - former);
        let error = estimate - sample;
        self.deviation = (1.0 - weight) * self.deviation + weight * error * error / estimate.max(1.0);
        self.deviation = self.deviation.clamp(0.4, 2.5);
        self.estimate_kbps = Some(estimate);
    }

    fn forget(&mut self) {
        self.estimate_kbps = None;
    }
}

/// What a step depends on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Input {
    pub(super) now_us: i64,
    pub(super) usage: Usage,
    /// What arrives, in bit/s.
    pub(super) throughput: Option<f64>,
    pub(super) round_trip_us: i64,
    /// Much less is sent than might be, and what is sent arrives: the queue is hardly our own.
    pub(super) application_limited: bool,
}

/// The rate that the delay allows.
#[derive(Debug)]
pub(super) struct Aimd {
    rate: f64,
    min: f64,
    state: State,
    capacity: Capacity,
    throughput: f64,
    changed_us: i64,
    decreased_us: Option<i64>,
}

impl Aimd {
    pub(super) fn new(now_us: i64, start: f64, min: f64) -> Self {
        Self {
            rate: start,
            min,
            state: State::Hold,
            capacity: Capacity::default(),
            throughput: start,
            changed_us: now_us,
            decreased_us: None,
        }
    }

    /// In bit/s.
    pub(super) fn rate(&self) -> f64 {
        self.rate
    }

    /// When it last fell.
    pub(super) fn decreased_us(&self) -> Option<i64> {
        self.decreased_us
    }

    /// A probe has measured the path.
    pub(super) fn set(&mut self, now_us: i64, rate: f64) {
        if self.capacity.estimate_kbps.is_some() {
            self.capacity.update(rate, 0.5);
        }
        self.rate = rate.max(self.min);
        self.changed_us = now_us;
    }

    /// Nothing is heard any more.
    pub(super) fn scale(&mut self, now_us: i64, factor: f64) {
        self.rate = (self.rate * factor).max(self.min);
        self.changed_us = now_us;
        self.decreased_us = Some(now_us);
    }

    /// Takes what feedback has told.
    pub(super) fn update(&mut self, input: Input) {
        if let Some(throughput) = input.throughput {
            self.throughput = throughput;
        }
        match input.usage {
            Usage::Over => {
                if self.may_reduce(&input) {
                    self.decrease(&input);
                }
            }
            Usage::Under => self.state = State::Hold,
            Usage::Normal => {
                if self.state == State::Hold {
                    self.state = State::Increase;
                    self.changed_us = input.now_us;
                }
                self.increase(&input);
            }
        }
    }

    /// What was reduced last has had time to show.
    fn may_reduce(&self, input: &Input) -> bool {
        let wait_us = input.round_trip_us.clamp(10_000, 200_000);
        let far_off = self.throughput < 0.5 * self.rate && !input.application_limited;
        input.now_us - self.changed_us >= wait_us || far_off
    }

    fn decrease(&mut self, input: &Input) {
        let mut reduced = self.throughput * BACK_OFF;
        if input.application_limited {
            // Throughput says nothing of capacity here. It falls step by step instead, and below what is sent only
            // once what is sent does not arrive any more.
            reduced = reduced.max(self.rate * BACK_OFF);
        } else if reduced > self.rate
            && let Some(capacity_kbps) = self.capacity.estimate_kbps
        {
            reduced = BACK_OFF * capacity_kbps * 1_000.0;
        }
        self.rate = self.rate.min(reduced).max(self.min);
        if !input.application_limited {
            if !self.capacity.is_near(self.throughput) && !self.capacity.is_above(self.throughput) {
                self.capacity.forget();
            }
            self.capacity.update(self.throughput, 0.05);
        }
        self.state = State::Hold;
        self.changed_us = input.now_us;
        self.decreased_us = Some(input.now_us);
    }

    fn increase(&mut self, input: &Input) {
        if self.capacity.is_above(self.throughput) {
            self.capacity.forget();
        }
        // What is not sent is not tested either. What a probe has found stays.
        let limit = 1.5 * self.throughput + 10_000.0;
        if self.rate < limit {
            let passed_s = ((input.now_us - self.changed_us) as f64 / 1e6).clamp(0.0, 1.0);
            let more = if self.capacity.estimate_kbps.is_some() {
                self.near_max_growth(input.round_trip_us) * passed_s
            } else {
                (self.rate * (GROWTH.powf(passed_s) - 1.0)).max(1_000.0 * passed_s)
            };
            self.rate = (self.rate + more).min(limit);
        }
        self.changed_us = input.now_us;
    }

    /// About half a packet for each response time, in bit/s each second.
    fn near_max_growth(&self, round_trip_us: i64) -> f64 {
        let frame_bits = self.rate / FRAMES_PER_S;
        let packet_bits = frame_bits / (frame_bits / PACKET_BITS).ceil().max(1.0);
        let response_s = 2.0 * (round_trip_us as f64 / 1e6 + RESPONSE_S);
        (packet_bits / response_s).max(NEAR_MAX_GROWTH_MIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(now_ms: i64, usage: Usage, throughput: f64) -> Input {
        Input {
            now_us: now_ms * 1_000,
            usage,
            throughput: Some(throughput),
            round_trip_us: 50_000,
            application_limited: false,
        }
    }

    #[test]
    fn it_grows_by_eight_percent_a_second_until_capacity_is_known_and_slowly_then() {
        let mut aimd = Aimd::new(0, 1e6, 30e3);
        for n in 1..=10 {
            aimd.update(input(n * 100, Usage::Normal, 1e6));
        }
        assert!((1.06e6..1.09e6).contains(&aimd.rate()), "{}", aimd.rate());
        aimd.update(input(1_200, Usage::Over, 1e6));
        assert!((aimd.rate() - 0.85e6).abs() < 1.0);
        for n in 13..=22 {
            aimd.update(input(n * 100, Usage::Normal, 1e6));
        }
        assert!((0.86e6..0.90e6).contains(&aimd.rate()), "{}", aimd.rate());
    }

    #[test]
    fn what_is_not_sent_does_not_let_it_grow_and_does_not_take_it_back() {
        let mut aimd = Aimd::new(0, 1e6, 30e3);
        aimd.set(0, 4e6);
        for n in 1..100 {
            aimd.update(input(n * 100, Usage::Normal, 0.3e6));
        }
        assert_eq!(aimd.rate(), 4e6);
        aimd.set(10_000_000, 0.4e6);
        for n in 101..400 {
            aimd.update(input(n * 100, Usage::Normal, 0.3e6));
        }
        assert!((aimd.rate() - 0.46e6).abs() < 1.0, "{}", aimd.rate());
    }

    #[test]
    fn one_late_moment_of_a_quiet_sender_costs_a_step_and_not_the_estimate() {
        let mut aimd = Aimd::new(0, 4e6, 30e3);
        let quiet = Input { application_limited: true, ..input(1_000, Usage::Over, 0.05e6) };
        aimd.update(quiet);
        assert!((aimd.rate() - 3.4e6).abs() < 1.0);
        aimd.update(Input { now_us: 1_005_000, ..quiet });
        assert!((aimd.rate() - 3.4e6).abs() < 1.0, "not twice within a round trip");
        aimd.update(Input { now_us: 1_100_000, application_limited: false, ..quiet });
        assert!(aimd.rate() < 0.05e6);
    }
}
