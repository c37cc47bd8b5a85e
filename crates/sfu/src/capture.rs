//! When what comes in was captured. A sender's picture takes longer to encode than its sound, so the times of arrival
//! would set lips and voice apart; its sender reports (RFC 3550 §6.4.1) have both on one clock, which is brought to ours.

use std::time::{Duration, Instant};

use rtc::rtcp::NtpTime;

/// A report that comes so much later than the earlier ones say is of a clock that was set anew.
const STEP: Duration = Duration::from_secs(1);
/// Share of a delay that is taken for drift: clocks of two machines differ by some millionths.
const DRIFT_SHARE: u32 = 64;
/// What was captured longer ago than this was not: a report says something wrong.
const AGE_MAX: Duration = Duration::from_secs(1);

/// The clock of a sender, against ours: less the shortest way that a report has taken.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SenderClock {
    anchor: Option<(NtpTime, Instant)>,
}

impl SenderClock {
    /// A report has come. Returns when it was sent, on our clock.
    pub(crate) fn report(&mut self, now: Instant, sent: NtpTime) -> Instant {
        let expected = self.anchor.and_then(|(ntp, at)| later(at, sent, ntp));
        let at = match expected {
            // Sooner than ever: the way is shorter than was known. Much later: another clock.
            None => now,
            Some(expected) if now < expected || now.saturating_duration_since(expected) > STEP => now,
            Some(expected) => expected + now.saturating_duration_since(expected) / DRIFT_SHARE,
        };
        self.anchor = Some((sent, at));
        at
    }
}

/// `at`, moved by what lies between two times of another clock, either way.
fn later(at: Instant, sent: NtpTime, before: NtpTime) -> Option<Instant> {
    let ahead = sent.since(before);
    if ahead.is_zero() { at.checked_sub(before.since(sent)) } else { at.checked_add(ahead) }
}

/// The clock of an encoding: an RTP timestamp, and when it was, on our clock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MediaClock {
    pub(crate) timestamp: u32,
    pub(crate) at: Instant,
    pub(crate) rate_hz: u32,
}

impl MediaClock {
    /// When a packet that comes now was captured. `None`: not at the time that the clock says.
    pub(crate) fn captured(&self, now: Instant, timestamp: u32) -> Option<Instant> {
        let ticks = i64::from(timestamp.wrapping_sub(self.timestamp) as i32);
        let apart = Duration::from_micros(ticks.unsigned_abs() * 1_000_000 / u64::from(self.rate_hz.max(1)));
        let at = if ticks < 0 { self.at.checked_sub(apart)? } else { self.at.checked_add(apart)? };
        // The shortest way of a report is not the shortest of all.
        let at = at.min(now);
        (now.saturating_duration_since(at) <= AGE_MAX).then_some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests_time::start;

    fn ntp(ms: u64) -> NtpTime {
        NtpTime::from_unix(Duration::from_millis(1_800_000_000_000 + ms))
    }

    #[test]
    fn a_report_that_was_held_up_moves_nothing_and_a_faster_one_does() {
        let t0 = start();
        let at = |ms| t0 + Duration::from_millis(ms);
        let mut clock = SenderClock::default();
        assert_eq!(clock.report(at(50), ntp(0)), at(50), "nothing is known but when it came");
        let late = clock.report(at(1_114), ntp(1_000));
        assert_eq!(late, at(1_051), "64 ms late: one of drift");
        assert_eq!(clock.report(at(2_020), ntp(2_000)), at(2_020), "a shorter way");
        assert_eq!(clock.report(at(9_000), ntp(3_000)), at(9_000), "another clock");
        assert_eq!(clock.report(at(9_500), ntp(2_000)), at(9_500), "and back");
    }

    #[test]
    fn a_picture_that_took_long_to_encode_was_captured_when_its_sound_was() {
        let t0 = start() + Duration::from_secs(10);
        let at = |ms: u64| t0 + Duration::from_millis(ms);
        let mut sender = SenderClock::default();
        let sound = MediaClock { timestamp: 48_000, at: sender.report(at(30), ntp(0)), rate_hz: 48_000 };
        let picture = MediaClock { timestamp: u32::MAX, at: sender.report(at(31), ntp(0)), rate_hz: 90_000 };
        // Half a second on.
        assert_eq!(sound.captured(at(540), 72_000), Some(at(530)));
        let seen = picture.captured(at(610), 44_999).unwrap();
        assert!(
            seen.duration_since(at(530)) < Duration::from_millis(1),
            "{:?}",
            seen.duration_since(at(530))
        );
        assert_eq!(sound.captured(at(500), 72_000), Some(at(500)), "never in the future");
        assert_eq!(sound.captured(at(9_000), 48_000), None, "not so long ago");
    }
}
