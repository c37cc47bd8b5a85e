//! What holds for any description and any sequence of offers.

mod sdp_support;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use model::{Mid, Rid};
use rtc::sdp::{
    Direction, Extmap, FeedbackKind, FeedbackLine, Fingerprint, FormatParameters, HashAlgorithm, LineState,
    MediaDescription, MediaType, Msid, RidLine, RtpMap, SessionDescription, Setup, Simulcast, Ssrc,
    SsrcGroup, SsrcSemantics, Transport,
};

use sdp_support::{Media, Offer, Server};

fn token() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9+./_-]{1,24}"
}

fn mid() -> impl Strategy<Value = Mid> {
    "[a-zA-Z0-9]{1,16}".prop_map(|text| text.parse().expect("a mid"))
}

fn rid() -> impl Strategy<Value = Rid> {
    "[a-zA-Z0-9_-]{1,16}".prop_map(|text| text.parse().expect("a rid"))
}

fn direction() -> impl Strategy<Value = Direction> {
    use Direction::{Inactive, RecvOnly, SendOnly, SendRecv};
    prop::sample::select(vec![SendRecv, SendOnly, RecvOnly, Inactive])
}

fn fingerprint() -> impl Strategy<Value = Fingerprint> {
    use HashAlgorithm::{Sha1, Sha256, Sha384, Sha512};
    (prop::sample::select(vec![Sha1, Sha256, Sha384, Sha512]), any::<u8>())
        .prop_map(|(hash, byte)| Fingerprint { hash, bytes: (0..hash.size_bytes()).map(|_| byte).collect() })
}

prop_compose! {
    fn transport()(
        ufrag in option::of("[a-zA-Z0-9+/]{4,32}"),
        pwd in option::of("[a-zA-Z0-9+/]{22,64}"),
        ice_options in vec(token(), 0..3),
        fingerprints in vec(fingerprint(), 0..4),
        setup in option::of(prop::sample::select(vec![Setup::ActPass, Setup::Active, Setup::Passive, Setup::HoldConn])),
    ) -> Transport {
        Transport { ufrag, pwd, ice_options, fingerprints, setup }
    }
}

prop_compose! {
    fn msid()(stream in token(), track in option::of(token())) -> Msid {
        Msid { stream, track }
    }
}

prop_compose! {
    fn extmap()(
        id in any::<u16>(), direction in option::of(direction()), uri in token(), attributes in option::of(token()),
    ) -> Extmap {
        Extmap { id, direction, uri, attributes }
    }
}

prop_compose! {
    fn rid_line()(
        rid in rid(), send in any::<bool>(), payload_types in vec(0..=127u8, 0..4),
        width_max in option::of(any::<u16>()), height_max in option::of(any::<u16>()),
    ) -> RidLine {
        RidLine { rid, send, payload_types, width_max, height_max }
    }
}

fn simulcast() -> impl Strategy<Value = Simulcast> {
    let rids =
        || prop::collection::btree_set(rid(), 0..4).prop_map(|rids| rids.into_iter().collect::<Vec<_>>());
    (rids(), rids())
        .prop_map(|(send, recv)| Simulcast { send, recv })
        .prop_filter("says something", |simulcast| !simulcast.send.is_empty() || !simulcast.recv.is_empty())
}

fn feedback() -> impl Strategy<Value = FeedbackLine> {
    use FeedbackKind::{CcmFir, GoogRemb, Nack, NackPli, TransportCc};
    (option::of(0..=127u8), prop::sample::select(vec![Nack, NackPli, CcmFir, TransportCc, GoogRemb]))
        .prop_map(|(pt, kind)| FeedbackLine { pt, kind })
}

fn rtp_map() -> impl Strategy<Value = RtpMap> {
    (0..=127u8, "[a-zA-Z0-9-]{1,12}", any::<u32>(), option::of(any::<u8>()))
        .prop_map(|(pt, name, clock_rate_hz, channels)| RtpMap { pt, name, clock_rate_hz, channels })
}

fn ssrcs() -> impl Strategy<Value = Vec<Ssrc>> {
    prop::collection::btree_map(any::<u32>(), (option::of(token()), option::of(msid())), 0..4)
        .prop_map(|ssrcs| ssrcs.into_iter().map(|(ssrc, (cname, msid))| Ssrc { ssrc, cname, msid }).collect())
}

fn ssrc_group() -> impl Strategy<Value = SsrcGroup> {
    use SsrcSemantics::{FecFr, Fid, Sim};
    (prop::sample::select(vec![Fid, FecFr, Sim]), vec(any::<u32>(), 0..4))
        .prop_map(|(semantics, ssrcs)| SsrcGroup { semantics, ssrcs })
}

fn media_type() -> impl Strategy<Value = MediaType> {
    prop_oneof![
        Just(MediaType::Audio),
        Just(MediaType::Video),
        Just(MediaType::Application),
        Just(MediaType::Other("text".to_owned())),
    ]
}

prop_compose! {
    fn media_lines()(
        media in media_type(),
        port in any::<u16>(),
        formats in vec(token(), 1..6),
        mid in option::of(mid()),
        direction in option::of(direction()),
        flags in any::<[bool; 5]>(),
        transport in transport(),
    ) -> MediaDescription {
        let mut media = MediaDescription::new(media, port, "UDP/TLS/RTP/SAVPF", formats);
        media.mid = mid;
        media.direction = direction;
        [media.bundle_only, media.rtcp_mux, media.rtcp_reduced_size, media.end_of_candidates, media.extmap_allow_mixed] =
            flags;
        media.transport = transport;
        media
    }
}

