//! When to probe, at which rate, and how much to send of a probe at a moment (libwebrtc's `ProbeController` and
//! `BitrateProber`, for a sender whose streams cost what they cost).
//!
//! The first probes go to three and six times the start, each answer that is near its probe doubles the next, and later
//! one goes out every few seconds, but only while more is wanted than is known to pass. A forwarding unit cannot fill
//! the path with what is wanted next: between two layers lies a factor of three. So, unlike in libwebrtc, a probe does
//! not need a path that is little used.

use arrayvec::ArrayVec;

use super::probe_rate::{Outcome, ProbeRate, Probed};

/// The first probes, as multiples of the start.
const FIRST_SCALES: [f64; 2] = [3.0, 6.0];
/// Every other.
const SCALE: f64 = 2.0;
/// An answer of this part of the probe's rate asks for a further one.
const FURTHER_MIN: f64 = 0.7;
/// A probe goes up to so much of what is wanted: frames and layers vary.
const WANTED_SHARE_MAX: f64 = 1.5;
/// So much more than is wanted has to be known to pass, or a unit that raises a picture only with a margin (15 %) is one
/// probe short of it for ever.
const COVERED: f64 = 1.2;
/// Probes without a new reason.
const INTERVAL_US: i64 = 5_000_000;
/// A further probe by a new wish comes so long after the last, at the earliest.
const WISH_INTERVAL_US: i64 = 1_000_000;
/// After the target has fallen, a probe comes so long after the last.
const RECHECK_INTERVAL_US: i64 = 2_500_000;
/// How long a probe lasts: jitter of some milliseconds must not hide its rate.
const DURATION_US: i64 = 25_000;
/// Packets of a probe.
const PACKETS_MIN: u32 = 5;
/// Bytes of a probe: so many small packets.
const BYTES_MIN: u64 = 1_000;
/// It is sent in bursts, one for each wake-up of so long.
const BURST_US: i64 = 5_000;
/// A probe for which there is nothing to send is given up.
const GIVE_UP_US: i64 = 250_000;
/// The queue that a probe has made drains within so long after its answer.
const FELT_US: i64 = 150_000;
/// After so long beyond a round trip no report of a probe will come.
const ANSWER_US: i64 = 1_000_000;

#[derive(Debug, Clone, Copy)]
struct Running {
    cluster: u8,
    rate: f64,
    begun_us: i64,
    bytes: u64,
    packets: u32,
}

#[derive(Debug, Clone, Copy)]
struct Awaited {
    probed: Probed,
    rate: f64,
    until_us: i64,
}

/// Plans probes.
#[derive(Debug)]
pub(super) struct Probes {
    wanted: f64,
    begun: bool,
    queue: ArrayVec<f64, 2>,
    running: Option<Running>,
    awaited: ArrayVec<Awaited, 3>,
    next_us: i64,
    last_us: i64,
    answered_us: i64,
    last_cluster: u8,
}

impl Probes {
    pub(super) fn new() -> Self {
        Self {
            wanted: 0.0,
            begun: false,
            queue: ArrayVec::new(),
            running: None,
            awaited: ArrayVec::new(),
            next_us: i64::MIN,
            last_us: i64::MIN / 2,
            answered_us: i64::MIN / 2,
            last_cluster: 0,
        }
    }

    /// The probe that packets sent now are part of, or 0.
    #[inline]
    pub(super) fn cluster(&self) -> u8 {
        self.running.as_ref().map_or(0, |r| r.cluster)
    }

    /// A packet was sent.
    #[inline]
    pub(super) fn sent(&mut self, bytes: usize) {
        if let Some(running) = &mut self.running {
            running.bytes += bytes as u64;
            running.packets += 1;
        }
    }

    /// What everything that is wanted would cost, in bit/s.
    pub(super) fn set_wanted(&mut self, wanted: f64) {
        if wanted > self.wanted * 1.1 {
            self.next_us = self.next_us.min(self.last_us + WISH_INTERVAL_US);
        }
        self.wanted = wanted;
    }

