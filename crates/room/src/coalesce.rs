use std::time::{Duration, Instant};

/// Turns any number of changes into few sendings: the first at once, the next not before an interval has passed.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Coalesce {
    last: Option<Instant>,
    due: Option<Instant>,
}

impl Coalesce {
    /// Something changed; it is to be sent as soon as the interval since the last sending allows.
    pub(crate) fn mark(&mut self, now: Instant, interval: Duration) {
        self.mark_by(self.last.map_or(now, |last| (last + interval).max(now)));
    }

    /// It is to be sent then at the latest.
    pub(crate) fn mark_by(&mut self, by: Instant) {
        self.due = Some(self.due.map_or(by, |due| due.min(by)));
    }

    /// Whether it is time; if so, the sending counts as done.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        let is_due = self.due.is_some_and(|due| due <= now);
        if is_due {
            *self = Self { last: Some(now), due: None };
        }
        is_due
    }

    /// When it is time, if anything has changed.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.due
    }
}
