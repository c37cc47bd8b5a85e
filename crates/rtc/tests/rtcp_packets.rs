//! RTCP: vectors of another program, another parser on what we write, properties, and whatever bytes come.

use std::time::Duration;

use model::Bitrate;
use proptest::prelude::*;
use rtc::rtcp::{
    Compound, FirEntry, NACK_PAIRS_MAX, NtpTime, Packet, PictureLossIndication, ReportBlock, SenderInfo,
    is_rtcp, write_bye, write_fir, write_nack, write_pli, write_receiver_report, write_remb, write_sdes,
    write_sender_report,
};
use str0m::rtp::rtcp::Rtcp;

fn bytes(hex: &str) -> Vec<u8> {
    data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap()
}

/// The one packet in `bytes`.
fn only(bytes: &[u8]) -> Packet<'_> {
    let mut compound = Compound::new(bytes);
    let packet = compound.next().expect("a packet");
    assert_eq!(compound.next(), None);
    assert!(!compound.malformed());
    packet
}

const BLOCK: ReportBlock = ReportBlock {
    ssrc: 0x5566_7788,
    fraction_lost: 12,
    cumulative_lost: -3,
    highest_sequence_number: 0x0002_0003,
    jitter: 44,
    last_sender_report: 0x1234_5678,
    delay_since_last_sender_report: 99,
};
const INFO: SenderInfo = SenderInfo {
    ssrc: 1,
    ntp: NtpTime(0x0102_0304_0506_0708),
    rtp_timestamp: 77,
    packet_count: 5,
    octet_count: 600,
};

/// What aiortc 1.16 writes.
mod aiortc {
    pub(super) const SENDER_REPORT: &str = "81c8000c0000000101020304050607080000004d0000000500000258\
                                     556677880cfffffd000200030000002c1234567800000063";
    pub(super) const RECEIVER_REPORT: &str = "82c9000d00000001\
                                       556677880cfffffd000200030000002c1234567800000063\
                                       556677880cfffffd000200030000002c1234567800000063";
    /// A name beside the canonical name.
    pub(super) const SOURCE_DESCRIPTION: &str = "81ca00050000000902046e616d6501057b6162637d000000";
    pub(super) const GOODBYE: &str = "82cb00020000000300000004";
    pub(super) const NACK: &str = "81cd000500000001000000020064800100750000ffff0000";
    pub(super) const PLI: &str = "81ce00020000000100000002";
    pub(super) const REMB: &str = "8fce0006000000010000000052454d420213f7a096be96cf00000005";
}

#[test]
fn reports_of_aiortc_are_read_and_written_the_same() {
    let packet = bytes(aiortc::SENDER_REPORT);
    let Packet::SenderReport(report) = only(&packet) else { panic!() };
    assert_eq!(report.info, INFO);
    assert_eq!(report.reports().collect::<Vec<_>>(), [BLOCK]);
    let mut written = Vec::new();
    write_sender_report(&mut written, &INFO, &[BLOCK]);
    assert_eq!(written, packet);

    let packet = bytes(aiortc::RECEIVER_REPORT);
    let Packet::ReceiverReport(report) = only(&packet) else { panic!() };
    assert_eq!(report.ssrc, 1);
    assert_eq!(report.reports().collect::<Vec<_>>(), [BLOCK, BLOCK]);
    let mut written = Vec::new();
    write_receiver_report(&mut written, 1, &[BLOCK, BLOCK]);
    assert_eq!(written, packet);
}

#[test]
fn sources_of_aiortc_are_read() {
    let packet = bytes(aiortc::SOURCE_DESCRIPTION);
    let Packet::SourceDescription(description) = only(&packet) else { panic!() };
    assert_eq!(description.cnames().collect::<Vec<_>>(), [(9, &b"{abc}"[..])]);

    let packet = bytes(aiortc::GOODBYE);
    let Packet::Goodbye(goodbye) = only(&packet) else { panic!() };
    assert_eq!(goodbye.ssrcs().collect::<Vec<_>>(), [3, 4]);
    let mut written = Vec::new();
    write_bye(&mut written, &[3, 4]);
    assert_eq!(written, packet);
}

