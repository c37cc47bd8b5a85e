//! Asking for what is missing: which sequence numbers of one stream to request again, and when.

use std::time::Duration;

use arrayvec::ArrayVec;

/// Missing packets that are kept track of. More are not worth repairing: a key frame comes cheaper. libwebrtc's bound.
const MISSING_MAX: usize = 1_000;
/// A number that lies further behind the newest than this is given up. Receivers have no use for it any more.
const AGE_MAX: u64 = 10_000;
/// How long a gap may be nothing but reordering.
const REORDERING: Duration = Duration::from_millis(10);
/// The shortest time between two requests for one packet, whatever the round trip.
const INTERVAL_MIN: Duration = Duration::from_millis(20);
/// Requests for one packet.
const TRIES_MAX: u8 = 10;
/// Numbers that one [`NackGenerator::poll`] gives at most. The others are still due then.
pub const NACK_BATCH_MAX: usize = 256;

/// One missing packet.
#[derive(Debug, Clone, Copy)]
struct Missing {
    number: u64,
    /// When to request it (again).
    due: Duration,
    tries: u8,
}

/// Keeps track of what is missing of one stream. Times are since any fixed instant.
#[derive(Debug, Default)]
pub struct NackGenerator {
    highest: Option<u64>,
    /// In the order of their numbers.
    missing: Vec<Missing>,
    /// No request is due before this. Not later than the earliest of all.
    due: Option<Duration>,
    key_frame_needed: bool,
}

impl NackGenerator {
    /// Nothing received yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A packet came, or came back: its extended sequence number.
    #[inline]
    pub fn received(&mut self, number: u64, now: Duration) {
        match self.highest {
            None => self.highest = Some(number),
            Some(highest) if number == highest.wrapping_add(1) => self.highest = Some(number),
            Some(highest) if number > highest => self.gap(highest, number, now),
            Some(_) => self.recovered(number),
        }
    }

    #[cold]
    fn gap(&mut self, highest: u64, number: u64, now: Duration) {
        self.highest = Some(number);
        let count = number - highest - 1;
        if count > MISSING_MAX as u64 || self.missing.len() as u64 + count > MISSING_MAX as u64 {
            self.missing.clear();
            self.due = None;
            self.key_frame_needed = true;
            return;
        }
        let oldest = number.saturating_sub(AGE_MAX);
        let old = self.missing.partition_point(|missing| missing.number < oldest);
        self.missing.drain(..old);
        let due = now + REORDERING;
        self.missing.extend((highest + 1..number).map(|number| Missing { number, due, tries: 0 }));
        self.due = Some(self.due.map_or(due, |earlier| earlier.min(due)));
    }

    #[cold]
    fn recovered(&mut self, number: u64) {
        if let Ok(at) = self.missing.binary_search_by_key(&number, |missing| missing.number) {
            self.missing.remove(at);
            if self.missing.is_empty() {
                self.due = None;
            }
        }
    }

    /// A key frame begins at this number: what came before it is not needed any more.
    pub fn key_frame(&mut self, number: u64) {
        let old = self.missing.partition_point(|missing| missing.number < number);
        self.missing.drain(..old);
        if self.missing.is_empty() {
            self.due = None;
        }
    }

    /// When to poll, if something is missing.
    pub fn poll_timeout(&self) -> Option<Duration> {
        self.due
    }

    /// The sequence numbers to request now, in order, at most [`NACK_BATCH_MAX`]. Each is given again after the round
    /// trip, or 20 ms if that is longer, and ten times in all.
    pub fn poll(&mut self, now: Duration, round_trip: Duration) -> ArrayVec<u16, NACK_BATCH_MAX> {
        let mut due = ArrayVec::new();
        if self.due.is_none_or(|at| at > now) {
            return due;
        }
        let again = now + round_trip.max(INTERVAL_MIN);
        let mut next: Option<Duration> = None;
        self.missing.retain_mut(|missing| {
            if missing.due <= now && !due.is_full() {
                if missing.tries == TRIES_MAX {
                    return false;
                }
                due.push(missing.number as u16);
                missing.tries += 1;
                missing.due = again;
            }
            next = Some(next.map_or(missing.due, |earlier| earlier.min(missing.due)));
            true
        });
        self.due = next;
        due
    }

    /// How many packets are missing and not given up.
    pub fn missing_count(&self) -> usize {
        self.missing.len()
    }

    /// Whether so much was lost that only a key frame helps. Said once.
    pub fn take_key_frame_needed(&mut self) -> bool {
        std::mem::take(&mut self.key_frame_needed)
    }
}
