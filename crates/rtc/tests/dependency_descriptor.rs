//! The dependency descriptor: what is written is read, examples of the specification, what a receiver sees of a source,
//! and whatever bytes come.

use proptest::prelude::*;
use rtc::rtp::dependency_descriptor::{
    ActiveTargets, CHAINS_MAX, ChainDiffs, Descriptor, DescriptorError, FDIFFS_MAX, FrameDiffs, Indication,
    Indications, Rewrite, Structure, Template, rewrite,
};

fn indications(text: &str) -> Indications {
    let mut read = Indications::default();
    for (target, symbol) in (0u8..).zip(text.chars()) {
        read.set(
            target,
            match symbol {
                '-' => Indication::NotPresent,
                'D' => Indication::Discardable,
                'S' => Indication::Switch,
                'R' => Indication::Required,
                other => panic!("no indication: {other}"),
            },
        );
    }
    read
}

fn template(spatial: u8, temporal: u8, dtis: &str, frame_diffs: &[u16], chains: &[u8]) -> Template {
    let mut chain_diffs = ChainDiffs::default();
    chain_diffs[..chains.len()].copy_from_slice(chains);
    let frame_diffs = frame_diffs.iter().copied().collect();
    Template { spatial, temporal, indications: indications(dtis), frame_diffs, chain_diffs }
}

/// A.6.1: one spatial layer with three temporal layers.
fn l1t3() -> Structure {
    Structure {
        id_offset: 0,
        target_count: 3,
        chain_count: 1,
        protected_by: [0, 0, 0].into_iter().collect(),
        templates: [
            template(0, 0, "SSS", &[], &[0]),
            template(0, 0, "SSS", &[4], &[4]),
            template(0, 1, "SD-", &[2], &[2]),
            template(0, 2, "D--", &[1], &[1]),
            template(0, 2, "D--", &[1], &[3]),
        ]
        .into_iter()
        .collect(),
        resolutions: [(1280, 720)].into_iter().collect(),
    }
}

/// A.6.2: two spatial layers.
fn l2t1() -> Structure {
    Structure {
        id_offset: 60,
        target_count: 2,
        chain_count: 2,
        protected_by: [1, 0].into_iter().collect(),
        templates: [
            template(0, 0, "SS", &[], &[0, 0]),
            template(0, 0, "RS", &[2], &[2, 1]),
            template(0, 0, "SS", &[2], &[2, 1]),
            template(1, 0, "S-", &[1], &[1, 1]),
            template(1, 0, "R-", &[2, 1], &[1, 1]),
        ]
        .into_iter()
        .collect(),
        resolutions: Default::default(),
    }
}

fn with_structure(structure: &Structure) -> Descriptor {
    Descriptor {
        start: true,
        template_id: structure.id_offset,
        frame_number: 500,
        structure: Some(Box::new(structure.clone())),
        ..Descriptor::default()
    }
}

#[test]
fn the_examples_of_the_specification_are_written_and_read() {
    for structure in [l1t3(), l2t1()] {
        let descriptor = with_structure(&structure);
        let bytes = descriptor.write(None).unwrap();
        assert_eq!(Descriptor::parse(&bytes, None), Ok(descriptor));
    }
}

/// Bit for bit by the syntax of A.4.1.
#[test]
fn the_bits_are_those_of_the_syntax() {
    let structure = Structure {
        id_offset: 5,
        target_count: 1,
        chain_count: 1,
        protected_by: [0].into_iter().collect(),
        templates: [template(0, 0, "S", &[], &[0]), template(0, 0, "S", &[1], &[1])].into_iter().collect(),
        resolutions: [(320, 180)].into_iter().collect(),
    };
    let mut descriptor = with_structure(&structure);
    descriptor.active_targets = Some(1);
    let written: String = descriptor.write(None).unwrap().iter().map(|b| format!("{b:08b}")).collect();
    let expected = [
        "10000101",         // start, not the end, template 5
        "0000000111110100", // frame 500
        "11000",            // structure, active targets
        "000101",           // offset 5
        "00000",            // one target
        "00",               // the second template: same layers
        "11",               // no more
        "10",               // S
        "10",               // S
        "0",                // no reference
        "1",                // a reference
        "0000",             // to the frame before
        "0",                // no more
        "1",                // ns(2): one chain
        "0000",             // chain
        "0001",             // chain
        "1",                // sizes
        "0000000100111111", // 319
        "0000000010110011", // 179
        "1",                // active
    ]
    .concat();
    assert_eq!(written.trim_end_matches('0'), expected.trim_end_matches('0'));
}

