//! When transport-wide feedback goes to a sender.

use std::time::{Duration, Instant};

/// Bytes of one feedback packet on the wire, about: libwebrtc reckons with as many.
const FEEDBACK_BYTES: u32 = 68;
/// One byte of feedback for so many that come in.
const BYTES_PER_FEEDBACK_BYTE: u32 = 20;
/// Never more often: a sender's bandwidth estimation gains nothing from it.
const INTERVAL_MIN: Duration = Duration::from_millis(50);
/// Never more rarely: a sender notices congestion by it.
const INTERVAL_MAX: Duration = Duration::from_millis(250);

/// Feedback as often as its cost stays in proportion to what comes in, as libwebrtc's receivers send it: 20 times a
/// second to a camera, four times a second to somebody who only speaks.
#[derive(Debug)]
pub(super) struct FeedbackPace {
    /// From the first packet that is not told of to the feedback that tells of it.
    interval: Duration,
    deadline: Option<Instant>,
    /// When feedback was sent last, and what has come in since.
    since: Instant,
    bytes: u32,
}

impl FeedbackPace {
    /// Frequent feedback, until it is known how much comes in.
    pub(super) fn new(now: Instant) -> Self {
        Self { interval: INTERVAL_MIN, deadline: None, since: now, bytes: 0 }
    }

    /// When feedback is due, if anything is to be told.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// A packet came in. `is_pending`: something is to be told.
    #[inline]
    pub(super) fn received(&mut self, now: Instant, bytes: usize, is_pending: bool) {
        // A datagram's length is far below what 32 bits count.
        self.bytes = self.bytes.saturating_add(bytes as u32);
        if self.deadline.is_none() && is_pending {
            self.deadline = Some(now + self.interval);
        }
    }

    /// Whether feedback is to be sent now. It counts as sent then.
    pub(super) fn take_due(&mut self, now: Instant) -> bool {
        if self.deadline.is_none_or(|at| at > now) {
            return false;
        }
        let passed = now.saturating_duration_since(self.since);
        let affordable = FEEDBACK_BYTES * BYTES_PER_FEEDBACK_BYTE;
        self.interval = (passed * affordable / self.bytes.max(1)).clamp(INTERVAL_MIN, INTERVAL_MAX);
        (self.deadline, self.since, self.bytes) = (None, now, 0);
        true
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test needs some instant to begin with")]
mod tests {
    use super::*;

    /// Feedback packets in ten seconds of `pps` packets/s of `bytes`. The next packet begins the next interval, and is when
    /// time is looked at.
    fn sent(pps: u32, bytes: usize) -> usize {
        let mut now = Instant::now();
        let mut pace = FeedbackPace::new(now);
        let mut sent = 0;
        for _ in 0..10 * pps {
            now += Duration::from_secs(1) / pps;
            pace.received(now, bytes, true);
            sent += usize::from(pace.take_due(now));
        }
        sent
    }

    #[test]
    fn feedback_is_in_proportion_to_what_comes_in() {
        for (pps, bytes, per_second) in [(50, 120, 3..=4), (50, 1_200, 12..=20), (1_000, 1_200, 19..=20)] {
            let sent = sent(pps, bytes) / 10;
            assert!(per_second.contains(&sent), "{pps} packets/s of {bytes} bytes: {sent} a second");
        }
    }

    #[test]
    fn a_rate_that_rises_is_answered_within_a_quarter_of_a_second() {
        let mut now = Instant::now();
        let mut pace = FeedbackPace::new(now);
        pace.received(now, 60, true);
        assert!(pace.take_due(now + Duration::from_secs(2)), "little came");
        now += Duration::from_secs(2);
        pace.received(now, 1_200, true);
        assert_eq!(pace.deadline(), Some(now + INTERVAL_MAX));
        pace.received(now, 500_000, true);
        now += INTERVAL_MAX;
        assert!(pace.take_due(now) && !pace.take_due(now));
        pace.received(now, 1_200, true);
        assert_eq!(pace.deadline(), Some(now + INTERVAL_MIN));
    }

    #[test]
    fn nothing_to_tell_is_not_told() {
        let now = Instant::now();
        let mut pace = FeedbackPace::new(now);
        pace.received(now, 1_200, false);
        assert!(pace.deadline().is_none() && !pace.take_due(now + INTERVAL_MAX));
    }
}
