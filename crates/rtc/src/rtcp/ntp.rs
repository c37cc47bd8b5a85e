//! NTP time, as sender reports carry it (RFC 3550 §4).

use std::time::Duration;

/// Seconds from 1900, where NTP time begins, to 1970.
const UNIX_EPOCH_SECONDS: u64 = 2_208_988_800;

/// Seconds since 1900 in 32.32 fixed point. Wraps in 2036; differences stay right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct NtpTime(pub u64);

impl NtpTime {
    /// The NTP time of a time since 1970.
    pub fn from_unix(since_1970: Duration) -> Self {
        let seconds = since_1970.as_secs().wrapping_add(UNIX_EPOCH_SECONDS);
        Self(seconds << 32 | fraction(since_1970.subsec_nanos()))
    }

    /// The middle 32 bits: 16 of seconds and 16 of their fraction, as in `LSR`.
    pub const fn middle(self) -> u32 {
        (self.0 >> 16) as u32
    }

    /// This time a while later. The server's own clock: a fixed wall time at its epoch, plus what went by.
    #[must_use]
    pub fn plus(self, later: Duration) -> Self {
        let step = later.as_secs() << 32 | fraction(later.subsec_nanos());
        Self(self.0.wrapping_add(step))
    }

    /// What lies between `earlier` and this, zero if it is not earlier.
    pub fn since(self, earlier: NtpTime) -> Duration {
        let step = self.0.wrapping_sub(earlier.0);
        if step >> 63 == 1 {
            return Duration::ZERO;
        }
        let nanos = ((step & 0xffff_ffff) * 1_000_000_000 + (1 << 31)) >> 32;
        Duration::from_secs(step >> 32) + Duration::from_nanos(nanos)
    }
}

fn fraction(nanos: u32) -> u64 {
    ((u64::from(nanos) << 32) + 500_000_000) / 1_000_000_000
}

/// A duration in units of 1/65,536 s, as in `DLSR`; the largest that fits if it is longer than 18 hours.
pub(super) fn short_from_duration(duration: Duration) -> u32 {
    let units = (duration.as_nanos() * 65_536 + 500_000_000) / 1_000_000_000;
    u32::try_from(units).unwrap_or(u32::MAX)
}

/// A duration from units of 1/65,536 s.
pub(super) fn duration_from_short(units: u32) -> Duration {
    Duration::from_nanos((u64::from(units) * 1_000_000_000) >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unix_zero_is_1970() {
        assert_eq!(NtpTime::from_unix(Duration::ZERO).0 >> 32, 2_208_988_800);
        assert_eq!(NtpTime::from_unix(Duration::from_millis(1500)).0, (2_208_988_801 << 32) + (1 << 31));
        assert_eq!(NtpTime(0x1234_5678_9abc_def0).middle(), 0x5678_9abc);
    }

    #[test]
    fn time_goes_on_past_2036() {
        let before = NtpTime(u64::MAX - 5);
        let after = before.plus(Duration::from_micros(1_234_567));
        assert!(after.0 < before.0);
        let error = after.since(before).abs_diff(Duration::from_micros(1_234_567));
        assert!(error < Duration::from_nanos(2), "{error:?}");
        assert_eq!(before.since(after), Duration::ZERO);
    }

    #[test]
    fn short_durations_come_back() {
        let second = Duration::from_secs(1);
        assert_eq!(short_from_duration(second), 65_536);
        assert_eq!(duration_from_short(65_536), second);
        assert_eq!(short_from_duration(Duration::from_secs(1_000_000)), u32::MAX);
    }
}