#[test]
fn a_frame_is_its_template_and_what_differs_from_it() {
    let structure = l1t3();
    let plain =
        Descriptor { start: true, end: true, template_id: 3, frame_number: 65_535, ..Default::default() };
    let bytes = plain.write(Some(&structure)).unwrap();
    assert_eq!(bytes.as_slice(), [0xc3, 0xff, 0xff]);
    let frame = Descriptor::parse(&bytes, Some(&structure)).unwrap().frame(Some(&structure)).unwrap();
    assert_eq!((frame.spatial, frame.temporal, frame.number), (0, 2, 65_535));
    assert_eq!((frame.indications, frame.chain_diffs[0]), (indications("D--"), 1));

    let mut chain_diffs = ChainDiffs::default();
    chain_diffs[0] = 200;
    let custom = Descriptor {
        indications: Some(indications("RR-")),
        frame_diffs: Some([1, 16, 17, 4096].into_iter().collect()),
        chain_diffs: Some(chain_diffs),
        ..plain
    };
    let bytes = custom.write(Some(&structure)).unwrap();
    let read = Descriptor::parse(&bytes, Some(&structure)).unwrap();
    assert_eq!(read, custom);
    let frame = read.frame(Some(&structure)).unwrap();
    assert_eq!((frame.indications, frame.chain_diffs[0]), (indications("RR-"), 200));
}

#[test]
fn a_structure_says_what_a_target_is_and_what_it_contains() {
    let structure = l1t3();
    assert_eq!((0..3).map(|t| structure.layers_of(t)).collect::<Vec<_>>(), [(0, 2), (0, 1), (0, 0)]);
    assert_eq!((0..3).map(|t| structure.contained_in(t)).collect::<Vec<_>>(), [0b111, 0b110, 0b100]);
    assert_eq!(structure.chain_of(2), Some(0));
    assert_eq!(structure.template(4).map(|t| t.temporal), Some(2));
    assert_eq!(structure.template(5), None);
    let wrapped = l2t1();
    assert_eq!(wrapped.template(0).map(|t| t.spatial), Some(1), "ids go on after 63");
    assert_eq!(wrapped.layers_of(0), (1, 0));
}

#[test]
fn what_cannot_be_used_is_an_error() {
    let bytes = with_structure(&l1t3()).write(None).unwrap();
    assert_eq!(Descriptor::parse(&bytes[..2], None), Err(DescriptorError::TooShort));
    assert_eq!(Descriptor::parse(&bytes[..3], None), Err(DescriptorError::UnknownStructure));
    for len in 4..bytes.len() - 1 {
        assert_eq!(Descriptor::parse(&bytes[..len], None), Err(DescriptorError::TooShort), "{len}");
    }
    let unknown = [0x80 | 5, 0, 0];
    assert_eq!(Descriptor::parse(&unknown, Some(&l1t3())), Err(DescriptorError::UnknownStructure));
    // Spatial layer after spatial layer: next_layer_idc 2, five times.
    let many = [0x80, 0, 0, 0b1000_0000, 0b0000_0000, 0b1010_1010, 0b1010_1010, 0xff, 0xff];
    assert_eq!(Descriptor::parse(&many, None), Err(DescriptorError::TooMany));
}

