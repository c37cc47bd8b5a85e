//! The first bytes of payloads: what encoders and payloaders of others make, what str0m reads in the same bytes, and
//! whatever bytes come.

use model::Codec;
use proptest::prelude::*;
use rtc::payload::vp8::PictureId;
use rtc::payload::{KeyFrame, av1, h264, is_opus_dtx, key_frame_start, vp8, vp9};
use str0m::format::{detect_h264_nalu, detect_vp8_keyframe};
use str0m::rtp::Vp8Descriptor;

fn bytes(hex: &str) -> Vec<u8> {
    data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap()
}

fn key_frame(width: u16, height: u16) -> Option<KeyFrame> {
    Some(KeyFrame { size: Some((width, height)) })
}

const KEY_FRAME_OF_UNKNOWN_SIZE: Option<KeyFrame> = Some(KeyFrame { size: None });

mod vp8_payloads {
    use super::*;

    /// Packets that GStreamer's rtpvp8pay made of libvpx's frames of 640 × 360: a key frame and a delta frame.
    const KEY: &str = "9080aa2f90a1009d012a800268010247088585889984880a";
    const DELTA: &str = "9080aa30d129001211fc001eb471effff81bfe43ff9d53ff";

    #[test]
    fn packets_of_gstreamer_are_read() {
        let descriptor = vp8::Descriptor::parse(&bytes(KEY)).unwrap();
        assert_eq!(descriptor.picture_id, Some(PictureId::Long(0x2a2f)));
        assert!(descriptor.frame_start());
        assert_eq!(descriptor.len, 4);
        assert_eq!(key_frame_start(Codec::Vp8, &bytes(KEY)), key_frame(640, 360));
        assert_eq!(key_frame_start(Codec::Vp8, &bytes(DELTA)), None);
    }

    /// The first bytes of libvpx's key frames, behind a descriptor of one byte.
    #[test]
    fn the_size_is_that_of_the_encoder() {
        for (width, height, frame) in [
            (640, 360, "3033009d012a80026801"),
            (320, 180, "d00e009d012a4001b400"),
            (1_279, 721, "10c7009d012aff04d102"),
        ] {
            let payload = [&[0x10][..], &bytes(frame)].concat();
            assert_eq!(vp8::key_frame_start(&payload), key_frame(width, height));
            assert_eq!(vp8::key_frame_start(&payload[..10]), KEY_FRAME_OF_UNKNOWN_SIZE, "cut short");
            let continued = [&[0x00][..], &bytes(frame)].concat();
            assert_eq!(vp8::key_frame_start(&continued), None, "not the start");
            let partition = [&[0x11][..], &bytes(frame)].concat();
            assert_eq!(vp8::key_frame_start(&partition), None, "another partition");
        }
    }

    /// The upper two bits of each side ask for upscaling (RFC 6386 §9.1).
    #[test]
    fn scaling_is_not_part_of_the_size() {
        let payload = bytes("103033009d012a8042684101c7");
        assert_eq!(vp8::key_frame_start(&payload), key_frame(640, 360));
    }

    /// All fields of RFC 7741 §4.2.
    #[test]
    fn a_full_descriptor_is_read() {
        let payload = [0b1011_0011, 0b1111_0000, 0x92, 0x34, 0x56, 0b1011_0111, 0xff];
        let descriptor = vp8::Descriptor::parse(&payload).unwrap();
        assert_eq!(
            descriptor,
            vp8::Descriptor {
                non_reference: true,
                partition_start: true,
                partition: 3,
                picture_id: Some(PictureId::Long(0x1234)),
                tl0_picture_index: Some(0x56),
                temporal_id: Some(2),
                layer_sync: true,
                key_index: Some(23),
                len: 6,
            }
        );
        for len in 0..6 {
            assert_eq!(vp8::Descriptor::parse(&payload[..len]), None, "{len}");
        }
    }

