//! Against libsrtp, the library of most clients: packets that it protected open here, and what is protected here is
//! the same to the byte.
//!
//! The vectors were made with libsrtp 2 through pylibsrtp 1.0.0: for each profile one session of a fixed master key
//! and salt, with RTP packets across a wrap of the sequence number (some with CSRC or header extension) and compound
//! RTCP packets of two sources. libsrtp begins to count RTCP packets with 1, for each source.

use data_encoding::HEXLOWER;
use rtc::rtp::Header;
use rtc::srtp::{Inbound, Outbound, Profile};

struct Session {
    profile: Profile,
    key: &'static str,
    salt: &'static str,
    /// Index, in clear, protected.
    rtp: &'static [(u64, &'static str, &'static str)],
    /// In clear, protected.
    rtcp: &'static [(&'static str, &'static str)],
}

fn bytes(hex: &str) -> Vec<u8> {
    HEXLOWER.decode(hex.as_bytes()).unwrap()
}

#[test]
fn what_libsrtp_protected_opens() {
    for session in SESSIONS {
        let mut inbound = Inbound::new(session.profile, &bytes(session.key), &bytes(session.salt)).unwrap();
        for (index, clear, protected) in session.rtp {
            let mut packet = bytes(protected);
            let header = Header::parse(&packet).unwrap();
            let opened = inbound.unprotect_rtp(&mut packet, &header).unwrap();
            assert_eq!(opened.index, *index);
            assert_eq!(HEXLOWER.encode(&packet[..header.header_len + opened.payload_len]), *clear);
        }
        for (clear, protected) in session.rtcp {
            let mut packet = bytes(protected);
            let len = inbound.unprotect_rtcp(&mut packet).unwrap();
            assert_eq!(HEXLOWER.encode(&packet[..len]), *clear);
        }
    }
}

#[test]
fn what_is_protected_is_what_libsrtp_makes() {
    for session in SESSIONS {
        let mut outbound = Outbound::new(session.profile, &bytes(session.key), &bytes(session.salt)).unwrap();
        for (index, clear, protected) in session.rtp {
            let mut packet = bytes(clear);
            let header = Header::parse(&packet).unwrap();
            outbound.protect_rtp(&mut packet, 0, header.header_len, *index);
            assert_eq!(HEXLOWER.encode(&packet), *protected);
        }
        outbound.protect_rtcp(&mut bytes(session.rtcp[0].0), 0);
        for (clear, protected) in &session.rtcp[..2] {
            let mut packet = bytes(clear);
            outbound.protect_rtcp(&mut packet, 0);
            assert_eq!(HEXLOWER.encode(&packet), *protected);
        }
    }
}

