//! RTP headers: what is written reads back, and whatever bytes come are either read rightly or refused.

use model::{Mid, Rid};
use proptest::prelude::*;
use rtc::rtp::{
    AbsCaptureTime, AudioLevel, ExtensionIds, HEADER_BYTES_MAX, Header, HeaderError, HeaderWriter,
    OutgoingExtensions, split_rtx, without_padding, write_osn,
};

fn bytes(hex: &str) -> Vec<u8> {
    data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap()
}

/// A packet that aiortc 1.16 wrote: two CSRCs, six extensions in the one-byte form, five bytes of padding.
const AIORTC: &str = "b2e0fde8ee6b2800112233440000000700000008bede000616766964656f2d31616c6f51686922abcdef30aa41beef007061796c6f616442ef278305";

#[test]
fn a_packet_of_aiortc_is_read() {
    let packet = bytes(AIORTC);
    let header = Header::parse(&packet).unwrap();
    assert!(header.marker && header.padding);
    assert_eq!((header.payload_type, header.sequence_number), (96, 65_000));
    assert_eq!((header.timestamp, header.ssrc), (4_000_000_000, 0x1122_3344));
    assert_eq!(header.csrcs(&packet).collect::<Vec<_>>(), [7, 8]);
    let ids = ExtensionIds {
        mid: 1,
        abs_send_time: 2,
        audio_level: 3,
        transport_wide_cc: 4,
        rid: 5,
        repaired_rid: 6,
        ..ExtensionIds::default()
    };
    let read = header.received_extensions(&packet, &ids);
    assert_eq!(read.mid, Some("video-1".parse::<Mid>().unwrap()));
    assert_eq!(read.rid, Some("hi".parse::<Rid>().unwrap()));
    assert_eq!(read.repaired_rid, Some("lo".parse::<Rid>().unwrap()));
    assert_eq!(read.audio_level, Some(AudioLevel { level_dbov: 42, voice: true }));
    assert_eq!((read.abs_send_time, read.transport_wide_cc), (Some(0xabcdef), Some(0xbeef)));
    assert_eq!(without_padding(&packet[header.header_len..]), Some(&b"payload"[..]));
}

fn with_block(profile: u16, elements: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x90, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
    packet.extend_from_slice(&profile.to_be_bytes());
    packet.extend_from_slice(&(elements.len().div_ceil(4) as u16).to_be_bytes());
    packet.extend_from_slice(elements);
    packet.resize(packet.len().next_multiple_of(4), 0);
    packet
}

fn elements(packet: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let header = Header::parse(packet).unwrap();
    header.extensions(packet).map(|(id, data)| (id, data.to_vec())).collect()
}

/// The examples of RFC 8285 §4.2 and §4.3.
#[test]
fn rfc_8285_examples() {
    let one_byte = with_block(0xBEDE, &[0x10, 0xaa, 0x21, 0xbb, 0xbb, 0, 0, 0x33, 1, 2, 3, 4]);
    assert_eq!(elements(&one_byte), [(1, vec![0xaa]), (2, vec![0xbb, 0xbb]), (3, vec![1, 2, 3, 4])]);
    let two_byte = with_block(0x1000, &[1, 0, 2, 1, 0xbb, 0, 3, 4, 1, 2, 3, 4]);
    assert_eq!(elements(&two_byte), [(1, vec![]), (2, vec![0xbb]), (3, vec![1, 2, 3, 4])]);
    let application_bits = with_block(0x100f, &[2, 1, 0xbb, 0]);
    assert_eq!(elements(&application_bits), [(2, vec![0xbb])]);
}

