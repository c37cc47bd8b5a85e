//! What we send with: one SSRC, one for retransmissions and one msid for each m-line, for as long as it lives.

use std::collections::BTreeSet;

use super::{Msid, SdpError, SessionDescription};

/// What we send on an m-line with. It stays as it is from offer to offer, until the m-line is stopped or its place is
/// taken by a new mid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendSlot {
    /// The SSRC of media.
    pub ssrc: u32,
    /// The SSRC of retransmissions, where a codec of the m-line has them.
    pub rtx_ssrc: Option<u32>,
    /// Its own stream and its own track: browsers synchronise what shares a stream.
    pub msid: Msid,
}

impl SendSlot {
    fn new(ssrc: u32) -> Self {
        // Unique within the connection as the SSRC is, and a valid `msid-id` of RFC 8830 §2.
        let msid = Msid { stream: format!("s{ssrc:08x}"), track: Some(format!("t{ssrc:08x}")) };
        Self { ssrc, rtx_ssrc: None, msid }
    }
}

/// Draws SSRCs that nobody on the connection has.
pub(super) struct SsrcSource<'a> {
    draw: &'a mut dyn FnMut() -> u32,
    taken: BTreeSet<u32>,
}

impl<'a> SsrcSource<'a> {
    /// How often in a row a random SSRC may be taken. With a thousand SSRCs on a connection four draws already fail
    /// less often than once in 10^25.
    const DRAWS_MAX: u32 = 16;

    /// `slots` are those that the connection has already.
    pub(super) fn new<'b>(
        draw: &'a mut dyn FnMut() -> u32,
        offer: &SessionDescription,
        slots: impl Iterator<Item = &'b SendSlot>,
    ) -> Self {
        let mut taken: BTreeSet<u32> =
            slots.flat_map(|slot| [Some(slot.ssrc), slot.rtx_ssrc]).flatten().collect();
        taken.extend(offer.media.iter().flat_map(|media| &media.ssrcs).map(|ssrc| ssrc.ssrc));
        // Some receivers take 0 for "none".
        taken.insert(0);
        Self { draw, taken }
    }

    fn next(&mut self) -> Result<u32, SdpError> {
        for _ in 0..Self::DRAWS_MAX {
            let ssrc = (self.draw)();
            if self.taken.insert(ssrc) {
                return Ok(ssrc);
            }
        }
        Err(SdpError::SsrcsExhausted)
    }

    /// The slot as it was, or a new one; with a retransmission SSRC if it needs one and has none yet.
    pub(super) fn slot(&mut self, former: Option<SendSlot>, with_rtx: bool) -> Result<SendSlot, SdpError> {
        let mut slot = match former {
            Some(slot) => slot,
            None => SendSlot::new(self.next()?),
        };
        if with_rtx && slot.rtx_ssrc.is_none() {
            slot.rtx_ssrc = Some(self.next()?);
        }
        Ok(slot)
    }
}