    #[test]
    fn a_rewritten_id_keeps_its_width() {
        let mut short = [0x90, 0xe0, 0x7f, 9, 0x20, 1];
        let descriptor = vp8::Descriptor::parse(&short).unwrap();
        descriptor.rewrite(&mut short, 0x1234, 77);
        assert_eq!(short, [0x90, 0xe0, 0x34, 77, 0x20, 1]);
        let mut long = [0x90, 0xe0, 0x80, 5, 9, 0x20, 1];
        let descriptor = vp8::Descriptor::parse(&long).unwrap();
        descriptor.rewrite(&mut long, 0xffff, 77);
        assert_eq!(long, [0x90, 0xe0, 0xff, 0xff, 77, 0x20, 1]);
        let mut only_index = [0x90, 0x60, 9, 0x20, 1];
        let descriptor = vp8::Descriptor::parse(&only_index).unwrap();
        descriptor.rewrite(&mut only_index, 5, 77);
        assert_eq!(only_index, [0x90, 0x60, 77, 0x20, 1]);
        let mut nothing = [0x10, 1, 2, 3];
        let descriptor = vp8::Descriptor::parse(&nothing).unwrap();
        descriptor.rewrite(&mut nothing, 5, 77);
        assert_eq!(nothing, [0x10, 1, 2, 3]);
    }

    /// A descriptor with any fields, and bytes behind it.
    fn payload() -> impl Strategy<Value = Vec<u8>> {
        (any::<u8>(), any::<u8>(), prop::collection::vec(any::<u8>(), 0..20))
            .prop_map(|(first, flags, rest)| [&[first, flags][..], &rest].concat())
    }

    proptest! {
        #[test]
        fn str0m_reads_the_same(payload in payload()) {
            prop_assert_eq!(vp8::key_frame_start(&payload).is_some(), detect_vp8_keyframe(&payload));
            // str0m refuses an index without a temporal layer, and a descriptor with nothing behind it.
            if let Ok(theirs) = Vp8Descriptor::parse(&payload) {
                let ours = vp8::Descriptor::parse(&payload).unwrap();
                prop_assert_eq!(ours.picture_id.map(PictureId::value), theirs.picture_id());
                prop_assert_eq!(ours.tl0_picture_index, theirs.tl0_pic_idx());
                prop_assert_eq!(ours.key_index, theirs.key_idx());
            }
        }

        #[test]
        fn a_rewritten_descriptor_differs_in_the_two_numbers_only(
            payload in payload(), picture_id in 0u16..0x8000, index: u8,
        ) {
            if let Some(before) = vp8::Descriptor::parse(&payload) {
                let mut rewritten = payload.clone();
                before.rewrite(&mut rewritten, picture_id, index);
                let after = vp8::Descriptor::parse(&rewritten).unwrap();
                let expected = vp8::Descriptor {
                    picture_id: before.picture_id.map(|id| match id {
                        PictureId::Short(_) => PictureId::Short(picture_id as u8 & 0x7f),
                        PictureId::Long(_) => PictureId::Long(picture_id),
                    }),
                    tl0_picture_index: before.tl0_picture_index.map(|_| index),
                    ..before
                };
                prop_assert_eq!(after, expected);
                prop_assert_eq!(&rewritten[before.len..], &payload[before.len..]);
                after.rewrite(
                    &mut rewritten,
                    before.picture_id.map_or(0, PictureId::value),
                    before.tl0_picture_index.unwrap_or_default(),
                );
                prop_assert_eq!(rewritten, payload);
            }
        }
    }

    #[test]
    fn fuzz_vp8() {
        bolero::check!().with_iterations(50_000).for_each(|bytes: &[u8]| {
            let _ = vp8::key_frame_start(bytes);
            if let Some(descriptor) = vp8::Descriptor::parse(bytes) {
                assert!(descriptor.len <= bytes.len());
                // Also on a payload that is not its own.
                descriptor.rewrite(&mut bytes[..bytes.len() / 2].to_vec(), 1, 2);
            }
        });
    }
}

mod vp9_payloads {
    use super::*;

    /// Packets that GStreamer's rtpvp9pay made of libvpx's frames of 640 × 360: a key frame and a delta frame.
    const KEY: &str = "8ae97c1802800168010401b124c1a148013f80b3b081c1";
    const DELTA: &str = "c8e97db30020497800ab8200527a1ee0ef55dc7b";

    #[test]
    fn packets_of_gstreamer_are_read() {
        let descriptor = vp9::Descriptor::parse(&bytes(KEY)).unwrap();
        assert_eq!(descriptor.picture_id, Some(PictureId::Long(0x697c)));
        assert_eq!((descriptor.frame_start, descriptor.frame_end), (true, false));
        let mut sizes = [(0, 0); vp9::SPATIAL_LAYERS_MAX];
        sizes[0] = (640, 360);
        let structure = vp9::Structure { spatial_layers: 1, size: Some((640, 360)), sizes };
        assert_eq!(descriptor.structure, Some(structure));
        assert_eq!(descriptor.len, 11);
        assert_eq!(key_frame_start(Codec::Vp9, &bytes(KEY)), key_frame(640, 360));
        let descriptor = vp9::Descriptor::parse(&bytes(DELTA)).unwrap();
        assert!(descriptor.inter_predicted);
        assert_eq!(descriptor.len, 3);
        assert_eq!(key_frame_start(Codec::Vp9, &bytes(DELTA)), None);
    }

