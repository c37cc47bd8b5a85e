//! The template dependency structure: what a scalable stream is made of.

use arrayvec::ArrayVec;

use super::bits::{BitReader, BitWriter};
use super::{
    CHAINS_MAX, ChainDiffs, DECODE_TARGETS_MAX, DescriptorError, FrameDiffs, Indication, Indications,
    SPATIAL_LAYERS_MAX, TEMPLATES_MAX, TEMPORAL_LAYERS_MAX, all_targets,
};

/// What many frames have in common.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Template {
    /// The spatial layer, 0 to 3.
    pub spatial: u8,
    /// The temporal layer, 0 to 7.
    pub temporal: u8,
    /// How such a frame relates to each decode target.
    pub indications: Indications,
    /// The frames that it refers to: 1 to 16 before it.
    pub frame_diffs: FrameDiffs,
    /// The frame before it on each chain, up to 15 before it.
    pub chain_diffs: ChainDiffs,
}

/// A template dependency structure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Structure {
    /// The id of the first template, 0 to 63; the others follow, round the end.
    pub id_offset: u8,
    /// Decode targets, 1 to 32.
    pub target_count: u8,
    /// Chains, 0 to [`CHAINS_MAX`].
    pub chain_count: u8,
    /// The chain that protects each decode target; empty without chains. (An early draft left targets without one.)
    pub protected_by: ArrayVec<u8, DECODE_TARGETS_MAX>,
    /// Templates, at least one, by spatial and temporal layer.
    pub templates: ArrayVec<Template, TEMPLATES_MAX>,
    /// Width and height of each spatial layer, or empty.
    pub resolutions: ArrayVec<(u32, u32), SPATIAL_LAYERS_MAX>,
}

impl Structure {
    /// The highest spatial layer.
    pub fn spatial_max(&self) -> u8 {
        self.templates.last().map_or(0, |t| t.spatial)
    }

    /// The template that an id stands for.
    #[inline]
    pub fn template(&self, id: u8) -> Option<&Template> {
        self.templates.get(usize::from(id.wrapping_sub(self.id_offset) & 0x3f))
    }

    /// The spatial and temporal layer of a decode target: the highest of the frames that belong to it.
    pub fn layers_of(&self, target: u8) -> (u8, u8) {
        let belonging =
            || self.templates.iter().filter(|t| t.indications.of(target) != Indication::NotPresent);
        (
            belonging().map(|t| t.spatial).max().unwrap_or(0),
            belonging().map(|t| t.temporal).max().unwrap_or(0),
        )
    }

    /// The chain that protects a decode target.
    pub fn chain_of(&self, target: u8) -> Option<u8> {
        self.protected_by.get(usize::from(target)).copied().filter(|chain| *chain < self.chain_count)
    }

    /// The decode targets, a bit each, all of whose frames belong to `target` too: who is sent `target` has them.
    pub fn contained_in(&self, target: u8) -> u32 {
        let all = all_targets(self.target_count);
        self.templates.iter().fold(all, |contained, template| match template.indications.of(target) {
            Indication::NotPresent => contained & !template.indications.present(),
            _ => contained,
        })
    }

    pub(super) fn read(bits: &mut BitReader<'_>) -> Result<Self, DescriptorError> {
        let short = DescriptorError::TooShort;
        let id_offset = bits.take(6).ok_or(short)? as u8;
        let target_count = bits.take(5).ok_or(short)? as u8 + 1;
        let mut structure = Self {
            id_offset,
            target_count,
            chain_count: 0,
            protected_by: ArrayVec::new(),
            templates: ArrayVec::new(),
            resolutions: ArrayVec::new(),
        };
        structure.read_layers(bits)?;
        for template in &mut structure.templates {
            template.indications = read_indications(bits, target_count).ok_or(short)?;
        }
        for template in &mut structure.templates {
            while bits.flag().ok_or(short)? {
                let diff = bits.take(4).ok_or(short)? as u16 + 1;
                template.frame_diffs.try_push(diff).map_err(|_| DescriptorError::TooMany)?;
            }
        }
        structure.read_chains(bits)?;
        if bits.flag().ok_or(short)? {
            for _ in 0..=structure.spatial_max() {
                let (width, height) = (bits.take(16).ok_or(short)?, bits.take(16).ok_or(short)?);
                let size = (width + 1, height + 1);
                structure.resolutions.try_push(size).map_err(|_| DescriptorError::TooMany)?;
            }
        }
        Ok(structure)
    }

