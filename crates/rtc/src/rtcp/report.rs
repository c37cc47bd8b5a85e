//! Reports and what goes with them: SR, RR, SDES, BYE (RFC 3550 §6.4 to §6.6).

use std::time::Duration;

use super::ntp::duration_from_short;
use super::{NtpTime, word_at};

/// Bytes of one report block.
pub(super) const REPORT_BLOCK_LEN: usize = 24;
/// The SDES item that holds the canonical name.
pub(super) const CNAME_ITEM: u8 = 1;

/// What one receiver says about one source (RFC 3550 §6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReportBlock {
    /// The source that it is about.
    pub ssrc: u32,
    /// Packets lost since the last report, in 1/256 of those expected.
    pub fraction_lost: u8,
    /// Packets lost over all time: 24 bits with sign, negative when there were duplicates.
    pub cumulative_lost: i32,
    /// The highest sequence number received, with its cycles in the upper half.
    pub highest_sequence_number: u32,
    /// Interarrival jitter in the units of the RTP clock.
    pub jitter: u32,
    /// The middle 32 bits of the NTP time of the last sender report; 0 if there was none.
    pub last_sender_report: u32,
    /// From its arrival to this report, in 1/65,536 s.
    pub delay_since_last_sender_report: u32,
}

impl ReportBlock {
    fn parse(bytes: &[u8; REPORT_BLOCK_LEN]) -> Self {
        let word = |at: usize| word_at(bytes, at).unwrap_or_default();
        Self {
            ssrc: word(0),
            fraction_lost: bytes[4],
            // Sign-extends 24 bits.
            cumulative_lost: (word(4) << 8) as i32 >> 8,
            highest_sequence_number: word(8),
            jitter: word(12),
            last_sender_report: word(16),
            delay_since_last_sender_report: word(20),
        }
    }

    pub(super) fn to_bytes(self) -> [u8; REPORT_BLOCK_LEN] {
        let lost = self.cumulative_lost.clamp(-0x80_0000, 0x7f_ffff) as u32 & 0xff_ffff;
        let words = [
            self.ssrc,
            u32::from(self.fraction_lost) << 24 | lost,
            self.highest_sequence_number,
            self.jitter,
            self.last_sender_report,
            self.delay_since_last_sender_report,
        ];
        let mut bytes = [0; REPORT_BLOCK_LEN];
        bytes.as_chunks_mut::<4>().0.iter_mut().zip(words).for_each(|(to, word)| *to = word.to_be_bytes());
        bytes
    }

    /// The round trip, when this block comes back at `now` to who sent the sender report (RFC 3550 §6.4.1). `None`
    /// without a sender report, and when the times make no sense.
    pub fn round_trip(&self, now: NtpTime) -> Option<Duration> {
        if self.last_sender_report == 0 {
            return None;
        }
        let away = now.middle().wrapping_sub(self.last_sender_report);
        let trip = away.wrapping_sub(self.delay_since_last_sender_report);
        // A little below zero is rounding; far below is nonsense.
        match trip as i32 {
            trip @ 0.. => Some(duration_from_short(trip as u32)),
            -65..0 => Some(Duration::ZERO),
            _ => None,
        }
    }
}

/// Cuts the blocks off that a header counts. What follows is a profile-specific extension.
fn blocks(count: u8, bytes: &[u8]) -> Option<&[[u8; REPORT_BLOCK_LEN]]> {
    bytes.as_chunks::<REPORT_BLOCK_LEN>().0.get(..count.into())
}

/// What a sender says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SenderInfo {
    /// Who.
    pub ssrc: u32,
    /// When this report was sent, by the sender's clock.
    pub ntp: NtpTime,
    /// The same instant in the RTP clock.
    pub rtp_timestamp: u32,
    /// Packets sent, wraps.
    pub packet_count: u32,
    /// Bytes of payload sent, without padding, wraps.
    pub octet_count: u32,
}

/// A sender report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SenderReport<'a> {
    /// About the sender.
    pub info: SenderInfo,
    blocks: &'a [[u8; REPORT_BLOCK_LEN]],
}

impl<'a> SenderReport<'a> {
    pub(super) fn parse(count: u8, body: &'a [u8]) -> Option<Self> {
        let ntp = u64::from(word_at(body, 4)?) << 32 | u64::from(word_at(body, 8)?);
        let info = SenderInfo {
            ssrc: word_at(body, 0)?,
            ntp: NtpTime(ntp),
            rtp_timestamp: word_at(body, 12)?,
            packet_count: word_at(body, 16)?,
            octet_count: word_at(body, 20)?,
        };
        Some(Self { info, blocks: blocks(count, body.get(24..)?)? })
    }

    /// What the sender says about others.
    pub fn reports(&self) -> impl ExactSizeIterator<Item = ReportBlock> + use<'a> {
        self.blocks.iter().map(ReportBlock::parse)
    }
}

/// A receiver report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceiverReport<'a> {
    /// Who.
    pub ssrc: u32,
    blocks: &'a [[u8; REPORT_BLOCK_LEN]],
}

impl<'a> ReceiverReport<'a> {
    pub(super) fn parse(count: u8, body: &'a [u8]) -> Option<Self> {
        Some(Self { ssrc: word_at(body, 0)?, blocks: blocks(count, body.get(4..)?)? })
    }

    /// What it says about others.
    pub fn reports(&self) -> impl ExactSizeIterator<Item = ReportBlock> + use<'a> {
        self.blocks.iter().map(ReportBlock::parse)
    }
}

/// A source description. Only canonical names interest us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceDescription<'a> {
    chunks: &'a [u8],
    count: u8,
}

impl<'a> SourceDescription<'a> {
    pub(super) fn parse(count: u8, body: &'a [u8]) -> Option<Self> {
        let mut rest = body;
        for _ in 0..count {
            take_chunk(&mut rest)?;
        }
        Some(Self { chunks: body, count })
    }

    /// The canonical names, as (ssrc, name); a source without one is left out.
    pub fn cnames(&self) -> impl Iterator<Item = (u32, &'a [u8])> + use<'a> {
        let mut rest = self.chunks;
        (0..self.count)
            .map_while(move |_| take_chunk(&mut rest))
            .filter_map(|(ssrc, cname)| cname.map(|cname| (ssrc, cname)))
    }
}

/// Cuts one chunk off: a source, its items, a zero, and padding to a word.
fn take_chunk<'a>(rest: &mut &'a [u8]) -> Option<(u32, Option<&'a [u8]>)> {
    let whole = *rest;
    let ssrc = word_at(whole, 0)?;
    let mut items = whole.get(4..)?;
    let mut cname = None;
    loop {
        let (&item, after) = items.split_first()?;
        if item == 0 {
            let used = (whole.len() - after.len()).next_multiple_of(4);
            *rest = whole.get(used..)?;
            return Some((ssrc, cname));
        }
        let (&len, after) = after.split_first()?;
        let (text, after) = after.split_at_checked(len.into())?;
        items = after;
        if item == CNAME_ITEM {
            cname = Some(text);
        }
    }
}

/// Sources that leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Goodbye<'a> {
    sources: &'a [[u8; 4]],
}

impl<'a> Goodbye<'a> {
    pub(super) fn parse(count: u8, body: &'a [u8]) -> Option<Self> {
        Some(Self { sources: body.as_chunks::<4>().0.get(..count.into())? })
    }

    /// Who.
    pub fn ssrcs(&self) -> impl ExactSizeIterator<Item = u32> + use<'a> {
        self.sources.iter().map(|b| u32::from_be_bytes(*b))
    }
}