    /// RFC 9628 §4.2, non-flexible mode with three spatial layers, as Chrome sends it.
    #[test]
    fn a_scalable_key_frame_begins_with_its_base_layer() {
        // I, L, B, V; picture id; T 0, U, S 0; TL0PICIDX; 3 layers with sizes, no groups.
        let mut payload = vec![0b1010_1010, 0x80, 0x01, 0b0001_0000, 7, 0b0101_0000];
        for (width, height) in [(320u16, 180u16), (640, 360), (1_280, 720)] {
            payload.extend_from_slice(&width.to_be_bytes());
            payload.extend_from_slice(&height.to_be_bytes());
        }
        payload.push(0xff);
        let descriptor = vp9::Descriptor::parse(&payload).unwrap();
        let layer = descriptor.layer.unwrap();
        assert_eq!((layer.temporal_id, layer.spatial_id, layer.tl0_picture_index), (0, 0, Some(7)));
        assert!(layer.switching_up_point && !layer.inter_layer);
        assert_eq!(descriptor.len, payload.len() - 1);
        assert_eq!(vp9::key_frame_start(&payload), key_frame(1_280, 720));
        // The next spatial layer of the same picture: S 1, D.
        let upper = [0b1010_1000, 0x80, 0x01, 0b0000_0011, 7, 0xff];
        assert!(vp9::Descriptor::parse(&upper).unwrap().layer.unwrap().inter_layer);
        assert_eq!(vp9::key_frame_start(&upper), None);
        // Not the first packet.
        payload[0] &= !0b0000_1000;
        assert_eq!(vp9::key_frame_start(&payload), None);
    }

    /// A group of three pictures with 0, 3 and 2 references.
    #[test]
    fn a_group_of_pictures_is_passed_over() {
        let payload = [0b0000_1010, 0b0000_1000, 3, 0, 0b0010_1100, 1, 2, 3, 0b0100_1000, 1, 2, 0xff];
        let descriptor = vp9::Descriptor::parse(&payload).unwrap();
        assert_eq!(descriptor.len, payload.len() - 1);
        let sizes = [(0, 0); vp9::SPATIAL_LAYERS_MAX];
        assert_eq!(descriptor.structure, Some(vp9::Structure { spatial_layers: 1, size: None, sizes }));
    }

    #[test]
    fn flexible_mode_has_references_and_no_index() {
        // I, P, L, F, B; short picture id; T 2, S 1, D; references 1 and 5.
        let payload = [0b1111_1000, 0x05, 0b0100_0011, 0b0000_0011, 0b0000_1010, 0xff];
        let descriptor = vp9::Descriptor::parse(&payload).unwrap();
        assert_eq!(descriptor.picture_id, Some(PictureId::Short(5)));
        let layer = descriptor.layer.unwrap();
        assert_eq!((layer.temporal_id, layer.spatial_id, layer.tl0_picture_index), (2, 1, None));
        assert_eq!(descriptor.len, 5);
        let too_many = [0b1111_1000, 0x05, 0b0100_0011, 3, 3, 3, 2, 0xff];
        assert_eq!(vp9::Descriptor::parse(&too_many), None, "a fourth reference");
    }

    #[test]
    fn what_is_cut_short_is_refused() {
        let key = bytes(KEY);
        for len in 0..11 {
            assert_eq!(vp9::Descriptor::parse(&key[..len]), None, "{len}");
        }
    }

    #[test]
    fn fuzz_vp9() {
        bolero::check!().with_iterations(50_000).with_max_len(256).for_each(|bytes: &[u8]| {
            let _ = vp9::key_frame_start(bytes);
            if let Some(descriptor) = vp9::Descriptor::parse(bytes) {
                assert!(descriptor.len <= bytes.len());
                assert!(descriptor.structure.is_none_or(|s| (1..=8).contains(&s.spatial_layers)));
            }
        });
    }
}

mod h264_payloads {
    use super::*;

