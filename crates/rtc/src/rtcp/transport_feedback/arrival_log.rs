//! The receiver's side of transport-wide feedback: what arrived, and the packets that say so.

use std::time::Duration;

use arrayvec::ArrayVec;

use super::status::{Symbol, TWO_BIT_SYMBOLS, pack};
use super::{FIXED_LEN, TICK};
use crate::rtcp::build::write_packet;
use crate::rtcp::{format, kind};
use crate::rtp::extend_sequence_number;

/// Bytes of one feedback packet at most: below every MTU with a tag and lower headers.
pub const FEEDBACK_BYTES_MAX: usize = 1_100;
/// Sequence numbers that are remembered, as a ring. With feedback every 100 ms: 20,000 packets a second. 8 KiB, made
/// at the first packet.
const WINDOW: usize = 2_048;
/// Bytes of chunks and deltas in one packet, less one chunk and the padding.
const CONTENT_BYTES_MAX: usize = FEEDBACK_BYTES_MAX - 4 - FIXED_LEN - 2 - 3;

/// Records arrivals of one transport and writes them as feedback.
///
/// Times are counted in ticks of 250 µs and 32 bits, which is just what the wire has: 24 bits of reference time in
/// units of 256 ticks.
#[derive(Debug, Default)]
pub struct ArrivalLog {
    /// The tick of each arrival plus one by sequence number, 0 for none. Empty until the first packet.
    ticks_by_number: Vec<u32>,
    /// One more than the highest number recorded.
    end: u64,
    /// The first number that the next feedback is about.
    next: u64,
    feedback_count: u8,
}

impl ArrivalLog {
    /// An empty log.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes that a packet arrived, at a time since any fixed instant. A duplicate changes nothing; so does one that
    /// is 2,048 or more behind the newest. One that comes after its turn is reported together with those after it.
    #[inline]
    pub fn record(&mut self, sequence_number: u16, arrival: Duration) {
        let number = self.admit(sequence_number);
        let Some(number) = number else { return };
        let slot = self.ticks_by_number.get_mut(number as usize % WINDOW);
        if let Some(slot) = slot
            && *slot == 0
        {
            // 0 means none, so the tick before the wrap is taken as the one after.
            *slot = (arrival.as_micros() / TICK.as_micros()) as u32;
            *slot = slot.wrapping_add(1).max(1);
            self.next = self.next.min(number);
        }
    }

    /// Makes room for a number. `None` if it is too old.
    #[inline]
    fn admit(&mut self, sequence_number: u16) -> Option<u64> {
        if self.ticks_by_number.is_empty() {
            self.ticks_by_number.resize(WINDOW, 0);
            // Somewhere in the middle of nowhere, so that earlier numbers have a place.
            self.end = (1 << 32) + u64::from(sequence_number);
            self.next = self.end;
        }
        let number = extend_sequence_number(sequence_number, self.end.saturating_sub(1));
        if number >= self.end {
            let first_new = self.end.max((number + 1).saturating_sub(WINDOW as u64));
            for entered in first_new..=number {
                self.forget(entered);
            }
            self.end = number + 1;
            self.next = self.next.max(self.end.saturating_sub(WINDOW as u64));
        }
        (self.end - number <= WINDOW as u64).then_some(number)
    }

    #[inline]
    fn forget(&mut self, number: u64) {
        if let Some(slot) = self.ticks_by_number.get_mut(number as usize % WINDOW) {
            *slot = 0;
        }
    }

    /// The tick at which a number of the window arrived.
    #[inline]
    fn tick(&self, number: u64) -> Option<u32> {
        self.ticks_by_number.get(number as usize % WINDOW)?.checked_sub(1)
    }

    /// Whether there is something to report.
    pub fn is_pending(&self) -> bool {
        self.next < self.end
    }

    /// Appends one feedback packet of at most [`FEEDBACK_BYTES_MAX`] bytes. False if there was nothing to report; call
    /// it until then.
    pub fn build(&mut self, sender_ssrc: u32, media_ssrc: u32, out: &mut Vec<u8>) -> bool {
        let Some(report) = self.collect() else { return false };
        write_packet(out, format::TRANSPORT_WIDE, kind::TRANSPORT_LAYER_FEEDBACK, |out| {
            out.extend_from_slice(&sender_ssrc.to_be_bytes());
            out.extend_from_slice(&media_ssrc.to_be_bytes());
            out.extend_from_slice(&(self.next as u16).to_be_bytes());
            out.extend_from_slice(&(report.symbols.len() as u16).to_be_bytes());
            // The upper 24 of the 32 bits are the reference time, the lowest byte counts.
            let time = report.reference_tick & !0xff | u32::from(self.feedback_count);
            out.extend_from_slice(&time.to_be_bytes());
            report.write_content(out);
        });
        self.feedback_count = self.feedback_count.wrapping_add(1);
        self.next += report.symbols.len() as u64;
        true
    }

    /// What fits one packet, from `next` on, ending with a packet that arrived.
    fn collect(&self) -> Option<Report> {
        let first = (self.next..self.end).find_map(|number| self.tick(number))?;
        let mut report = Report { reference_tick: first & !0xff, ..Report::default() };
        let mut last_tick = report.reference_tick;
        let mut lost = 0;
        for number in self.next..self.end {
            let Some(tick) = self.tick(number) else {
                lost += 1;
                continue;
            };
            let Ok(delta) = i16::try_from(tick.wrapping_sub(last_tick) as i32) else { break };
            if !report.push(lost, delta) {
                break;
            }
            last_tick = tick;
            lost = 0;
        }
        Some(report)
    }
}

/// One feedback packet in the making.
#[derive(Default)]
struct Report {
    reference_tick: u32,
    symbols: ArrayVec<Symbol, WINDOW>,
    deltas: ArrayVec<i16, CONTENT_BYTES_MAX>,
    deltas_len: usize,
}

impl Report {
    /// Adds a received packet after `lost` others. False if it does not fit any more; then nothing is added.
    fn push(&mut self, lost: usize, delta: i16) -> bool {
        let (symbol, delta_len) =
            if (0..=0xff).contains(&delta) { (Symbol::Small, 1) } else { (Symbol::Large, 2) };
        let symbol_count = self.symbols.len() + lost + 1;
        // No packing is worse than 7 symbols a chunk.
        let chunks_len = 2 * symbol_count.div_ceil(TWO_BIT_SYMBOLS);
        if chunks_len + self.deltas_len + delta_len > CONTENT_BYTES_MAX
            || symbol_count > self.symbols.capacity()
        {
            return false;
        }
        self.symbols.extend(std::iter::repeat_n(Symbol::Lost, lost));
        self.symbols.push(symbol);
        self.deltas.push(delta);
        self.deltas_len += delta_len;
        true
    }

    fn write_content(&self, out: &mut Vec<u8>) {
        let mut rest = self.symbols.as_slice();
        while let Some((chunk, count)) = pack(rest) {
            out.extend_from_slice(&chunk);
            rest = rest.get(count..).unwrap_or_default();
        }
        for delta in &self.deltas {
            match u8::try_from(*delta) {
                Ok(small) => out.push(small),
                Err(_) => out.extend_from_slice(&delta.to_be_bytes()),
            }
        }
    }
}
