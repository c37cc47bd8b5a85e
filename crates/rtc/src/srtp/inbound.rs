//! Opening what we receive.

use std::collections::hash_map::Entry;

use rustc_hash::FxHashMap;

use super::cipher::{Cipher, ENCRYPTED_FLAG, GCM_TAG_LEN, SHA1_TAG_LEN};
use super::outbound::rtcp_aad;
use super::replay::ReplayWindow;
use super::{KeyError, Profile, SrtpError};
use crate::rtp;

/// Sources that one session may have over its life, RTP and RTCP apart. A client that sends three encodings with
/// retransmission uses 7 of them at a time and new ones whenever it begins a share anew; 160 bytes each, made only for
/// authentic packets.
pub const SOURCES_MAX: usize = 1024;

/// An RTP packet that was opened in place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unprotected {
    /// Bytes of payload after the header, with padding if the header says so, without the tag.
    pub payload_len: usize,
    /// The extended sequence number: `roc << 16 | sequence number`.
    pub index: u64,
}

/// The receiving direction of a session.
pub struct Inbound {
    cipher: Cipher,
    profile: Profile,
    rtp_by_ssrc: FxHashMap<u32, ReplayWindow>,
    rtcp_by_ssrc: FxHashMap<u32, ReplayWindow>,
}

impl Inbound {
    /// Schedules the keys of a direction. `master_key` and `master_salt` must have the profile's lengths.
    pub fn new(profile: Profile, master_key: &[u8], master_salt: &[u8]) -> Result<Self, KeyError> {
        let cipher = Cipher::new(profile, master_key, master_salt)?;
        Ok(Self { cipher, profile, rtp_by_ssrc: FxHashMap::default(), rtcp_by_ssrc: FxHashMap::default() })
    }

    /// The profile.
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// Opens an RTP packet in place. `header` is what [`rtp::Header::parse`] made of this packet.
    ///
    /// After an error the packet's body may be spoilt, and nothing about its source has changed.
    #[inline]
    pub fn unprotect_rtp(
        &mut self,
        packet: &mut [u8],
        header: &rtp::Header,
    ) -> Result<Unprotected, SrtpError> {
        let window = self.rtp_by_ssrc.get_mut(&header.ssrc);
        let index = match &window {
            Some(window) => rtp::extend_sequence_number(header.sequence_number, window.highest()),
            None => header.sequence_number.into(),
        };
        if window.as_ref().is_some_and(|window| !window.accepts(index)) {
            return Err(SrtpError::Replay);
        }
        let payload_len = open_rtp(&self.cipher, packet, header, index)?;
        match window {
            Some(window) => window.mark(index),
            None => insert(&mut self.rtp_by_ssrc, header.ssrc, index)?,
        }
        Ok(Unprotected { payload_len, index })
    }

    /// Opens a compound RTCP packet in place and says how many bytes of `packet` it has in clear.
    pub fn unprotect_rtcp(&mut self, packet: &mut [u8]) -> Result<usize, SrtpError> {
        let overhead = self.profile.rtcp_overhead_len();
        let clear_len = packet.len().checked_sub(overhead).ok_or(SrtpError::TooShort)?;
        let header = *packet.first_chunk::<8>().filter(|_| clear_len >= 8).ok_or(SrtpError::TooShort)?;
        let [_, _, _, _, ssrc @ ..] = header;
        let ssrc = u32::from_be_bytes(ssrc);
        let word_at = match &self.cipher {
            Cipher::Gcm { .. } => clear_len + GCM_TAG_LEN,
            Cipher::Cm(_) => clear_len,
        };
        let word = *packet.get(word_at..).and_then(|p| p.first_chunk::<4>()).ok_or(SrtpError::TooShort)?;
        let index = u64::from(u32::from_be_bytes(word) & !ENCRYPTED_FLAG);
        let window = self.rtcp_by_ssrc.get_mut(&ssrc);
        if window.as_ref().is_some_and(|window| !window.accepts(index)) {
            return Err(SrtpError::Replay);
        }
        if u32::from_be_bytes(word) & ENCRYPTED_FLAG == 0 {
            return Err(SrtpError::NotEncrypted);
        }
        match &self.cipher {
            Cipher::Gcm { rtcp, .. } => {
                let body_and_tag = packet.get_mut(8..word_at).ok_or(SrtpError::TooShort)?;
                if !rtcp.open(ssrc, index, &rtcp_aad(&header, word), body_and_tag) {
                    return Err(SrtpError::Authentication);
                }
            }
            Cipher::Cm(keys) => {
                let (signed, tag) = packet.split_at_checked(clear_len + 4).ok_or(SrtpError::TooShort)?;
                if !keys.rtcp.verify(signed, &[], tag) {
                    return Err(SrtpError::Authentication);
                }
                let body = packet.get_mut(8..clear_len).ok_or(SrtpError::TooShort)?;
                if !keys.rtcp.apply(ssrc, index, body) {
                    return Err(SrtpError::Authentication);
                }
            }
        }
        match window {
            Some(window) => window.mark(index),
            None => insert(&mut self.rtcp_by_ssrc, ssrc, index)?,
        }
        Ok(clear_len)
    }

    /// How many sources have sent authentic media.
    pub fn source_count(&self) -> usize {
        self.rtp_by_ssrc.len()
    }
}

#[inline]
fn open_rtp(
    cipher: &Cipher,
    packet: &mut [u8],
    header: &rtp::Header,
    index: u64,
) -> Result<usize, SrtpError> {
    let (head, body) = packet.split_at_mut_checked(header.header_len).ok_or(SrtpError::TooShort)?;
    match cipher {
        Cipher::Gcm { rtp, .. } => {
            let payload_len = body.len().checked_sub(GCM_TAG_LEN).ok_or(SrtpError::TooShort)?;
            if !rtp.open(header.ssrc, index, head, body) {
                return Err(SrtpError::Authentication);
            }
            Ok(payload_len)
        }
        Cipher::Cm(keys) => {
            let payload_len = body.len().checked_sub(SHA1_TAG_LEN).ok_or(SrtpError::TooShort)?;
            let signed_len = header.header_len + payload_len;
            let (signed, tag) = packet.split_at_mut_checked(signed_len).ok_or(SrtpError::TooShort)?;
            let roc = ((index >> 16) as u32).to_be_bytes();
            if !keys.rtp.verify(signed, &roc, tag) {
                return Err(SrtpError::Authentication);
            }
            let body = signed.get_mut(header.header_len..).ok_or(SrtpError::TooShort)?;
            if !keys.rtp.apply(header.ssrc, index, body) {
                return Err(SrtpError::Authentication);
            }
            Ok(payload_len)
        }
    }
}

/// Begins a source with its first authentic packet.
#[cold]
fn insert(map: &mut FxHashMap<u32, ReplayWindow>, ssrc: u32, index: u64) -> Result<(), SrtpError> {
    let full = map.len() >= SOURCES_MAX;
    match map.entry(ssrc) {
        Entry::Vacant(_) if full => Err(SrtpError::TooManySources),
        Entry::Vacant(entry) => {
            entry.insert(ReplayWindow::starting_with(index));
            Ok(())
        }
        Entry::Occupied(_) => Ok(()),
    }
}

/// Keys never reach a log.
impl std::fmt::Debug for Inbound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inbound").field("profile", &self.profile).finish_non_exhaustive()
    }
}
