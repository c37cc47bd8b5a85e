//! Feedback on packets and pictures: NACK, PLI (RFC 4585 §6), FIR (RFC 5104 §4.3.1), REMB
//! (draft-alvestrand-rmcat-remb-03).

use model::Bitrate;

use super::word_at;

/// Bytes of sender and media SSRC.
const SSRCS_LEN: usize = 8;
/// Marks a REMB among application layer feedback.
pub(super) const REMB_NAME: [u8; 4] = *b"REMB";

/// Packets that a receiver lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nack<'a> {
    /// Who asks.
    pub sender_ssrc: u32,
    /// Of which stream.
    pub media_ssrc: u32,
    pairs: &'a [[u8; 4]],
}

impl<'a> Nack<'a> {
    pub(super) fn parse(body: &'a [u8]) -> Option<Self> {
        let (pairs, rest) = body.get(SSRCS_LEN..)?.as_chunks::<4>();
        (rest.is_empty() && !pairs.is_empty()).then_some(Self {
            sender_ssrc: word_at(body, 0)?,
            media_ssrc: word_at(body, 4)?,
            pairs,
        })
    }

    /// The sequence numbers, 1 to 17 of each pair.
    pub fn lost(&self) -> impl Iterator<Item = u16> + use<'a> {
        self.pairs.iter().flat_map(|&[p0, p1, b0, b1]| {
            let first = u16::from_be_bytes([p0, p1]);
            let mask = u16::from_be_bytes([b0, b1]);
            let others = (0..16).filter(move |bit| mask >> bit & 1 == 1).map(|bit| bit + 1);
            std::iter::once(0).chain(others).map(move |step| first.wrapping_add(step))
        })
    }
}

/// A receiver cannot decode and wants a key frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PictureLossIndication {
    /// Who asks.
    pub sender_ssrc: u32,
    /// Of which stream.
    pub media_ssrc: u32,
}

impl PictureLossIndication {
    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        Some(Self { sender_ssrc: word_at(body, 0)?, media_ssrc: word_at(body, 4)? })
    }
}

/// One stream whose key frame is demanded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FirEntry {
    /// Which.
    pub ssrc: u32,
    /// Counts demands: a repeated one is the same demand again.
    pub sequence_number: u8,
}

/// Key frames demanded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FullIntraRequest<'a> {
    /// Who asks.
    pub sender_ssrc: u32,
    entries: &'a [[u8; 8]],
}

impl<'a> FullIntraRequest<'a> {
    pub(super) fn parse(body: &'a [u8]) -> Option<Self> {
        let (entries, rest) = body.get(SSRCS_LEN..)?.as_chunks::<8>();
        (rest.is_empty() && !entries.is_empty()).then_some(Self { sender_ssrc: word_at(body, 0)?, entries })
    }

    /// Of which streams.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = FirEntry> + use<'a> {
        self.entries.iter().map(|&[a, b, c, d, sequence_number, ..]| FirEntry {
            ssrc: u32::from_be_bytes([a, b, c, d]),
            sequence_number,
        })
    }
}

/// What a receiver estimates that it can receive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remb<'a> {
    /// Who.
    pub sender_ssrc: u32,
    /// The estimate for all the streams together.
    pub bitrate: Bitrate,
    sources: &'a [[u8; 4]],
}

impl<'a> Remb<'a> {
    /// Whether application layer feedback is a REMB.
    pub(super) fn is_one(body: &[u8]) -> bool {
        body.get(SSRCS_LEN..).is_some_and(|b| b.starts_with(&REMB_NAME))
    }

    pub(super) fn parse(body: &'a [u8]) -> Option<Self> {
        let (&[count, high, middle, low], rest) = body.get(SSRCS_LEN + 4..)?.split_first_chunk::<4>()?;
        let mantissa = u64::from(u32::from_be_bytes([0, high & 0x03, middle, low]));
        let bps = mantissa.saturating_mul(1 << (high >> 2));
        let sources = rest.as_chunks::<4>().0.get(..count.into())?;
        Some(Self { sender_ssrc: word_at(body, 0)?, bitrate: Bitrate::from_bps(bps), sources })
    }

    /// Of which streams.
    pub fn ssrcs(&self) -> impl ExactSizeIterator<Item = u32> + use<'a> {
        self.sources.iter().map(|b| u32::from_be_bytes(*b))
    }
}
