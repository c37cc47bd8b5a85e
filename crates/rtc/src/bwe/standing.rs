//! What arrives while a queue stands on the path: then, and only then, it is what the path carries. A queue stands when
//! packets are on their way for longer than the fastest of the last seconds.
//!
//! The slope of the delay ([`super::trendline`]) sees small queues early and says nothing of how full they are. This one
//! needs a tenth of a second of a queue, and says at once what the rate has to become.

/// So much later than the fastest, a packet has been in a queue: above the jitter of most paths.
const QUEUED_US: i64 = 20_000;
/// A row of queued packets shows a rate when it has lasted so long and has so many.
const SPAN_MIN_US: i64 = 80_000;
const PACKETS_MIN: u32 = 3;
/// The rate is that of the last one or two of these: the path may change while a queue stands.
const WINDOW_US: i64 = 100_000;
/// Without arrivals for so long, the path was gone, and what comes after it shows nothing.
const PAUSE_US: i64 = 300_000;
/// A rate that a queue has shown is believed for so long after it.
const FRESH_US: i64 = 150_000;
/// What is the fastest is asked of the last one or two of these: routes change.
const FASTEST_WINDOW_US: i64 = 5_000_000;
/// A queue of so long, and
const FULL_US: i64 = 60_000;
/// what arrives is only this part of what is sent: no slope is needed to see that it is too much.
const FULL_SHARE: f64 = 0.8;

#[derive(Debug, Clone, Copy)]
struct Window {
    begun_us: i64,
    bytes: u64,
    packets: u32,
}

/// The least time on the way (with the unknown difference of the clocks), forgotten after a while.
#[derive(Debug, Clone, Copy)]
struct Fastest {
    begun_us: i64,
    current_us: i64,
    former_us: i64,
}

/// Measures what a queue lets through.
#[derive(Debug, Default)]
pub(super) struct Standing {
    fastest: Option<Fastest>,
    current: Option<Window>,
    former: Option<Window>,
    last_us: i64,
    /// How long the last packet was in the queue.
    queued_us: i64,
    /// What was shown last, and by which arrival.
    shown: Option<(f64, i64)>,
}

impl Standing {
    /// A packet arrived. In order of arrival, mostly.
    #[inline]
    pub(super) fn update(&mut self, sent_us: i64, arrival_us: i64, bytes: u16) {
        let fastest_us = self.fastest_us(arrival_us, arrival_us - sent_us);
        self.queued_us = arrival_us - sent_us - fastest_us;
        let gap_us = arrival_us - self.last_us;
        self.last_us = arrival_us;
        if self.queued_us < QUEUED_US || !(0..PAUSE_US).contains(&gap_us) {
            (self.current, self.former) = (None, None);
            return;
        }
        let Some(current) = &mut self.current else {
            self.current = Some(Window { begun_us: arrival_us, bytes: 0, packets: 0 });
            return;
        };
        current.bytes += u64::from(bytes);
        current.packets += 1;
        let row = self.former.map_or(*current, |former| Window {
            begun_us: former.begun_us,
            bytes: former.bytes + current.bytes,
            packets: former.packets + current.packets,
        });
        if arrival_us - current.begun_us >= WINDOW_US {
            self.former = Some(*current);
            *current = Window { begun_us: arrival_us, bytes: 0, packets: 0 };
        }
        let span_us = arrival_us - row.begun_us;
        if span_us >= SPAN_MIN_US && row.packets >= PACKETS_MIN {
            self.shown = Some((row.bytes as f64 * 8e6 / span_us as f64, arrival_us));
        }
    }

    fn fastest_us(&mut self, arrival_us: i64, transit_us: i64) -> i64 {
        let fresh = Fastest { begun_us: arrival_us, current_us: transit_us, former_us: transit_us };
        let fastest = self.fastest.get_or_insert(fresh);
        if !(0..2 * FASTEST_WINDOW_US).contains(&(arrival_us - fastest.begun_us).max(0)) {
            *fastest = fresh;
        } else if arrival_us - fastest.begun_us >= FASTEST_WINDOW_US {
            *fastest = Fastest { former_us: fastest.current_us, ..fresh };
        }
        fastest.current_us = fastest.current_us.min(transit_us);
        fastest.current_us.min(fastest.former_us)
    }

