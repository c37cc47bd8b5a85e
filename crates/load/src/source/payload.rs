//! Payloads that look to an SFU like those of a browser: payload descriptors are right, what lies behind them is noise.

use model::Codec;

use super::{Frame, Noise};

/// Cuts frames into payloads of one encoding.
#[derive(Debug, Clone)]
pub struct Packetizer {
    codec: Codec,
    width: u16,
    height: u16,
    picture_id: u16,
    tl0_picture_index: u8,
    noise: Noise,
}

/// H.264, 640×480, constrained baseline: sequence and picture parameter sets of a common encoder.
const H264_SPS: [u8; 13] = [0x67, 0x42, 0xe0, 0x1f, 0xda, 0x01, 0x40, 0x16, 0xe8, 0x06, 0xd0, 0xa1, 0x35];
const H264_PPS: [u8; 4] = [0x68, 0xce, 0x06, 0xe2];

impl Packetizer {
    /// A packetizer of an encoding of that size.
    pub fn new(codec: Codec, width: u16, height: u16, seed: u64) -> Self {
        let mut noise = Noise::new(seed);
        let picture_id = noise.within(0..0x8000) as u16;
        Self { codec, width, height, picture_id, tl0_picture_index: noise.draw() as u8, noise }
    }

    /// The frame's payloads, in order. Sizes are those of the frame where the codec's own headers leave room; a key
    /// frame of H.264 has one packet more, with the parameter sets.
    pub fn payloads(&mut self, frame: &Frame) -> Vec<Vec<u8>> {
        self.picture_id = (self.picture_id + 1) & 0x7fff;
        self.tl0_picture_index = self.tl0_picture_index.wrapping_add(1);
        let count = frame.sizes.len();
        let mut payloads = Vec::with_capacity(count + 1);
        if frame.key && self.codec == Codec::H264 {
            payloads.push(h264_parameter_sets());
        }
        for (index, &size) in frame.sizes.iter().enumerate() {
            let (first, last) = (index == 0, index + 1 == count);
            let mut payload = self.head(frame.key, first, last);
            while payload.len() < size {
                payload.extend_from_slice(&self.noise.draw().to_le_bytes());
            }
            payload.truncate(size.max(1));
            payloads.push(payload);
        }
        payloads
    }

    fn head(&self, key: bool, first: bool, last: bool) -> Vec<u8> {
        match self.codec {
            Codec::Vp8 => self.vp8(key, first),
            Codec::Vp9 => self.vp9(key, first, last),
            Codec::H264 => h264(key, first, last),
            Codec::Av1 => av1(key, first, last),
            Codec::Opus | Codec::G722 | Codec::Pcmu | Codec::Pcma => vec![0x78], // Opus: CELT, full band, 20 ms, mono
        }
    }

    /// RFC 7741 §4.2 and §4.3, with picture id, TL0PICIDX and temporal id as browsers send them.
    fn vp8(&self, key: bool, first: bool) -> Vec<u8> {
        let start = if first { 0x10 } else { 0 };
        let [high, low] = self.picture_id.to_be_bytes();
        let mut head = vec![0x80 | start, 0xe0, 0x80 | high, low, self.tl0_picture_index, 0x20];
        if first {
            head.extend_from_slice(&[if key { 0x10 } else { 0x11 }, 0x02, 0x00]);
        }
        if first && key {
            head.extend_from_slice(&[0x9d, 0x01, 0x2a]);
            head.extend_from_slice(&self.width.to_le_bytes());
            head.extend_from_slice(&self.height.to_le_bytes());
        }
        head
    }

    /// RFC 9628 §4.2, one layer; a key frame says its size in the scalability structure.
    fn vp9(&self, key: bool, first: bool, last: bool) -> Vec<u8> {
        let bit = |set: bool, bit: u8| if set { bit } else { 0 };
        let flags = 0x80 | bit(!key, 0x40) | bit(first, 0x08) | bit(last, 0x04) | bit(key && first, 0x02);
        let [high, low] = self.picture_id.to_be_bytes();
        let mut head = vec![flags, 0x80 | high, low];
        if key && first {
            head.push(0x10); // one spatial layer, with its size
            head.extend_from_slice(&self.width.to_be_bytes());
            head.extend_from_slice(&self.height.to_be_bytes());
        }
        if first {
            head.extend_from_slice(if key { &[0x82, 0x49, 0x83, 0x42] } else { &[0x86, 0x00, 0x40, 0x92] });
        }
        head
    }
}