/// Chunks begin at whole words (RFC 3550 §6.5): here with one, four and two bytes of zeros before the next.
#[test]
fn several_sources_are_described() {
    let mut packet = vec![0x84, 202, 0, 10];
    packet.extend_from_slice(&[0, 0, 0, 1, 1, 5, b'1', b'2', b'3', b'4', b'5', 0]);
    packet.extend_from_slice(&[0, 0, 0, 2, 1, 2, b'a', b'b', 0, 0, 0, 0]);
    packet.extend_from_slice(&[0, 0, 0, 3, 0, 0, 0, 0]);
    packet.extend_from_slice(&[0, 0, 0, 4, 1, 0, 0, 0]);
    let Packet::SourceDescription(description) = only(&packet) else { panic!() };
    let names = [(1, &b"12345"[..]), (2, b"ab"), (4, b"")];
    assert_eq!(description.cnames().collect::<Vec<_>>(), names);
}

#[test]
fn feedback_of_aiortc_is_read_and_written_the_same() {
    let packet = bytes(aiortc::NACK);
    let Packet::Nack(nack) = only(&packet) else { panic!() };
    assert_eq!((nack.sender_ssrc, nack.media_ssrc), (1, 2));
    let lost = [100, 101, 116, 117, 65_535];
    assert_eq!(nack.lost().collect::<Vec<_>>(), lost);
    let mut written = Vec::new();
    assert_eq!(write_nack(&mut written, 1, 2, &lost), 5);
    assert_eq!(written, packet);

    let packet = bytes(aiortc::PLI);
    let indication = PictureLossIndication { sender_ssrc: 1, media_ssrc: 2 };
    assert_eq!(only(&packet), Packet::PictureLossIndication(indication));
    let mut written = Vec::new();
    write_pli(&mut written, 1, 2);
    assert_eq!(written, packet);

    let packet = bytes(aiortc::REMB);
    let Packet::Remb(remb) = only(&packet) else { panic!() };
    assert_eq!(remb.ssrcs().collect::<Vec<_>>(), [2_529_072_847, 5]);
    assert_eq!(remb.bitrate, Bitrate::from_bps(4_160_000));
    let mut written = Vec::new();
    write_remb(&mut written, 1, remb.bitrate, &[2_529_072_847, 5]);
    assert_eq!(written, packet);
}

#[test]
fn str0m_reads_what_is_written() {
    let read = |packet: &[u8]| Rtcp::try_from(packet).unwrap();
    let mut out = Vec::new();
    write_sender_report(&mut out, &INFO, &[BLOCK]);
    let Rtcp::SenderReport(report) = read(&out) else { panic!() };
    assert_eq!((*report.sender_info.ssrc, report.sender_info.sender_octet_count), (1, 600));
    assert_eq!(report.reports[0].max_seq, BLOCK.highest_sequence_number);
    assert_eq!(report.reports[0].last_sr_time, BLOCK.last_sender_report);

    out.clear();
    write_receiver_report(&mut out, 1, &[BLOCK; 31]);
    let Rtcp::ReceiverReport(report) = read(&out) else { panic!() };
    assert_eq!(report.reports.len(), 31);

    for cname in ["", "a", "ab", "abc", "abcd", "abcdefghijklmnopqrstuvwxyz"] {
        out.clear();
        write_sdes(&mut out, 9, cname);
        let Rtcp::SourceDescription(description) = read(&out) else { panic!() };
        assert_eq!(*description.reports[0].ssrc, 9);
        assert_eq!(description.reports[0].values[0].1, cname);
    }

    out.clear();
    write_bye(&mut out, &[3, 4]);
    let Rtcp::Goodbye(goodbye) = read(&out) else { panic!() };
    assert_eq!(goodbye.reports.iter().map(|ssrc| **ssrc).collect::<Vec<_>>(), [3, 4]);

    out.clear();
    write_nack(&mut out, 1, 2, &[65_535, 0, 1, 40]);
    let Rtcp::Nack(nack) = read(&out) else { panic!() };
    let pairs: Vec<_> = nack.reports.iter().map(|pair| (pair.pid, pair.blp)).collect();
    assert_eq!(pairs, [(65_535, 0b11), (40, 0)]);

    out.clear();
    write_pli(&mut out, 1, 2);
    let Rtcp::Pli(pli) = read(&out) else { panic!() };
    assert_eq!((*pli.sender_ssrc, *pli.ssrc), (1, 2));

    out.clear();
    write_fir(&mut out, 1, &[FirEntry { ssrc: 2, sequence_number: 3 }]);
    let Rtcp::Fir(fir) = read(&out) else { panic!() };
    assert_eq!((*fir.reports[0].ssrc, fir.reports[0].seq_no), (2, 3));

    out.clear();
    write_remb(&mut out, 1, Bitrate::from_kbps(2_500), &[7]);
    let Rtcp::Remb(remb) = read(&out) else { panic!() };
    assert_eq!((remb.bitrate, remb.ssrcs), (2_500_000.0, vec![7]));
}

