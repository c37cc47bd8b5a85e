//! What an encoding costs each of its receivers, measured; and what it is taken for until it is.

use std::time::Duration;

use model::{Bitrate, MediaKind};

/// What comes on top of a packet's payload: the RTP header with its extensions, and the protection.
const PACKET_OVERHEAD_BYTES: u64 = 44;

/// An encoding that began to flow so lately is taken for what it will cost: encoders begin slowly.
const RAMP_TIME: Duration = Duration::from_secs(2);

/// A change of cost by more than this, in percent, is one: below is noise.
const CHANGE_PCT: u64 = 10;

/// Bits per second of a camera's picture of so many pixels, as encoders are told by browsers and by our own client.
const NOMINAL_VIDEO: [(u64, u64); 6] = [
    (320 * 180, 150_000),
    (480 * 270, 300_000),
    (640 * 360, 500_000),
    (1280 * 720, 1_700_000),
    (1920 * 1080, 3_000_000),
    (3840 * 2160, 8_000_000),
];
/// A picture of unknown size: the middle of a usual ladder.
const NOMINAL_UNKNOWN_BPS: u64 = 500_000;
/// Speech at 50 packets a second, with headers.
const NOMINAL_AUDIO_BPS: u64 = 50_000;

/// Measures one encoding.
#[derive(Debug)]
pub(crate) struct CostMeter {
    kind: MediaKind,
    bytes_since_tick: u64,
    /// Ticks without a packet since the last one: a pause of a slow stream, or its end.
    pause: u32,
    flowing: Duration,
    slow_bps: u64,
    fast_bps: u64,
    peak_bps: u64,
    /// What it cost when it flowed last.
    settled_bps: Option<u64>,
    cost_bps: u64,
}

impl CostMeter {
    pub(crate) fn new(kind: MediaKind, area: u64) -> Self {
        let cost_bps = nominal_bps(kind, area);
        Self {
            kind,
            bytes_since_tick: 0,
            pause: 0,
            flowing: Duration::ZERO,
            slow_bps: 0,
            fast_bps: 0,
            peak_bps: 0,
            settled_bps: None,
            cost_bps,
        }
    }

    /// What it costs, steady: it moves only when the cost has moved materially.
    pub(crate) fn cost(&self) -> Bitrate {
        Bitrate::from_bps(self.cost_bps)
    }

    /// What it was measured to cost, once it was.
    pub(crate) fn measured(&self) -> Option<Bitrate> {
        self.settled_bps.map(|_| self.cost())
    }

    /// What another unit has measured, where nothing flows here.
    pub(crate) fn expect(&mut self, measured: Bitrate) {
        if self.flowing.is_zero() {
            (self.settled_bps, self.cost_bps) = (Some(measured.as_bps()), measured.as_bps());
        }
    }

    #[inline]
    pub(crate) fn count(&mut self, payload_bytes: usize) {
        self.bytes_since_tick += payload_bytes as u64 + PACKET_OVERHEAD_BYTES;
    }

    /// Called every `interval`, with the pixels of a picture (0: unknown) and whether packets come. True when the cost
    /// has changed.
    pub(crate) fn tick(&mut self, interval: Duration, area: u64, flows: bool) -> bool {
        let rate = self.bytes_since_tick * 8_000 / (interval.as_millis() as u64).max(1);
        self.bytes_since_tick = 0;
        if !flows {
            self.flowing = Duration::ZERO;
            self.pause = 0;
        } else if rate == 0 {
            // Counted when it turns out to have been a pause.
            self.pause += 1;
        } else {
            let expected = self.settled_bps.unwrap_or_else(|| nominal_bps(self.kind, area));
            for _ in 0..std::mem::take(&mut self.pause) {
                self.measure(0, expected);
                self.flowing = self.flowing.saturating_add(interval);
            }
            self.measure(rate, expected);
            self.flowing = self.flowing.saturating_add(interval);
        }
        self.settle(area)
    }

    fn measure(&mut self, rate: u64, expected: u64) {
        if self.flowing.is_zero() {
            // It begins with a key frame, which is as much as several others and says little of what follows.
            let begins = rate.min(expected);
            (self.slow_bps, self.fast_bps, self.peak_bps) = (begins, begins, begins);
        }
        // About 1.2 s and 0.6 s at ticks of 150 ms; a peak is forgotten in about 10 s.
        self.slow_bps = (self.slow_bps * 7 + rate) / 8;
        self.fast_bps = (self.fast_bps * 3 + rate) / 4;
        self.peak_bps = self.fast_bps.max(self.peak_bps - self.peak_bps / 64);
    }

    fn settle(&mut self, area: u64) -> bool {
        let expected = self.settled_bps.unwrap_or_else(|| nominal_bps(self.kind, area));
        let cost = if self.flowing.is_zero() {
            expected
        } else {
            // Half way to the recent peak: a scene that was lively will be so again, but not all scenes at once.
            let measured = self.slow_bps + self.peak_bps.saturating_sub(self.slow_bps) / 2;
            if self.flowing < RAMP_TIME {
                measured.max(expected)
            } else {
                self.settled_bps = Some(measured);
                measured
            }
        };
        let changed = cost.abs_diff(self.cost_bps) * 100 > self.cost_bps * CHANGE_PCT;
        if changed {
            self.cost_bps = cost;
        }
        changed
    }
}

