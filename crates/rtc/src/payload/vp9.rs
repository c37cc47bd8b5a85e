//! The VP9 payload descriptor (RFC 9628 §4.2).

use super::KeyFrame;
use super::vp8::PictureId;

/// Reference indices of one packet in flexible mode (RFC 9628 §4.2: at most 3).
const REFERENCES_MAX: usize = 3;
/// Spatial layers that the scalability structure can describe (3 bits, plus one).
pub const SPATIAL_LAYERS_MAX: usize = 8;

/// Which layer a packet belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayerIndices {
    /// The temporal layer, 0 to 7.
    pub temporal_id: u8,
    /// U: one may switch up to this temporal layer here.
    pub switching_up_point: bool,
    /// The spatial layer, 0 to 7.
    pub spatial_id: u8,
    /// D: the frame depends on the next lower spatial layer of the same picture.
    pub inter_layer: bool,
    /// Counts base temporal layers; absent in flexible mode.
    pub tl0_picture_index: Option<u8>,
}

/// The scalability structure, as far as it interests here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Structure {
    /// Spatial layers, 1 to 8.
    pub spatial_layers: u8,
    /// Width and height of the largest spatial layer, if sizes are given.
    pub size: Option<(u16, u16)>,
    /// Width and height of each spatial layer; zeros where they are not given.
    pub sizes: [(u16, u16); SPATIAL_LAYERS_MAX],
}

/// The payload descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Descriptor {
    /// I.
    pub picture_id: Option<PictureId>,
    /// P: the frame is predicted from earlier ones.
    pub inter_predicted: bool,
    /// F: references are given in each packet.
    pub flexible: bool,
    /// B: begins a frame of a spatial layer.
    pub frame_start: bool,
    /// E: ends a frame of a spatial layer.
    pub frame_end: bool,
    /// Z: no higher spatial layer refers to this frame.
    pub not_reference_for_spatial: bool,
    /// L.
    pub layer: Option<LayerIndices>,
    /// V.
    pub structure: Option<Structure>,
    /// Bytes of the descriptor.
    pub len: usize,
}

impl Descriptor {
    /// Parses the descriptor at the start of a payload. `None` if it is cut short or malformed.
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let mut rest = payload;
        let flags = take(&mut rest)?;
        let flexible = flags & 0x10 != 0;
        let inter_predicted = flags & 0x40 != 0;
        let picture_id = if flags & 0x80 != 0 { Some(take_picture_id(&mut rest)?) } else { None };
        let layer = if flags & 0x20 != 0 { Some(take_layer(&mut rest, flexible)?) } else { None };
        if flexible && inter_predicted {
            skip_references(&mut rest)?;
        }
        let structure = if flags & 0x02 != 0 { Some(take_structure(&mut rest)?) } else { None };
        Some(Descriptor {
            picture_id,
            inter_predicted,
            flexible,
            frame_start: flags & 0x08 != 0,
            frame_end: flags & 0x04 != 0,
            not_reference_for_spatial: flags & 0x01 != 0,
            layer,
            structure,
            len: payload.len() - rest.len(),
        })
    }
}

#[inline]
fn take(rest: &mut &[u8]) -> Option<u8> {
    let (&byte, after) = rest.split_first()?;
    *rest = after;
    Some(byte)
}

fn take_u16(rest: &mut &[u8]) -> Option<u16> {
    let (bytes, after) = rest.split_first_chunk::<2>()?;
    *rest = after;
    Some(u16::from_be_bytes(*bytes))
}

fn skip(rest: &mut &[u8], count: usize) -> Option<()> {
    *rest = rest.get(count..)?;
    Some(())
}

fn take_picture_id(rest: &mut &[u8]) -> Option<PictureId> {
    let high = take(rest)?;
    if high & 0x80 == 0 {
        return Some(PictureId::Short(high));
    }
    Some(PictureId::Long(u16::from_be_bytes([high & 0x7f, take(rest)?])))
}

fn take_layer(rest: &mut &[u8], flexible: bool) -> Option<LayerIndices> {
    let byte = take(rest)?;
    Some(LayerIndices {
        temporal_id: byte >> 5,
        switching_up_point: byte & 0x10 != 0,
        spatial_id: byte >> 1 & 0x07,
        inter_layer: byte & 0x01 != 0,
        tl0_picture_index: if flexible { None } else { Some(take(rest)?) },
    })
}

/// P_DIFF bytes, each of which says whether one more follows.
fn skip_references(rest: &mut &[u8]) -> Option<()> {
    for _ in 0..REFERENCES_MAX {
        if take(rest)? & 0x01 == 0 {
            return Some(());
        }
    }
    None
}

fn take_structure(rest: &mut &[u8]) -> Option<Structure> {
    let flags = take(rest)?;
    let spatial_layers = (flags >> 5) + 1;
    debug_assert!(usize::from(spatial_layers) <= SPATIAL_LAYERS_MAX);
    let mut size = None;
    let mut sizes = [(0, 0); SPATIAL_LAYERS_MAX];
    if flags & 0x10 != 0 {
        for layer in sizes.iter_mut().take(spatial_layers.into()) {
            *layer = (take_u16(rest)?, take_u16(rest)?);
            size = size.max(Some(*layer));
        }
    }
    if flags & 0x08 != 0 {
        for _ in 0..take(rest)? {
            let references = take(rest)? >> 2 & 0x03;
            skip(rest, references.into())?;
        }
    }
    Some(Structure { spatial_layers, size, sizes })
}

/// Whether the payload begins a key frame: the start of a frame of the base spatial layer that is predicted from
/// nothing.
pub fn key_frame_start(payload: &[u8]) -> Option<KeyFrame> {
    let descriptor = Descriptor::parse(payload)?;
    let base = descriptor.layer.is_none_or(|layer| layer.spatial_id == 0);
    if !descriptor.frame_start || descriptor.inter_predicted || !base {
        return None;
    }
    Some(KeyFrame { size: descriptor.structure.and_then(|structure| structure.size) })
}
