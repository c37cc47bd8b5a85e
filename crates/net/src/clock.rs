//! The clocks that media shells read. Engines are told the time; it comes from here.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The monotonic clock, read in this one place.
pub fn now() -> Instant {
    Instant::now()
}

/// What the wall clock showed at one instant of the monotonic clock: turns any instant into a time of day, steadily,
/// whatever is done to the wall clock afterwards. Sender reports need that (RFC 3550 §4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WallClock {
    at: Instant,
    unix: Duration,
}

impl WallClock {
    /// Reads both clocks. A wall clock set before 1970 counts as 1970.
    pub fn read() -> Self {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { at: now(), unix }
    }

    /// Binds a time since 1970 to an instant; for tests.
    pub fn at(at: Instant, unix: Duration) -> Self {
        Self { at, unix }
    }

    /// Time since 1970 (UTC) at that instant.
    pub fn unix(&self, instant: Instant) -> Duration {
        match instant.checked_duration_since(self.at) {
            Some(after) => self.unix.saturating_add(after),
            None => self.unix.saturating_sub(self.at.duration_since(instant)),
        }
    }

    /// The same as [`SystemTime`].
    pub fn system_time(&self, instant: Instant) -> SystemTime {
        UNIX_EPOCH + self.unix(instant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_before_and_after_the_reading_have_a_time_of_day() {
        let base = now() + Duration::from_secs(100);
        let wall = WallClock::at(base, Duration::from_secs(1_000));
        assert_eq!(wall.unix(base), Duration::from_secs(1_000));
        assert_eq!(wall.unix(base + Duration::from_millis(5)), Duration::from_millis(1_000_005));
        assert_eq!(wall.unix(base - Duration::from_millis(5)), Duration::from_millis(999_995));
        assert_eq!(wall.system_time(base), UNIX_EPOCH + Duration::from_secs(1_000));
    }
}
