//! How much a receiver is sent at a moment. What comes in is sent on at once; but a burst that its path would take too
//! long to carry (a key frame, for most) waits here, by reference, and leaves in small bursts.
//!
//! A receiver with bandwidth to spare pays an addition and a comparison for each packet, and no timer.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use model::Bitrate;
use rtc::Bandwidth;

use crate::slot::Outgoing;
use crate::timeline::LayerKey;

/// Between two bursts of what waits.
pub(crate) const INTERVAL: Duration = Duration::from_millis(5);
/// Packets leave at so many halves of the target: two and a half times, as libwebrtc's pacer has it.
const FACTOR_HALVES: u64 = 5;
/// What is sent on at once: so long at that rate. At 600 kbit/s these are 7 packets, at 4 Mbit/s a usual key frame.
const AT_ONCE: Duration = Duration::from_millis(40);
/// What waits is sent within so long, whatever the target says: late pictures are worse than full queues, and which
/// layers are sent is not decided here.
const WAIT_MAX: Duration = Duration::from_millis(200);
/// Packets that wait: a key frame of a 4K picture, twice. 48 KiB, and only while there is congestion.
const QUEUE_MAX: usize = 1_024;
/// Retransmissions that wait. A receiver that lacks more needs a key frame.
const AGAIN_MAX: usize = 128;
/// On a full path repairs are sent at the rate that the plan leaves, but at this part of the target at least: without
/// them, what is sent beside them cannot be shown.
const REPAIR_SHARE: u64 = 4;
/// So long at that rate are sent at once.
const REPAIR_AT_ONCE: Duration = Duration::from_millis(40);
/// Memory of a queue that is kept when it is empty.
const KEPT: usize = 64;

/// A packet that waits: where it lies, and the numbers that it goes out under.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Waiting {
    pub(crate) line: u16,
    pub(crate) source: LayerKey,
    /// The source's.
    pub(crate) sequence: u64,
    pub(crate) outgoing: Outgoing,
    pub(crate) bytes: u16,
}

/// The debt of a receiver: a leaky bucket.
#[derive(Debug)]
pub(crate) struct Pacer {
    debt_bytes: u64,
    drained_at: Instant,
    /// In bytes for each second; `None`: nothing is known, and nothing waits.
    rate: Option<u64>,
    /// With more debt than this, video waits.
    bound_bytes: u64,
    queue: VecDeque<Waiting>,
    queued_bytes: u64,
    again: VecDeque<(u16, u16)>,
    repair_debt_bytes: u64,
    repair_drained_at: Instant,
    /// In bytes for each second; `None`: there is no bound of their own.
    repair_rate: Option<u64>,
    /// When [`crate::Unit`] is to look again.
    pub(crate) deadline: Option<Instant>,
    /// Packets of the past that the probe of now has used.
    pub(crate) probe_back: u16,
    /// When to count again what the receiver wants.
    pub(crate) tell_wanted_at: Instant,
}

