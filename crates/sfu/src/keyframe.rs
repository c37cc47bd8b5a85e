//! Key-frame requests towards one encoding of a sender: many receivers ask, the sender hears one.

use std::time::{Duration, Instant};

/// Between two requests. An encoder needs about a frame and a round trip to answer; asking faster only makes it send
/// more key frames than anybody can use.
const INTERVAL: Duration = Duration::from_millis(500);

/// Between a request and an urgent one: somebody new is looking at nothing.
const INTERVAL_URGENT: Duration = Duration::from_millis(150);

/// When and whether to ask an encoding for a key frame.
#[derive(Debug, Default)]
pub(crate) struct KeyFrameRequests {
    last_sent: Option<Instant>,
    wanted: Option<Urgency>,
}

/// How much a key frame is missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Urgency {
    /// A switch to a better encoding, or a receiver that lost packets: it has a picture meanwhile.
    Usual,
    /// Somebody sees nothing.
    Urgent,
}

impl KeyFrameRequests {
    /// Somebody needs a key frame.
    pub(crate) fn want(&mut self, urgency: Urgency) {
        self.wanted = Some(self.wanted.map_or(urgency, |w| w.max(urgency)));
    }

    /// A key frame has come.
    pub(crate) fn satisfied(&mut self) {
        self.wanted = None;
    }

    /// When to ask.
    pub(crate) fn deadline(&self, now: Instant) -> Option<Instant> {
        let interval = match self.wanted? {
            Urgency::Usual => INTERVAL,
            Urgency::Urgent => INTERVAL_URGENT,
        };
        Some(self.last_sent.map_or(now, |at| at + interval))
    }

    /// Whether to ask now, and how urgently.
    pub(crate) fn due(&self, now: Instant) -> Option<Urgency> {
        self.wanted.filter(|_| self.deadline(now).is_some_and(|at| at <= now))
    }

    /// The sender was asked. The wish stays until a key frame has come, so a lost request is repeated, at the usual pace.
    pub(crate) fn sent(&mut self, now: Instant) {
        self.last_sent = Some(now);
        self.wanted = Some(Urgency::Usual);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests_time::start;

    impl KeyFrameRequests {
        fn poll(&mut self, now: Instant) -> bool {
            let due = self.due(now).is_some();
            if due {
                self.sent(now);
            }
            due
        }
    }

    #[test]
    fn a_hundred_wishes_are_one_request_and_it_is_repeated_until_the_key_frame() {
        let t0 = start();
        let at = |ms| t0 + Duration::from_millis(ms);
        let mut requests = KeyFrameRequests::default();
        for _ in 0..100 {
            requests.want(Urgency::Usual);
        }
        assert!(requests.poll(at(0)));
        assert!(!requests.poll(at(1)));
        assert!(!requests.poll(at(499)));
        assert!(requests.poll(at(500)));
        requests.satisfied();
        assert!(!requests.poll(at(5000)));
    }

    #[test]
    fn somebody_without_a_picture_waits_less() {
        let t0 = start();
        let at = |ms| t0 + Duration::from_millis(ms);
        let mut requests = KeyFrameRequests::default();
        requests.want(Urgency::Usual);
        assert!(requests.poll(at(0)));
        requests.want(Urgency::Urgent);
        assert_eq!(requests.deadline(at(1)), Some(at(150)));
        assert!(!requests.poll(at(149)));
        assert!(requests.poll(at(150)));
        assert!(!requests.poll(at(300)), "urgency does not last");
    }
}