#[test]
fn a_compound_packet_is_walked_to_its_end() {
    let mut out = Vec::new();
    write_receiver_report(&mut out, 1, &[]);
    write_sdes(&mut out, 1, "name");
    out.extend_from_slice(&[0x80, 207, 0, 1, 0, 0, 0, 1]); // extended report
    out.extend_from_slice(&[0x80, 204, 0, 2, 0, 0, 0, 1, b'n', b'a', b'm', b'e']); // application-defined
    write_pli(&mut out, 1, 2);
    assert!(is_rtcp(&out));
    let mut compound = Compound::new(&out);
    assert!(matches!(compound.next(), Some(Packet::ReceiverReport(_))));
    assert!(matches!(compound.next(), Some(Packet::SourceDescription(_))));
    assert!(matches!(compound.next(), Some(Packet::PictureLossIndication(_))));
    assert_eq!(compound.next(), None);
    assert_eq!((compound.unknown(), compound.malformed()), (2, false));
}

#[test]
fn after_a_malformed_packet_the_rest_is_dropped() {
    let mut good = Vec::new();
    write_pli(&mut good, 1, 2);
    let bad: [&[u8]; 10] = [
        &[0x40, 201, 0, 1, 0, 0, 0, 1],                   // version 1
        &[0x80, 201, 0, 9, 0, 0, 0, 1],                   // longer than there is
        &[0x81, 201, 0, 1, 0, 0, 0, 1],                   // a block that is not there
        &[0x80, 200, 0, 1, 0, 0, 0, 1],                   // sender report without sender info
        &[0xa0, 201, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0],       // padding of 0
        &[0xa0, 201, 0, 2, 0, 0, 0, 1, 0, 0, 0, 12],      // padding longer than the packet
        &[0x81, 202, 0, 2, 0, 0, 0, 1, 1, 9, b'a', b'b'], // canonical name longer than the chunk
        &[0x82, 203, 0, 1, 0, 0, 0, 1],                   // one source of two
        &[0x81, 205, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2],       // NACK for nothing
        &[0x80, 201, 0],
    ];
    for bad in bad {
        let packet = [&good[..], bad, &good].concat();
        let mut compound = Compound::new(&packet);
        let count = compound.by_ref().count();
        assert_eq!((count, compound.malformed()), (1, true), "{bad:?}");
    }
}

#[test]
fn padding_at_the_end_is_taken_off() {
    let mut packet = Vec::new();
    write_nack(&mut packet, 1, 2, &[7]);
    packet[0] |= 0x20;
    packet[3] += 2;
    packet.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, 8]);
    let Packet::Nack(nack) = only(&packet) else { panic!() };
    assert_eq!(nack.lost().collect::<Vec<_>>(), [7]);
}

/// libwebrtc fills transport-wide feedback up to a word with 1 to 3 bytes that it calls padding, where RFC 3550 §6.4.1
/// wants a multiple of 4.
#[test]
fn padding_of_less_than_a_word_is_taken_off() {
    let mut packet = vec![0xaf, 205, 0, 5, 0, 0, 0, 1, 0, 0, 0, 2];
    packet.extend_from_slice(&[0, 9, 0, 1, 0, 0, 3, 0, 0x20, 1, 77, 1]);
    let Packet::TransportFeedback(feedback) = only(&packet) else { panic!() };
    assert_eq!(feedback.statuses().map(|s| s.arrival_us).collect::<Vec<_>>(), [Some(77 * 250)]);
}