impl Pacer {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            debt_bytes: 0,
            drained_at: now,
            rate: None,
            bound_bytes: u64::MAX,
            queue: VecDeque::new(),
            queued_bytes: 0,
            again: VecDeque::new(),
            repair_debt_bytes: 0,
            repair_drained_at: now,
            repair_rate: None,
            deadline: None,
            probe_back: 0,
            tell_wanted_at: now,
        }
    }

    /// Time has gone by, and this is what the path carries. Once in each pass.
    #[inline]
    pub(crate) fn advance(&mut self, now: Instant, target: Option<Bitrate>) {
        let Some(target) = target else {
            (self.debt_bytes, self.rate, self.bound_bytes) = (0, None, u64::MAX);
            return;
        };
        let mut rate = target.as_bps() / 8 * FACTOR_HALVES / 2;
        if self.queued_bytes > 0 {
            // It does not slow down again before the queue is empty, or the last packets would wait for long.
            let in_time = self.queued_bytes * 1_000 / WAIT_MAX.as_millis() as u64;
            rate = rate.max(in_time).max(self.rate.unwrap_or(0));
        }
        if self.debt_bytes > 0 {
            let passed = now.saturating_duration_since(self.drained_at).as_micros() as u64;
            self.debt_bytes = self.debt_bytes.saturating_sub(rate.saturating_mul(passed) / 1_000_000);
        }
        self.drained_at = now;
        self.rate = Some(rate);
        self.bound_bytes = in_time(rate, AT_ONCE);
    }

    /// The same for repairs, before some are to be sent. `used`: what the plan takes of the target.
    pub(crate) fn advance_repairs(&mut self, now: Instant, bandwidth: &Bandwidth, used: Bitrate) {
        let bits = |target: Bitrate| {
            target.as_bps().saturating_sub(used.as_bps()).max(target.as_bps() / REPAIR_SHARE)
        };
        self.repair_rate = bandwidth.target.filter(|_| bandwidth.congested).map(|target| bits(target) / 8);
        let passed = now.saturating_duration_since(std::mem::replace(&mut self.repair_drained_at, now));
        let drained = self.repair_rate.map_or(u64::MAX, |rate| in_time(rate, passed));
        self.repair_debt_bytes = self.repair_debt_bytes.saturating_sub(drained);
    }

    /// Whether a repair may leave now.
    pub(crate) fn may_repair(&self) -> bool {
        let within = |rate| self.repair_debt_bytes <= in_time(rate, REPAIR_AT_ONCE);
        self.may_release() && self.repair_rate.is_none_or(within)
    }

    /// A repair was sent.
    pub(crate) fn repaired(&mut self, bytes: usize) {
        self.sent(bytes);
        self.repair_debt_bytes = self.repair_debt_bytes.saturating_add(bytes as u64);
    }

    /// Something was sent.
    #[inline]
    pub(crate) fn sent(&mut self, bytes: usize) {
        self.debt_bytes += bytes as u64;
    }

    /// Whether video has to wait.
    #[inline]
    pub(crate) fn must_wait(&self) -> bool {
        self.debt_bytes > self.bound_bytes || !self.queue.is_empty()
    }

    /// Whether a burst may leave of what waits.
    pub(crate) fn may_release(&self) -> bool {
        self.rate.is_none_or(|rate| self.debt_bytes <= in_time(rate, INTERVAL))
    }

    /// Whether something waits.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.queue.is_empty() || !self.again.is_empty()
    }

    /// Lets a packet wait. False: there is no place, and it is lost to this receiver.
    pub(crate) fn push(&mut self, waiting: Waiting) -> bool {
        if self.queue.len() >= QUEUE_MAX {
            return false;
        }
        self.queued_bytes += u64::from(waiting.bytes);
        self.queue.push_back(waiting);
        true
    }

    /// The next packet that waits.
    pub(crate) fn pop(&mut self) -> Option<Waiting> {
        let next = self.queue.pop_front()?;
        self.queued_bytes = self.queued_bytes.saturating_sub(next.bytes.into());
        if self.queue.is_empty() && self.queue.capacity() > KEPT {
            self.queue.shrink_to(KEPT);
        }
        Some(next)
    }

    /// Lets a retransmission wait. False: there is no place.
    pub(crate) fn push_again(&mut self, line: u16, sequence: u16) -> bool {
        if self.again.contains(&(line, sequence)) {
            return true;
        }
        if self.again.len() >= AGAIN_MAX {
            return false;
        }
        self.again.push_back((line, sequence));
        true
    }

    /// The next retransmission that waits.
    pub(crate) fn pop_again(&mut self) -> Option<(u16, u16)> {
        self.again.pop_front()
    }

    /// What waited is not to be sent any more.
    pub(crate) fn clear(&mut self) {
        self.queue = VecDeque::new();
        self.again = VecDeque::new();
        self.queued_bytes = 0;
        self.deadline = None;
    }
}

fn in_time(rate: u64, time: Duration) -> u64 {
    rate.saturating_mul(time.as_micros() as u64) / 1_000_000
}

