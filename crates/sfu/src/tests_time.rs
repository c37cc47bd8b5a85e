//! The one place where tests read a clock: an instant to count from.

use std::time::Instant;

#[expect(clippy::disallowed_methods, reason = "tests count from one base instant, whatever it is")]
pub(crate) fn start() -> Instant {
    Instant::now()
}
