//! What publishers send: when, how many packets of which size, and what is in them. Pure; told the time.

mod camera;
mod payload;

use std::time::{Duration, Instant};

use model::Codec;

pub use camera::Camera;
pub use payload::Packetizer;

/// One frame to be sent now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Payload sizes of its packets, in order.
    pub sizes: Vec<usize>,
    /// Decodable by itself.
    pub key: bool,
    /// When it was taken, on the source's own clock from its first frame on.
    pub at: Duration,
}

/// When and how large frames are.
#[derive(Debug, Clone)]
pub enum Shape {
    /// As many packets a second, released in bursts of which each is one frame.
    Steady {
        /// Packets a second.
        pps: f64,
        /// Packets of one burst.
        burst: usize,
        /// Bytes of each payload.
        size: usize,
    },
    /// Like a camera encoded by a browser.
    Camera(Camera),
    /// Speech in Opus: a packet every 20 ms.
    Speech(Noise),
}

/// Bytes of Opus payloads: 32 kbit/s, more or less.
const SPEECH_BYTES: std::ops::Range<usize> = 60..110;
const SPEECH_INTERVAL: Duration = Duration::from_millis(20);

impl Shape {
    fn interval(&self) -> Duration {
        match self {
            Shape::Steady { pps, burst, .. } => Duration::from_secs_f64(*burst as f64 / pps),
            Shape::Camera(_) => Camera::INTERVAL,
            Shape::Speech(_) => SPEECH_INTERVAL,
        }
    }

    fn sizes(&mut self, key: bool) -> Vec<usize> {
        match self {
            Shape::Steady { burst, size, .. } => vec![*size; *burst],
            Shape::Camera(camera) => camera.sizes(key),
            Shape::Speech(noise) => vec![noise.within(SPEECH_BYTES)],
        }
    }
}

/// Frames that one call may give when the source is behind. Beyond that the time lost is given up and counted: a
/// generator that cannot keep up must say so, not send later what was due before.
const CATCH_UP_MAX: u32 = 64;

/// A source in time.
#[derive(Debug, Clone)]
pub struct Source {
    shape: Shape,
    next: Instant,
    /// Time of the next frame on the source's clock.
    at: Duration,
    key_wanted: bool,
    caught_up: u32,
    skipped: u64,
}

impl Source {
    /// A source whose first frame, a key frame, is due at `start`.
    pub fn new(shape: Shape, start: Instant) -> Self {
        Self { shape, next: start, at: Duration::ZERO, key_wanted: true, caught_up: 0, skipped: 0 }
    }

    /// Begins anew: a key frame is due at `start`.
    pub fn restart(&mut self, start: Instant) {
        (self.next, self.key_wanted) = (start, true);
    }

    /// Lets that much time go by without frames. The source's own clock goes on: it is a gap, not a slowdown.
    pub fn skip(&mut self, time: Duration) {
        self.next += time;
        self.at += time;
    }

    /// When the next frame is due.
    pub fn next_deadline(&self) -> Instant {
        self.next
    }

    /// Makes the next frame a key frame.
    pub fn request_key_frame(&mut self) {
        self.key_wanted = true;
    }

    /// Changes the rate of a steady source; others have their own.
    pub fn set_pps(&mut self, rate: f64) {
        if let Shape::Steady { pps, .. } = &mut self.shape {
            *pps = rate;
        }
    }

    /// Frames that were never sent because the generator was behind.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// A frame that is due. Call until there is none.
    pub fn poll_frame(&mut self, now: Instant) -> Option<Frame> {
        if now < self.next {
            self.caught_up = 0;
            return None;
        }
        let interval = self.shape.interval();
        if self.caught_up >= CATCH_UP_MAX {
            let behind = now.saturating_duration_since(self.next);
            self.skipped += behind.as_nanos().checked_div(interval.as_nanos()).unwrap_or(0) as u64;
            (self.next, self.at, self.caught_up) = (now + interval, self.at + behind, 0);
            return None;
        }
        self.caught_up += 1;
        let key = std::mem::take(&mut self.key_wanted);
        let frame = Frame { sizes: self.shape.sizes(key), key, at: self.at };
        self.next += interval;
        self.at += interval;
        Some(frame)
    }
}

