//! H.264 NAL unit headers (RFC 6184 §5), and the size of a picture from a sequence parameter set.

use super::KeyFrame;

/// An instantaneous decoder refresh: a slice of a key frame.
const IDR: u8 = 5;
/// Sequence parameter set: what decoding starts with.
const SPS: u8 = 7;
/// Several NAL units in one packet.
const STAP_A: u8 = 24;
/// A piece of a NAL unit.
const FU_A: u8 = 28;
/// NAL units of one packet that are looked at. A key frame has its parameter sets in front.
const AGGREGATED_MAX: usize = 16;

/// Whether the payload begins a key frame: it has a sequence parameter set, or begins an IDR slice.
///
/// A frame of several slices, each in an own packet, gives several starts: the first of a timestamp counts.
pub fn key_frame_start(payload: &[u8]) -> Option<KeyFrame> {
    let (&header, rest) = payload.split_first()?;
    match header & 0x1f {
        SPS => Some(KeyFrame { size: size_from_sps(rest) }),
        IDR => Some(KeyFrame { size: None }),
        STAP_A => in_aggregate(rest),
        FU_A => {
            let fragment = *rest.first()?;
            let starts = fragment & 0x80 != 0;
            (starts && matches!(fragment & 0x1f, IDR | SPS)).then_some(KeyFrame { size: None })
        }
        _ => None,
    }
}

/// Looks through a STAP-A (§5.7.1): each unit after its length.
fn in_aggregate(mut rest: &[u8]) -> Option<KeyFrame> {
    let mut found = None;
    for _ in 0..AGGREGATED_MAX {
        let Some((len, after)) = rest.split_first_chunk::<2>() else { break };
        let Some((unit, after)) = after.split_at_checked(u16::from_be_bytes(*len).into()) else { break };
        rest = after;
        match unit.split_first() {
            Some((header, body)) if header & 0x1f == SPS => {
                return Some(KeyFrame { size: size_from_sps(body) });
            }
            Some((header, _)) if header & 0x1f == IDR => found = Some(KeyFrame { size: None }),
            _ => {}
        }
    }
    found
}

/// Bytes of a parameter set that are looked at; the size comes long before.
const SPS_BYTES_MAX: usize = 64;
/// Reference frames in a cycle (ITU-T H.264 §7.4.2.1.1).
const CYCLE_FRAMES_MAX: u32 = 255;

/// Width and height of a picture (ITU-T H.264 §7.3.2.1.1), from a set without its NAL header. `None` with scaling
/// matrices, which no browser sends, and when under end-to-end encryption there is nothing to be read.
fn size_from_sps(body: &[u8]) -> Option<(u16, u16)> {
    let mut bits = Bits::new(body);
    let profile = bits.take(8)?;
    bits.take(16)?; // constraints and level
    bits.golomb()?; // seq_parameter_set_id
    let mut chroma = 1;
    if matches!(profile, 100 | 110 | 122 | 244 | 44 | 83 | 86 | 118 | 128 | 138 | 139 | 134 | 135) {
        chroma = bits.golomb()?;
        if chroma == 3 {
            bits.take(1)?; // separate_colour_plane_flag
        }
        bits.golomb()?; // bit_depth_luma_minus8
        bits.golomb()?; // bit_depth_chroma_minus8
        bits.take(1)?; // qpprime_y_zero_transform_bypass_flag
        if bits.take(1)? == 1 {
            return None; // seq_scaling_matrix_present_flag
        }
    }
    bits.golomb()?; // log2_max_frame_num_minus4
    skip_picture_order(&mut bits)?;
    bits.golomb()?; // max_num_ref_frames
    bits.take(1)?; // gaps_in_frame_num_value_allowed_flag
    let width_blocks = bits.golomb()?.checked_add(1)?;
    let height_units = bits.golomb()?.checked_add(1)?;
    let frames_only = bits.take(1)?;
    if frames_only == 0 {
        bits.take(1)?; // mb_adaptive_frame_field_flag
    }
    bits.take(1)?; // direct_8x8_inference_flag
    let (mut width, mut height) =
        (width_blocks.checked_mul(16)?, height_units.checked_mul(16 * (2 - frames_only))?);
    if bits.take(1)? == 1 {
        let [left, right, top, bottom] = [bits.golomb()?, bits.golomb()?, bits.golomb()?, bits.golomb()?];
        let unit_x = if matches!(chroma, 1 | 2) { 2 } else { 1 };
        let unit_y = (if chroma == 1 { 2 } else { 1 }) * (2 - frames_only);
        width = width.checked_sub(left.checked_add(right)?.checked_mul(unit_x)?)?;
        height = height.checked_sub(top.checked_add(bottom)?.checked_mul(unit_y)?)?;
    }
    Some((u16::try_from(width).ok()?, u16::try_from(height).ok()?))
}

fn skip_picture_order(bits: &mut Bits<'_>) -> Option<()> {
    match bits.golomb()? {
        0 => {
            bits.golomb()?; // log2_max_pic_order_cnt_lsb_minus4
        }
        1 => {
            bits.take(1)?; // delta_pic_order_always_zero_flag
            bits.golomb()?; // offset_for_non_ref_pic
            bits.golomb()?; // offset_for_top_to_bottom_field
            let frames = bits.golomb()?;
            if frames > CYCLE_FRAMES_MAX {
                return None;
            }
            for _ in 0..frames {
                bits.golomb()?;
            }
        }
        _ => {}
    }
    Some(())
}

/// Bits of a NAL unit, without the emulation prevention bytes (ITU-T H.264 §7.4.1.1).
struct Bits<'a> {
    rest: &'a [u8],
    zeros: u8,
    current: u8,
    left: u8,
}

impl<'a> Bits<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes.get(..SPS_BYTES_MAX).unwrap_or(bytes), zeros: 0, current: 0, left: 0 }
    }

    fn next_byte(&mut self) -> Option<u8> {
        let (&byte, after) = self.rest.split_first()?;
        self.rest = after;
        if self.zeros >= 2 && byte == 3 {
            self.zeros = 0;
            return self.next_byte();
        }
        self.zeros = if byte == 0 { self.zeros.saturating_add(1) } else { 0 };
        Some(byte)
    }

    fn bit(&mut self) -> Option<u32> {
        if self.left == 0 {
            self.current = self.next_byte()?;
            self.left = 8;
        }
        self.left -= 1;
        Some(u32::from(self.current >> self.left & 1))
    }

    /// Up to 31 bits.
    fn take(&mut self, count: u32) -> Option<u32> {
        let mut value = 0;
        for _ in 0..count {
            value = value << 1 | self.bit()?;
        }
        Some(value)
    }

    /// An Exp-Golomb code (ITU-T H.264 §9.1); a signed one has the same length.
    fn golomb(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while self.bit()? == 0 {
            zeros += 1;
            if zeros > 30 {
                return None;
            }
        }
        Some((1 << zeros) - 1 + self.take(zeros)?)
    }
}