#[test]
fn too_many_of_anything_stay_within_what_the_wire_can_count() {
    let mut out = Vec::new();
    write_receiver_report(&mut out, 1, &[BLOCK; 40]);
    write_bye(&mut out, &[1; 40]);
    write_fir(&mut out, 1, &[FirEntry { ssrc: 1, sequence_number: 1 }; 1_000]);
    write_remb(&mut out, 1, Bitrate::from_bps(u64::MAX), &[1; 1_000]);
    write_sdes(&mut out, 1, &"x".repeat(1_000));
    write_fir(&mut out, 1, &[]);
    assert_eq!(write_nack(&mut out, 1, 2, &[]), 0);
    let packets: Vec<_> = Compound::new(&out).collect();
    assert_eq!(packets.len(), 5);
    let Packet::Remb(remb) = packets[3] else { panic!() };
    assert!(remb.bitrate.as_bps() > u64::MAX / 2);
}

#[test]
fn requests_that_do_not_fit_one_packet_are_left_for_the_next() {
    // Too far apart to share a pair.
    let lost: Vec<u16> = (0..300).map(|n| n * 20).collect();
    let mut out = Vec::new();
    assert_eq!(write_nack(&mut out, 1, 2, &lost), NACK_PAIRS_MAX);
    assert_eq!(out.len(), 12 + 4 * NACK_PAIRS_MAX);
}

#[test]
fn rtcp_is_told_from_rtp() {
    assert!(is_rtcp(&[0x80, 200, 0, 0]) && is_rtcp(&[0x81, 206]) && is_rtcp(&[0x80, 192]));
    assert!(!is_rtcp(&[0x80, 96]) && !is_rtcp(&[0x80, 0x80 | 96]) && !is_rtcp(&[0x80, 0x80 | 127]));
    assert!(!is_rtcp(&[0x80]) && !is_rtcp(&[0, 200]) && !is_rtcp(&[]));
}

#[test]
fn the_round_trip_comes_from_a_report_block() {
    // RFC 3550, figure 2: A = b710:8000, DLSR = 5.25 s, LSR = b705:2000, round trip 6.125 s.
    let block =
        ReportBlock { last_sender_report: 0xb705_2000, delay_since_last_sender_report: 0x0005_4000, ..BLOCK };
    assert_eq!(block.round_trip(NtpTime(0xb710_8000 << 16)), Some(Duration::from_millis(6_125)));
    assert_eq!(ReportBlock { last_sender_report: 0, ..block }.round_trip(NtpTime(0x0010_8000 << 16)), None);
    let before = NtpTime((0xb705_2000 + 0x0005_4000 - 3) << 16);
    assert_eq!(block.round_trip(before), Some(Duration::ZERO), "rounding");
    assert_eq!(block.round_trip(NtpTime(0xb705_2000 << 16)), None, "answered before it was asked");
}

prop_compose! {
    fn report_block()(
        (ssrc, fraction_lost, highest_sequence_number) in any::<(u32, u8, u32)>(),
        cumulative_lost in -0x80_0000i32..0x80_0000,
        (jitter, last_sender_report, delay_since_last_sender_report) in any::<(u32, u32, u32)>(),
    ) -> ReportBlock {
        ReportBlock {
            ssrc, fraction_lost, cumulative_lost, highest_sequence_number, jitter, last_sender_report,
            delay_since_last_sender_report,
        }
    }
}

