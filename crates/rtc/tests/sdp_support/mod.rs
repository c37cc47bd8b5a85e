//! What the tests of session descriptions share: a server side, offers to write by hand, and the rules that every
//! answer obeys.

#![allow(dead_code, reason = "each test program uses a part of it")]

use std::collections::BTreeSet;

use model::limits::LAYERS_MAX;
use rtc::sdp::{
    Direction, LineState, LocalParameters, MediaDescription, MediaLine, Negotiated, Negotiator, SdpError,
    SessionDescription, Setup,
};

/// The server's end of one peer connection, with SSRCs that a test can foresee.
#[derive(Default)]
pub(crate) struct Server {
    negotiator: Negotiator,
    ssrcs_drawn: u32,
}

pub(crate) const SESSION_ID: u64 = 4_242;
pub(crate) const UFRAG: &str = "u0abcd";
pub(crate) const CNAME: &str = "server-cname";
/// The first SSRC that [`Server`] draws.
pub(crate) const FIRST_SSRC: u32 = 9_000_001;

impl Server {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Parses and answers, and checks the answer against the rules.
    pub(crate) fn answer(&mut self, offer: &str) -> Result<Negotiated, SdpError> {
        let offer = SessionDescription::parse(offer)?;
        let negotiated = self.answer_parsed(&offer)?;
        check_answer(&offer, &negotiated);
        Ok(negotiated)
    }

    pub(crate) fn answer_parsed(&mut self, offer: &SessionDescription) -> Result<Negotiated, SdpError> {
        let candidates = [candidate(40_000), candidate(40_001)];
        let local = LocalParameters {
            ufrag: UFRAG,
            pwd: "abcdefghijklmnopqrstuvwx",
            fingerprint_sha256: &[7; 32],
            candidates: &candidates,
            cname: CNAME,
            session_id: SESSION_ID,
        };
        let mut draw = || {
            self.ssrcs_drawn += 1;
            FIRST_SSRC - 1 + self.ssrcs_drawn
        };
        self.negotiator.handle_offer(offer, &local, &mut draw)
    }
}

fn candidate(port: u16) -> String {
    format!("candidate:1 1 udp 2130706431 192.0.2.1 {port} typ host")
}

/// An offer written line by line.
pub(crate) struct Offer {
    session: Vec<String>,
    media: Vec<Media>,
}

/// An m-line and its attributes.
#[derive(Clone)]
pub(crate) struct Media {
    lines: Vec<String>,
}

impl Offer {
    /// All m-lines in one BUNDLE group, in order.
    pub(crate) fn bundled(media: impl IntoIterator<Item = Media>) -> Self {
        let mut offer = Self::unbundled(media);
        let mids: Vec<String> = offer.media.iter().filter_map(|media| media.value("a=mid:")).collect();
        offer.session.push(format!("a=group:BUNDLE {}", mids.join(" ")));
        offer
    }

    pub(crate) fn unbundled(media: impl IntoIterator<Item = Media>) -> Self {
        let session = ["v=0", "o=- 1 2 IN IP4 127.0.0.1", "s=-", "t=0 0"].map(str::to_owned).to_vec();
        Self { session, media: media.into_iter().collect() }
    }

    pub(crate) fn with(mut self, line: &str) -> Self {
        self.session.push(line.to_owned());
        self
    }

    pub(crate) fn text(&self) -> String {
        let media = self.media.iter().flat_map(|media| &media.lines);
        let lines: Vec<&str> = self.session.iter().chain(media).map(String::as_str).collect();
        lines.join("\r\n") + "\r\n"
    }
}

pub(crate) const FINGERPRINT: &str = "a=fingerprint:sha-256 \
    03:0A:11:18:1F:26:2D:34:3B:42:49:50:57:5E:65:6C:73:7A:81:88:8F:96:9D:A4:AB:B2:B9:C0:C7:CE:D5:DC";

impl Media {
    /// An m-line with a transport and nothing else.
    pub(crate) fn bare(first: &str, mid: &str) -> Self {
        let media = Self { lines: vec![first.to_owned(), "c=IN IP4 0.0.0.0".to_owned()] };
        let media = media.with("a=ice-ufrag:abcd").with("a=ice-pwd:0123456789abcdefghijkl").with(FINGERPRINT);
        let media = media.with("a=setup:actpass").with("a=rtcp-mux").with("a=rtcp-rsize");
        if mid.is_empty() { media } else { media.with(&format!("a=mid:{mid}")) }
    }

