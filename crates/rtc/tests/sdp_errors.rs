//! Offers that cannot be answered at all: each has its own error, and none costs much.

mod sdp_support;

use model::limits::{MEDIA_LINES_MAX, SDP_BYTES_MAX};
use rtc::sdp::{Direction, LINE_BYTES_MAX, SdpError, SessionDescription, SyntaxProblem};

use sdp_support::{Media, Offer, Server};

fn error(offer: &Offer) -> SdpError {
    Server::new().answer(&offer.text()).expect_err("an error")
}

fn audio() -> Media {
    Media::audio("0", Direction::SendRecv)
}

/// The problem of the line that is put last.
fn problem(line: &str) -> SyntaxProblem {
    let text = Offer::bundled([audio().with(line)]).text();
    match SessionDescription::parse(&text).expect_err(line) {
        SdpError::Syntax { line, problem } => {
            assert_eq!(line, text.lines().count(), "the line is named");
            problem
        }
        other => panic!("{line}: {other}"),
    }
}

#[test]
fn a_thousand_m_lines_are_counted_and_refused() {
    let text =
        Offer::bundled((0..1_000).map(|mid| Media::video(&mid.to_string(), Direction::RecvOnly))).text();
    let text = &text[text.find("m=").unwrap()..];
    let error = SessionDescription::parse(&text[..text.len().min(SDP_BYTES_MAX)]).unwrap_err();
    let SdpError::TooManyMediaLines { count, count_max } = error else { panic!("{error}") };
    assert!(count > count_max && count_max == MEDIA_LINES_MAX);

    let short = "v=0\r\n".to_owned() + &"m=audio 9 RTP/SAVPF 0\r\n".repeat(1_000);
    let error = SessionDescription::parse(&short).unwrap_err();
    assert_eq!(error, SdpError::TooManyMediaLines { count: 1_000, count_max: MEDIA_LINES_MAX });
    assert_eq!(error.to_string(), "the description has 1000 m-lines, and at most 128 are answered");
}

#[test]
fn as_many_m_lines_as_allowed_are_answered() {
    let media = (0..MEDIA_LINES_MAX).map(|mid| Media::audio(&format!("mid-{mid:04}"), Direction::RecvOnly));
    let negotiated = Server::new().answer(&Offer::bundled(media).text()).unwrap();
    assert_eq!(negotiated.media.len(), MEDIA_LINES_MAX);
}

#[test]
fn what_is_too_large_is_not_read() {
    let text = "x".repeat(SDP_BYTES_MAX + 1);
    let error = SessionDescription::parse(&text).unwrap_err();
    assert_eq!(error, SdpError::TooLarge { bytes: SDP_BYTES_MAX + 1, bytes_max: SDP_BYTES_MAX });
}

#[test]
fn what_is_no_description_is_refused_at_its_first_line() {
    for text in ["", "hello", "{\"sdp\":1}", "v=1\r\n", "\r\nv=0\r\n", "\u{0}\u{0}"] {
        let expected = SdpError::Syntax { line: 1, problem: SyntaxProblem::Version };
        assert_eq!(SessionDescription::parse(text), Err(expected), "{text:?}");
    }
}