/// What a picture of so many pixels is taken for until it was measured.
pub(crate) fn nominal_cost(area: u64) -> Bitrate {
    Bitrate::from_bps(nominal_bps(MediaKind::Video, area))
}

fn nominal_bps(kind: MediaKind, area: u64) -> u64 {
    if kind == MediaKind::Audio {
        return NOMINAL_AUDIO_BPS;
    }
    if area == 0 {
        return NOMINAL_UNKNOWN_BPS;
    }
    let (mut below, mut least) = (0, 0);
    for (pixels, bps) in NOMINAL_VIDEO {
        if area <= pixels {
            return least + (bps - least) * (area - below) / (pixels - below);
        }
        (below, least) = (pixels, bps);
    }
    least
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICK: Duration = Duration::from_millis(150);
    const AREA: u64 = 1280 * 720;

    /// Ticks with this rate, in packets of 1,000 bytes with all that is on top.
    fn flow(meter: &mut CostMeter, kbps: u64, ticks: u32) {
        for _ in 0..ticks {
            let bytes = kbps * 150 / 8;
            meter.bytes_since_tick += bytes;
            meter.tick(TICK, AREA, true);
        }
    }

    fn kbps(meter: &CostMeter) -> u64 {
        meter.cost().as_bps() / 1000
    }

    #[test]
    fn sizes_have_a_price_before_anything_comes() {
        let table = [(320 * 180, 150), (640 * 360, 500), (1280 * 720, 1700), (0, 500), (99_999_999, 8000)];
        for (area, expected) in table {
            assert_eq!(kbps(&CostMeter::new(MediaKind::Video, area)), expected, "{area}");
        }
        let between = kbps(&CostMeter::new(MediaKind::Video, 960 * 540));
        assert!((900..1200).contains(&between), "{between}");
    }

    #[test]
    fn what_was_just_started_is_not_free() {
        let mut meter = CostMeter::new(MediaKind::Video, AREA);
        flow(&mut meter, 50, 5);
        assert_eq!(kbps(&meter), 1700);
        flow(&mut meter, 800, 30);
        assert!((700..900).contains(&kbps(&meter)), "{}", kbps(&meter));
    }

    #[test]
    fn the_key_frame_that_it_begins_with_is_not_what_it_costs() {
        let mut meter = CostMeter::new(MediaKind::Video, 640 * 360);
        let tick = |meter: &mut CostMeter, kbps: u64| {
            meter.bytes_since_tick += kbps * 150 / 8;
            meter.tick(TICK, 640 * 360, kbps > 0);
        };
        // However often it begins.
        for _ in 0..50 {
            tick(&mut meter, 1_600);
            assert!(kbps(&meter) < 850, "{}", kbps(&meter));
            (0..19).for_each(|_| tick(&mut meter, 530));
            assert!(kbps(&meter) < 700, "{}", kbps(&meter));
            // Nobody looks at it for a while: what it is taken for then decides whether it is tried again.
            (0..20).for_each(|_| tick(&mut meter, 0));
            assert!(kbps(&meter) < 700, "{}", kbps(&meter));
        }
    }

    #[test]
    fn what_was_switched_off_costs_what_it_cost() {
        let mut meter = CostMeter::new(MediaKind::Video, AREA);
        flow(&mut meter, 900, 40);
        let before = meter.cost();
        // It falls silent before that is noticed.
        for i in 0..100 {
            assert!(!meter.tick(TICK, AREA, i < 7));
        }
        assert_eq!(meter.cost(), before);
        flow(&mut meter, 50, 3);
        assert_eq!(meter.cost(), before, "and when it starts again");
    }

    #[test]
    fn a_peak_counts_for_a_while_and_noise_does_not() {
        let mut meter = CostMeter::new(MediaKind::Video, AREA);
        flow(&mut meter, 500, 60);
        let calm = kbps(&meter);
        flow(&mut meter, 1500, 8);
        assert!(kbps(&meter) > 900);
        flow(&mut meter, 500, 15);
        assert!(kbps(&meter) > calm + 150, "{}", kbps(&meter));
        flow(&mut meter, 500, 150);
        assert!(kbps(&meter) < calm + 80, "{}", kbps(&meter));
        let steady = meter.cost();
        for i in 0..40 {
            flow(&mut meter, 480 + i % 2 * 40, 1);
        }
        assert_eq!(meter.cost(), steady);
    }

    #[test]
    fn headers_count() {
        let mut meter = CostMeter::new(MediaKind::Audio, 0);
        for _ in 0..40 {
            (0..7).for_each(|_| meter.count(100));
            meter.tick(TICK, 0, true);
        }
        assert!((50..58).contains(&kbps(&meter)), "{}", kbps(&meter));
    }
}