proptest! {
    #[test]
    fn reports_read_back(blocks in prop::collection::vec(report_block(), 0..=31), fields in any::<(u32, u64, u32, u32, u32)>()) {
        let (ssrc, ntp, rtp_timestamp, packet_count, octet_count) = fields;
        let info = SenderInfo { ssrc, ntp: NtpTime(ntp), rtp_timestamp, packet_count, octet_count };
        let mut out = Vec::new();
        write_sender_report(&mut out, &info, &blocks);
        write_receiver_report(&mut out, ssrc, &blocks);
        let mut compound = Compound::new(&out);
        let Some(Packet::SenderReport(sender)) = compound.next() else { panic!() };
        let Some(Packet::ReceiverReport(receiver)) = compound.next() else { panic!() };
        prop_assert_eq!(sender.info, info);
        prop_assert_eq!(sender.reports().collect::<Vec<_>>(), blocks.clone());
        prop_assert_eq!((receiver.ssrc, receiver.reports().collect::<Vec<_>>()), (ssrc, blocks));
    }

    #[test]
    fn names_read_back(ssrc: u32, name in "[ -~]{0,255}") {
        let mut out = Vec::new();
        write_sdes(&mut out, ssrc, &name);
        let Packet::SourceDescription(description) = only(&out) else { panic!() };
        prop_assert_eq!(description.cnames().collect::<Vec<_>>(), [(ssrc, name.as_bytes())]);
    }

    #[test]
    fn requests_read_back_in_as_many_packets_as_it_takes(
        first: u16,
        steps in prop::collection::vec(prop_oneof![4 => 1u16..4, 1 => 1u16..60], 1..800),
    ) {
        // Less than one round of the sequence numbers.
        let lost: Vec<u16> = steps.iter().scan(first, |at, step| { *at = at.wrapping_add(*step); Some(*at) }).collect();
        let mut read = Vec::new();
        let mut rest = &lost[..];
        while !rest.is_empty() {
            let mut out = Vec::new();
            let written = write_nack(&mut out, 1, 2, rest);
            prop_assert!(written > 0 && out.len() <= 12 + 4 * NACK_PAIRS_MAX);
            rest = &rest[written..];
            let Packet::Nack(nack) = only(&out) else { panic!() };
            read.extend(nack.lost());
        }
        prop_assert_eq!(read, lost);
    }

    #[test]
    fn estimates_read_back_to_18_bits(bps: u64, ssrcs in prop::collection::vec(any::<u32>(), 0..10)) {
        let mut out = Vec::new();
        write_remb(&mut out, 1, Bitrate::from_bps(bps), &ssrcs);
        let Packet::Remb(remb) = only(&out) else { panic!() };
        let read = remb.bitrate.as_bps();
        prop_assert!(read <= bps && bps - read <= bps >> 17, "{} {}", bps, read);
        prop_assert_eq!(remb.ssrcs().collect::<Vec<_>>(), ssrcs);
    }

    #[test]
    fn demands_read_back(entries in prop::collection::vec(any::<(u32, u8)>(), 1..50)) {
        let entries: Vec<_> =
            entries.into_iter().map(|(ssrc, sequence_number)| FirEntry { ssrc, sequence_number }).collect();
        let mut out = Vec::new();
        write_fir(&mut out, 7, &entries);
        let Packet::FullIntraRequest(request) = only(&out) else { panic!() };
        prop_assert_eq!(request.entries().collect::<Vec<_>>(), entries);
    }
}

/// Looks at everything in a compound packet; gives the number of packets.
fn exhaust(bytes: &[u8]) -> usize {
    let mut compound = Compound::new(bytes);
    let mut count = 0;
    for packet in &mut compound {
        count += 1;
        match packet {
            Packet::SenderReport(report) => assert!(report.reports().count() <= 31),
            Packet::ReceiverReport(report) => assert!(report.reports().count() <= 31),
            Packet::SourceDescription(description) => assert!(description.cnames().count() <= 31),
            Packet::Goodbye(goodbye) => assert!(goodbye.ssrcs().count() <= 31),
            Packet::Nack(nack) => assert!(nack.lost().count() <= bytes.len() / 4 * 17),
            Packet::PictureLossIndication(_) => {}
            Packet::FullIntraRequest(request) => assert!(request.entries().count() <= bytes.len() / 8),
            Packet::Remb(remb) => assert!(remb.ssrcs().count() <= 255),
            Packet::TransportFeedback(feedback) => {
                assert_eq!(feedback.statuses().count(), usize::from(feedback.status_count));
            }
        }
    }
    count
}

#[test]
fn fuzz_compound() {
    bolero::check!().with_iterations(100_000).with_max_len(512).for_each(|bytes: &[u8]| {
        exhaust(bytes);
    });
}

/// One packet of each kind with a right header and a random body.
#[test]
fn fuzz_bodies() {
    const KINDS: [(u8, u8); 9] =
        [(0, 200), (0, 201), (0, 202), (0, 203), (1, 205), (15, 205), (1, 206), (4, 206), (15, 206)];
    bolero::check!().with_iterations(20_000).with_max_len(256).for_each(|bytes: &[u8]| {
        let Some((&first, body)) = bytes.split_first() else { return };
        for (format, kind) in KINDS {
            let count = if format == 0 { first & 0x1f } else { format };
            let mut packet = vec![0x80 | first & 0x20 | count, kind, 0, (body.len() / 4) as u8];
            packet.extend_from_slice(&body[..body.len() / 4 * 4]);
            assert!(exhaust(&packet) <= 1);
        }
    });
}