#[test]
fn a_bad_line_is_named() {
    use SyntaxProblem::{Attribute, Media, NotALine, PayloadType};
    for (line, expected) in [
        ("nothing", NotALine),
        ("x=1", NotALine),
        ("aa=1", NotALine),
        ("é=1", NotALine),
        ("a=content:main\ra=ice-lite", NotALine),
        ("a=rtpmap:096 opus/48000/2", PayloadType),
        ("a=rtpmap:+96 opus/48000/2", PayloadType),
        ("m=audio", Media),
        ("m=audio 9 RTP/SAVPF", Media),
        ("m=audio 70000 RTP/SAVPF 0", Media),
        ("a=rtpmap:300 opus/48000/2", PayloadType),
        ("a=rtpmap:128 opus/48000/2", PayloadType),
        ("a=rtpmap:111", Attribute("rtpmap")),
        ("a=rtpmap:111 opus", Attribute("rtpmap")),
        ("a=rtpmap:111 opus/fast", Attribute("rtpmap")),
        ("a=fmtp:111", Attribute("fmtp")),
        ("a=rtcp-fb:111", Attribute("rtcp-fb")),
        ("a=extmap:1", Attribute("extmap")),
        ("a=extmap:1/up urn:x", Attribute("extmap")),
        ("a=extmap:70000 urn:x", Attribute("extmap")),
        ("a=rid:a", Attribute("rid")),
        ("a=rid:a;b send", Attribute("rid")),
        ("a=rid:a send max-width=wide", Attribute("rid")),
        ("a=simulcast:", Attribute("simulcast")),
        ("a=simulcast:send", Attribute("simulcast")),
        ("a=simulcast:send a;;b", Attribute("simulcast")),
        ("a=ssrc:x cname:y", Attribute("ssrc")),
        ("a=ssrc:4294967296 cname:y", Attribute("ssrc")),
        ("a=ssrc-group:FID 1 x", Attribute("ssrc-group")),
        ("a=msid:", Attribute("msid")),
        ("a=setup:maybe", Attribute("setup")),
        ("a=ice-ufrag:abc", Attribute("ice-ufrag")),
        ("a=ice-pwd:short", Attribute("ice-pwd")),
        ("a=fingerprint:sha-256", Attribute("fingerprint")),
        ("a=fingerprint:sha-256 AB:CD", Attribute("fingerprint")),
        ("a=fingerprint:sha-256 +A:CD", Attribute("fingerprint")),
        ("a=mid:1", SyntaxProblem::Twice("mid")),
    ] {
        assert_eq!(problem(line), expected, "{line}");
    }
    let text = "v=0\r\no=- 1\r\n";
    let expected = SdpError::Syntax { line: 2, problem: SyntaxProblem::Origin };
    assert_eq!(SessionDescription::parse(text), Err(expected.clone()));
    assert!(expected.to_string().starts_with("line 2: expected o="));
}

#[test]
fn a_long_mid_is_named() {
    let text = Offer::bundled([Media::audio("this-mid-is-too-long", Direction::SendRecv)]).text();
    let error = SessionDescription::parse(&text).unwrap_err();
    assert!(matches!(error, SdpError::Syntax { problem: SyntaxProblem::Attribute("group"), .. }), "{error}");
}

#[test]
fn long_lines_and_long_lists_are_refused() {
    assert_eq!(
        problem(&"a".repeat(LINE_BYTES_MAX + 1)),
        SyntaxProblem::LineTooLong { bytes_max: LINE_BYTES_MAX }
    );
    let too_many = |line: &str, count: usize| {
        let lines = (0..count).map(|n| line.replace('#', &n.to_string())).collect::<Vec<_>>().join("\r\n");
        problem(&lines)
    };
    for (line, count) in [("a=extmap:1 urn:x-#", 62), ("a=ssrc:# cname:c", 33), ("a=rid:r# send", 17)] {
        assert!(matches!(too_many(line, count), SyntaxProblem::TooMany { .. }), "{line}");
    }
    let formats = (0..129).map(|pt| pt.to_string()).collect::<Vec<_>>().join(" ");
    assert!(matches!(problem(&format!("m=audio 9 RTP/SAVPF {formats}")), SyntaxProblem::TooMany { .. }));
}

#[test]
fn what_is_known_to_be_many_is_cut_in_silence() {
    let candidates = (0..200)
        .fold(audio(), |media, n| media.with(&format!("a=candidate:{n} 1 udp 1 192.0.2.1 9 typ host")));
    let negotiated = Server::new().answer(&Offer::bundled([candidates]).text()).unwrap();
    assert_eq!(negotiated.candidates.len(), rtc::sdp::CANDIDATES_MAX);
}

#[test]
fn an_offer_needs_an_m_line() {
    assert_eq!(error(&Offer::unbundled([])), SdpError::NoMediaLines);
}

#[test]
fn two_lite_ends_cannot_meet() {
    assert_eq!(error(&Offer::bundled([audio()]).with("a=ice-lite")), SdpError::IceLite);
}