#[test]
fn odd_blocks_are_read_as_far_as_they_go() {
    assert_eq!(elements(&with_block(0xBEDE, &[0x10, 1, 0xf0, 9, 0x20, 2])), [(1, vec![1])], "15 ends");
    assert_eq!(elements(&with_block(0xBEDE, &[0x10, 1, 0x2f, 9])), [(1, vec![1])], "longer than the block");
    assert_eq!(elements(&with_block(0xBEDE, &[0x02, 7, 7, 7, 0x10, 1])), [(1, vec![1])], "0 with a length");
    assert_eq!(
        elements(&with_block(0x1000, &[15, 1, 1, 16, 9, 9])),
        [(15, vec![1])],
        "longer than the block"
    );
    assert_eq!(elements(&with_block(0x1000, &[15, 1, 1, 16])), [(15, vec![1])], "no length");
    assert_eq!(elements(&with_block(0x4242, &[0x10, 1, 2, 3])), [], "not RFC 8285");
    assert_eq!(elements(&with_block(0xBEDE, &[])), []);
}

#[test]
fn what_is_cut_short_is_refused() {
    let packet = bytes(AIORTC);
    let header_len = Header::parse(&packet).unwrap().header_len;
    for len in 0..header_len {
        assert_eq!(Header::parse(&packet[..len]), Err(HeaderError::TooShort), "{len}");
    }
    assert!(Header::parse(&packet[..header_len]).is_ok());
    assert_eq!(Header::parse(&[0x40; 12]), Err(HeaderError::Version));
}

#[test]
fn malformed_extensions_count_as_absent() {
    let ids = ExtensionIds {
        mid: 1,
        rid: 2,
        transport_wide_cc: 3,
        abs_send_time: 4,
        abs_capture_time: 5,
        playout_delay: 6,
        ..ExtensionIds::default()
    };
    let block = [0x11, 0xff, 0xff, 0x20, b'/', 0x30, 1, 0x41, 1, 1, 0x53, 1, 2, 3, 4, 0x60, 1];
    let packet = with_block(0xBEDE, &block);
    let header = Header::parse(&packet).unwrap();
    assert_eq!(elements(&packet).len(), 6);
    assert_eq!(header.received_extensions(&packet, &ids), Default::default());
}

#[test]
fn an_extension_without_an_id_is_never_read() {
    let packet = with_block(0xBEDE, &[0x02, 7, 7, 7, 0, 0, 0, 0]);
    let header = Header::parse(&packet).unwrap();
    assert_eq!(header.received_extensions(&packet, &ExtensionIds::default()), Default::default());
}

/// An empty one-byte element cannot be; an empty two-byte one can.
#[test]
fn empty_elements_count_as_absent() {
    let packet = with_block(0x1000, &[1, 0, 2, 0, 3, 0, 4, 0]);
    let ids =
        ExtensionIds { mid: 1, audio_level: 2, transport_wide_cc: 3, abs_send_time: 4, ..Default::default() };
    let header = Header::parse(&packet).unwrap();
    assert_eq!(header.received_extensions(&packet, &ids), Default::default());
}