const SESSIONS: &[Session] = &[
    Session {
        profile: Profile::AesCm128HmacSha1_80,
        key: "a5b2394606b3c36090c73d63bd17ba54",
        salt: "3eb029e9c87aade57b9cfcf3e67b",
        rtp: &[
            (
                65534,
                "80e0fffe000103e6112233446307600a8e17a39e8fd8d7cad673eef4ef8d387a75",
                "80e0fffe000103e61122334462207688401c8b7b944db826ed4e8cdff02efa4b57ddaae594806651e54324",
            ),
            (
                65535,
                "90e0ffff000103e711223344bede0002301234004001aabbf1afa448db08661ee9ba92fb7048dab96a6663911b8e",
                "90e0ffff000103e711223344bede0002301234004001aabb2a14585db563f6e6bc89c01f18750d5cf2392f7face5bc86bf6c5a6087d8bc81",
            ),
            (
                65536,
                "81e00000000003e8112233440000cafec7af2edf3dacfca20ce2d3246ef9137ffebd7988f6",
                "81e00000000003e8112233440000cafe3c8662a58acea743e68797e1a2d836db9cacb0287fa3d7073ecbd216ca110f",
            ),
            (
                65537,
                "90e00001000003e911223344bede0002301234004001aabb18d2df5fee0adf26232e6666351967c2a88cd9ea9916",
                "90e00001000003e911223344bede0002301234004001aabbb7e430024ab08811ab698c7351a228a6aaa639cfd4e536f90412685d46f01337",
            ),
        ],
        rtcp: &[
            (
                "80c900010000009981ce00020000009911223344",
                "80c90001000000999dce3008387b1544cf9e3fef800000016db8764b4e17a7ded010",
            ),
            (
                "80c900010000009981ce00020000009911223344",
                "80c90001000000997c4f8cdcb931c3b40c43affe80000002dd577ce944cb534e727a",
            ),
            (
                "80c900010000009a81ce00020000009911223344",
                "80c900010000009a87db691c90e332b9251c7ff880000001d5b3b5b3b41d109dd8a2",
            ),
        ],
    },
    Session {
        profile: Profile::AeadAes128Gcm,
        key: "bdf00029f3422212543f2bda239a035b",
        salt: "492e2b4ec3853ec3e402a27e",
        rtp: &[
            (
                65534,
                "80e0fffe000103e611223344b9084128991ff85be46ef2221dd0f7e57352418fef",
                "80e0fffe000103e611223344be09590773d3fab22ec7a538ec0e5b62d3246e5918e9f3fe8ce083ad6222b1b6ca9caf6256",
            ),
            (
                65535,
                "90e0ffff000103e711223344bede0002301234004001aabbaf39bb8f9440b47682dc51f54730d895d0d2c45ac66c",
                "90e0ffff000103e711223344bede0002301234004001aabb422e642b5c14a5450e196295105a84ed8eb479dd2ba33f251990b97073c4cdafa746d426dad5",
            ),
            (
                65536,
                "81e00000000003e8112233440000cafe9fb26a4336d1ec39dbb88eed4df03d0a33268532bc",
                "81e00000000003e8112233440000cafe29ae19aec5b09377304647c0d5edae0c404768deb63fe7f9450d4db88f9cba19eacbb76da5",
            ),
            (
                65537,
                "90e00001000003e911223344bede0002301234004001aabb450ce665d1bd99ea12827919c9635af47f6b34ea1d40",
                "90e00001000003e911223344bede0002301234004001aabb8ad8ed9c1b3d0e8a7618e1c904c063a81295320358e9051da34ac71ccd9d1a16482f7c80337d",
            ),
        ],
        rtcp: &[
            (
                "80c900010000009981ce00020000009911223344",
                "80c900010000009971a9dcdffdbf10db8a7e277d29f97957c2c49357a1d92bf4bc6debfa80000001",
            ),
            (
                "80c900010000009981ce00020000009911223344",
                "80c900010000009923ca9f28cf7ab6d19714e9833c8b154e9685db0ae69175ffd64c9ec780000002",
            ),
            (
                "80c900010000009a81ce00020000009911223344",
                "80c900010000009a35f06bba12e7899f90c8bb6937525ab4d6435edad45115761f6e052780000001",
            ),
        ],
    },
    Session {
        profile: Profile::AeadAes256Gcm,
        key: "d16dd481067fdb23f7fee011e17f7cf7d1f0202ed885aa7d4a92fc954b353fb4",
        salt: "34dd25c35844df31abe30e44",
        rtp: &[
            (
                65534,
                "80e0fffe000103e611223344076cab756114b7604b616cab873f38ab37288eb757",
                "80e0fffe000103e61122334484dc757fac5cf9cad356b2ad806a34849658d6a7f5cbb72b423083fb0bbaaad46d88fcb4c8",
            ),
            (
                65535,
                "90e0ffff000103e711223344bede0002301234004001aabb2bb6c12be9223ea16a0315eb21aa88c1d50befc3ea49",
                "90e0ffff000103e711223344bede0002301234004001aabb6a9481e714cda5667f9c325e290844ed05751f57f1f48f5eb82dfa400b624f9fb46daf265e84",
            ),
            (
                65536,
                "81e00000000003e8112233440000cafe0aedc622cc88e82414fa5370bde6a7d8cd42fc942f",
                "81e00000000003e8112233440000cafe5835550262e11761b04012ada4203fd17e91e97ec4b6e2f29d30b10dc99c0a8471bf30558a",
            ),
            (
                65537,
                "90e00001000003e911223344bede0002301234004001aabb715006432188618cfe80c373d83cfda9672aa02dbf3a",
                "90e00001000003e911223344bede0002301234004001aabb72b4937e24af404b287e85c946e554515b6476d4092ef271a8d4f864669b53b225444842bfc5",
            ),
        ],
        rtcp: &[
            (
                "80c900010000009981ce00020000009911223344",
                "80c900010000009958345d87d8abbfdf653216618fd48a0f1f40a90e99c9c52daf8941ed80000001",
            ),
            (
                "80c900010000009981ce00020000009911223344",
                "80c900010000009920cb6ad5ed9ded6237f011b041324a92fe89dcdba6120d3a0449218880000002",
            ),
            (
                "80c900010000009a81ce00020000009911223344",
                "80c900010000009abdac91cc3a9e2aec7514b05fdfada048e8cefd9abee023ab57b78bc580000001",
            ),
        ],
    },
];
