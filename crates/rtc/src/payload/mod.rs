//! The first bytes of a payload: what a forwarding unit may look at, because it stays in clear when media is encrypted
//! end to end. Codec by codec: where a key frame begins, how large it is, and the numbers that must stay continuous
//! when another encoding is put in place of this one.

pub mod av1;
pub mod h264;
pub mod red;
pub mod vp8;
pub mod vp9;

use model::Codec;

/// A packet that begins a key frame: decoding can start with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyFrame {
    /// Width and height in pixels, where they can be told. With several spatial layers: those of the largest.
    pub size: Option<(u16, u16)>,
}

/// Whether this payload (without RTP padding) begins a key frame. Always `None` for sound.
#[inline]
pub fn key_frame_start(codec: Codec, payload: &[u8]) -> Option<KeyFrame> {
    match codec {
        Codec::Vp8 => vp8::key_frame_start(payload),
        Codec::Vp9 => vp9::key_frame_start(payload),
        Codec::H264 => h264::key_frame_start(payload),
        Codec::Av1 => av1::key_frame_start(payload),
        Codec::Opus | Codec::G722 | Codec::Pcmu | Codec::Pcma => None,
    }
}

/// Whether an Opus payload says that nothing is sent for a while: one or two bytes, no sound (RFC 6716 §2.1.9,
/// RFC 7587 §3.1.3).
pub fn is_opus_dtx(payload: &[u8]) -> bool {
    matches!(payload.len(), 1 | 2)
}
