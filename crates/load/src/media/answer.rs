//! What a receiver must know of an answer before `str0m` reads it: which SSRC arrives on which m-line.

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

#[cfg(test)]
mod tests {
    use super::*;

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