    /// What was said of it last.
    pub(super) fn wanted(&self) -> f64 {
        self.wanted
    }

    /// The target has fallen. It may have been a moment's queue, so this is looked into soon.
    pub(super) fn target_fell(&mut self) {
        self.next_us = self.next_us.min(self.last_us + RECHECK_INTERVAL_US);
    }

    fn covers(&self, target: f64) -> bool {
        target >= COVERED * self.wanted
    }

    /// Whether a probe runs or is to begin.
    pub(super) fn is_due(&self) -> bool {
        self.running.is_some() || !self.queue.is_empty()
    }

    /// Whether a probe runs, is to begin, or was not answered yet.
    pub(super) fn is_busy(&self) -> bool {
        self.is_due() || !self.awaited.is_empty()
    }

    /// Whether a probe may have made the queue that is seen now.
    pub(super) fn is_felt(&self, now_us: i64) -> bool {
        self.running.is_some() || !self.awaited.is_empty() || now_us - self.answered_us < FELT_US
    }

    /// Plans the next probe, if one is called for. `target` is what is known to pass; `calm`: the path shows no sign of
    /// being full.
    pub(super) fn plan(&mut self, now_us: i64, target: f64, calm: bool) {
        if self.is_busy() || !calm || now_us < self.next_us || self.covers(target) {
            return;
        }
        let scales: &[f64] = if self.begun { &[SCALE] } else { &FIRST_SCALES };
        let most = WANTED_SHARE_MAX * self.wanted;
        for scale in scales {
            let rate = (scale * target).min(most);
            if self.queue.last().is_none_or(|last| *last < rate) {
                self.queue.push(rate);
            }
        }
        self.begun = true;
        self.next_us = now_us + INTERVAL_US;
    }

    /// How much is to be sent now of the probe that runs or begins: its rate in bit/s, and bytes. Call it again
    /// [`super::PROBE_BURST_INTERVAL`] later while there is one.
    pub(super) fn poll(&mut self, now_us: i64, round_trip_us: i64) -> Option<(f64, u64)> {
        if let Some(running) = self.running {
            let passed_us = now_us - running.begun_us;
            if running.is_complete(passed_us) {
                self.finish(now_us, running, round_trip_us);
            } else if passed_us > GIVE_UP_US {
                self.running = None;
                self.queue.clear();
            }
        }
        if self.running.is_none() {
            let rate = self.queue.pop_at(0)?;
            self.last_cluster = self.last_cluster.checked_add(1).unwrap_or(1);
            self.last_us = now_us;
            let cluster = self.last_cluster;
            self.running = Some(Running { cluster, rate, begun_us: now_us, bytes: 0, packets: 0 });
        }
        let running = self.running.as_ref()?;
        let passed_us = (now_us - running.begun_us).max(0);
        let by_now = bytes_in(running.rate, passed_us + BURST_US);
        Some((running.rate, by_now.saturating_sub(running.bytes)))
    }

    fn finish(&mut self, now_us: i64, running: Running, round_trip_us: i64) {
        self.running = None;
        if self.awaited.is_full() {
            self.awaited.remove(0);
        }
        self.awaited.push(Awaited {
            probed: Probed { cluster: running.cluster, packets: running.packets, bytes: running.bytes },
            rate: running.rate,
            until_us: now_us + round_trip_us + ANSWER_US,
        });
    }

    /// Takes the answers that are there. Returns the highest rate that a probe has shown, in bit/s.
    pub(super) fn take_answers(&mut self, now_us: i64, rates: &mut ProbeRate) -> Option<f64> {
        let mut best: Option<f64> = None;
        let mut further = None;
        self.awaited.retain(|awaited| {
            match rates.outcome(awaited.probed, now_us >= awaited.until_us) {
                Outcome::Waiting => return true,
                Outcome::Nothing => {}
                Outcome::Rate(rate) => {
                    self.answered_us = now_us;
                    best = Some(best.map_or(rate, |b| b.max(rate)));
                    further = (rate >= FURTHER_MIN * awaited.rate).then_some(rate);
                }
            }
            false
        });
        if let Some(rate) = further
            && self.awaited.is_empty()
            && !self.is_due()
            && !self.covers(rate)
        {
            self.queue.push((SCALE * rate).min(WANTED_SHARE_MAX * self.wanted));
        }
        best
    }
}

