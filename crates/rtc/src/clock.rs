//! The wall clock as an engine has it: where it stood at some instant, and what has gone by since.

use std::time::{Duration, Instant};

use crate::rtcp::NtpTime;

/// A wall clock that never jumps.
#[derive(Debug, Clone, Copy)]
pub struct NtpClock {
    base: Instant,
    ntp: NtpTime,
}

impl NtpClock {
    /// At `base` it was `since_1970`.
    pub fn new(base: Instant, since_1970: Duration) -> Self {
        Self { base, ntp: NtpTime::from_unix(since_1970) }
    }

    /// The wall time at an instant.
    pub fn at(&self, now: Instant) -> NtpTime {
        self.ntp.plus(now.saturating_duration_since(self.base))
    }
}
