//! Walking through a decrypted compound packet (RFC 3550 §6.1), reduced size allowed (RFC 5506).

use super::feedback::{FullIntraRequest, Nack, PictureLossIndication, Remb};
use super::report::{Goodbye, ReceiverReport, SenderReport, SourceDescription};
use super::transport_feedback::TransportFeedback;
use super::{format, kind};

/// One packet of a compound packet. What does not interest us (extended reports, application data…) is passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packet<'a> {
    /// SR.
    SenderReport(SenderReport<'a>),
    /// RR.
    ReceiverReport(ReceiverReport<'a>),
    /// SDES.
    SourceDescription(SourceDescription<'a>),
    /// BYE.
    Goodbye(Goodbye<'a>),
    /// Generic NACK.
    Nack(Nack<'a>),
    /// PLI.
    PictureLossIndication(PictureLossIndication),
    /// FIR.
    FullIntraRequest(FullIntraRequest<'a>),
    /// REMB.
    Remb(Remb<'a>),
    /// Transport-wide feedback.
    TransportFeedback(TransportFeedback<'a>),
}

/// The packets of a compound packet. At the first malformed one it ends, and [`Compound::malformed`] says so.
#[derive(Debug, Clone)]
pub struct Compound<'a> {
    rest: &'a [u8],
    malformed: bool,
    unknown: u32,
}

impl<'a> Compound<'a> {
    /// Walks through decrypted bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, malformed: false, unknown: 0 }
    }

    /// Whether a malformed packet was met, so that the rest was dropped.
    pub fn malformed(&self) -> bool {
        self.malformed
    }

    /// Well-formed packets that were passed over so far.
    pub fn unknown(&self) -> u32 {
        self.unknown
    }

    /// Cuts the next packet off: its count or format, its kind, and its body without header and padding.
    fn take(&mut self) -> Option<(u8, u8, &'a [u8])> {
        let &[flags, kind, l0, l1] = self.rest.first_chunk::<4>()?;
        let len = 4 * (usize::from(u16::from_be_bytes([l0, l1])) + 1);
        let (packet, rest) = self.rest.split_at_checked(len)?;
        let mut body = packet.get(4..)?;
        if flags >> 6 != 2 {
            return None;
        }
        if flags & 0x20 != 0 {
            let padding = usize::from(*body.last()?);
            // Not always a multiple of four: libwebrtc and str0m fill transport-wide feedback up to a word this way.
            if padding == 0 {
                return None;
            }
            body = body.get(..body.len().checked_sub(padding)?)?;
        }
        self.rest = rest;
        Some((flags & 0x1f, kind, body))
    }
}

impl<'a> Iterator for Compound<'a> {
    type Item = Packet<'a>;

    fn next(&mut self) -> Option<Packet<'a>> {
        while !self.rest.is_empty() {
            let parsed = self.take().and_then(|(count, kind, body)| Parsed::read(count, kind, body));
            match parsed {
                Some(Parsed::Known(packet)) => return Some(packet),
                Some(Parsed::Unknown) => self.unknown = self.unknown.saturating_add(1),
                None => {
                    self.malformed = true;
                    self.rest = &[];
                }
            }
        }
        None
    }
}

enum Parsed<'a> {
    Known(Packet<'a>),
    Unknown,
}

impl<'a> Parsed<'a> {
    /// `None` if it is malformed. `count` is the format in feedback packets.
    fn read(count: u8, packet_kind: u8, body: &'a [u8]) -> Option<Self> {
        Some(Parsed::Known(match (packet_kind, count) {
            (kind::SENDER_REPORT, _) => Packet::SenderReport(SenderReport::parse(count, body)?),
            (kind::RECEIVER_REPORT, _) => Packet::ReceiverReport(ReceiverReport::parse(count, body)?),
            (kind::SOURCE_DESCRIPTION, _) => {
                Packet::SourceDescription(SourceDescription::parse(count, body)?)
            }
            (kind::GOODBYE, _) => Packet::Goodbye(Goodbye::parse(count, body)?),
            (kind::TRANSPORT_LAYER_FEEDBACK, format::NACK) => Packet::Nack(Nack::parse(body)?),
            (kind::TRANSPORT_LAYER_FEEDBACK, format::TRANSPORT_WIDE) => {
                Packet::TransportFeedback(TransportFeedback::parse(body)?)
            }
            (kind::PAYLOAD_SPECIFIC_FEEDBACK, format::PLI) => {
                Packet::PictureLossIndication(PictureLossIndication::parse(body)?)
            }
            (kind::PAYLOAD_SPECIFIC_FEEDBACK, format::FIR) => {
                Packet::FullIntraRequest(FullIntraRequest::parse(body)?)
            }
            (kind::PAYLOAD_SPECIFIC_FEEDBACK, format::APPLICATION) if Remb::is_one(body) => {
                Packet::Remb(Remb::parse(body)?)
            }
            _ => return Some(Parsed::Unknown),
        }))
    }
}