    /// Sequence parameter sets that libx264 made.
    const PARAMETER_SETS: [(u16, u16, &str); 7] = [
        (640, 360, "6742c01ed900a02ff9610000030001000003003c8f162e48"),
        (1_280, 720, "6764001facb200a00b7420000003002000000791e30649"),
        (1_920, 1_080, "67640028acb200f0044fcb08000003000800000301e478c19240"),
        (320, 180, "674d400dd901419f9e10000003001000000303c8f142a480"),
        (1_920, 1_080, "674d4028f200f0089fb840000003004000000f27c58b92"), // interlaced
        (426, 240, "6742c015d901b1fe4e10000003001000000303c8f162e480"),
        (16, 16, "6742c00ad91e84000003000400000300f23c489920"),
    ];

    fn aggregate(units: &[&[u8]]) -> Vec<u8> {
        let mut payload = vec![0x78];
        for unit in units {
            payload.extend_from_slice(&(unit.len() as u16).to_be_bytes());
            payload.extend_from_slice(unit);
        }
        payload
    }

    #[test]
    fn the_size_is_that_of_the_encoder() {
        for (width, height, unit) in PARAMETER_SETS {
            let unit = bytes(unit);
            assert_eq!(key_frame_start(Codec::H264, &unit), key_frame(width, height));
            let payload = aggregate(&[&[0x09, 0xf0], &unit, &[0x68, 1], &[0x65, 0x88]]);
            assert_eq!(h264::key_frame_start(&payload), key_frame(width, height));
        }
    }

    /// Writes a sequence parameter set bit by bit.
    #[derive(Default)]
    struct SetWriter {
        bits: Vec<bool>,
    }

    impl SetWriter {
        fn put(&mut self, value: u32, count: u32) -> &mut Self {
            self.bits.extend((0..count).rev().map(|at| value >> at & 1 == 1));
            self
        }

        fn golomb(&mut self, value: u32) -> &mut Self {
            let bits = 32 - (value + 1).leading_zeros();
            self.put(0, bits - 1).put(value + 1, bits)
        }

        /// The NAL unit, with emulation prevention bytes.
        fn unit(&mut self) -> Vec<u8> {
            self.put(1, 1);
            let mut unit = vec![0x67];
            let mut zeros = 0;
            for bits in self.bits.chunks(8) {
                let byte =
                    bits.iter().enumerate().fold(0, |byte, (at, bit)| byte | u8::from(*bit) << (7 - at));
                if zeros >= 2 && byte <= 3 {
                    unit.push(3);
                    zeros = 0;
                }
                zeros = if byte == 0 { zeros + 1 } else { 0 };
                unit.push(byte);
            }
            unit
        }
    }

    proptest! {
        /// ITU-T H.264 §7.3.2.1.1 with each kind of picture order count; large offsets make rows of zeros.
        #[test]
        fn any_set_gives_its_size(
            (high, order, frames_only) in (any::<bool>(), 0u32..3, any::<bool>()),
            offsets in prop::collection::vec(prop_oneof![0u32..5, 0u32..1 << 29], 4),
            (width_blocks, height_units) in (1u32..300, 1u32..150),
            crop in prop::option::of([0u32..4, 0u32..4, 0u32..3, 0u32..3]),
        ) {
            let mut set = SetWriter::default();
            set.put(if high { 100 } else { 66 }, 8).put(31, 16).golomb(0);
            if high {
                set.golomb(1).golomb(0).golomb(0).put(0, 2);
            }
            set.golomb(4).golomb(order);
            match order {
                0 => { set.golomb(2); }
                1 => { set.put(0, 1).golomb(offsets[0]).golomb(offsets[1]).golomb(2).golomb(offsets[2]).golomb(offsets[3]); }
                _ => {}
            }
            set.golomb(4).put(0, 1).golomb(width_blocks - 1).golomb(height_units - 1);
            set.put(frames_only.into(), 1);
            let fields = if frames_only { 1 } else { 2 };
            if !frames_only {
                set.put(0, 1);
            }
            set.put(1, 1).put(crop.is_some().into(), 1);
            let [left, right, top, bottom] = crop.unwrap_or_default();
            if crop.is_some() {
                set.golomb(left).golomb(right).golomb(top).golomb(bottom);
            }
            let width = 16 * width_blocks - 2 * (left + right);
            let height = 16 * height_units * fields - 2 * fields * (top + bottom);
            let unit = set.unit();
            prop_assert_eq!(h264::key_frame_start(&unit), key_frame(width as u16, height as u16), "{:02x?}", unit);
        }
    }