#[test]
fn a_receiver_sees_other_numbers_and_its_own_targets() {
    let structure = l2t1();
    let change = Rewrite {
        number_offset: 10,
        template_offset: 8,
        active_targets: Some(ActiveTargets { mask: 0b10, count: 2 }),
    };
    let first = with_structure(&structure).write(None).unwrap();
    let seen = Descriptor::parse(&rewrite(&first, &change).unwrap(), None).unwrap();
    assert_eq!((seen.frame_number, seen.template_id, seen.active_targets), (510, 4, Some(0b10)));
    let moved = Structure { id_offset: 4, ..structure.clone() };
    assert_eq!(seen.structure.as_deref(), Some(&moved));

    let plain = Descriptor { end: true, template_id: 63, frame_number: 65_530, ..Default::default() };
    let bytes = plain.write(Some(&structure)).unwrap();
    let seen = Descriptor::parse(&rewrite(&bytes, &change).unwrap(), Some(&moved)).unwrap();
    assert_eq!((seen.frame_number, seen.template_id, seen.active_targets), (4, 7, Some(0b10)));
    assert!(seen.end && !seen.start);
    assert_eq!(rewrite(&bytes, &Rewrite::default()).unwrap().as_slice(), bytes.as_slice());
}

fn a_structure() -> impl Strategy<Value = Structure> {
    let template = (
        0..4u32,
        prop::collection::vec(0..4u8, 32),
        prop::collection::vec(1..=16u16, 0..=FDIFFS_MAX),
        prop::array::uniform::<_, CHAINS_MAX>(0..16u8),
    );
    let sizes = prop::collection::vec((1..=65_536u32, 1..=65_536u32), 4);
    (
        0..64u8,
        1..=32u8,
        0..=CHAINS_MAX as u8,
        prop::collection::vec(template, 1..12),
        prop::collection::vec(any::<u8>(), 32),
        prop::option::of(sizes),
    )
        .prop_map(|(id_offset, target_count, chain_count, templates, protected, sizes)| {
            let chain_count = chain_count.min(target_count);
            let (mut spatial, mut temporal) = (0, 0);
            let mut made: Vec<Template> = Vec::new();
            for (step, dtis, diffs, mut chains) in templates {
                if !made.is_empty() {
                    match step {
                        1 if temporal < 7 => temporal += 1,
                        2 if spatial < 3 => (spatial, temporal) = (spatial + 1, 0),
                        _ => {}
                    }
                }
                chains[usize::from(chain_count)..].fill(0);
                let mut indications = Indications::default();
                for (target, dti) in (0..target_count).zip(dtis) {
                    let all = [
                        Indication::NotPresent,
                        Indication::Discardable,
                        Indication::Switch,
                        Indication::Required,
                    ];
                    indications.set(target, all[usize::from(dti)]);
                }
                let frame_diffs: FrameDiffs = diffs.into_iter().collect();
                made.push(Template { spatial, temporal, indications, frame_diffs, chain_diffs: chains });
            }
            let protected_by = match chain_count {
                0 => Default::default(),
                _ => protected.iter().take(target_count.into()).map(|p| p % chain_count).collect(),
            };
            let resolutions =
                sizes.map(|s| s.into_iter().take(usize::from(spatial) + 1).collect()).unwrap_or_default();
            let templates = made.into_iter().collect();
            Structure { id_offset, target_count, chain_count, protected_by, templates, resolutions }
        })
}

