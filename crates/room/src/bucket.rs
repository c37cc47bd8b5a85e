use std::time::{Duration, Instant};

/// How often something may be done: a burst, then a steady rate (a token bucket).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rate {
    /// That often at once.
    pub(crate) burst: u32,
    /// Time after which one more is allowed.
    pub(crate) interval: Duration,
}

/// The state of one [`Rate`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bucket {
    rate: Rate,
    /// When the bucket would be full if nothing more were taken. Later than `now` by at most the whole burst; this one
    /// value is all the state that a token bucket needs.
    full_at: Instant,
}

impl Bucket {
    pub(crate) fn new(now: Instant, rate: Rate) -> Self {
        Self { rate, full_at: now }
    }

    /// Takes one, if there is one.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        let full_at = self.full_at.max(now) + self.rate.interval;
        if full_at.duration_since(now) > self.rate.interval * self.rate.burst {
            return false;
        }
        self.full_at = full_at;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::disallowed_methods, reason = "the base of this test's virtual time")]
    fn base() -> Instant {
        Instant::now()
    }

    #[test]
    fn a_burst_then_the_steady_rate() {
        let rate = Rate { burst: 3, interval: Duration::from_millis(100) };
        let start = base();
        let mut bucket = Bucket::new(start, rate);
        let taken = |bucket: &mut Bucket, ms| bucket.take(start + Duration::from_millis(ms));
        assert_eq!([0, 0, 0, 0].map(|ms| taken(&mut bucket, ms)), [true, true, true, false]);
        assert_eq!([99, 100, 100].map(|ms| taken(&mut bucket, ms)), [false, true, false]);
        assert_eq!([9_000, 9_000, 9_000, 9_000].map(|ms| taken(&mut bucket, ms)), [true, true, true, false]);
    }
}