prop_compose! {
    fn media()(
        mut media in media_lines(),
        candidates in vec(token().prop_map(|text| format!("candidate:{text}")), 0..3),
        extmaps in vec(extmap(), 0..4),
        rtpmaps in vec(rtp_map(), 0..4),
        parameters in vec((0..=127u8, token()).prop_map(|(pt, text)| FormatParameters { pt, text }), 0..4),
        feedback in vec(feedback(), 0..4),
        sources in (vec(msid(), 0..3), ssrcs(), vec(ssrc_group(), 0..3)),
        layers in (vec(rid_line(), 0..4), option::of(simulcast()), vec(any::<(u16, u16)>(), 0..3)),
        content in option::of(token()),
    ) -> MediaDescription {
        media.candidates = candidates;
        media.extmaps = extmaps;
        media.rtpmaps = rtpmaps;
        if media.media.kind().is_some() {
            media.parameters = parameters;
        }
        media.feedback = feedback;
        (media.msids, media.ssrcs, media.ssrc_groups) = sources;
        (media.rids, media.simulcast, media.image_sizes) = layers;
        media.content = content;
        media
    }
}

prop_compose! {
    fn session()(
        session_id in any::<u64>(),
        session_version in any::<u64>(),
        bundles in vec(vec(mid(), 0..4), 0..3),
        ice_lite in any::<bool>(),
        extmap_allow_mixed in any::<bool>(),
        direction in option::of(direction()),
        transport in transport(),
        media in vec(media(), 0..4),
    ) -> SessionDescription {
        SessionDescription {
            session_id, session_version, bundles, ice_lite, extmap_allow_mixed, direction, transport, media,
        }
    }
}

/// What a page does to one of its m-lines from one offer to the next.
#[derive(Debug, Clone, Copy)]
enum Change {
    Add { video: bool, direction: Direction },
    Turn { line: usize, direction: Direction },
    Stop { line: usize },
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        3 => (any::<bool>(), direction()).prop_map(|(video, direction)| Change::Add { video, direction }),
        2 => (0..8usize, direction()).prop_map(|(line, direction)| Change::Turn { line, direction }),
        1 => (0..8usize).prop_map(|line| Change::Stop { line }),
    ]
}

/// An m-line of the page, as RFC 9429 lets it change.
#[derive(Debug, Clone)]
struct PageLine {
    mid: String,
    video: bool,
    direction: Direction,
    stopped: bool,
}

fn apply(lines: &mut Vec<PageLine>, change: Change, mids: &mut u32) {
    match change {
        Change::Add { video, direction } => {
            *mids += 1;
            let line = PageLine { mid: format!("m{mids}"), video, direction, stopped: false };
            match lines.iter_mut().find(|line| line.stopped) {
                Some(stopped) => *stopped = line,
                None => lines.push(line),
            }
        }
        Change::Turn { line, direction } => {
            if let Some(line) = lines.get_mut(line) {
                line.direction = direction;
            }
        }
        Change::Stop { line } => {
            if let Some(line) = lines.get_mut(line) {
                line.stopped = true;
            }
        }
    }
}

fn offer(lines: &[PageLine]) -> String {
    let media = lines.iter().map(|line| {
        let media = if line.video {
            Media::video(&line.mid, line.direction)
        } else {
            Media::audio(&line.mid, line.direction)
        };
        if line.stopped { media.port(0) } else { media }
    });
    let alive: Vec<&str> = lines.iter().filter(|line| !line.stopped).map(|line| line.mid.as_str()).collect();
    Offer::unbundled(media).with(&format!("a=group:BUNDLE {}", alive.join(" "))).text()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_again(session in session()) {
        let text = session.to_string();
        prop_assert_eq!(SessionDescription::parse(&text), Ok(session), "{}", text);
    }

    /// Whatever a page adds, turns and stops: each offer is answered by the rules, what is alive is served, and an
    /// m-line that lives keeps what it sends with.
    #[test]
    fn a_connection_survives_any_sequence_of_changes(changes in vec(change(), 1..24)) {
        let (mut server, mut lines, mut mids) = (Server::new(), Vec::<PageLine>::new(), 0);
        let mut slots = std::collections::BTreeMap::new();
        for change in changes {
            apply(&mut lines, change, &mut mids);
            if lines.is_empty() {
                continue;
            }
            let negotiated = server.answer(&offer(&lines)).expect("a legal offer");
            for (ours, theirs) in negotiated.media.iter().zip(&lines) {
                let expected = match (theirs.stopped, theirs.direction) {
                    (true, _) => LineState::Stopped,
                    (false, Direction::Inactive) => LineState::Inactive,
                    (false, _) => LineState::Active,
                };
                prop_assert_eq!(ours.state, expected);
                prop_assert_eq!(ours.send.is_some(), expected == LineState::Active && theirs.direction.receives());
                if let Some(slot) = &ours.send {
                    let known = slots.entry(theirs.mid.clone()).or_insert_with(|| slot.clone());
                    prop_assert_eq!(&*known, slot);
                }
            }
        }
    }
}
