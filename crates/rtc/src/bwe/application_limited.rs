//! Whether much less is sent than might be (libwebrtc's `AlrDetector`): a budget of part of the estimate that fills
//! when it is not used.

/// Part of the estimate that counts as using it.
const USAGE: f64 = 0.65;
/// The budget's window.
const WINDOW_S: f64 = 0.5;
/// So full, the application limits.
const START: f64 = 0.80;
/// So empty, it does no longer.
const STOP: f64 = 0.50;
/// Time constant of the rate at which is sent.
const SENT_S: f64 = 0.5;

/// Sees whether the application or the path limits.
#[derive(Debug, Default)]
pub(super) struct ApplicationLimited {
    updated_us: Option<i64>,
    sent_bytes: u64,
    /// −1 to 1.
    budget: f64,
    limited: bool,
    sent_rate: f64,
}

impl ApplicationLimited {
    /// The application limits.
    pub(super) fn is_limited(&self) -> bool {
        self.limited
    }

    /// The rate at which is sent, in bit/s.
    pub(super) fn sent_rate(&self) -> f64 {
        self.sent_rate
    }

    /// Takes how much has been sent since the beginning.
    pub(super) fn update(&mut self, now_us: i64, sent_bytes: u64, estimate: f64) {
        let bits = sent_bytes.saturating_sub(self.sent_bytes) as f64 * 8.0;
        let last_us = self.updated_us.replace(now_us).unwrap_or(now_us);
        let passed_s = (now_us - last_us) as f64 / 1e6;
        self.sent_bytes = sent_bytes;
        if passed_s <= 0.0 {
            return;
        }
        let share = (passed_s / SENT_S).min(1.0);
        self.sent_rate += share * (bits / passed_s - self.sent_rate);
        let full_bits = USAGE * estimate.max(1.0) * WINDOW_S;
        self.budget = (self.budget + passed_s / WINDOW_S - bits / full_bits).clamp(-1.0, 1.0);
        self.limited = if self.limited { self.budget >= STOP } else { self.budget > START };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_limited_while_less_than_the_usual_part_is_sent() {
        let mut limited = ApplicationLimited::default();
        let mut sent = 0;
        let mut run = |from: i64, steps: i64, rate: u64| {
            for n in from..from + steps {
                sent += rate / 8 / 20;
                limited.update(n * 50_000, sent, 1e6);
            }
            limited.is_limited()
        };
        assert!(!run(0, 40, 900_000));
        assert!(run(40, 60, 300_000));
        assert!(!run(100, 40, 800_000));
        assert!((limited.sent_rate() - 0.8e6).abs() < 0.05e6);
    }
}
