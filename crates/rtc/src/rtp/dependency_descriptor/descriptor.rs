//! The descriptor of one packet.

use arrayvec::ArrayVec;

use super::bits::{BitReader, BitWriter};
use super::structure::{read_indications, write_indications};
use super::{
    ChainDiffs, DESCRIPTOR_BYTES_MAX, DescriptorError, FDIFFS_MAX, FrameDiffs, Indications, Structure,
    all_targets,
};

/// A dependency descriptor. What is `None` is as the template says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Descriptor {
    /// The packet is the first of its frame.
    pub start: bool,
    /// The packet is the last of its frame.
    pub end: bool,
    /// The template, 0 to 63.
    pub template_id: u8,
    /// Counts frames in decoding order, wraps.
    pub frame_number: u16,
    /// With the first packet of a coded video sequence: its structure.
    pub structure: Option<Box<Structure>>,
    /// A bit for each decode target that can be decoded from here on, where that is said.
    pub active_targets: Option<u32>,
    /// How the frame relates to each decode target.
    pub indications: Option<Indications>,
    /// The frames that it refers to.
    pub frame_diffs: Option<FrameDiffs>,
    /// The frame before it on each chain.
    pub chain_diffs: Option<ChainDiffs>,
}

/// What a forwarding unit needs to know of a packet's frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameInfo {
    /// The packet is the first of its frame.
    pub start: bool,
    /// The packet is the last of its frame.
    pub end: bool,
    /// Counts frames in decoding order, wraps.
    pub number: u16,
    /// The spatial layer, 0 to 3.
    pub spatial: u8,
    /// The temporal layer, 0 to 7.
    pub temporal: u8,
    /// How it relates to each decode target.
    pub indications: Indications,
    /// The frames that it refers to, as distances; zeros for none, 255 for all that are further away.
    pub refers_to: [u8; FDIFFS_MAX],
    /// The frame before it on each chain; 0: none is needed.
    pub chain_diffs: ChainDiffs,
}

impl Descriptor {
    /// Reads a descriptor. `known` is the structure that came last; not needed by one that has its own.
    ///
    /// # Errors
    /// It is malformed, beyond our bounds, or of a structure that is not known.
    pub fn parse(bytes: &[u8], known: Option<&Structure>) -> Result<Self, DescriptorError> {
        let short = DescriptorError::TooShort;
        let mut bits = BitReader::new(bytes);
        let mut descriptor = Self {
            start: bits.flag().ok_or(short)?,
            end: bits.flag().ok_or(short)?,
            template_id: bits.take(6).ok_or(short)? as u8,
            frame_number: bits.take(16).ok_or(short)? as u16,
            ..Self::default()
        };
        if bits.left() == 0 {
            return match known.and_then(|k| k.template(descriptor.template_id)) {
                Some(_) => Ok(descriptor),
                None => Err(DescriptorError::UnknownStructure),
            };
        }
        let flags = Flags::read(&mut bits).ok_or(short)?;
        if flags.structure {
            descriptor.structure = Some(Box::new(Structure::read(&mut bits)?));
        }
        let structure = descriptor.structure.as_deref().or(known).ok_or(DescriptorError::UnknownStructure)?;
        let (targets, chains) = (structure.target_count, structure.chain_count);
        if structure.template(descriptor.template_id).is_none() {
            return Err(DescriptorError::UnknownStructure);
        }
        if flags.active_targets {
            descriptor.active_targets = Some(read_active_targets(&mut bits, targets).ok_or(short)?);
        }
        if flags.indications {
            descriptor.indications = Some(read_indications(&mut bits, targets).ok_or(short)?);
        }
        if flags.frame_diffs {
            descriptor.frame_diffs = Some(read_frame_diffs(&mut bits)?);
        }
        if flags.chain_diffs {
            let mut diffs = ChainDiffs::default();
            for diff in diffs.iter_mut().take(chains.into()) {
                *diff = bits.take(8).ok_or(short)? as u8;
            }
            descriptor.chain_diffs = Some(diffs);
        }
        Ok(descriptor)
    }

