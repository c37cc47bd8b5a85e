//! The dependency descriptor header extension (AV1 RTP specification, appendix A): which frames a frame needs, and to
//! which decode targets it belongs. It is in clear when media is encrypted end to end, and is the same for every codec.
//!
//! A *structure*, sent with key frames, describes the stream: its decode targets, its chains, and templates of frames.
//! Every packet names its template and the number of its frame, and what differs from the template.
//!
//! Bounds are those of the syntax, except for what no encoder sends: [`CHAINS_MAX`] and [`FDIFFS_MAX`]. A descriptor
//! beyond them is refused, and its packet is one without a descriptor.

mod bits;
mod descriptor;
mod rewrite;
mod structure;

pub use descriptor::{Descriptor, FrameInfo};
pub use rewrite::{ActiveTargets, Rewrite, rewrite};
pub use structure::{Structure, Template};

use arrayvec::ArrayVec;

/// Bytes of a descriptor: a header extension of the two-byte form holds no more (RFC 8285 §4.3).
pub const DESCRIPTOR_BYTES_MAX: usize = 255;
/// Frame templates of a structure: their ids have 6 bits.
pub const TEMPLATES_MAX: usize = 64;
/// Decode targets of a structure: their count has 5 bits.
pub const DECODE_TARGETS_MAX: usize = 32;
/// Spatial layers (MAX_SPATIAL_ID is 3).
pub const SPATIAL_LAYERS_MAX: usize = 4;
/// Temporal layers (MAX_TEMPORAL_ID is 7).
pub const TEMPORAL_LAYERS_MAX: usize = 8;
/// Chains of a structure. The syntax would allow one for each decode target; encoders have one for each spatial layer.
pub const CHAINS_MAX: usize = 8;
/// Frames that one frame refers to. The syntax has no bound; AV1 has seven references.
pub const FDIFFS_MAX: usize = 8;

/// Distance to the frame before on each chain; 0: none is needed.
pub type ChainDiffs = [u8; CHAINS_MAX];
/// Distances to the frames that are referred to, 1 to 4096.
pub type FrameDiffs = ArrayVec<u16, FDIFFS_MAX>;

/// Why bytes are no descriptor that can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DescriptorError {
    /// Shorter than what it announces.
    #[error("shorter than what it announces")]
    TooShort,
    /// More of something than there can be.
    #[error("more templates, layers, chains or references than there can be")]
    TooMany,
    /// The structure that it refers to has not come, or is another one.
    #[error("of a structure that is not known")]
    UnknownStructure,
}

/// How a frame relates to a decode target (table A.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Indication {
    /// `-`: it does not belong to the target.
    NotPresent,
    /// `D`: it belongs to it, and no other frame of the target needs it.
    Discardable,
    /// `S`: when it can be decoded, all later frames of the target can be: a place to switch to the target.
    Switch,
    /// `R`: it belongs to it, and others need it.
    Required,
}

/// The indications of a frame for all decode targets, two bits each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Indications(u64);

impl Indications {
    /// For one target. [`Indication::NotPresent`] for targets that do not exist.
    #[inline]
    pub fn of(self, target: u8) -> Indication {
        match self.0.checked_shr(2 * u32::from(target)).unwrap_or(0) & 3 {
            1 => Indication::Discardable,
            2 => Indication::Switch,
            3 => Indication::Required,
            _ => Indication::NotPresent,
        }
    }

    /// Sets that of a target; targets from [`DECODE_TARGETS_MAX`] on are ignored.
    #[inline]
    pub fn set(&mut self, target: u8, indication: Indication) {
        let shift = 2 * u32::from(target);
        if shift < u64::BITS {
            self.0 = self.0 & !(3 << shift) | (indication as u64) << shift;
        }
    }

    /// A bit for each target that the frame belongs to.
    #[inline]
    pub fn present(self) -> u32 {
        // Each pair of bits becomes one, then the odd places are pressed together.
        let mut x = (self.0 | self.0 >> 1) & 0x5555_5555_5555_5555;
        for (shift, mask) in [
            (1, 0x3333_3333_3333_3333),
            (2, 0x0f0f_0f0f_0f0f_0f0f),
            (4, 0x00ff_00ff_00ff_00ff),
            (8, 0x0000_ffff_0000_ffff),
            (16, 0x0000_0000_ffff_ffff),
        ] {
            x = (x | x >> shift) & mask;
        }
        x as u32
    }
}

/// As many low bits as there are targets.
pub(crate) fn all_targets(count: u8) -> u32 {
    u32::MAX.checked_shr(u32::BITS - u32::from(count).min(u32::BITS)).unwrap_or(0)
}