#[test]
fn the_offerer_must_be_able_to_start_the_handshake() {
    for setup in ["passive", "holdconn"] {
        let offer = Offer::bundled([audio().without("a=setup").with(&format!("a=setup:{setup}"))]);
        assert!(matches!(error(&offer), SdpError::Setup { index: 0, .. }), "{setup}");
    }
    let active = Offer::bundled([audio().without("a=setup").with("a=setup:active")]);
    assert!(Server::new().answer(&active.text()).is_ok());
}

#[test]
fn the_transport_must_be_whole() {
    let lacking = |start| error(&Offer::bundled([audio().without(start)]));
    assert_eq!(lacking("a=ice-ufrag"), SdpError::IceCredentialsMissing { index: 0 });
    assert_eq!(lacking("a=ice-pwd"), SdpError::IceCredentialsMissing { index: 0 });
    assert_eq!(lacking("a=fingerprint"), SdpError::FingerprintMissing { index: 0 });
    assert!(matches!(lacking("a=rtcp-mux"), SdpError::RtcpMuxMissing { index: 0, .. }));
    let sha1 =
        audio().without("a=fingerprint").with(&format!("a=fingerprint:sha-1 {}", ["AB"; 20].join(":")));
    assert_eq!(error(&Offer::bundled([sha1])), SdpError::FingerprintUntrusted { index: 0 });
}

#[test]
fn only_the_line_with_the_transport_needs_rtcp_mux() {
    let second = Media::video("1", Direction::SendRecv).without("a=rtcp-mux");
    assert!(Server::new().answer(&Offer::bundled([audio(), second]).text()).is_ok());
}

#[test]
fn mids_must_be_clear() {
    let mid = "0".parse().unwrap();
    assert_eq!(error(&Offer::bundled([audio(), audio()])), SdpError::MidTwice { mid, first: 0, second: 1 });
    let offer =
        Offer::bundled([Media::video("1", Direction::SendRecv), Media::audio("", Direction::SendRecv)]);
    assert_eq!(error(&offer), SdpError::MidMissing { index: 1 });
    let offer = Offer::unbundled([audio()]).with("a=group:BUNDLE 0 gone");
    assert_eq!(error(&offer), SdpError::BundleUnknownMid { mid: "gone".parse().unwrap() });
    let nameless =
        Offer::unbundled([audio(), Media::video("", Direction::SendRecv)]).with("a=group:BUNDLE 0 1");
    assert_eq!(error(&nameless), SdpError::BundleUnknownMid { mid: "1".parse().unwrap() });
}

#[test]
fn m_lines_keep_their_places() {
    let both = [audio(), Media::video("1", Direction::SendRecv)];
    let refused = |second: Offer| {
        let mut server = Server::new();
        server.answer(&Offer::bundled(both.clone()).text()).unwrap();
        let error = server.answer(&second.text()).unwrap_err();
        assert!(server.answer(&Offer::bundled(both.clone()).text()).is_ok(), "the former state holds");
        error
    };
    let (zero, one) = ("0".parse().unwrap(), "1".parse().unwrap());
    let fewer = Offer::bundled([audio()]);
    assert_eq!(refused(fewer), SdpError::MediaLinesRemoved { count: 1, count_before: 2 });
    let [audio, video] = both.clone();
    let swapped = Offer::bundled([video.clone(), audio]);
    assert_eq!(refused(swapped), SdpError::MidMoved { mid: one, before: 1, index: 0 });
    let changed = Offer::bundled([Media::video("0", Direction::SendRecv), video]);
    let before = model::MediaKind::Audio;
    assert_eq!(refused(changed), SdpError::KindChanged { index: 0, mid: zero, before });
}

#[test]
fn a_source_of_ssrcs_that_repeats_itself_is_given_up() {
    use rtc::sdp::{LocalParameters, Negotiator};
    let offer = Offer::bundled([audio(), Media::video("1", Direction::RecvOnly)]).text();
    let offer = SessionDescription::parse(&offer).unwrap();
    let local = LocalParameters {
        ufrag: "abcd",
        pwd: "0123456789abcdefghijkl",
        fingerprint_sha256: &[0; 32],
        candidates: &[],
        cname: "c",
        session_id: u64::MAX,
    };
    let error = Negotiator::new().handle_offer(&offer, &local, &mut || 7).unwrap_err();
    assert_eq!(error, SdpError::SsrcsExhausted);
}
