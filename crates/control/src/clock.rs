//! The clocks, read in one place.

use std::time::{SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// Milliseconds since 1970, UTC; 0 for a clock that is set before.
pub(crate) fn unix_ms() -> u64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX)
}

/// The time as rooms are told it.
pub(crate) fn now() -> room::Now {
    room::Now { at: Instant::now().into_std(), unix_ms: unix_ms() }
}