    #[test]
    fn a_key_frame_is_told_in_every_packetization() {
        for (payload, starts) in [
            (&[0x65, 0x88][..], true),    // IDR
            (&[0x41, 0x9a], false),       // another slice
            (&[0x68, 1], false),          // picture parameter set alone
            (&[0x7c, 0x85, 0x88], true),  // FU-A, start of an IDR
            (&[0x7c, 0x05, 0x88], false), // FU-A, middle
            (&[0x7c, 0x45, 0x88], false), // FU-A, end
            (&[0x7c, 0x81, 0x88], false), // FU-A, start of another slice
            (&[0x7c], false),
            (&[0x67], true), // a set that cannot be read still announces one
            (&[], false),
        ] {
            let expected = starts.then_some(KeyFrame { size: None });
            assert_eq!(h264::key_frame_start(payload), expected, "{payload:02x?}");
        }
        assert_eq!(h264::key_frame_start(&aggregate(&[&[0x68, 1], &[0x65, 1]])), KEY_FRAME_OF_UNKNOWN_SIZE);
        assert_eq!(h264::key_frame_start(&aggregate(&[&[0x68, 1], &[0x41, 1]])), None);
        assert_eq!(h264::key_frame_start(&[0x78, 0, 9, 0x65]), None, "a unit longer than the packet");
    }

    #[test]
    fn a_set_that_is_cut_short_has_no_size() {
        let unit = bytes(PARAMETER_SETS[1].2);
        for len in 1..8 {
            assert_eq!(h264::key_frame_start(&unit[..len]), KEY_FRAME_OF_UNKNOWN_SIZE, "{len}");
        }
    }

    proptest! {
        #[test]
        fn str0m_finds_the_same(
            units in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..12), 0..8),
            cut in 0usize..80,
        ) {
            let units: Vec<&[u8]> = units.iter().map(Vec::as_slice).collect();
            let mut payload = aggregate(&units);
            payload.truncate(cut.max(1));
            let theirs = detect_h264_nalu(&payload, 5) || detect_h264_nalu(&payload, 7);
            prop_assert_eq!(h264::key_frame_start(&payload).is_some(), theirs);
        }

        #[test]
        fn str0m_finds_the_same_in_other_payloads(payload in prop::collection::vec(any::<u8>(), 0..20)) {
            let theirs = detect_h264_nalu(&payload, 5) || detect_h264_nalu(&payload, 7);
            prop_assert_eq!(h264::key_frame_start(&payload).is_some(), theirs);
        }
    }

    #[test]
    fn fuzz_h264() {
        bolero::check!().with_iterations(50_000).with_max_len(256).for_each(|bytes: &[u8]| {
            let _ = h264::key_frame_start(bytes);
            // As parameter sets of the simple and of the high profiles, which are read further.
            for start in [&[0x67, 66, 0, 30][..], &[0x67, 100, 0, 30]] {
                assert!(h264::key_frame_start(&[start, bytes].concat()).is_some());
            }
        });
    }
}

#[test]
fn an_av1_sequence_begins_with_n() {
    let header = av1::AggregationHeader::parse(&[0b0110_1000]).unwrap();
    assert_eq!(
        header,
        av1::AggregationHeader { continues: false, continued: true, element_count: 2, new_sequence: true }
    );
    assert_eq!(key_frame_start(Codec::Av1, &[0b0001_1000, 0x0a]), KEY_FRAME_OF_UNKNOWN_SIZE);
    assert_eq!(key_frame_start(Codec::Av1, &[0b0001_0000, 0x0a]), None);
    assert_eq!(key_frame_start(Codec::Av1, &[0b1001_1000, 0x0a]), None, "a start that continues something");
    assert_eq!(key_frame_start(Codec::Av1, &[]), None);
}

#[test]
fn sound_has_no_key_frames() {
    for codec in [Codec::Opus, Codec::G722, Codec::Pcmu, Codec::Pcma] {
        assert_eq!(key_frame_start(codec, &[0x10, 0, 0, 0]), None);
    }
}

#[test]
fn opus_is_silent_in_one_or_two_bytes() {
    assert!(is_opus_dtx(&[0x78]) && is_opus_dtx(&[0x78, 0]));
    assert!(!is_opus_dtx(&[0x78, 0, 0]) && !is_opus_dtx(&[]));
}