impl Running {
    fn is_complete(&self, passed_us: i64) -> bool {
        passed_us >= DURATION_US
            && self.packets >= PACKETS_MIN
            && self.bytes >= bytes_in(self.rate, DURATION_US).max(BYTES_MIN)
    }
}

fn bytes_in(rate: f64, us: i64) -> u64 {
    (rate * us as f64 / 8e6) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends a whole probe over a path and reports it. Returns its rate.
    fn run(probes: &mut Probes, rates: &mut ProbeRate, now_us: &mut i64, path: f64) -> Option<f64> {
        let mut probed_rate = None;
        let mut free_us = 0.0f64;
        while let Some((rate, bytes)) = probes.poll(*now_us, 50_000) {
            if probed_rate.is_some_and(|r| r != rate) {
                free_us = *now_us as f64;
            }
            probed_rate = Some(rate);
            for _ in 0..bytes.div_ceil(1_000) {
                free_us = free_us.max(*now_us as f64) + 8e9 / path;
                rates.received(probes.cluster(), *now_us, free_us as i64, 1_000);
                probes.sent(1_000);
            }
            *now_us += BURST_US;
        }
        probed_rate
    }

    #[test]
    fn a_wide_path_is_climbed_by_doubling_up_to_what_is_wanted() {
        let (mut probes, mut rates, mut now_us) = (Probes::new(), ProbeRate::default(), 0);
        probes.plan(now_us, 500e3, true);
        assert!(!probes.is_due(), "nothing is wanted");
        probes.set_wanted(10e6);
        let mut target = 500e3;
        probes.plan(now_us, target, true);
        let mut seen = Vec::new();
        while probes.is_due() {
            seen.push(run(&mut probes, &mut rates, &mut now_us, 1e9).unwrap());
            if let Some(rate) = probes.take_answers(now_us, &mut rates) {
                target = rate;
            }
        }
        assert_eq!(seen[0], 3e6, "the second of the first two");
        assert!(seen.windows(2).all(|w| w[1] <= 2.3 * w[0]), "{seen:?}");
        assert!((10e6..=15e6).contains(&target), "{target} {seen:?}");
        now_us += 60_000_000;
        probes.plan(now_us, target, true);
        assert!(!probes.is_due(), "everything wanted passes");
        assert!(now_us < 61_000_000, "within a second");
    }

    #[test]
    fn a_full_path_is_asked_again_now_and_then() {
        let (mut probes, mut rates, mut now_us) = (Probes::new(), ProbeRate::default(), 0);
        probes.set_wanted(4e6);
        let mut count = 0;
        for _ in 0..600 {
            probes.plan(now_us, 600e3, true);
            if run(&mut probes, &mut rates, &mut now_us, 700e3).is_some() {
                count += 1;
            }
            probes.take_answers(now_us, &mut rates);
            now_us += 50_000;
        }
        assert!((5..=8).contains(&count), "{count} in half a minute");
    }

    #[test]
    fn no_probe_of_a_path_that_is_not_calm_and_none_without_packets() {
        let mut probes = Probes::new();
        probes.set_wanted(4e6);
        probes.plan(0, 500e3, false);
        assert!(!probes.is_due());
        probes.plan(0, 500e3, true);
        assert!(probes.poll(0, 0).is_some());
        assert!(probes.poll(100_000, 0).is_some(), "nothing was sent of it");
        assert_eq!(probes.poll(300_000, 0), None, "given up");
        assert_eq!(probes.cluster(), 0);
    }
}