    pub(crate) fn audio(mid: &str, direction: Direction) -> Self {
        Self::bare("m=audio 9 UDP/TLS/RTP/SAVPF 111 0 13", mid)
            .with(&format!("a={direction}"))
            .with("a=rtpmap:111 opus/48000/2")
            .with("a=fmtp:111 minptime=10;useinbandfec=1")
            .with("a=rtcp-fb:111 transport-cc")
            .with("a=rtpmap:0 PCMU/8000")
            .with("a=rtpmap:13 CN/8000")
            .with("a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level")
            .with("a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01")
            .with("a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid")
    }

    pub(crate) fn video(mid: &str, direction: Direction) -> Self {
        let media = Self::bare("m=video 9 UDP/TLS/RTP/SAVPF 96 97 102 103 118", mid)
            .with(&format!("a={direction}"))
            .with("a=rtpmap:96 VP8/90000")
            .with("a=rtpmap:97 rtx/90000")
            .with("a=fmtp:97 apt=96")
            .with("a=rtpmap:102 H264/90000")
            .with("a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f")
            .with("a=rtpmap:103 rtx/90000")
            .with("a=fmtp:103 apt=102")
            .with("a=rtpmap:118 red/90000")
            .with("a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01")
            .with("a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid")
            .with("a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id");
        ["goog-remb", "transport-cc", "ccm fir", "nack", "nack pli"]
            .iter()
            .fold(media, |media, kind| media.with(&format!("a=rtcp-fb:96 {kind}")))
    }

    pub(crate) fn application(mid: &str) -> Self {
        Self::bare("m=application 9 UDP/DTLS/SCTP webrtc-datachannel", mid).with("a=sctp-port:5000")
    }

    pub(crate) fn with(mut self, line: &str) -> Self {
        self.lines.push(line.to_owned());
        self
    }

    /// Without the lines that start so.
    pub(crate) fn without(mut self, start: &str) -> Self {
        self.lines.retain(|line| !line.starts_with(start));
        self
    }

    /// With another port.
    pub(crate) fn port(mut self, port: u16) -> Self {
        if let Some(first) = self.lines.first_mut() {
            *first = first.replacen(" 9 ", &format!(" {port} "), 1);
        }
        self
    }

    fn value(&self, start: &str) -> Option<String> {
        self.lines.iter().find_map(|line| line.strip_prefix(start)).map(str::to_owned)
    }
}

/// The parsed answer.
pub(crate) fn parsed(negotiated: &Negotiated) -> SessionDescription {
    SessionDescription::parse(&negotiated.answer).expect("we read what we write")
}

/// The m-line with this mid.
pub(crate) fn line<'a>(negotiated: &'a Negotiated, mid: &str) -> &'a MediaLine {
    negotiated.media.iter().find(|line| line.mid.as_str() == mid).expect("an m-line of that mid")
}

/// The rules that every answer obeys, whatever the offer (RFC 3264, RFC 8843, RFC 9429).
pub(crate) fn check_answer(offer: &SessionDescription, negotiated: &Negotiated) {
    let answer = parsed(negotiated);
    assert_eq!(answer.to_string(), negotiated.answer, "reading loses nothing of an answer");
    assert!(answer.ice_lite);
    assert_eq!(answer.session_id, SESSION_ID);
    assert_eq!(answer.media.len(), offer.media.len(), "as many m-lines");
    for (offered, answered) in offer.media.iter().zip(&answer.media) {
        check_media(offer, offered, answered);
    }
    check_bundle(offer, &answer);
    check_slots(offer, negotiated);
}

fn check_media(offer: &SessionDescription, offered: &MediaDescription, answered: &MediaDescription) {
    assert_eq!(answered.media, offered.media);
    assert_eq!(answered.protocol, offered.protocol);
    assert_eq!(answered.mid, offered.mid);
    if answered.port == 0 {
        assert_eq!(answered.direction, Some(Direction::Inactive));
        assert!(answered.candidates.is_empty() && answered.ssrcs.is_empty());
        return;
    }
    assert!(offered.port != 0 || offered.bundle_only, "a stopped m-line stays stopped");
    let offered_direction = offered.direction.or(offer.direction).unwrap_or(Direction::SendRecv);
    assert_eq!(answered.direction, Some(offered_direction.reversed()));
    assert_eq!(answered.transport.setup, Some(Setup::Passive));
    assert_eq!(answered.transport.ufrag.as_deref(), Some(UFRAG));
    assert!(answered.rtcp_mux && !answered.bundle_only);
    assert_eq!(answered.rtcp_reduced_size, offered.rtcp_reduced_size);
    assert_eq!(answered.content, offered.content, "a=content is mirrored");
    check_formats(offered, answered);
    check_extensions(offer, offered, answered);
    check_layers(offered, answered);
}

