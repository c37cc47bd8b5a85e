//! Transport-wide congestion control feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1): which packets
//! of a transport arrived, and when. Reading it here; [`ArrivalLog`] writes it.

mod arrival_log;
mod status;

pub use arrival_log::{ArrivalLog, FEEDBACK_BYTES_MAX};

use std::time::Duration;

use super::word_at;
use status::{Statuses, Symbol};

/// The unit of arrival times.
pub const TICK: Duration = Duration::from_micros(250);
/// Bytes before the status chunks: two SSRCs, base number, count, reference time and feedback count.
const FIXED_LEN: usize = 16;

/// One feedback packet, wholly checked: its chunks cover all its statuses and its deltas are all there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransportFeedback<'a> {
    /// Who received.
    pub sender_ssrc: u32,
    /// Any stream of the transport.
    pub media_ssrc: u32,
    /// The first sequence number.
    pub base_sequence_number: u16,
    /// How many consecutive sequence numbers follow, at least 1.
    pub status_count: u16,
    /// The receiver's clock in units of 64 ms: 24 bits, which wrap after 12 days.
    pub reference_time: u32,
    /// Counts feedback packets, wraps.
    pub feedback_count: u8,
    chunks: &'a [[u8; 2]],
    deltas: &'a [u8],
}

/// What became of one packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PacketStatus {
    /// Its transport-wide sequence number.
    pub sequence_number: u16,
    /// When it arrived, in µs from the start of the feedback's reference time; negative if reordering took it before.
    /// `None` if it has not arrived.
    pub arrival_us: Option<i64>,
}

impl<'a> TransportFeedback<'a> {
    pub(super) fn parse(body: &'a [u8]) -> Option<Self> {
        let (base_and_count, time_and_count) = (word_at(body, 8)?, word_at(body, 12)?);
        let status_count = base_and_count as u16;
        if status_count == 0 {
            return None;
        }
        let content = body.get(FIXED_LEN..)?;
        let mut statuses = Statuses::new(content.as_chunks::<2>().0, status_count);
        let mut deltas_len = 0;
        for _ in 0..status_count {
            deltas_len += statuses.next()?.delta_len()?;
        }
        let chunks_len = 2 * statuses.chunks_used();
        let (chunks, rest) = content.split_at_checked(chunks_len)?;
        Some(Self {
            sender_ssrc: word_at(body, 0)?,
            media_ssrc: word_at(body, 4)?,
            base_sequence_number: (base_and_count >> 16) as u16,
            status_count,
            reference_time: time_and_count >> 8,
            feedback_count: time_and_count as u8,
            chunks: chunks.as_chunks().0,
            deltas: rest.get(..deltas_len)?,
        })
    }

    /// The statuses of all packets that this is about, in the order of their numbers. With [`Self::reference_time`]
    /// times 64 ms added, arrivals of different feedback packets are on one clock.
    pub fn statuses(&self) -> impl Iterator<Item = PacketStatus> + use<'a> {
        let mut deltas = self.deltas;
        let mut ticks = 0i64;
        let mut sequence_number = self.base_sequence_number;
        Statuses::new(self.chunks, self.status_count).map(move |symbol| {
            let arrival_us = take_delta(&mut deltas, symbol).map(|delta| {
                ticks += delta;
                ticks * TICK.as_micros() as i64
            });
            let status = PacketStatus { sequence_number, arrival_us };
            sequence_number = sequence_number.wrapping_add(1);
            status
        })
    }
}

fn take_delta(deltas: &mut &[u8], symbol: Symbol) -> Option<i64> {
    match symbol {
        Symbol::Small => {
            let (&delta, rest) = deltas.split_first()?;
            *deltas = rest;
            Some(delta.into())
        }
        Symbol::Large => {
            let (delta, rest) = deltas.split_first_chunk::<2>()?;
            *deltas = rest;
            Some(i16::from_be_bytes(*delta).into())
        }
        Symbol::Lost | Symbol::Reserved => None,
    }
}
