//! Writing RTCP packets. Each function appends one packet; a compound packet is a row of them.

use model::Bitrate;

use super::feedback::REMB_NAME;
use super::report::CNAME_ITEM;
use super::{FirEntry, ReportBlock, SenderInfo, format, kind};

/// Report blocks and sources of one packet: 5 bits count them.
const COUNT_MAX: usize = 31;
/// Pairs of one NACK: 1,024 bytes stay below every MTU, beside a receiver report.
pub const NACK_PAIRS_MAX: usize = 256;
/// Entries of one FIR, and sources of one REMB.
const ENTRIES_MAX: usize = 128;

/// Appends a packet whose body `write_body` writes; the body is padded with zeros to whole words.
pub(super) fn write_packet(out: &mut Vec<u8>, count: u8, kind: u8, write_body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0x80 | count & 0x1f, kind, 0, 0]);
    write_body(out);
    while !(out.len() - start).is_multiple_of(4) {
        out.push(0);
    }
    let words = ((out.len() - start) / 4 - 1) as u16;
    if let Some(length) = out.get_mut(start + 2..start + 4) {
        length.copy_from_slice(&words.to_be_bytes());
    }
}

fn put(out: &mut Vec<u8>, word: u32) {
    out.extend_from_slice(&word.to_be_bytes());
}

/// The first `max` of a list that the wire cannot hold more of.
fn at_most<T>(items: &[T], max: usize) -> &[T] {
    items.get(..max).unwrap_or(items)
}

/// SR. Blocks beyond 31 are left out: send them as a receiver report.
pub fn write_sender_report(out: &mut Vec<u8>, info: &SenderInfo, reports: &[ReportBlock]) {
    let reports = at_most(reports, COUNT_MAX);
    write_packet(out, reports.len() as u8, kind::SENDER_REPORT, |out| {
        put(out, info.ssrc);
        out.extend_from_slice(&info.ntp.0.to_be_bytes());
        put(out, info.rtp_timestamp);
        put(out, info.packet_count);
        put(out, info.octet_count);
        reports.iter().for_each(|block| out.extend_from_slice(&block.to_bytes()));
    });
}

/// RR. Blocks beyond 31 are left out.
pub fn write_receiver_report(out: &mut Vec<u8>, sender_ssrc: u32, reports: &[ReportBlock]) {
    let reports = at_most(reports, COUNT_MAX);
    write_packet(out, reports.len() as u8, kind::RECEIVER_REPORT, |out| {
        put(out, sender_ssrc);
        reports.iter().for_each(|block| out.extend_from_slice(&block.to_bytes()));
    });
}

/// SDES with the canonical name of one source, of which 255 bytes are taken.
pub fn write_sdes(out: &mut Vec<u8>, ssrc: u32, cname: &str) {
    let cname = at_most(cname.as_bytes(), 255);
    write_packet(out, 1, kind::SOURCE_DESCRIPTION, |out| {
        put(out, ssrc);
        out.extend_from_slice(&[CNAME_ITEM, cname.len() as u8]);
        out.extend_from_slice(cname);
        out.push(0);
    });
}

/// BYE. Sources beyond 31 are left out.
pub fn write_bye(out: &mut Vec<u8>, ssrcs: &[u32]) {
    let ssrcs = at_most(ssrcs, COUNT_MAX);
    write_packet(out, ssrcs.len() as u8, kind::GOODBYE, |out| {
        ssrcs.iter().for_each(|ssrc| put(out, *ssrc));
    });
}

/// Generic NACK for sequence numbers in the order of sending, as many as fit [`NACK_PAIRS_MAX`] pairs. Says how many
/// of them that was; nothing is written for none.
pub fn write_nack(out: &mut Vec<u8>, sender_ssrc: u32, media_ssrc: u32, lost: &[u16]) -> usize {
    if lost.is_empty() {
        return 0;
    }
    let mut rest = lost;
    write_packet(out, format::NACK, kind::TRANSPORT_LAYER_FEEDBACK, |out| {
        put(out, sender_ssrc);
        put(out, media_ssrc);
        for _ in 0..NACK_PAIRS_MAX {
            let Some((first, mask)) = take_pair(&mut rest) else { break };
            out.extend_from_slice(&first.to_be_bytes());
            out.extend_from_slice(&mask.to_be_bytes());
        }
    });
    lost.len() - rest.len()
}

/// The next number, and a mask of those among the following ones that lie at most 16 after it.
fn take_pair(rest: &mut &[u16]) -> Option<(u16, u16)> {
    let (&first, mut after) = rest.split_first()?;
    let mut mask = 0;
    while let Some((&next, behind)) = after.split_first() {
        match next.wrapping_sub(first) {
            0 => {}
            step @ 1..=16 => mask |= 1 << (step - 1),
            _ => break,
        }
        after = behind;
    }
    *rest = after;
    Some((first, mask))
}

/// PLI.
pub fn write_pli(out: &mut Vec<u8>, sender_ssrc: u32, media_ssrc: u32) {
    write_packet(out, format::PLI, kind::PAYLOAD_SPECIFIC_FEEDBACK, |out| {
        put(out, sender_ssrc);
        put(out, media_ssrc);
    });
}

/// FIR. Entries beyond 128 are left out; nothing is written for none.
pub fn write_fir(out: &mut Vec<u8>, sender_ssrc: u32, entries: &[FirEntry]) {
    if entries.is_empty() {
        return;
    }
    write_packet(out, format::FIR, kind::PAYLOAD_SPECIFIC_FEEDBACK, |out| {
        put(out, sender_ssrc);
        put(out, 0);
        for entry in at_most(entries, ENTRIES_MAX) {
            put(out, entry.ssrc);
            out.extend_from_slice(&[entry.sequence_number, 0, 0, 0]);
        }
    });
}

/// REMB. The rate is rounded down to 18 significant bits; sources beyond 128 are left out.
pub fn write_remb(out: &mut Vec<u8>, sender_ssrc: u32, bitrate: Bitrate, ssrcs: &[u32]) {
    let ssrcs = at_most(ssrcs, ENTRIES_MAX);
    write_packet(out, format::APPLICATION, kind::PAYLOAD_SPECIFIC_FEEDBACK, |out| {
        put(out, sender_ssrc);
        put(out, 0);
        out.extend_from_slice(&REMB_NAME);
        let bps = bitrate.as_bps();
        let exponent = (u64::BITS - bps.leading_zeros()).saturating_sub(18);
        let mantissa = (bps >> exponent) as u32;
        put(out, (ssrcs.len() as u32) << 24 | exponent << 18 | mantissa);
        ssrcs.iter().for_each(|ssrc| put(out, *ssrc));
    });
}
