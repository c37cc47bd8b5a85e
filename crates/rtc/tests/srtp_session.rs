//! Secure RTP as a session lives it: order, loss, wraps, replays, forgeries, and whatever bytes come.

use proptest::prelude::*;
use rtc::rtp::Header;
use rtc::srtp::{
    Inbound, KeyError, Outbound, Profile, REPLAY_WINDOW_PACKETS, SOURCES_MAX, SrtpError, Unprotected,
};

const PROFILES: [Profile; 3] = [Profile::AeadAes128Gcm, Profile::AeadAes256Gcm, Profile::AesCm128HmacSha1_80];
const SSRC: u32 = 0x1122_3344;

fn pair(profile: Profile) -> (Outbound, Inbound) {
    let key: Vec<u8> = (0..profile.key_len() as u8).collect();
    let salt: Vec<u8> = (100..100 + profile.salt_len() as u8).collect();
    (Outbound::new(profile, &key, &salt).unwrap(), Inbound::new(profile, &key, &salt).unwrap())
}

fn rtp_packet(ssrc: u32, index: u64, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x80, 96];
    packet.extend_from_slice(&(index as u16).to_be_bytes());
    packet.extend_from_slice(&[0, 0, 0, 7]);
    packet.extend_from_slice(&ssrc.to_be_bytes());
    packet.extend_from_slice(payload);
    packet
}

fn protected(outbound: &Outbound, ssrc: u32, index: u64, payload: &[u8]) -> Vec<u8> {
    let mut packet = rtp_packet(ssrc, index, payload);
    outbound.protect_rtp(&mut packet, 0, 12, index);
    packet
}

fn open(inbound: &mut Inbound, packet: &[u8]) -> Result<(u64, Vec<u8>), SrtpError> {
    let mut packet = packet.to_vec();
    let header = Header::parse(&packet).unwrap();
    let Unprotected { payload_len, index } = inbound.unprotect_rtp(&mut packet, &header)?;
    Ok((index, packet[header.header_len..][..payload_len].to_vec()))
}

#[test]
fn what_is_protected_opens_once() {
    for profile in PROFILES {
        let (outbound, mut inbound) = pair(profile);
        let packet = protected(&outbound, SSRC, 7, b"hello");
        assert_eq!(packet.len(), 12 + 5 + profile.tag_len());
        assert_ne!(&packet[12..17], b"hello");
        assert_eq!(open(&mut inbound, &packet), Ok((7, b"hello".to_vec())));
        assert_eq!(open(&mut inbound, &packet), Err(SrtpError::Replay));
    }
}

#[test]
fn a_packet_is_protected_where_it_lies_in_the_arena() {
    for profile in PROFILES {
        let (outbound, mut inbound) = pair(profile);
        let mut arena = b"earlier".to_vec();
        arena.extend_from_slice(&rtp_packet(SSRC, 1, b"payload"));
        outbound.protect_rtp(&mut arena, 7, 12, 1);
        assert_eq!(&arena[..7], b"earlier");
        assert_eq!(open(&mut inbound, &arena[7..]), Ok((1, b"payload".to_vec())));
    }
}

#[test]
fn an_empty_payload_is_protected_too() {
    for profile in PROFILES {
        let (outbound, mut inbound) = pair(profile);
        assert_eq!(open(&mut inbound, &protected(&outbound, SSRC, 1, b"")), Ok((1, vec![])));
    }
}

#[test]
fn the_rollover_counter_follows_reordering_across_wraps() {
    for profile in PROFILES {
        let (outbound, mut inbound) = pair(profile);
        let order =
            [65_530, 65_536, 65_535, 65_534, 65_538, 65_533, 98_304, 131_071, 131_072, 131_070, 131_073];
        for index in order {
            let packet = protected(&outbound, SSRC, index, b"x");
            assert_eq!(open(&mut inbound, &packet).map(|(index, _)| index), Ok(index), "{profile:?}");
        }
    }
}

#[test]
fn loss_of_less_than_half_the_numbers_is_survived() {
    let (outbound, mut inbound) = pair(Profile::AeadAes128Gcm);
    let mut index = 5;
    for step in [1, 32_767, 100, 32_767, 32_767, 32_767, 1] {
        index += step;
        assert_eq!(open(&mut inbound, &protected(&outbound, SSRC, index, b"x")).unwrap().0, index);
    }
}