    /// What the path carries, in bit/s, if a queue has shown it just now.
    pub(super) fn rate(&self) -> Option<f64> {
        self.shown.filter(|(_, at)| self.last_us - at <= FRESH_US).map(|(rate, _)| rate)
    }

    /// A queue stands that is our own: clearly more is sent (in bit/s) than it lets through.
    pub(super) fn is_full(&self, sent_rate: f64) -> bool {
        self.queued_us >= FULL_US && self.rate().is_some_and(|rate| rate < FULL_SHARE * sent_rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A path with a queue of 200 ms.
    struct Path {
        bps: i64,
        free_us: i64,
        now_us: i64,
        noise: u64,
    }

    impl Path {
        fn new(bps: i64) -> Self {
            Self { bps, free_us: 0, now_us: 0, noise: 1 }
        }

        /// Frames of so many packets of 1,000 bytes, thirty in a second.
        fn frames(&mut self, standing: &mut Standing, frames: i64, packets: i64, jitter_us: i64) {
            for _ in 0..frames {
                for _ in 0..packets {
                    if self.free_us - self.now_us < 200_000 {
                        self.free_us = self.free_us.max(self.now_us) + 8_000 * 1_000_000 / self.bps;
                        self.noise = self.noise.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
                        let late_us = (self.noise >> 40) as i64 % (jitter_us + 1);
                        standing.update(self.now_us, 777_000 + self.free_us + late_us, 1_000);
                    }
                }
                self.now_us += 33_333;
            }
        }
    }

    #[test]
    fn a_full_queue_shows_what_the_path_carries_within_a_few_frames() {
        let (mut standing, mut path) = (Standing::default(), Path::new(4_000_000));
        path.frames(&mut standing, 100, 7, 1_000);
        assert_eq!(standing.rate(), None);
        path.bps = 600_000;
        path.frames(&mut standing, 4, 7, 1_000);
        let rate = standing.rate().unwrap();
        assert!((550e3..650e3).contains(&rate), "{rate}");
        assert!(standing.is_full(1.68e6) && !standing.is_full(0.6e6));
        path.frames(&mut standing, 30, 1, 1_000);
        assert_eq!(standing.rate(), None, "it has drained");
    }

    #[test]
    fn one_large_frame_shows_it_too() {
        let (mut standing, mut path) = (Standing::default(), Path::new(1_000_000));
        path.frames(&mut standing, 100, 1, 1_000);
        path.frames(&mut standing, 1, 17, 1_000);
        let rate = standing.rate().unwrap();
        assert!((0.9e6..1.1e6).contains(&rate), "{rate}");
    }

    #[test]
    fn jitter_shows_nothing_and_a_longer_way_is_got_used_to() {
        let (mut standing, mut path) = (Standing::default(), Path::new(50_000_000));
        for _ in 0..300 {
            path.frames(&mut standing, 1, 7, 40_000);
            assert!(!standing.is_full(1.68e6));
        }
        path.free_us += 100_000;
        path.now_us += 100_000;
        standing.update(path.now_us - 100_000, 777_000 + path.now_us, 1_000);
        for _ in 0..330 {
            let sent_us = path.now_us - 100_000;
            standing.update(sent_us, 777_000 + path.now_us, 7_000);
            path.now_us += 33_333;
            assert!(!standing.is_full(1.68e6), "what is sent arrives");
        }
        assert_eq!(standing.rate(), None);
    }

    #[test]
    fn clocks_that_jump_do_no_harm() {
        let mut standing = Standing::default();
        for (sent, arrival) in [
            (0, 0),
            (1, i64::MAX / 4),
            (2, i64::MIN / 4),
            (3, 0),
            (4, i64::MAX / 4),
            (5, i64::MAX / 4 + 90_000),
        ] {
            standing.update(sent, arrival, u16::MAX);
            standing.is_full(1e6);
        }
    }
}