/// RFC 6184 §5.7.1, STAP-A.
fn h264_parameter_sets() -> Vec<u8> {
    let mut payload = vec![0x78];
    for unit in [&H264_SPS[..], &H264_PPS] {
        payload.extend_from_slice(&(unit.len() as u16).to_be_bytes());
        payload.extend_from_slice(unit);
    }
    payload
}

/// RFC 6184 §5.8, FU-A, or a single unit.
fn h264(key: bool, first: bool, last: bool) -> Vec<u8> {
    let kind = if key { 5 } else { 1 };
    if first && last {
        return vec![0x60 | kind, 0x88];
    }
    let ends = if first { 0x80 } else { 0 } | if last { 0x40 } else { 0 };
    vec![0x7c, ends | kind]
}

/// The AV1 RTP specification §4.4: one element per packet, which is the middle of an OBU but for the first and last.
fn av1(key: bool, first: bool, last: bool) -> Vec<u8> {
    let (continues, continued) = (if first { 0 } else { 0x80 }, if last { 0 } else { 0x40 });
    let new_sequence = if key && first { 0x08 } else { 0 };
    let mut head = vec![continues | continued | 0x10 | new_sequence];
    if first {
        head.push(if key { 0x08 } else { 0x30 }); // a sequence header or a frame
    }
    head
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn payloads(codec: Codec, key: bool, sizes: &[usize]) -> Vec<Vec<u8>> {
        let frame = Frame { sizes: sizes.to_vec(), key, at: Duration::ZERO };
        Packetizer::new(codec, 1280, 720, 1).payloads(&frame)
    }

    #[test]
    fn payloads_have_the_sizes_asked_for() {
        for codec in [Codec::Vp8, Codec::Vp9, Codec::Av1, Codec::Opus] {
            for key in [false, true] {
                let sizes: Vec<_> = payloads(codec, key, &[1100, 1100, 700]).iter().map(Vec::len).collect();
                assert_eq!(sizes, [1100, 1100, 700], "{codec:?}");
            }
        }
        let sizes: Vec<_> = payloads(Codec::H264, true, &[1100, 700]).iter().map(Vec::len).collect();
        assert_eq!(sizes, [22, 1100, 700], "parameter sets go before a key frame");
    }

    #[test]
    fn vp8_counts_pictures_and_says_the_size_of_key_frames() {
        let mut packetizer = Packetizer::new(Codec::Vp8, 1280, 720, 1);
        packetizer.picture_id = 0x7ffe;
        let mut ids = Vec::new();
        for key in [true, false, false] {
            let payload = packetizer.payloads(&Frame { sizes: vec![50, 50], key, at: Duration::ZERO });
            assert_eq!((payload[0][0], payload[1][0]), (0x90, 0x80));
            assert_eq!(payload[0][6] & 1 == 0, key);
            ids.push(u16::from_be_bytes([payload[0][2] & 0x7f, payload[0][3]]));
            assert_eq!(payload[0][2..6], payload[1][2..6], "one picture, one id");
            if key {
                assert_eq!(payload[0][9..16], [0x9d, 1, 0x2a, 0, 5, 0xd0, 2]);
            }
        }
        assert_eq!(ids, [0x7fff, 0, 1]);
    }

    #[test]
    fn h264_fragments_have_a_beginning_and_an_end() {
        let key = payloads(Codec::H264, true, &[100, 100, 100]);
        assert_eq!(
            key[1..].iter().map(|p| (p[0], p[1])).collect::<Vec<_>>(),
            [(0x7c, 0x85), (0x7c, 5), (0x7c, 0x45)]
        );
        assert_eq!(payloads(Codec::H264, false, &[100])[0][0], 0x61);
    }

    #[test]
    fn tiny_frames_are_never_empty() {
        for codec in [Codec::Vp8, Codec::Vp9, Codec::H264, Codec::Av1, Codec::Opus] {
            assert!(payloads(codec, false, &[0]).iter().all(|p| !p.is_empty()));
        }
    }
}