#[cfg(test)]
mod tests {
    use rtc::rtp::dependency_descriptor::Rewrite;

    use super::*;
    use crate::slot::Part;
    use crate::tests_time::start;
    use crate::timeline::{FirstPacket, PictureIds, Timeline};

    fn waiting(bytes: u16) -> Waiting {
        let source = LayerKey { track: 0, layer: 0 };
        let mut timeline = Timeline::new(0, 0, PictureIds::default());
        let ids = PictureIds::default();
        timeline.switch(FirstPacket {
            source,
            sequence: 1,
            timestamp: 0,
            ticks_since_last: 0,
            ids,
            described: None,
        });
        let mapped = timeline.map(1, 0, ids).unwrap();
        let descriptor = Rewrite { number_offset: 0, template_offset: 0, active_targets: None };
        let outgoing = Outgoing {
            mapped,
            marker: false,
            descriptor,
            payload_type: 96,
            rtx_payload_type: None,
            part: Part::Whole,
        };
        Waiting { line: 0, source, sequence: 1, outgoing, bytes }
    }

    #[test]
    fn a_burst_beyond_forty_milliseconds_waits_and_the_debt_is_paid_with_time() {
        let mut now = start();
        let mut pacer = Pacer::new(now);
        // 2.5 Mbit/s: 12,500 bytes in 40 ms.
        let target = Some(Bitrate::from_kbps(1_000));
        pacer.advance(now, target);
        let mut at_once = 0;
        while !pacer.must_wait() {
            pacer.sent(1_000);
            at_once += 1;
        }
        assert_eq!(at_once, 13);
        now += Duration::from_millis(10);
        pacer.advance(now, target);
        assert!(!pacer.must_wait() && !pacer.may_release());
        now += Duration::from_millis(30);
        pacer.advance(now, target);
        assert!(pacer.may_release());
    }

    #[test]
    fn without_a_target_nothing_waits() {
        let now = start();
        let mut pacer = Pacer::new(now);
        pacer.advance(now, None);
        pacer.sent(1 << 40);
        assert!(!pacer.must_wait() && pacer.may_release());
    }

    #[test]
    fn repairs_of_a_full_path_share_what_the_plan_leaves() {
        let begin = start();
        let count = |congested, used| {
            let mut pacer = Pacer::new(begin);
            let bandwidth =
                Bandwidth { target: Some(Bitrate::from_kbps(800)), congested, ..Bandwidth::default() };
            let repairs = (0..1_000u64).filter(|ms| {
                let now = begin + Duration::from_millis(*ms);
                pacer.advance(now, bandwidth.target);
                pacer.advance_repairs(now, &bandwidth, Bitrate::from_kbps(used));
                let may = pacer.may_repair();
                pacer.repaired(if may { 1_000 } else { 0 });
                may
            });
            repairs.count()
        };
        assert!((50..60).contains(&count(true, 400)), "{}", count(true, 400));
        assert!((25..32).contains(&count(true, 900)), "{}", count(true, 900));
        assert!(count(false, 900) > 200, "{}", count(false, 900));
    }

    #[test]
    fn queues_are_bounded_and_what_waits_leaves_in_time() {
        let mut now = start();
        let mut pacer = Pacer::new(now);
        let target = Some(Bitrate::from_kbps(100));
        let pushed = (0..2_000).filter(|_| pacer.push(waiting(1_000))).count();
        assert_eq!(pushed, QUEUE_MAX);
        let pushed = (0..1_000u16).filter(|n| pacer.push_again(0, n % 500)).count();
        assert!(pushed >= AGAIN_MAX && pacer.again.len() == AGAIN_MAX);
        let begin = now;
        while pacer.is_waiting() {
            pacer.advance(now, target);
            while pacer.may_release() && (pacer.pop_again().is_some() || pacer.pop().is_some()) {
                pacer.sent(1_000);
            }
            now += INTERVAL;
        }
        assert!(now - begin <= 2 * WAIT_MAX, "{:?}", now - begin);
        assert!(pacer.queue.capacity() <= 2 * KEPT);
    }
}