#[test]
fn the_window_has_an_edge() {
    for profile in PROFILES {
        let (outbound, mut inbound) = pair(profile);
        let newest = 70_000;
        // One before the window has to come first, for the rollover counter.
        open(&mut inbound, &protected(&outbound, SSRC, 60_000, b"x")).unwrap();
        open(&mut inbound, &protected(&outbound, SSRC, newest, b"x")).unwrap();
        let last = newest - REPLAY_WINDOW_PACKETS + 1;
        assert!(open(&mut inbound, &protected(&outbound, SSRC, last, b"x")).is_ok());
        let too_old = protected(&outbound, SSRC, last - 1, b"x");
        assert_eq!(open(&mut inbound, &too_old), Err(SrtpError::Replay));
    }
}

#[test]
fn a_forgery_changes_nothing() {
    for profile in PROFILES {
        let (outbound, mut inbound) = pair(profile);
        let mut forged = protected(&outbound, SSRC, 1, b"x");
        *forged.last_mut().unwrap() ^= 1;
        assert_eq!(open(&mut inbound, &forged), Err(SrtpError::Authentication));
        assert_eq!(inbound.source_count(), 0, "no state for a forged source");

        open(&mut inbound, &protected(&outbound, SSRC, 10, b"x")).unwrap();
        // Far ahead: had this counted, what comes next would be too old, or be taken for another round.
        let mut forged = protected(&outbound, SSRC, 32_000, b"x");
        forged[12] ^= 1;
        assert_eq!(open(&mut inbound, &forged), Err(SrtpError::Authentication));
        assert!(open(&mut inbound, &protected(&outbound, SSRC, 11, b"x")).is_ok());
        assert!(open(&mut inbound, &protected(&outbound, SSRC, 9, b"x")).is_ok());
        // A forgery of a packet to come does not keep the packet out.
        let honest = protected(&outbound, SSRC, 12, b"x");
        let mut forged = honest.clone();
        forged[4] ^= 1;
        assert_eq!(open(&mut inbound, &forged), Err(SrtpError::Authentication));
        assert!(open(&mut inbound, &honest).is_ok());
    }
}

#[test]
fn every_byte_is_authenticated() {
    for profile in PROFILES {
        let (outbound, _) = pair(profile);
        let packet = protected(&outbound, SSRC, 3, b"payload");
        for at in 1..packet.len() {
            let (_, mut inbound) = pair(profile);
            let mut changed = packet.clone();
            changed[at] ^= 0x40;
            assert_eq!(open(&mut inbound, &changed), Err(SrtpError::Authentication), "{profile:?} byte {at}");
        }
    }
}

#[test]
fn another_key_and_another_profile_do_not_open() {
    for sender in PROFILES {
        let (outbound, _) = pair(sender);
        for receiver in PROFILES {
            let (_, mut inbound) = pair(receiver);
            let opened = open(&mut inbound, &protected(&outbound, SSRC, 3, b"payload"));
            assert_eq!(opened.is_ok(), sender == receiver);
        }
    }
}

#[test]
fn sources_are_kept_apart_and_bounded() {
    let (outbound, mut inbound) = pair(Profile::AeadAes128Gcm);
    for ssrc in 0..SOURCES_MAX as u32 {
        assert!(open(&mut inbound, &protected(&outbound, ssrc, 1, b"x")).is_ok());
    }
    let one_more = protected(&outbound, SOURCES_MAX as u32, 1, b"x");
    assert_eq!(open(&mut inbound, &one_more), Err(SrtpError::TooManySources));
    assert!(open(&mut inbound, &protected(&outbound, 5, 2, b"x")).is_ok(), "the others go on");
    assert_eq!(inbound.source_count(), SOURCES_MAX);
}

#[test]
fn what_is_too_short_says_so() {
    for profile in PROFILES {
        let (outbound, mut inbound) = pair(profile);
        let packet = protected(&outbound, SSRC, 3, b"");
        let short = &packet[..packet.len() - 1];
        assert_eq!(open(&mut inbound, short), Err(SrtpError::TooShort));
        let mut rtcp = vec![0x80; 8 + profile.rtcp_overhead_len() - 1];
        assert_eq!(inbound.unprotect_rtcp(&mut rtcp), Err(SrtpError::TooShort));
    }
}