    /// What of it matters for forwarding. `known` is the structure that it was parsed with.
    pub fn frame(&self, known: Option<&Structure>) -> Option<FrameInfo> {
        let template = self.structure.as_deref().or(known)?.template(self.template_id)?;
        let mut refers_to = [0; FDIFFS_MAX];
        let diffs = self.frame_diffs.as_ref().unwrap_or(&template.frame_diffs);
        for (to, diff) in refers_to.iter_mut().zip(diffs) {
            *to = u8::try_from(*diff).unwrap_or(u8::MAX);
        }
        Some(FrameInfo {
            start: self.start,
            end: self.end,
            number: self.frame_number,
            spatial: template.spatial,
            temporal: template.temporal,
            indications: self.indications.unwrap_or(template.indications),
            refers_to,
            chain_diffs: self.chain_diffs.unwrap_or(template.chain_diffs),
        })
    }

    /// Writes it. `known` as for [`Descriptor::parse`]. `None`: it does not fit into a header extension, or cannot be
    /// said in its syntax.
    pub fn write(&self, known: Option<&Structure>) -> Option<ArrayVec<u8, DESCRIPTOR_BYTES_MAX>> {
        let structure = self.structure.as_deref().or(known)?;
        let mut bits = BitWriter::default();
        bits.put_flag(self.start)?;
        bits.put_flag(self.end)?;
        bits.put(self.template_id.into(), 6)?;
        bits.put(self.frame_number.into(), 16)?;
        let flags = Flags {
            structure: self.structure.is_some(),
            active_targets: self.active_targets.is_some(),
            indications: self.indications.is_some(),
            frame_diffs: self.frame_diffs.is_some(),
            chain_diffs: self.chain_diffs.is_some(),
        };
        if flags == Flags::default() {
            return Some(bits.into_bytes());
        }
        flags.write(&mut bits)?;
        if let Some(structure) = &self.structure {
            structure.write(&mut bits)?;
        }
        if let Some(mask) = self.active_targets {
            bits.put(mask & all_targets(structure.target_count), structure.target_count.into())?;
        }
        if let Some(indications) = self.indications {
            write_indications(&mut bits, indications, structure.target_count)?;
        }
        if let Some(diffs) = &self.frame_diffs {
            for diff in diffs {
                let less_one = u32::from(*diff).checked_sub(1).filter(|d| *d < 1 << 12)?;
                let size = (u32::BITS - less_one.leading_zeros()).div_ceil(4).max(1);
                bits.put(size, 2)?;
                bits.put(less_one, 4 * size)?;
            }
            bits.put(0, 2)?;
        }
        if let Some(diffs) = &self.chain_diffs {
            for diff in diffs.iter().take(structure.chain_count.into()) {
                bits.put((*diff).into(), 8)?;
            }
        }
        Some(bits.into_bytes())
    }
}

/// What an extended descriptor has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Flags {
    pub(super) structure: bool,
    pub(super) active_targets: bool,
    pub(super) indications: bool,
    pub(super) frame_diffs: bool,
    pub(super) chain_diffs: bool,
}

impl Flags {
    pub(super) fn read(bits: &mut BitReader<'_>) -> Option<Self> {
        Some(Self {
            structure: bits.flag()?,
            active_targets: bits.flag()?,
            indications: bits.flag()?,
            frame_diffs: bits.flag()?,
            chain_diffs: bits.flag()?,
        })
    }

    pub(super) fn write(self, bits: &mut BitWriter) -> Option<()> {
        let Self { structure, active_targets, indications, frame_diffs, chain_diffs } = self;
        [structure, active_targets, indications, frame_diffs, chain_diffs]
            .into_iter()
            .try_for_each(|flag| bits.put_flag(flag))
    }
}

fn read_active_targets(bits: &mut BitReader<'_>, targets: u8) -> Option<u32> {
    bits.take(targets.into())
}

fn read_frame_diffs(bits: &mut BitReader<'_>) -> Result<FrameDiffs, DescriptorError> {
    let short = DescriptorError::TooShort;
    let mut diffs = FrameDiffs::new();
    loop {
        let size = bits.take(2).ok_or(short)?;
        if size == 0 {
            return Ok(diffs);
        }
        let diff = bits.take(4 * size).ok_or(short)? as u16 + 1;
        diffs.try_push(diff).map_err(|_| DescriptorError::TooMany)?;
    }
}