/// The RTP time of a frame.
pub fn rtp_time(codec: Codec, at: Duration) -> u32 {
    (at.as_nanos() * u128::from(codec.clock_rate_hz()) / 1_000_000_000) as u32
}

/// A repeatable sequence of numbers (xorshift64*, Vigna 2016). Not random, and must not be: two runs compare.
#[derive(Debug, Clone)]
pub struct Noise(u64);

impl Noise {
    /// A sequence of its own for each seed.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// The next number.
    pub fn draw(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11
    }

    /// A number of the range, each as likely.
    pub fn within(&mut self, range: std::ops::Range<usize>) -> usize {
        range.start + (self.draw() % (range.len().max(1) as u64)) as usize
    }

    /// Between 0 and 1.
    pub fn share(&mut self) -> f64 {
        self.draw() as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(source: &mut Source, now: Instant) -> Vec<Frame> {
        std::iter::from_fn(|| source.poll_frame(now)).collect()
    }

    #[test]
    fn a_steady_source_keeps_its_rate_and_its_bursts() {
        let base = net::clock::now();
        let mut source = Source::new(Shape::Steady { pps: 250.0, burst: 8, size: 1100 }, base);
        let mut packets = 0;
        let mut now = base;
        while now < base + Duration::from_secs(10) {
            let frame = source.poll_frame(now).unwrap();
            assert_eq!(frame.sizes, [1100; 8]);
            packets += frame.sizes.len();
            assert_eq!(source.poll_frame(now), None);
            now = source.next_deadline();
        }
        assert!((2496..=2504).contains(&packets), "{packets}");
        source.set_pps(500.0);
        source.poll_frame(now);
        assert_eq!(source.next_deadline() - now, Duration::from_millis(16));
    }

    #[test]
    fn only_the_first_frame_and_those_asked_for_are_key_frames() {
        let base = net::clock::now();
        let mut source = Source::new(Shape::Steady { pps: 100.0, burst: 1, size: 100 }, base);
        let later = base + Duration::from_millis(39);
        assert_eq!(
            frames(&mut source, later).iter().map(|f| f.key).collect::<Vec<_>>(),
            [true, false, false, false]
        );
        source.request_key_frame();
        let later = base + Duration::from_millis(50);
        assert_eq!(frames(&mut source, later).iter().map(|f| f.key).collect::<Vec<_>>(), [true, false]);
    }

    #[test]
    fn a_source_that_is_far_behind_gives_up_time_and_says_so() {
        let base = net::clock::now();
        let mut source = Source::new(Shape::Speech(Noise::new(1)), base);
        let late = base + Duration::from_secs(100);
        assert_eq!(frames(&mut source, late).len(), 64);
        assert_eq!(source.skipped(), 5_000 - 64);
        assert!(source.next_deadline() > late);
        let frame = frames(&mut source, late + SPEECH_INTERVAL).remove(0);
        assert_eq!(frame.at, Duration::from_secs(100), "its clock goes on");
    }

    #[test]
    fn a_gap_moves_what_follows() {
        let base = net::clock::now();
        let mut source = Source::new(Shape::Speech(Noise::new(1)), base);
        source.skip(Duration::from_millis(100));
        assert_eq!(source.next_deadline(), base + Duration::from_millis(100));
        assert_eq!(source.poll_frame(source.next_deadline()).unwrap().at, Duration::from_millis(100));
    }

    #[test]
    fn rtp_time_counts_in_the_clock_of_the_codec_and_turns_over() {
        assert_eq!(rtp_time(Codec::Vp8, Duration::from_millis(100)), 9_000);
        assert_eq!(rtp_time(Codec::Opus, Duration::from_millis(20)), 960);
        assert_eq!(rtp_time(Codec::Vp8, Duration::from_secs(50_000)), (4_500_000_000u64 - (1 << 32)) as u32);
    }

    #[test]
    fn noise_is_repeatable_and_spread() {
        let draw = |seed| {
            let mut noise = Noise::new(seed);
            (0..1000).map(|_| noise.share()).sum::<f64>() / 1000.0
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        assert!((0.45..0.55).contains(&draw(3)), "{}", draw(3));
    }
}
