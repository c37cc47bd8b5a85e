//! The VP8 payload descriptor and header (RFC 7741 §4.2, §4.3).

use super::KeyFrame;

/// A picture id, in the width that it has on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureId {
    /// 7 bits.
    Short(u8),
    /// 15 bits.
    Long(u16),
}

impl PictureId {
    /// The number.
    pub fn value(self) -> u16 {
        match self {
            PictureId::Short(id) => id.into(),
            PictureId::Long(id) => id,
        }
    }
}

/// The payload descriptor, with the places of what may be rewritten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Descriptor {
    /// N: no other frame refers to this one.
    pub non_reference: bool,
    /// S: the packet begins a partition.
    pub partition_start: bool,
    /// The partition, 0 to 7.
    pub partition: u8,
    /// I.
    pub picture_id: Option<PictureId>,
    /// L.
    pub tl0_picture_index: Option<u8>,
    /// T: the temporal layer, 0 to 3.
    pub temporal_id: Option<u8>,
    /// Y: the frame depends on the base layer only, so that one may switch up here. Only together with `temporal_id`.
    pub layer_sync: bool,
    /// K: the temporal key frame index, 0 to 31.
    pub key_index: Option<u8>,
    /// Bytes of the descriptor.
    pub len: usize,
}

/// Where the picture id lies, when there is one: after the two bytes of flags.
const PICTURE_ID_AT: usize = 2;

impl Descriptor {
    /// Parses the descriptor at the start of a payload. `None` if it is cut short.
    #[inline]
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let mut rest = payload;
        let first = take(&mut rest)?;
        let mut descriptor = Descriptor {
            non_reference: first & 0x20 != 0,
            partition_start: first & 0x10 != 0,
            partition: first & 0x07,
            picture_id: None,
            tl0_picture_index: None,
            temporal_id: None,
            layer_sync: false,
            key_index: None,
            len: 1,
        };
        if first & 0x80 == 0 {
            return Some(descriptor);
        }
        let flags = take(&mut rest)?;
        if flags & 0x80 != 0 {
            let high = take(&mut rest)?;
            descriptor.picture_id = Some(if high & 0x80 != 0 {
                PictureId::Long(u16::from_be_bytes([high & 0x7f, take(&mut rest)?]))
            } else {
                PictureId::Short(high)
            });
        }
        if flags & 0x40 != 0 {
            descriptor.tl0_picture_index = Some(take(&mut rest)?);
        }
        if flags & 0x30 != 0 {
            let layer = take(&mut rest)?;
            if flags & 0x20 != 0 {
                descriptor.temporal_id = Some(layer >> 6);
                descriptor.layer_sync = layer & 0x20 != 0;
            }
            if flags & 0x10 != 0 {
                descriptor.key_index = Some(layer & 0x1f);
            }
        }
        descriptor.len = payload.len() - rest.len();
        Some(descriptor)
    }

    /// Whether the packet begins a frame.
    pub fn frame_start(&self) -> bool {
        self.partition_start && self.partition == 0
    }

    /// Puts other numbers into `payload`, which begins with a copy of the descriptor that this was parsed from. What
    /// the descriptor does not have is not added, and nothing changes its width: of a short picture id 7 bits are kept.
    #[inline]
    pub fn rewrite(&self, payload: &mut [u8], picture_id: u16, tl0_picture_index: u8) {
        let mut tl0_at = PICTURE_ID_AT;
        match self.picture_id {
            Some(PictureId::Short(_)) => {
                put(payload, PICTURE_ID_AT, picture_id as u8 & 0x7f);
                tl0_at += 1;
            }
            Some(PictureId::Long(_)) => {
                let [high, low] = picture_id.to_be_bytes();
                put(payload, PICTURE_ID_AT, 0x80 | high);
                put(payload, PICTURE_ID_AT + 1, low);
                tl0_at += 2;
            }
            None => {}
        }
        if self.tl0_picture_index.is_some() {
            put(payload, tl0_at, tl0_picture_index);
        }
    }
}

#[inline]
fn take(rest: &mut &[u8]) -> Option<u8> {
    let (&byte, after) = rest.split_first()?;
    *rest = after;
    Some(byte)
}

#[inline]
fn put(payload: &mut [u8], at: usize, byte: u8) {
    if let Some(to) = payload.get_mut(at) {
        *to = byte;
    }
}

/// Whether the payload begins a key frame: the start of the first partition, with the inverse key frame flag clear.
#[inline]
pub fn key_frame_start(payload: &[u8]) -> Option<KeyFrame> {
    let descriptor = Descriptor::parse(payload)?;
    if !descriptor.frame_start() {
        return None;
    }
    let frame = payload.get(descriptor.len..)?;
    if frame.first()? & 0x01 != 0 {
        return None;
    }
    Some(KeyFrame { size: size(frame) })
}

/// Width and height, 14 bits each beside their scaling, after the start code (RFC 6386 §9.1).
fn size(frame: &[u8]) -> Option<(u16, u16)> {
    let &[_, _, _, 0x9d, 0x01, 0x2a, w0, w1, h0, h1] = frame.first_chunk::<10>()? else { return None };
    let side = |low, high| u16::from_le_bytes([low, high]) & 0x3fff;
    Some((side(w0, w1), side(h0, h1)))
}