#[test]
fn a_header_without_extensions_has_12_bytes() {
    let mut arena = vec![1];
    let writer = HeaderWriter { payload_type: 0xff, sequence_number: 0x0102, ..HeaderWriter::default() };
    assert_eq!(writer.write(&mut arena, &ExtensionIds::default()), 12);
    assert_eq!(arena, [1, 0x80, 0x7f, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn the_usual_header_of_a_receiver_has_28_bytes() {
    let ids = ExtensionIds { transport_wide_cc: 3, abs_send_time: 4, ..Default::default() };
    let extensions = OutgoingExtensions {
        transport_wide_cc: Some(0x0a0b),
        abs_send_time: Some(0x0c0d0e),
        mid: Some("0".parse().unwrap()), // no id agreed
        ..OutgoingExtensions::default()
    };
    let mut arena = Vec::new();
    let writer = HeaderWriter { csrcs: &[9], marker: true, extensions, ..HeaderWriter::default() };
    assert_eq!(writer.write(&mut arena, &ids), 28);
    assert_eq!(arena[..2], [0x91, 0x80]);
    assert_eq!(arena[16..], [0xbe, 0xde, 0, 2, 0x31, 0x0a, 0x0b, 0x42, 0x0c, 0x0d, 0x0e, 0]);
}

/// 15 is not a number in the one-byte form (RFC 8285 §4.2).
#[test]
fn the_one_byte_form_ends_with_number_14() {
    let extensions = OutgoingExtensions { transport_wide_cc: Some(1), ..Default::default() };
    for (number, profile) in [(14, [0xbe, 0xde]), (15, [0x10, 0x00])] {
        let ids = ExtensionIds { transport_wide_cc: number, ..Default::default() };
        let mut arena = Vec::new();
        HeaderWriter { extensions, ..HeaderWriter::default() }.write(&mut arena, &ids);
        assert_eq!(arena[12..14], profile);
        let header = Header::parse(&arena).unwrap();
        assert_eq!(header.received_extensions(&arena, &ids).transport_wide_cc, Some(1));
    }
}

#[test]
fn the_longest_header_fits_its_bound() {
    let ids = ExtensionIds {
        mid: 100,
        audio_level: 101,
        abs_send_time: 102,
        transport_wide_cc: 103,
        abs_capture_time: 104,
        playout_delay: 105,
        dependency_descriptor: 106,
        ..ExtensionIds::default()
    };
    let extensions = OutgoingExtensions {
        mid: Some("0123456789abcdef".parse().unwrap()),
        transport_wide_cc: Some(1),
        abs_send_time: Some(2),
        audio_level: Some(AudioLevel { level_dbov: 3, voice: false }),
        abs_capture_time: AbsCaptureTime::from_bytes(&[4; 16]),
        playout_delay: Some([5; 3]),
    };
    let mut arena = Vec::new();
    let dependency_descriptor = &[6; 255];
    let writer =
        HeaderWriter { csrcs: &[7; 20], extensions, dependency_descriptor, ..HeaderWriter::default() };
    assert_eq!(writer.write(&mut arena, &ids), HEADER_BYTES_MAX);
    let header = Header::parse(&arena).unwrap();
    assert_eq!(header.csrc_count, 15);
    assert_eq!(header.received_extensions(&arena, &ids).playout_delay, Some([5; 3]));
}

#[test]
fn padding_is_counted_by_its_last_byte() {
    assert_eq!(without_padding(b"ab\x00\x00\x03"), Some(&b"ab"[..]));
    assert_eq!(without_padding(&[0, 0, 3]), Some(&[][..]), "nothing but padding");
    assert_eq!(without_padding(&[1, 2, 0]), None, "counts none");
    assert_eq!(without_padding(&[1, 2, 4]), None, "counts more than there are");
    assert_eq!(without_padding(&[]), None);
}

#[test]
fn a_retransmission_carries_its_original_number() {
    let mut payload = Vec::new();
    write_osn(&mut payload, 0xfffe);
    payload.extend_from_slice(b"original");
    assert_eq!(split_rtx(&payload), Some((0xfffe, &b"original"[..])));
    assert_eq!(split_rtx(&[1]), None);
    assert_eq!(split_rtx(&[]), None, "a probe");
}

prop_compose! {
    fn extension_ids(max: u8)(ids in prop::sample::subsequence((1..=max).collect::<Vec<_>>(), 7).prop_shuffle())
        -> ExtensionIds
    {
        ExtensionIds {
            mid: ids[0],
            audio_level: ids[1],
            abs_send_time: ids[2],
            transport_wide_cc: ids[3],
            abs_capture_time: ids[4],
            playout_delay: ids[5],
            dependency_descriptor: ids[6],
            ..ExtensionIds::default()
        }
    }
}

prop_compose! {
    fn outgoing_extensions()(
        mid in prop::option::of("[a-z0-9]{1,16}"),
        transport_wide_cc: Option<u16>,
        abs_send_time in prop::option::of(0u32..1 << 24),
        level in prop::option::of((0u8..128, any::<bool>())),
        capture in prop::option::of(prop_oneof![Just(8usize), Just(16)]),
        playout_delay: Option<[u8; 3]>,
    ) -> OutgoingExtensions {
        OutgoingExtensions {
            mid: mid.map(|text| text.parse().unwrap()),
            transport_wide_cc,
            abs_send_time,
            audio_level: level.map(|(level_dbov, voice)| AudioLevel { level_dbov, voice }),
            abs_capture_time: capture.and_then(|len| AbsCaptureTime::from_bytes(&[0xa5; 16][..len])),
            playout_delay,
        }
    }
}

proptest! {
    #[test]
    fn what_is_written_reads_back(
        ids in prop_oneof![extension_ids(14), extension_ids(255)],
        extensions in outgoing_extensions(),
        csrcs in prop::collection::vec(any::<u32>(), 0..=15),
        (padding, marker, payload_type) in (any::<bool>(), any::<bool>(), 0u8..128),
        (sequence_number, timestamp, ssrc) in any::<(u16, u32, u32)>(),
        before in prop::collection::vec(any::<u8>(), 0..40),
        descriptor in prop_oneof![Just(Vec::new()), prop::collection::vec(any::<u8>(), 1..=255)],
    ) {
        let mut arena = before.clone();
        let writer = HeaderWriter {
            padding, marker, payload_type, sequence_number, timestamp, ssrc, csrcs: &csrcs, extensions,
            dependency_descriptor: &descriptor,
        };
        let len = writer.write(&mut arena, &ids);
        prop_assert_eq!(&arena[..before.len()], &before[..]);
        let packet = &arena[before.len()..];
        prop_assert_eq!(packet.len(), len);
        let header = Header::parse(packet).unwrap();
        prop_assert_eq!(header.header_len, len);
        prop_assert_eq!((header.padding, header.marker, header.payload_type), (padding, marker, payload_type));
        prop_assert_eq!((header.sequence_number, header.timestamp, header.ssrc), (sequence_number, timestamp, ssrc));
        prop_assert_eq!(header.csrcs(packet).collect::<Vec<_>>(), csrcs);
        let read = header.received_extensions(packet, &ids);
        prop_assert_eq!(read.mid, extensions.mid);
        prop_assert_eq!(read.transport_wide_cc, extensions.transport_wide_cc);
        prop_assert_eq!(read.abs_send_time, extensions.abs_send_time);
        prop_assert_eq!(read.audio_level, extensions.audio_level);
        prop_assert_eq!(read.abs_capture_time, extensions.abs_capture_time);
        prop_assert_eq!(read.playout_delay, extensions.playout_delay);
        prop_assert_eq!(&packet[read.dependency_descriptor], &descriptor[..]);
    }
}

#[test]
fn fuzz_header() {
    let ids = ExtensionIds {
        mid: 1,
        rid: 2,
        repaired_rid: 3,
        audio_level: 4,
        abs_send_time: 5,
        transport_wide_cc: 6,
        abs_capture_time: 7,
        playout_delay: 8,
        dependency_descriptor: 9,
    };
    bolero::check!().with_iterations(50_000).for_each(|bytes: &[u8]| {
        // Most random bytes are no RTP: give them the right start.
        for forced in [None, Some(0x90), Some(0x9f)] {
            let mut packet = bytes.to_vec();
            if let (Some(byte), [first, ..]) = (forced, &mut packet[..]) {
                *first = byte;
            }
            if let Ok(header) = Header::parse(&packet) {
                assert!(header.header_len <= packet.len());
                assert_eq!(header.csrcs(&packet).count(), usize::from(header.csrc_count));
                assert!(header.extensions(&packet).all(|(id, _)| id != 0));
                let _ = header.received_extensions(&packet, &ids);
                let _ = without_padding(&packet[header.header_len..]);
                // A header used with another packet than its own must not panic either.
                let _ = header.received_extensions(&bytes[..bytes.len() / 2], &ids);
            }
        }
    });
}

/// Extension blocks of both forms, where the bytes after the block's length are random.
#[test]
fn fuzz_extensions() {
    bolero::check!().with_iterations(50_000).for_each(|bytes: &[u8]| {
        for profile in [0xBEDE, 0x1000] {
            let packet = with_block(profile, bytes);
            let total: usize = elements(&packet).iter().map(|(_, data)| data.len() + 1).sum();
            assert!(total <= packet.len());
        }
    });
}
