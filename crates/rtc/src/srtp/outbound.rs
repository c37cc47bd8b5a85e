//! Protecting what we send.

use super::cipher::{Cipher, ENCRYPTED_FLAG};
use super::{KeyError, Profile};

/// Packets that one key may protect with one SSRC (RFC 3711 §9.2). At 1,000 packets a second: 8,900 years.
const RTP_INDEX_MAX: u64 = (1 << 48) - 1;
/// Control packets that one key may protect. At 100 a second: 248 days, after which the session falls silent.
const RTCP_INDEX_MAX: u32 = (1 << 31) - 1;
/// Bytes in clear at the front of a control packet.
const RTCP_CLEAR_LEN: usize = 8;

/// The sending direction of a session.
pub struct Outbound {
    cipher: Cipher,
    profile: Profile,
    rtcp_index_next: u32,
}

impl Outbound {
    /// Schedules the keys of a direction. `master_key` and `master_salt` must have the profile's lengths.
    pub fn new(profile: Profile, master_key: &[u8], master_salt: &[u8]) -> Result<Self, KeyError> {
        let cipher = Cipher::new(profile, master_key, master_salt)?;
        Ok(Self { cipher, profile, rtcp_index_next: 0 })
    }

    /// The profile.
    pub fn profile(&self) -> Profile {
        self.profile
    }

    /// Encrypts the RTP packet that lies from `start` to the end of the arena, and appends the tag.
    ///
    /// `header_len` is the length of the RTP header with CSRCs and extensions; `index` is the extended sequence
    /// number (`roc << 16 | sequence number`), which must never be used twice with one SSRC, not even for the same
    /// packet with another header. A packet that is none, or has an index above 2^48, is taken off the arena: nothing
    /// leaves in clear.
    #[inline]
    pub fn protect_rtp(&self, arena: &mut Vec<u8>, start: usize, header_len: usize, index: u64) {
        let protected = index <= RTP_INDEX_MAX && self.try_protect_rtp(arena, start, header_len, index);
        debug_assert!(protected, "an RTP packet with its header and a fresh index");
        if !protected {
            arena.truncate(start);
        }
    }

    #[inline]
    fn try_protect_rtp(&self, arena: &mut Vec<u8>, start: usize, header_len: usize, index: u64) -> bool {
        arena.reserve(self.profile.tag_len());
        let Some(packet) = arena.get_mut(start..) else { return false };
        let Some((header, body)) = packet.split_at_mut_checked(header_len) else { return false };
        let Some(ssrc) = ssrc_at(header, 8) else { return false };
        match &self.cipher {
            Cipher::Gcm { rtp, .. } => {
                let Some(tag) = rtp.seal(ssrc, index, header, body) else { return false };
                arena.extend_from_slice(&tag);
            }
            Cipher::Cm(keys) => {
                if !keys.rtp.apply(ssrc, index, body) {
                    return false;
                }
                let roc = ((index >> 16) as u32).to_be_bytes();
                let tag = keys.rtp.tag(packet, &roc);
                arena.extend_from_slice(&tag);
            }
        }
        true
    }

    /// Encrypts the compound RTCP packet that lies from `start` to the end of the arena, and appends tag and index.
    ///
    /// What is shorter than 8 bytes is taken off the arena; so is everything once the indices of the key are used up.
    pub fn protect_rtcp(&mut self, arena: &mut Vec<u8>, start: usize) {
        if !self.try_protect_rtcp(arena, start) {
            arena.truncate(start);
        }
    }

    fn try_protect_rtcp(&mut self, arena: &mut Vec<u8>, start: usize) -> bool {
        if self.rtcp_index_next > RTCP_INDEX_MAX {
            return false;
        }
        let index = self.rtcp_index_next;
        let word = (ENCRYPTED_FLAG | index).to_be_bytes();
        arena.reserve(self.profile.rtcp_overhead_len());
        let Some(packet) = arena.get_mut(start..) else { return false };
        let Some((header, body)) = packet.split_first_chunk_mut::<RTCP_CLEAR_LEN>() else { return false };
        let Some(ssrc) = ssrc_at(header, 4) else { return false };
        self.rtcp_index_next += 1;
        match &self.cipher {
            Cipher::Gcm { rtcp, .. } => {
                let aad = rtcp_aad(header, word);
                let Some(tag) = rtcp.seal(ssrc, index.into(), &aad, body) else { return false };
                arena.extend_from_slice(&tag);
                arena.extend_from_slice(&word);
            }
            Cipher::Cm(keys) => {
                if !keys.rtcp.apply(ssrc, index.into(), body) {
                    return false;
                }
                let tag = keys.rtcp.tag(packet, &word);
                arena.extend_from_slice(&word);
                arena.extend_from_slice(&tag);
            }
        }
        true
    }
}

/// What GCM authenticates of an encrypted control packet beside its body (RFC 7714 §9.2).
pub(super) fn rtcp_aad(header: &[u8; RTCP_CLEAR_LEN], word: [u8; 4]) -> [u8; 12] {
    let mut aad = [0; 12];
    aad[..8].copy_from_slice(header);
    aad[8..].copy_from_slice(&word);
    aad
}

#[inline]
fn ssrc_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|b| u32::from_be_bytes(*b))
}

/// Keys never reach a log.
impl std::fmt::Debug for Outbound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outbound").field("profile", &self.profile).finish_non_exhaustive()
    }
}
