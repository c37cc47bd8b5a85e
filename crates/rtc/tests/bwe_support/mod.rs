//! A sender, a bottleneck and a receiver on virtual time, for the estimator alone.

#![allow(dead_code, reason = "each test file uses its part")]
#![allow(unreachable_pub, reason = "shared by test crates")]

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use model::Bitrate;
use rtc::bwe::{Estimator, PROBE_BURST_INTERVAL};
use rtc::rtcp::{ArrivalLog, Compound, Packet};

const STEP: Duration = Duration::from_millis(1);
const FEEDBACK_INTERVAL: Duration = Duration::from_millis(100);
const PACKET_BYTES: usize = 1_150;
const FRAME_INTERVAL: Duration = Duration::from_micros(33_333);
const AUDIO_INTERVAL: Duration = Duration::from_millis(20);
const AUDIO_BYTES: usize = 120;

#[expect(clippy::disallowed_methods, reason = "tests count from one base instant, whatever it is")]
pub fn start() -> Instant {
    Instant::now()
}

/// Numbers that a seed decides.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// 0 to 1.
    pub fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// What lies between.
#[derive(Debug, Clone, Copy)]
pub struct Link {
    pub bps: f64,
    /// Drop-tail.
    pub queue: Duration,
    /// One way; feedback takes as long.
    pub delay: Duration,
    /// Up to so much is added to each packet; order is kept.
    pub jitter: Duration,
    pub loss: f64,
    /// Share of feedback packets lost.
    pub feedback_loss: f64,
}

impl Link {
    pub fn of(bps: f64) -> Self {
        Self {
            bps,
            queue: Duration::from_millis(200),
            delay: Duration::from_millis(25),
            jitter: Duration::from_millis(2),
            loss: 0.0,
            feedback_loss: 0.0,
        }
    }
}

/// What is sent.
#[derive(Debug, Clone, Copy)]
pub enum Source {
    /// Frames and sound that fill the target, up to a rate.
    Adaptive { max_bps: f64 },
    /// This, whatever the target is.
    Fixed { bps: f64 },
    /// The highest of these layers that fits, with sound: what a forwarding unit does.
    Layers(&'static [f64]),
    /// Nothing, not even sound: all that was sent is paused.
    Nothing,
}

pub struct World {
    pub base: Instant,
    pub now: Instant,
    pub link: Link,
    pub source: Source,
    pub estimator: Estimator,
    random: Random,
    sequence: u16,
    free_at: Instant,
    last_arrival: Instant,
    in_flight: VecDeque<(Instant, u16)>,
    log: ArrivalLog,
    next_report: Instant,
    feedback: VecDeque<(Instant, Vec<u8>)>,
    next_frame: Instant,
    next_audio: Instant,
    next_burst: Option<Instant>,
    next_second: Instant,
    /// Every so many frames one is eight times as large.
    pub key_frame_every: Option<u64>,
    frames: u64,
    /// Bytes that video may have more than was sent.
    frame_bytes: f64,
    waiting: u32,
    debt: f64,
    held_up: bool,
    pub sent_bytes: u64,
    pub probe_bytes: u64,
    pub dropped: u64,
    /// Feedback comes twice now and then, or later than what was sent after it.
    pub disturb: Option<Random>,
    /// The longest time in the queue.
    pub queued_max: Duration,
}

impl World {
    pub fn new(seed: u64, link: Link, source: Source) -> Self {
        let now = start();
        let mut estimator = Estimator::new(now);
        estimator.set_numbered(true);
        let mut random = Random::new(seed);
        let phase = Duration::from_micros(random.next() % 20_000);
        Self {
            base: now,
            now,
            link,
            source,
            estimator,
            sequence: random.next() as u16,
            random,
            free_at: now,
            last_arrival: now,
            in_flight: VecDeque::new(),
            log: ArrivalLog::new(),
            next_report: now + FEEDBACK_INTERVAL,
            feedback: VecDeque::new(),
            next_frame: now + phase,
            next_audio: now,
            next_burst: None,
            next_second: now + Duration::from_secs(1),
            key_frame_every: None,
            frames: 0,
            frame_bytes: 0.0,
            waiting: 0,
            debt: 0.0,
            held_up: false,
            sent_bytes: 0,
            probe_bytes: 0,
            dropped: 0,
            disturb: None,
            queued_max: Duration::ZERO,
        }
    }

    pub fn target(&self) -> f64 {
        self.estimator.bandwidth().target.map_or(0.0, |t| t.as_bps() as f64)
    }

    pub fn want(&mut self, bps: f64) {
        self.estimator.set_wanted(self.now, Bitrate::from_bps(bps as u64));
    }

    pub fn run(&mut self, time: Duration) {
        self.run_watched(time, |_| {});
    }

    pub fn run_watched(&mut self, time: Duration, mut watch: impl FnMut(&Self)) {
        let end = self.now + time;
        while self.now < end {
            self.now += STEP;
            self.step();
            watch(self);
        }
    }

    /// Runs until it holds; how long that took. Panics after a while.
    pub fn until(&mut self, most: Duration, what: &str, condition: impl Fn(&Self) -> bool) -> Duration {
        let begin = self.now;
        while !condition(self) {
            let passed = self.now - begin;
            assert!(passed < most, "not within {most:?}: {what}; target {:.0} kbit/s", self.target() / 1e3);
            self.now += STEP;
            self.step();
        }
        self.now - begin
    }