fn check_formats(offered: &MediaDescription, answered: &MediaDescription) {
    assert!(!answered.formats.is_empty());
    let is_answered = |pt: &u8| answered.formats.contains(&pt.to_string());
    for format in &answered.formats {
        assert!(offered.formats.contains(format), "payload type {format} was not offered");
        assert!(answered.rtpmaps.iter().any(|map| map.pt.to_string() == *format));
    }
    for map in &answered.rtpmaps {
        assert!(is_answered(&map.pt));
        let same = offered.rtpmaps.iter().find(|offered| offered.pt == map.pt);
        assert!(same.is_none_or(|same| same == map));
        if map.name.eq_ignore_ascii_case("rtx") {
            let parameters = answered.parameters.iter().find(|parameters| parameters.pt == map.pt);
            let repaired = parameters.and_then(|parameters| parameters.text.strip_prefix("apt="));
            assert!(repaired.is_some_and(|pt| answered.formats.iter().any(|format| format == pt)));
        }
    }
    for feedback in &answered.feedback {
        let pt = feedback.pt.expect("of one payload type");
        assert!(is_answered(&pt));
        let same =
            |line: &&rtc::sdp::FeedbackLine| line.kind == feedback.kind && line.pt.is_none_or(|of| of == pt);
        assert!(offered.feedback.iter().any(|line| same(&line)), "{feedback} was not offered");
    }
}

fn check_extensions(offer: &SessionDescription, offered: &MediaDescription, answered: &MediaDescription) {
    let mixed = offer.extmap_allow_mixed || offered.extmap_allow_mixed;
    let mut ids = BTreeSet::new();
    for extmap in &answered.extmaps {
        assert!(ids.insert(extmap.id), "one extension for an id");
        assert!(matches!(extmap.id, 1..=14) || (mixed && matches!(extmap.id, 16..=255)));
        let same = |offered: &&rtc::sdp::Extmap| offered.id == extmap.id && offered.uri == extmap.uri;
        assert!(offered.extmaps.iter().any(|offered| same(&offered)), "extension {extmap} was not offered");
    }
}

fn check_layers(offered: &MediaDescription, answered: &MediaDescription) {
    assert!(answered.rids.len() <= LAYERS_MAX);
    for rid in &answered.rids {
        assert!(!rid.send);
        assert!(offered.rids.iter().any(|offered| offered.send && offered.rid == rid.rid));
    }
    if let Some(simulcast) = &answered.simulcast {
        let rids: Vec<_> = answered.rids.iter().map(|line| line.rid).collect();
        assert_eq!(simulcast.recv, rids);
        assert!(simulcast.send.is_empty());
    }
}

fn check_bundle(offer: &SessionDescription, answer: &SessionDescription) {
    let accepted: Vec<&MediaDescription> = answer.media.iter().filter(|media| media.port != 0).collect();
    let carriers = accepted.iter().filter(|media| !media.candidates.is_empty()).count();
    assert_eq!(carriers, accepted.len().min(1), "one transport, with candidates on one m-line");
    assert!(accepted.iter().all(|media| media.end_of_candidates != media.candidates.is_empty()));
    let Some(group) = answer.bundles.first() else {
        assert!(accepted.len() <= 1, "several m-lines share the transport only as a group");
        return;
    };
    assert_eq!(answer.bundles.len(), 1);
    assert_eq!(group.len(), accepted.len());
    assert!(accepted.iter().all(|media| media.mid.is_some_and(|mid| group.contains(&mid))));
    assert!(offer.bundles.iter().any(|offered| group.iter().all(|mid| offered.contains(mid))));
}

fn check_slots(offer: &SessionDescription, negotiated: &Negotiated) {
    let mut ssrcs: BTreeSet<u32> =
        offer.media.iter().flat_map(|media| &media.ssrcs).map(|ssrc| ssrc.ssrc).collect();
    let mut streams = BTreeSet::new();
    for line in &negotiated.media {
        assert_eq!(line.state == LineState::Active, line.send.is_some() || line.receive.is_some());
        assert_eq!(line.codecs.is_empty(), !matches!(line.state, LineState::Active | LineState::Inactive));
        let Some(slot) = &line.send else { continue };
        for ssrc in [Some(slot.ssrc), slot.rtx_ssrc].into_iter().flatten() {
            assert!(ssrc != 0 && ssrcs.insert(ssrc), "an SSRC of its own");
        }
        assert_eq!(slot.rtx_ssrc.is_some(), line.codecs.iter().any(|codec| codec.rtx_pt.is_some()));
        assert!(streams.insert(slot.msid.stream.clone()), "a stream of its own");
    }
}