    fn read_layers(&mut self, bits: &mut BitReader<'_>) -> Result<(), DescriptorError> {
        let (mut spatial, mut temporal) = (0u8, 0u8);
        loop {
            let template = Template { spatial, temporal, ..Template::default() };
            self.templates.try_push(template).map_err(|_| DescriptorError::TooMany)?;
            match bits.take(2).ok_or(DescriptorError::TooShort)? {
                0 => {}
                1 => temporal += 1,
                2 => (spatial, temporal) = (spatial + 1, 0),
                _ => return Ok(()),
            }
            if usize::from(spatial) >= SPATIAL_LAYERS_MAX || usize::from(temporal) >= TEMPORAL_LAYERS_MAX {
                return Err(DescriptorError::TooMany);
            }
        }
    }

    fn read_chains(&mut self, bits: &mut BitReader<'_>) -> Result<(), DescriptorError> {
        let short = DescriptorError::TooShort;
        let count = bits.take_non_symmetric(u32::from(self.target_count) + 1).ok_or(short)?;
        self.chain_count = u8::try_from(count).map_err(|_| DescriptorError::TooMany)?;
        if usize::from(self.chain_count) > CHAINS_MAX {
            return Err(DescriptorError::TooMany);
        }
        if count == 0 {
            return Ok(());
        }
        for _ in 0..self.target_count {
            let chain = bits.take_non_symmetric(count).ok_or(short)? as u8;
            self.protected_by.try_push(chain).map_err(|_| DescriptorError::TooMany)?;
        }
        for template in &mut self.templates {
            for diff in template.chain_diffs.iter_mut().take(count as usize) {
                *diff = bits.take(4).ok_or(short)? as u8;
            }
        }
        Ok(())
    }

    /// `None`: it has no room, or is none that can be written.
    pub(super) fn write(&self, bits: &mut BitWriter) -> Option<()> {
        bits.put(self.id_offset.into(), 6)?;
        bits.put(u32::from(self.target_count).checked_sub(1)?, 5)?;
        for pair in self.templates.windows(2) {
            let [now, next] = pair else { return None };
            let same_spatial = now.spatial == next.spatial;
            bits.put(
                match (same_spatial, next.temporal.checked_sub(now.temporal)) {
                    (true, Some(0)) => 0,
                    (true, Some(1)) => 1,
                    (false, _) if next.spatial == now.spatial + 1 && next.temporal == 0 => 2,
                    _ => return None,
                },
                2,
            )?;
        }
        bits.put(3, 2)?;
        for template in &self.templates {
            write_indications(bits, template.indications, self.target_count)?;
        }
        for template in &self.templates {
            for diff in &template.frame_diffs {
                bits.put_flag(true)?;
                bits.put(u32::from(*diff).checked_sub(1)?, 4)?;
            }
            bits.put_flag(false)?;
        }
        bits.put_non_symmetric(self.chain_count.into(), u32::from(self.target_count) + 1)?;
        if self.chain_count > 0 {
            for chain in &self.protected_by {
                bits.put_non_symmetric((*chain).into(), self.chain_count.into())?;
            }
            for template in &self.templates {
                for diff in template.chain_diffs.iter().take(self.chain_count.into()) {
                    bits.put((*diff).into(), 4)?;
                }
            }
        }
        bits.put_flag(!self.resolutions.is_empty())?;
        for (width, height) in &self.resolutions {
            bits.put(width.checked_sub(1)?, 16)?;
            bits.put(height.checked_sub(1)?, 16)?;
        }
        Some(())
    }
}

pub(super) fn read_indications(bits: &mut BitReader<'_>, targets: u8) -> Option<Indications> {
    let mut read = Indications::default();
    for target in 0..targets {
        read.set(
            target,
            match bits.take(2)? {
                0 => Indication::NotPresent,
                1 => Indication::Discardable,
                2 => Indication::Switch,
                _ => Indication::Required,
            },
        );
    }
    Some(read)
}

pub(super) fn write_indications(bits: &mut BitWriter, indications: Indications, targets: u8) -> Option<()> {
    (0..targets).try_for_each(|target| bits.put(indications.of(target) as u32, 2))
}