    fn step(&mut self) {
        self.send_media();
        if self.estimator.wants_probe() && self.next_burst.is_none_or(|at| at <= self.now) {
            self.send_probe();
        }
        self.receive();
        while self.feedback.front().is_some_and(|(at, _)| *at <= self.now) {
            let Some((_, bytes)) = self.feedback.pop_front() else { break };
            for packet in &mut Compound::new(&bytes) {
                if let Packet::TransportFeedback(feedback) = packet {
                    self.estimator.handle_feedback(self.now, &feedback);
                }
            }
        }
        if self.next_second <= self.now {
            self.next_second += Duration::from_secs(1);
            self.estimator.handle_timeout(self.now);
        }
    }

    fn video_bps(&self) -> f64 {
        let audio = AUDIO_BYTES as f64 * 8.0 / AUDIO_INTERVAL.as_secs_f64();
        match self.source {
            Source::Nothing => 0.0,
            Source::Adaptive { max_bps } => (self.target().min(max_bps) - audio).max(0.0),
            Source::Fixed { bps } => bps,
            Source::Layers(layers) => {
                let fits = layers.iter().copied().filter(|l| l + audio <= self.target());
                fits.fold(0.0, f64::max)
            }
        }
    }

    fn send_media(&mut self) {
        if self.next_audio <= self.now {
            self.next_audio += AUDIO_INTERVAL;
            if !matches!(self.source, Source::Nothing) {
                self.send(AUDIO_BYTES);
            }
        }
        if self.next_frame <= self.now {
            self.next_frame += FRAME_INTERVAL;
            // Frames vary by a fifth.
            let varied = 0.8 + 0.4 * self.random.share();
            self.frames += 1;
            let key = self.key_frame_every.is_some_and(|every| self.frames.is_multiple_of(every));
            let size = if key { 8.0 } else { varied };
            self.frame_bytes += self.video_bps() / 8.0 * FRAME_INTERVAL.as_secs_f64() * size;
            while self.frame_bytes >= PACKET_BYTES as f64 {
                self.frame_bytes -= PACKET_BYTES as f64;
                self.waiting += 1;
            }
        }
        self.release();
    }

    /// As a unit does: at once up to 40 ms at 2.5 times the target, then in bursts.
    fn release(&mut self) {
        let rate = match self.source {
            Source::Fixed { bps } => bps,
            _ => self.target(),
        };
        let per_ms = rate * 2.5 / 8_000.0;
        self.debt = (self.debt - per_ms).max(0.0);
        let bound = if self.held_up { 5.0 } else { 40.0 } * per_ms;
        while self.waiting > 0 && self.debt <= bound {
            self.waiting -= 1;
            self.debt += PACKET_BYTES as f64;
            self.send(PACKET_BYTES);
        }
        self.held_up = self.waiting > 0;
    }

    fn send_probe(&mut self) {
        self.next_burst = Some(self.now + PROBE_BURST_INTERVAL);
        let Some(probe) = self.estimator.poll_probe(self.now) else { return };
        let mut left = probe.bytes;
        while left > 0 {
            let bytes = left.clamp(100, PACKET_BYTES);
            left = left.saturating_sub(bytes);
            self.probe_bytes += bytes as u64;
            self.send(bytes);
        }
    }

    fn send(&mut self, bytes: usize) {
        self.sequence = self.sequence.wrapping_add(1);
        self.sent_bytes += bytes as u64;
        self.estimator.handle_sent(self.now, Some(self.sequence), bytes);
        let queued = self.free_at.saturating_duration_since(self.now);
        if queued > self.link.queue || self.random.share() < self.link.loss {
            self.dropped += 1;
            return;
        }
        self.queued_max = self.queued_max.max(queued);
        let takes = Duration::from_secs_f64(bytes as f64 * 8.0 / self.link.bps);
        self.free_at = self.free_at.max(self.now) + takes;
        let jitter = self.link.jitter.mul_f64(self.random.share());
        let arrival = (self.free_at + self.link.delay + jitter).max(self.last_arrival);
        self.last_arrival = arrival;
        self.in_flight.push_back((arrival, self.sequence));
    }

    fn receive(&mut self) {
        while let Some(&(at, sequence)) = self.in_flight.front()
            && at <= self.now
        {
            self.in_flight.pop_front();
            self.log.record(sequence, at - self.base);
        }
        if self.next_report <= self.now {
            self.next_report += FEEDBACK_INTERVAL;
            while self.log.is_pending() {
                let mut bytes = Vec::new();
                self.log.build(1, 2, &mut bytes);
                if self.random.share() >= self.link.feedback_loss {
                    self.feedback.push_back((self.now + self.link.delay, bytes.clone()));
                    if let Some(random) = &mut self.disturb {
                        if random.share() < 0.3 {
                            self.feedback.push_back((self.now + self.link.delay, bytes));
                        }
                        let last = self.feedback.len() - 1;
                        if last > 0 && random.share() < 0.3 {
                            self.feedback.swap(last - 1, last);
                        }
                    }
                }
            }
        }
    }
}
