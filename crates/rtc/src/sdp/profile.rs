//! Profiles of codecs: which streams a receiver understands beyond the codec's name.

use model::Codec;
use serde::{Deserialize, Serialize};

use super::FormatParameters;

/// What two peers must agree on beyond the codec's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CodecProfile {
    /// Nothing.
    None,
    /// RFC 6184 §8.1.
    H264 {
        /// 0: one NAL unit per packet. 1: also fragments and aggregates.
        packetization_mode: u8,
        /// The set of coding tools.
        profile: H264Profile,
        /// `profile-level-id` as written, level included.
        profile_level_id: u32,
    },
    /// RFC 9628 §6: `profile-id`.
    Vp9 {
        /// 0 to 3.
        profile: u8,
    },
    /// AV1 RTP specification §7.2.
    Av1 {
        /// 0 main, 1 high, 2 professional.
        profile: u8,
        /// 0 main, 1 high.
        tier: u8,
    },
}

impl CodecProfile {
    /// Whether a decoder of this profile decodes `sent`.
    pub(super) fn includes(self, sent: Self) -> bool {
        match (self, sent) {
            (
                CodecProfile::H264 { packetization_mode, profile, .. },
                CodecProfile::H264 { packetization_mode: sent_mode, profile: sent_profile, .. },
            ) => sent_mode <= packetization_mode && profile.includes(sent_profile),
            (
                CodecProfile::Av1 { profile, tier },
                CodecProfile::Av1 { profile: sent_profile, tier: sent_tier },
            ) => sent_profile <= profile && sent_tier <= tier,
            (receiver, sent) => receiver == sent,
        }
    }

    pub(super) fn is_same(self, other: Self) -> bool {
        match (self, other) {
            (
                CodecProfile::H264 { packetization_mode, profile, .. },
                CodecProfile::H264 { packetization_mode: other_mode, profile: other_profile, .. },
            ) => packetization_mode == other_mode && profile == other_profile,
            (one, other) => one == other,
        }
    }

    /// `None` if the parameters are of no stream that could be forwarded.
    pub(super) fn read(codec: Codec, parameters: Option<&FormatParameters>) -> Option<Self> {
        let number = |name: &str, default: u8| match parameters.and_then(|parameters| parameters.get(name)) {
            Some(value) => value.parse().ok(),
            None => Some(default),
        };
        Some(match codec {
            Codec::H264 => {
                let packetization_mode = number("packetization-mode", 0)?;
                let profile_level_id =
                    match parameters.and_then(|parameters| parameters.get("profile-level-id")) {
                        Some(hex) if hex.len() == 6 => u32::from_str_radix(hex, 16).ok()?,
                        Some(_) => return None,
                        // RFC 6184 §8.1: baseline at level 1.
                        None => 0x42_00_0a,
                    };
                // Mode 2, interleaved, is written by nobody and would need reordering.
                if packetization_mode > 1 {
                    return None;
                }
                let profile = H264Profile::read(profile_level_id)?;
                CodecProfile::H264 { packetization_mode, profile, profile_level_id }
            }
            Codec::Vp9 => CodecProfile::Vp9 { profile: number("profile-id", 0)? },
            Codec::Av1 => CodecProfile::Av1 { profile: number("profile", 0)?, tier: number("tier", 0)? },
            Codec::Vp8 | Codec::Opus | Codec::G722 | Codec::Pcmu | Codec::Pcma => CodecProfile::None,
        })
    }
}

/// The profiles of H.264 that matter to WebRTC (RFC 6184 §8.1, table 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum H264Profile {
    /// What baseline, main and high decoders all decode.
    ConstrainedBaseline,
    /// With flexible macroblock order.
    Baseline,
    /// Main.
    Main,
    /// High without interlace.
    ConstrainedHigh,
    /// High.
    High,
    /// High 4:4:4 predictive.
    Predictive444,
}

impl H264Profile {
    /// From `profile_idc` and `profile_iop`, the upper two bytes of `profile-level-id`.
    fn read(profile_level_id: u32) -> Option<Self> {
        let [_, idc, iop, _] = profile_level_id.to_be_bytes();
        Some(match (idc, iop) {
            (0x42, iop) if iop & 0x4f == 0x40 => H264Profile::ConstrainedBaseline,
            (0x4d, iop) if iop & 0x8f == 0x80 => H264Profile::ConstrainedBaseline,
            (0x58, iop) if iop & 0xcf == 0xc0 => H264Profile::ConstrainedBaseline,
            (0x42, iop) if iop & 0x4f == 0x00 => H264Profile::Baseline,
            (0x58, iop) if iop & 0xcf == 0x80 => H264Profile::Baseline,
            (0x4d, iop) if iop & 0xaf == 0x00 => H264Profile::Main,
            (0x64, 0x0c) => H264Profile::ConstrainedHigh,
            (0x64, 0x00) => H264Profile::High,
            (0xf4, 0x00) => H264Profile::Predictive444,
            _ => return None,
        })
    }

    /// Whether a decoder of this profile decodes `sent`.
    fn includes(self, sent: Self) -> bool {
        use H264Profile::{Baseline, ConstrainedBaseline, ConstrainedHigh, High, Main, Predictive444};
        match self {
            ConstrainedBaseline => sent == ConstrainedBaseline,
            Baseline => matches!(sent, ConstrainedBaseline | Baseline),
            Main => matches!(sent, ConstrainedBaseline | Main),
            // Main may be interlaced, which constrained high is not.
            ConstrainedHigh => matches!(sent, ConstrainedBaseline | ConstrainedHigh),
            High => matches!(sent, ConstrainedBaseline | Main | ConstrainedHigh | High),
            Predictive444 => {
                matches!(sent, ConstrainedBaseline | Main | ConstrainedHigh | High | Predictive444)
            }
        }
    }
}