fn a_descriptor() -> impl Strategy<Value = (Structure, Descriptor)> {
    let diffs = prop::collection::vec(1..=4096u16, 0..=FDIFFS_MAX);
    (
        a_structure(),
        any::<(bool, bool, u16, bool)>(),
        any::<prop::sample::Index>(),
        prop::option::of(any::<u32>()),
        prop::option::of(prop::collection::vec(0..4u8, 32)),
        prop::option::of(diffs),
        prop::option::of(prop::array::uniform::<_, CHAINS_MAX>(any::<u8>())),
    )
        .prop_map(|(structure, (start, end, number, attach), template, active, dtis, diffs, chains)| {
            let count = structure.target_count;
            let indications = dtis.map(|dtis| {
                let mut made = Indications::default();
                for (target, dti) in (0..count).zip(dtis) {
                    let all = [
                        Indication::NotPresent,
                        Indication::Discardable,
                        Indication::Switch,
                        Indication::Required,
                    ];
                    made.set(target, all[usize::from(dti)]);
                }
                made
            });
            let chain_diffs = chains.map(|mut chains| {
                chains[usize::from(structure.chain_count)..].fill(0);
                chains
            });
            let id = structure.id_offset + template.index(structure.templates.len()) as u8;
            let descriptor = Descriptor {
                start,
                end,
                template_id: id & 0x3f,
                frame_number: number,
                structure: attach.then(|| Box::new(structure.clone())),
                active_targets: active.map(|mask| mask & (u32::MAX >> (32 - count))),
                indications,
                frame_diffs: diffs.map(|d| d.into_iter().collect()),
                chain_diffs,
            };
            (structure, descriptor)
        })
}

proptest! {
    #[test]
    fn what_is_written_is_read((structure, descriptor) in a_descriptor()) {
        let Some(bytes) = descriptor.write(Some(&structure)) else {
            // Only a large structure does not fit.
            prop_assert!(descriptor.structure.is_some());
            return Ok(());
        };
        prop_assert_eq!(Descriptor::parse(&bytes, Some(&structure)), Ok(descriptor));
    }

    #[test]
    fn a_rewritten_one_differs_in_what_was_asked_only(
        (structure, descriptor) in a_descriptor(),
        number_offset in any::<u16>(),
        template_offset in 0..64u8,
        mask in prop::option::of(any::<u32>()),
    ) {
        let Some(bytes) = descriptor.write(Some(&structure)) else { return Ok(()) };
        let count = structure.target_count;
        let active_targets = mask.map(|mask| ActiveTargets { mask, count });
        let written = rewrite(&bytes, &Rewrite { number_offset, template_offset, active_targets }).unwrap();
        let moved = Structure { id_offset: (structure.id_offset + template_offset) & 0x3f, ..structure.clone() };
        let seen = Descriptor::parse(&written, Some(&moved)).unwrap();
        let told = mask.map(|mask| mask & (u32::MAX >> (32 - count)));
        let said = if bytes.len() < 245 { told.or(descriptor.active_targets) } else { seen.active_targets };
        let expected = Descriptor {
            frame_number: descriptor.frame_number.wrapping_add(number_offset),
            template_id: (descriptor.template_id + template_offset) & 0x3f,
            structure: descriptor.structure.as_ref().map(|_| Box::new(moved)),
            active_targets: said,
            ..descriptor
        };
        prop_assert_eq!(seen, expected);
    }

    #[test]
    fn present_is_a_bit_for_each_target_that_has_the_frame(dtis in prop::collection::vec(0..4usize, 32)) {
        let mut made = Indications::default();
        let mut expected = 0u32;
        for (target, dti) in (0u8..).zip(&dtis) {
            let all = [Indication::NotPresent, Indication::Discardable, Indication::Switch, Indication::Required];
            made.set(target, all[*dti]);
            prop_assert_eq!(made.of(target), all[*dti]);
            expected |= u32::from(*dti != 0) << target;
        }
        prop_assert_eq!(made.present(), expected);
    }
}

/// Whatever comes: no panic, and what can be read can be rewritten.
#[test]
fn fuzz_dependency_descriptor() {
    let known = [l1t3(), l2t1()];
    bolero::check!().with_iterations(100_000).with_max_len(300).for_each(|bytes: &[u8]| {
        for known in [None, Some(&known[0]), Some(&known[1])] {
            // With a structure more often than chance has it.
            for forced in [false, true] {
                let mut bytes = bytes.to_vec();
                if let (true, Some(flags)) = (forced, bytes.get_mut(3)) {
                    *flags |= 0x80;
                }
                let active_targets = Some(ActiveTargets { mask: 5, count: 3 });
                let change = Rewrite { number_offset: 1, template_offset: 63, active_targets };
                let rewritten = rewrite(&bytes, &change);
                if let Ok(read) = Descriptor::parse(&bytes, known) {
                    assert!(read.frame(known).is_some());
                    let _ = read.write(known);
                    assert!(bytes.len() > 255 || rewritten.is_some());
                }
            }
        }
    });
}