#[test]
fn keys_of_other_lengths_are_refused() {
    let error = |got| Some(KeyError::Length { expected: 16, got });
    assert_eq!(Outbound::new(Profile::AeadAes128Gcm, &[0; 15], &[0; 12]).err(), error(15));
    assert_eq!(Inbound::new(Profile::AeadAes128Gcm, &[0; 32], &[0; 12]).err(), error(32));
    assert_eq!(
        Inbound::new(Profile::AeadAes128Gcm, &[0; 16], &[0; 14]).err(),
        Some(KeyError::Length { expected: 12, got: 14 })
    );
}

const RECEIVER_REPORT: [u8; 8] = [0x80, 201, 0, 1, 0, 0, 0, 9];

#[test]
fn control_packets_open_once_and_in_any_order() {
    for profile in PROFILES {
        let (mut outbound, mut inbound) = pair(profile);
        let plain = [&RECEIVER_REPORT[..], b"and more"].concat();
        let mut packets: Vec<Vec<u8>> = (0..5)
            .map(|_| {
                let mut arena = plain.clone();
                outbound.protect_rtcp(&mut arena, 0);
                assert_eq!(arena.len(), plain.len() + profile.rtcp_overhead_len());
                arena
            })
            .collect();
        packets.swap(1, 4);
        for packet in &packets {
            let mut once = packet.clone();
            let len = inbound.unprotect_rtcp(&mut once).unwrap();
            assert_eq!(once[..len], plain);
            assert_eq!(inbound.unprotect_rtcp(&mut packet.clone()), Err(SrtpError::Replay));
        }
    }
}

#[test]
fn a_control_packet_must_be_authentic_and_encrypted() {
    for profile in PROFILES {
        let (mut outbound, _) = pair(profile);
        let mut packet = [&RECEIVER_REPORT[..], b"and more"].concat();
        outbound.protect_rtcp(&mut packet, 0);
        for at in 0..packet.len() {
            let (_, mut inbound) = pair(profile);
            let mut changed = packet.clone();
            changed[at] ^= 0x40;
            assert_eq!(inbound.unprotect_rtcp(&mut changed), Err(SrtpError::Authentication), "byte {at}");
        }
        let (_, mut inbound) = pair(profile);
        let flag_at = packet.len() - if profile == Profile::AesCm128HmacSha1_80 { 14 } else { 4 };
        packet[flag_at] &= 0x7f;
        assert_eq!(inbound.unprotect_rtcp(&mut packet), Err(SrtpError::NotEncrypted));
    }
}

#[test]
fn what_is_no_control_packet_never_leaves() {
    let (mut outbound, _) = pair(Profile::AeadAes128Gcm);
    let mut arena = b"earlier1234567".to_vec();
    outbound.protect_rtcp(&mut arena, 7);
    assert_eq!(arena, b"earlier");
}

proptest! {
    #[test]
    fn round_trips(
        profile in prop::sample::select(&PROFILES[..]),
        payload in prop::collection::vec(any::<u8>(), 0..1_300),
        first in 0u64..65_536,
        steps in prop::collection::vec(1u64..32_768, 0..20),
    ) {
        let (outbound, mut inbound) = pair(profile);
        let mut index = first;
        for step in std::iter::once(0).chain(steps) {
            index += step;
            let opened = open(&mut inbound, &protected(&outbound, SSRC, index, &payload));
            prop_assert_eq!(opened, Ok((index, payload.clone())));
        }
    }
}

#[test]
fn fuzz_unprotect_rtp() {
    for profile in PROFILES {
        bolero::check!().with_iterations(3_000).for_each(|bytes: &[u8]| {
            let (_, mut inbound) = pair(profile);
            let mut packet = bytes.to_vec();
            if let Ok(header) = Header::parse(&packet) {
                assert!(inbound.unprotect_rtp(&mut packet, &header).is_err());
            }
            assert_eq!(inbound.source_count(), 0);
        });
    }
}

#[test]
fn fuzz_unprotect_rtcp() {
    for profile in PROFILES {
        bolero::check!().with_iterations(3_000).for_each(|bytes: &[u8]| {
            let (_, mut inbound) = pair(profile);
            assert!(inbound.unprotect_rtcp(&mut bytes.to_vec()).is_err());
        });
    }
}
