//! A source's descriptor as one receiver is to see it: as if all that it ever received came from one encoder.

use arrayvec::ArrayVec;

use super::bits::{BitReader, BitWriter};
use super::descriptor::Flags;
use super::{DESCRIPTOR_BYTES_MAX, Structure, all_targets};

/// Which decode targets a receiver can decode of what it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActiveTargets {
    /// A bit for each.
    pub mask: u32,
    /// How many there are in the structure.
    pub count: u8,
}

/// What differs between the source's descriptors and those of a receiver. The default changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rewrite {
    /// Added to frame numbers, so that they go on over a switch to another source.
    pub number_offset: u16,
    /// Added to template ids, so that those of two sources do not overlap.
    pub template_offset: u8,
    /// What to say of the active decode targets; `None` leaves what the source says.
    pub active_targets: Option<ActiveTargets>,
}

/// Bits of the mandatory fields (A.4.1).
const MANDATORY_BITS: usize = 24;

/// Writes a source's descriptor as a receiver is to see it. `None` for bytes that are no descriptor. When there is no
/// room to say which targets are active, nothing is said of them.
pub fn rewrite(source: &[u8], rewrite: &Rewrite) -> Option<ArrayVec<u8, DESCRIPTOR_BYTES_MAX>> {
    let mut out = ArrayVec::<u8, DESCRIPTOR_BYTES_MAX>::new();
    match rewrite.active_targets.and_then(|active| insert_active_targets(source, active)) {
        Some(with_targets) => out = with_targets,
        None => out.try_extend_from_slice(source).ok()?,
    }
    if let [first, high, low, ..] = out.as_mut_slice() {
        *first = *first & 0xc0 | first.wrapping_add(rewrite.template_offset) & 0x3f;
        let number = u16::from_be_bytes([*high, *low]).wrapping_add(rewrite.number_offset);
        [*high, *low] = number.to_be_bytes();
    } else {
        return None;
    }
    // The structure's own offset: six bits after the five flags, of which the first says that it is there.
    if let [_, _, _, flags, next, ..] = out.as_mut_slice()
        && *flags & 0x80 != 0
    {
        let offset = (*flags << 3 | *next >> 5) & 0x3f;
        let moved = offset.wrapping_add(rewrite.template_offset) & 0x3f;
        *flags = *flags & 0xf8 | moved >> 3;
        *next = *next & 0x1f | moved << 5;
    }
    Some(out)
}

/// The descriptor with its list of active targets replaced, or put in where it had none.
fn insert_active_targets(source: &[u8], active: ActiveTargets) -> Option<ArrayVec<u8, DESCRIPTOR_BYTES_MAX>> {
    let mut bits = BitReader::new(source);
    let mut out = BitWriter::default();
    out.put(bits.take(MANDATORY_BITS as u32)?, MANDATORY_BITS as u32)?;
    let flags = if bits.left() > 0 { Flags::read(&mut bits)? } else { Flags::default() };
    Flags { active_targets: true, ..flags }.write(&mut out)?;
    let mut count = active.count;
    if flags.structure {
        let from = bits.position();
        let structure = Structure::read(&mut bits).ok()?;
        count = structure.target_count;
        copy(&mut BitReader::new(source), from, bits.position() - from, &mut out)?;
    }
    if flags.active_targets {
        bits.take(count.into())?;
    }
    out.put(active.mask & all_targets(count), count.into())?;
    copy(&mut BitReader::new(source), bits.position(), bits.left(), &mut out)?;
    Some(out.into_bytes())
}

/// Copies `count` bits from `from` on.
fn copy(source: &mut BitReader<'_>, from: usize, count: usize, out: &mut BitWriter) -> Option<()> {
    source.skip(from);
    let mut left = count;
    while left > 0 {
        let taken = left.min(32) as u32;
        out.put(source.take(taken)?, taken)?;
        left -= taken as usize;
    }
    Some(())
}