/// What Chromium 156 sent for a camera in AV1 (libaom) and VP9 (libvpx) as L3T3_KEY, 1280 × 720.
mod chromium {
    use super::*;

    const STRUCTURE: &str = "0081485214eaaaaa8000600004000100002aa80a8000600004000100002a000a800060000400016d549241b55249\
                             06d54923157e001974ca864330e222396eca8655304224390eca87753013f00b3027f016704ff02cf";

    fn bytes(hex: &str) -> Vec<u8> {
        data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap()
    }

    fn first(start: &str, end: &str) -> Vec<u8> {
        // The flags share a byte with the start of the structure: 8 without active targets, c with them.
        bytes(&format!("{start}{STRUCTURE}{end}"))
    }

    #[test]
    fn its_structure_is_read_and_written_to_the_byte() {
        let bytes = first("c000078", "");
        let descriptor = Descriptor::parse(&bytes, None).unwrap();
        let structure = descriptor.structure.as_deref().unwrap();
        assert_eq!((structure.target_count, structure.chain_count, structure.templates.len()), (9, 3, 15));
        assert_eq!(structure.protected_by.as_slice(), [0, 0, 0, 1, 1, 1, 2, 2, 2]);
        assert_eq!(structure.resolutions.as_slice(), [(320, 180), (640, 360), (1280, 720)]);
        let layers: Vec<_> = (0..9).map(|t| structure.layers_of(t)).collect();
        assert_eq!(layers, (0..9).map(|t| (t / 3, t % 3)).collect::<Vec<_>>());
        assert_eq!(structure.contained_in(8), 0b111_000_000, "layers share key frames only");
        assert_eq!(descriptor.write(None).unwrap().as_slice(), bytes);
    }

    #[test]
    fn it_says_which_targets_it_makes_while_it_begins_small() {
        for (end, active) in [("0380", 0b000_000_111), ("1f80", 0b000_111_111)] {
            let bytes = first("c00001c", end);
            let descriptor = Descriptor::parse(&bytes, None).unwrap();
            assert_eq!(descriptor.active_targets, Some(active));
            assert_eq!(descriptor.write(None).unwrap().as_slice(), bytes);
        }
    }

    #[test]
    fn its_frames_are_read_and_written_to_the_byte() {
        let structure = Descriptor::parse(&first("c000078", ""), None).unwrap().structure.unwrap();
        let frames = [
            ("c50008", 8, (1, 0)),
            ("8a0009", 9, (2, 0)),
            ("4a0009", 9, (2, 0)),
            ("c3000a", 10, (0, 2)),
            ("c8000b", 11, (1, 2)),
            ("cd000c", 12, (2, 2)),
            ("c2000d", 13, (0, 1)),
            ("c300031a20100800", 3, (0, 2)),
            ("c800041a20181000", 4, (1, 2)),
            ("c100651ae0403800", 101, (0, 0)),
            ("c200051a60201800", 5, (0, 1)),
        ];
        for (hex, number, layers) in frames {
            let bytes = bytes(hex);
            let descriptor = Descriptor::parse(&bytes, Some(&structure)).unwrap();
            let frame = descriptor.frame(Some(&structure)).unwrap();
            assert_eq!((frame.number, (frame.spatial, frame.temporal)), (number, layers), "{hex}");
            assert_eq!(descriptor.write(Some(&structure)).unwrap().as_slice(), bytes, "{hex}");
        }
    }
}
