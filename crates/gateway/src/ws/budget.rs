use tokio::time::Instant;

/// How much of something a client may do: so much at once, and so much per second in the long run.
#[derive(Debug)]
pub(crate) struct Budget {
    left: f64,
    most: f64,
    per_second: f64,
    filled_at: Instant,
}

impl Budget {
    pub(crate) fn new(most: u32, per_second: u32, now: Instant) -> Self {
        let most = f64::from(most);
        Self { left: most, most, per_second: f64::from(per_second), filled_at: now }
    }

    /// Takes one; false: there is none left.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        let seconds = now.saturating_duration_since(self.filled_at).as_secs_f64();
        self.left = (self.left + seconds * self.per_second).min(self.most);
        self.filled_at = now;
        if self.left < 1.0 {
            return false;
        }
        self.left -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn allows_a_burst_and_then_a_rate() {
        let start = Instant::now();
        let mut budget = Budget::new(3, 2, start);
        assert_eq!([0; 4].map(|_| budget.take(start)), [true, true, true, false]);
        let later = start + Duration::from_secs(1);
        assert_eq!([0; 3].map(|_| budget.take(later)), [true, true, false]);
        let much_later = start + Duration::from_secs(1000);
        assert_eq!([0; 4].map(|_| budget.take(much_later)), [true, true, true, false]);
    }
}
