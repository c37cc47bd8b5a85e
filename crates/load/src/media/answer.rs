//! What a receiver must know of an answer (or of an offer that it answers) before `str0m` reads it: which SSRC arrives
//! on which m-line, and how feedback is numbered.

use model::MediaKind;
use str0m::media::Mid;

/// The end of the name of the header extension that numbers all packets of a connection.
const TRANSPORT_WIDE_CC: &str = "transport-wide-cc-extensions-01";

/// The SSRCs that an answer declares for one m-line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SlotSsrc {
    /// `a=mid`.
    pub mid: String,
    /// The stream itself.
    pub ssrc: Option<u32>,
    /// Its retransmissions (`a=ssrc-group:FID`, RFC 5576 §4.2).
    pub rtx: Option<u32>,
}

/// Reads the SSRCs of every m-line of an answer.
pub fn slots_of_answer(sdp: &str) -> Vec<SlotSsrc> {
    let mut slots: Vec<SlotSsrc> = Vec::new();
    for line in sdp.lines().map(str::trim_end) {
        if line.starts_with("m=") {
            slots.push(SlotSsrc::default());
        }
        let Some(slot) = slots.last_mut() else { continue };
        if let Some(mid) = line.strip_prefix("a=mid:") {
            mid.clone_into(&mut slot.mid);
        } else if let Some(pair) = line.strip_prefix("a=ssrc-group:FID ") {
            let mut ssrcs = pair.split_whitespace().map(|ssrc| ssrc.parse().ok());
            slot.ssrc = ssrcs.next().flatten();
            slot.rtx = ssrcs.next().flatten();
        } else if let Some(ssrc) = line.strip_prefix("a=ssrc:") {
            let ssrc = ssrc.split_whitespace().next().and_then(|ssrc| ssrc.parse().ok());
            if slot.rtx != ssrc {
                slot.ssrc = slot.ssrc.or(ssrc);
            }
        }
    }
    slots
}

/// The id of the header extension with transport-wide sequence numbers. In a bundle it is the same on all m-lines
/// (RFC 9143 §15).
pub fn transport_cc_id(sdp: &str) -> Option<u8> {
    let extensions = sdp.lines().filter_map(|line| line.trim_end().strip_prefix("a=extmap:"));
    let named = extensions.filter_map(|line| line.split_once(' '));
    named.filter(|(_, uri)| uri.trim_end().ends_with(TRANSPORT_WIDE_CC)).find_map(|(id, _)| {
        // With a direction: `3/recvonly`.
        id.split('/').next()?.parse().ok()
    })
}

/// The m-lines in order, those that are neither audio nor video left out.
pub fn lines_of(sdp: &str) -> Vec<(Mid, MediaKind)> {
    let mut lines = Vec::new();
    let mut kind = None;
    for line in sdp.lines().map(str::trim_end) {
        if let Some(media) = line.strip_prefix("m=") {
            kind = match media.split_whitespace().next() {
                Some("audio") => Some(MediaKind::Audio),
                Some("video") => Some(MediaKind::Video),
                _ => None,
            };
        } else if let (Some(mid), Some(kind)) = (line.strip_prefix("a=mid:"), kind) {
            lines.push((Mid::from(mid), kind));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbering_of_feedback_and_the_lines_are_found() {
        let sdp = "m=audio 9 X\r\na=mid:0\r\na=extmap:1 urn:x\r\nm=application 9 X\r\na=mid:d\r\nm=video 9 X\r\n\
                   a=extmap:5/sendonly http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n\
                   a=mid:v\r\n";
        assert_eq!((transport_cc_id(sdp), transport_cc_id("m=video 9 X\r\n")), (Some(5), None));
        assert_eq!(lines_of(sdp), [(Mid::from("0"), MediaKind::Audio), (Mid::from("v"), MediaKind::Video)]);
    }

    #[test]
    fn ssrcs_are_found_whatever_the_order_of_lines() {
        let sdp = "v=0\r\na=ssrc:9 cname:not-in-a-line\r\nm=video 9 X\r\na=mid:v\r\na=ssrc-group:FID 1 2\r\n\
                   a=ssrc:2 cname:c\r\na=ssrc:1 cname:c\r\nm=audio 9 X\r\na=ssrc:3 cname:c\r\na=mid:a\r\n\
                   m=video 0 X\r\na=mid:r\r\n";
        let slot = |mid: &str, ssrc, rtx| SlotSsrc { mid: mid.into(), ssrc, rtx };
        assert_eq!(
            slots_of_answer(sdp),
            [slot("v", Some(1), Some(2)), slot("a", Some(3), None), slot("r", None, None)]
        );
    }
}
