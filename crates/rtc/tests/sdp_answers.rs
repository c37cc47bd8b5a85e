//! What an answer is like, behaviour by behaviour, with offers written by hand.

mod sdp_support;

use model::limits::LAYERS_MAX;
use model::{Codec, Semantic};
use rtc::sdp::{
    CodecProfile, Direction, H264Profile, HashAlgorithm, LineState, RejectReason, SessionDescription, Setup,
    pick,
};

use sdp_support::{CNAME, FINGERPRINT, FIRST_SSRC, Media, Offer, Server, line, parsed};

use Direction::{Inactive, RecvOnly, SendOnly, SendRecv};

fn state(server: &mut Server, offer: &Offer, mid: &str) -> LineState {
    line(&server.answer(&offer.text()).expect("an answer"), mid).state
}

#[test]
fn every_receive_line_is_answered_sendonly_at_once_and_stays_so() {
    let mut server = Server::new();
    let audio = Media::audio("0", RecvOnly);
    let first = server.answer(&Offer::bundled([audio.clone(), Media::video("1", RecvOnly)]).text()).unwrap();
    let directions: Vec<_> = parsed(&first).media.iter().map(|media| media.direction).collect();
    assert_eq!(directions, [Some(SendOnly), Some(SendOnly)]);

    let more = [audio, Media::video("1", RecvOnly), Media::video("2", SendOnly)];
    let second = server.answer(&Offer::bundled(more).text()).unwrap();
    assert_eq!(line(&first, "0").send, line(&second, "0").send);
    assert_eq!(line(&first, "1").send, line(&second, "1").send);
    assert_eq!(line(&second, "2").send, None);
}

#[test]
fn a_slot_has_one_ssrc_one_for_retransmission_one_cname_and_its_own_msid() {
    let offer = Offer::bundled([Media::video("a", RecvOnly), Media::video("b", RecvOnly)]);
    let negotiated = Server::new().answer(&offer.text()).unwrap();
    let slots: Vec<_> = negotiated.media.iter().map(|line| line.send.clone().expect("a slot")).collect();
    assert_eq!((slots[0].ssrc, slots[0].rtx_ssrc), (FIRST_SSRC, Some(FIRST_SSRC + 1)));
    assert_ne!(slots[0].msid.stream, slots[1].msid.stream);
    assert_ne!(slots[0].msid.track, slots[1].msid.track);
    for line in [
        format!("a=ssrc-group:FID {FIRST_SSRC} {}\r\n", FIRST_SSRC + 1),
        format!("a=ssrc:{FIRST_SSRC} cname:{CNAME}\r\n"),
        format!("a=ssrc:{} cname:{CNAME}\r\n", FIRST_SSRC + 1),
        format!("a=msid:{}\r\n", slots[0].msid),
    ] {
        assert!(negotiated.answer.contains(&line), "{line} is missing in {}", negotiated.answer);
    }
}

#[test]
fn ssrcs_of_the_client_are_not_drawn() {
    let taken = format!("a=ssrc:{FIRST_SSRC} cname:theirs");
    let offer = Offer::bundled([Media::audio("0", SendRecv).with(&taken)]);
    let negotiated = Server::new().answer(&offer.text()).unwrap();
    assert_eq!(line(&negotiated, "0").send.as_ref().map(|slot| slot.ssrc), Some(FIRST_SSRC + 1));
}

#[test]
fn a_line_in_both_directions_is_answered_sendrecv() {
    let negotiated = Server::new().answer(&Offer::bundled([Media::audio("0", SendRecv)]).text()).unwrap();
    assert_eq!(parsed(&negotiated).media[0].direction, Some(SendRecv));
    assert!(line(&negotiated, "0").send.is_some() && line(&negotiated, "0").receive.is_some());
}

#[test]
fn the_direction_of_the_session_holds_for_lines_without_one() {
    let offer = Offer::bundled([Media::audio("0", SendRecv).without("a=sendrecv")]).with("a=recvonly");
    let negotiated = Server::new().answer(&offer.text()).unwrap();
    assert_eq!(parsed(&negotiated).media[0].direction, Some(SendOnly));
}

#[test]
fn every_common_codec_is_answered_and_nothing_else() {
    let offer = Offer::bundled([Media::audio("0", RecvOnly), Media::video("1", RecvOnly)]);
    let negotiated = Server::new().answer(&offer.text()).unwrap();
    let answer = parsed(&negotiated);
    assert_eq!(answer.media[0].formats, ["111", "0"], "no comfort noise");
    assert_eq!(answer.media[1].formats, ["96", "97", "102", "103"], "no RED");
    let codecs: Vec<_> =
        line(&negotiated, "1").codecs.iter().map(|codec| (codec.codec, codec.rtx_pt)).collect();
    assert_eq!(codecs, [(Codec::Vp8, Some(97)), (Codec::H264, Some(103))]);
}

#[test]
fn static_payload_types_need_no_rtpmap() {
    let media = Media::bare("m=audio 9 UDP/TLS/RTP/SAVPF 0 8 9", "0");
    let negotiated = Server::new().answer(&Offer::bundled([media]).text()).unwrap();
    let codecs: Vec<Codec> = line(&negotiated, "0").codecs.iter().map(|codec| codec.codec).collect();
    assert_eq!(codecs, [Codec::Pcmu, Codec::Pcma, Codec::G722]);
}

#[test]
fn payload_types_that_look_like_rtcp_are_left_out() {
    let media = Media::bare("m=audio 9 UDP/TLS/RTP/SAVPF 72 0", "0").with("a=rtpmap:72 opus/48000/2");
    let negotiated = Server::new().answer(&Offer::bundled([media]).text()).unwrap();
    assert_eq!(parsed(&negotiated).media[0].formats, ["0"]);
}

#[test]
fn opus_is_answered_with_fec_and_what_the_offer_says_of_the_stream() {
    let media = Media::bare("m=audio 9 UDP/TLS/RTP/SAVPF 111", "0").with("a=rtpmap:111 OPUS/48000/2");
    let plain = Server::new().answer(&Offer::bundled([media.clone()]).text()).unwrap();
    assert!(plain.answer.contains("a=fmtp:111 useinbandfec=1\r\n"));
    let media = media.with("a=fmtp:111 minptime=20; usedtx=1;stereo=1;useinbandfec=0;x-unknown=1");
    let more = Server::new().answer(&Offer::bundled([media]).text()).unwrap();
    assert!(
        more.answer.contains("a=fmtp:111 minptime=20;usedtx=1;stereo=1;useinbandfec=1\r\n"),
        "{}",
        more.answer
    );
}

#[test]
fn redundancy_of_opus_is_answered_where_it_is_offered() {
    let with_red = |parameters: &str| {
        let media = Media::bare("m=audio 9 UDP/TLS/RTP/SAVPF 63 111 0", "0")
            .with("a=rtpmap:63 red/48000/2")
            .with("a=rtpmap:111 opus/48000/2");
        let media = if parameters.is_empty() { media } else { media.with(parameters) };
        let negotiated = Server::new().answer(&Offer::bundled([media]).text()).unwrap();
        (line(&negotiated, "0").codecs[0], negotiated)
    };
    let (opus, negotiated) = with_red("a=fmtp:63 111/111");
    assert_eq!((opus.codec, opus.pt, opus.red_pt), (Codec::Opus, 111, Some(63)));
    assert_eq!(
        parsed(&negotiated).media[0].formats,
        ["63", "111", "0"],
        "the client's order says what it sends"
    );
    assert!(negotiated.answer.contains("a=rtpmap:63 red/48000/2\r\n"));
    assert!(negotiated.answer.contains("a=fmtp:63 111/111\r\n"));
    assert!(opus.carries(63) && opus.carries(111) && !opus.carries(0));

    for other in
        ["", "a=fmtp:63 0/0", "a=fmtp:63 111/0", "a=fmtp:63 112/112", "a=fmtp:63 111/", "a=fmtp:63 x"]
    {
        let (opus, negotiated) = with_red(other);
        assert_eq!((opus.pt, opus.red_pt), (111, None), "{other}");
        assert_eq!(parsed(&negotiated).media[0].formats, ["111", "0"], "{other}");
    }
}

#[test]
fn what_the_client_can_decode_does_not_bound_what_it_sends() {
    let media = Media::video("0", SendOnly).with("a=fmtp:96 max-fs=8160;max-fr=30");
    let negotiated = Server::new().answer(&Offer::bundled([media]).text()).unwrap();
    assert!(!negotiated.answer.contains("max-fs"));
}

#[test]
fn feedback_is_answered_as_offered_with_one_way_to_estimate() {
    let negotiated = Server::new().answer(&Offer::bundled([Media::video("0", SendOnly)]).text()).unwrap();
    let feedback = line(&negotiated, "0").codecs[0].feedback;
    assert!(feedback.nack && feedback.pli && feedback.fir && feedback.transport_cc && !feedback.remb);
    assert!(!negotiated.answer.contains("goog-remb"));
    let other = line(&negotiated, "0").codecs[1].feedback;
    assert!(!other.nack, "H264 was offered without feedback");

    let without = Media::video("0", SendOnly).without("a=extmap:3");
    let negotiated = Server::new().answer(&Offer::bundled([without]).text()).unwrap();
    let feedback = line(&negotiated, "0").codecs[0].feedback;
    assert!(feedback.remb && !feedback.transport_cc, "no transport-wide feedback without its extension");
}

#[test]
fn feedback_for_all_payload_types_is_understood() {
    let media =
        Media::video("0", SendOnly).without("a=rtcp-fb").with("a=rtcp-fb:* nack").with("a=rtcp-fb:* ccm fir");
    let negotiated = Server::new().answer(&Offer::bundled([media]).text()).unwrap();
    assert!(line(&negotiated, "0").codecs.iter().all(|codec| codec.feedback.nack && codec.feedback.fir));
    assert!(negotiated.answer.contains("a=rtcp-fb:102 nack\r\n"));
}

#[test]
fn content_is_mirrored_and_read() {
    let media = |mid: &str, content: &str| Media::video(mid, SendOnly).with(&format!("a=content:{content}"));
    let all = [media("0", "main"), media("1", "slides"), media("2", "speaker"), Media::video("3", SendOnly)];
    let negotiated = Server::new().answer(&Offer::bundled(all).text()).unwrap();
    let semantics: Vec<Semantic> = negotiated.media.iter().map(|line| line.semantic).collect();
    assert_eq!(semantics, [Semantic::Main, Semantic::Presentation, Semantic::Misc, Semantic::Main]);
    let contents: Vec<_> = parsed(&negotiated).media.into_iter().map(|media| media.content).collect();
    assert_eq!(contents, [Some("main".into()), Some("slides".into()), Some("speaker".into()), None]);
}

#[test]
fn a_bundle_only_line_is_accepted() {
    let only = Media::video("1", RecvOnly).port(0).with("a=bundle-only");
    let offer = Offer::bundled([Media::audio("0", SendOnly), only]);
    assert_eq!(state(&mut Server::new(), &offer, "1"), LineState::Active);
}

#[test]
fn a_stopped_line_is_answered_by_port_0_and_left_out_of_the_bundle() {
    let mut server = Server::new();
    let video = Media::video("1", SendOnly);
    server.answer(&Offer::bundled([Media::audio("0", SendOnly), video.clone()]).text()).unwrap();
    let stopped = Offer::unbundled([Media::audio("0", SendOnly), video.port(0)]).with("a=group:BUNDLE 0");
    let negotiated = server.answer(&stopped.text()).unwrap();
    assert_eq!(line(&negotiated, "1").state, LineState::Stopped);
    assert!(negotiated.answer.contains("a=group:BUNDLE 0\r\n"));
}

#[test]
fn the_place_of_a_line_is_taken_by_a_new_mid_with_a_new_slot() {
    let mut server = Server::new();
    let first = server.answer(&Offer::bundled([Media::audio("0", RecvOnly)]).text()).unwrap();
    let second = server.answer(&Offer::bundled([Media::video("new", RecvOnly)]).text()).unwrap();
    assert_ne!(line(&first, "0").send, line(&second, "new").send);
    assert_eq!(second.media.len(), 1);
}

#[test]
fn an_inactive_line_is_answered_inactive_and_comes_back_as_it_was() {
    let mut server = Server::new();
    let offer =
        |direction| Offer::bundled([Media::audio("0", SendOnly), Media::video("1", direction)]).text();
    let first = server.answer(&offer(RecvOnly)).unwrap();
    let paused = server.answer(&offer(Inactive)).unwrap();
    assert_eq!(line(&paused, "1").state, LineState::Inactive);
    assert_eq!(parsed(&paused).media[1].direction, Some(Inactive));
    assert_ne!(parsed(&paused).media[1].port, 0);
    let again = server.answer(&offer(RecvOnly)).unwrap();
    assert_eq!(line(&again, "1").send, line(&first, "1").send);
}

#[test]
fn what_is_no_media_is_rejected_and_the_rest_is_served() {
    let text = Media::bare("m=text 9 UDP/TLS/RTP/SAVPF 98", "2");
    let offer = Offer::bundled([Media::application("0"), Media::audio("1", SendOnly), text]);
    let negotiated = Server::new().answer(&offer.text()).unwrap();
    let ports: Vec<u16> = parsed(&negotiated).media.iter().map(|media| media.port).collect();
    assert_eq!(ports, [0, 9, 0]);
    assert_eq!(negotiated.media.len(), 1, "only audio and video are listed");
    assert!(negotiated.answer.contains("a=group:BUNDLE 1\r\n"));
}

#[test]
fn a_line_without_a_common_codec_is_rejected() {
    let media = Media::bare("m=video 9 UDP/TLS/RTP/SAVPF 100", "1").with("a=rtpmap:100 H265/90000");
    let offer = Offer::bundled([Media::audio("0", SendOnly), media]);
    let expected = LineState::Rejected(RejectReason::NoCommonCodec);
    assert_eq!(state(&mut Server::new(), &offer, "1"), expected);
}

#[test]
fn a_line_without_rtp_is_rejected() {
    let media = Media::bare("m=audio 9 DTLS/SCTP 5000", "1");
    let offer = Offer::bundled([Media::audio("0", SendOnly), media]);
    assert_eq!(state(&mut Server::new(), &offer, "1"), LineState::Rejected(RejectReason::Protocol));
}

#[test]
fn a_line_outside_of_the_bundle_is_rejected() {
    let offer = Offer::unbundled([
        Media::audio("0", SendOnly),
        Media::video("1", SendOnly),
        Media::audio("2", RecvOnly),
    ])
    .with("a=group:BUNDLE 1 2");
    let negotiated = Server::new().answer(&offer.text()).unwrap();
    let states: Vec<LineState> = negotiated.media.iter().map(|line| line.state).collect();
    let refused = LineState::Rejected(RejectReason::NotBundled);
    assert_eq!(states, [refused, LineState::Active, LineState::Active]);
}

#[test]
fn one_line_needs_no_bundle_and_no_mid() {
    let negotiated = Server::new().answer(&Offer::unbundled([Media::audio("", SendRecv)]).text()).unwrap();
    assert_eq!(line(&negotiated, "0").state, LineState::Active);
    assert!(!negotiated.answer.contains("a=mid") && !negotiated.answer.contains("a=group"));
}

#[test]
fn simulcast_by_rid_with_sizes_pauses_and_alternatives() {
    let media = Media::video("0", SendOnly)
        .with("a=rid:h send max-width=1280;max-height=720")
        .with("a=rid:m send pt=96;max-width=640;max-height=360.0")
        .with("a=rid:l send")
        .with("a=rid:x send pt=118")
        .with("a=simulcast:send h;~m,l;x;l");
    let negotiated = Server::new().answer(&Offer::bundled([media]).text()).unwrap();
    let receive = line(&negotiated, "0").receive.as_ref().unwrap();
    let layers: Vec<_> = receive.layers.iter().map(|l| (l.rid.as_str(), l.width, l.height)).collect();
    assert_eq!(
        layers,
        [("h", 1280, 720), ("m", 640, 360), ("l", 0, 0)],
        "x is only for RED, which is refused"
    );
    for expected in ["a=rid:h recv\r\n", "a=rid:m recv pt=96\r\n", "a=simulcast:recv h;m;l\r\n"] {
        assert!(negotiated.answer.contains(expected), "{expected} is missing in {}", negotiated.answer);
    }
}

#[test]
fn simulcast_of_old_firefox_is_understood() {
    let media = Media::video("0", SendOnly)
        .with("a=rid:a send")
        .with("a=rid:b send")
        .with("a=simulcast: send rid=a;b");
    let negotiated = Server::new().answer(&Offer::bundled([media]).text()).unwrap();
    assert!(negotiated.answer.contains("a=simulcast:recv a;b\r\n"));
}

#[test]
fn there_are_at_most_so_many_layers() {
    let media = (0..8).fold(Media::video("0", SendOnly), |media, n| media.with(&format!("a=rid:r{n} send")));
    let media = media.with("a=simulcast:send r0;r1;r2;r3;r4;r5;r6;r7");
    let negotiated = Server::new().answer(&Offer::bundled([media]).text()).unwrap();
    assert_eq!(line(&negotiated, "0").receive.as_ref().unwrap().layers.len(), LAYERS_MAX);
}

#[test]
fn sizes_of_image_attributes_are_those_of_the_layers() {
    let media = Media::video("0", SendOnly)
        .with("a=rid:a send")
        .with("a=rid:b send")
        .with("a=simulcast:send a;b")
        .with("a=imageattr:* send [x=1280,y=720] [x=640,y=360,q=0.5] recv [x=100,y=100]");
    let negotiated = Server::new().answer(&Offer::bundled([media]).text()).unwrap();
    let receive = line(&negotiated, "0").receive.as_ref().unwrap();
    let sizes: Vec<_> = receive.layers.iter().map(|layer| (layer.width, layer.height)).collect();
    assert_eq!(sizes, [(1280, 720), (640, 360)]);
}

#[test]
fn announced_ssrcs_come_with_their_retransmission_and_without_helpers() {
    let media = Media::video("0", SendOnly)
        .with("a=ssrc-group:SIM 1 3 5")
        .with("a=ssrc-group:FID 1 2")
        .with("a=ssrc-group:FID 3 4")
        .with("a=ssrc-group:FEC-FR 1 9");
    let media = [1, 2, 3, 4, 5, 9].iter().fold(media, |media, n| media.with(&format!("a=ssrc:{n} cname:c")));
    let media = media.with("a=ssrc:1 msid:stream track");
    let negotiated = Server::new().answer(&Offer::bundled([media]).text()).unwrap();
    let receive = line(&negotiated, "0").receive.as_ref().unwrap();
    assert_eq!(receive.ssrcs, [(1, Some(2)), (3, Some(4)), (5, None)]);
    assert_eq!(receive.msid.as_ref().map(|msid| msid.to_string()), Some("stream track".into()));
}

#[test]
fn extensions_keep_the_offerers_ids_and_directions_are_turned() {
    let media = Media::video("0", SendRecv)
        .with("a=extmap:5/recvonly http://www.webrtc.org/experiments/rtp-hdrext/playout-delay")
        .with("a=extmap:6/sendonly http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time")
        .with("a=extmap:7/inactive http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time")
        .with("a=extmap:8 urn:ietf:params:rtp-hdrext:ssrc-audio-level")
        .with("a=extmap:12 https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension");
    let negotiated = Server::new().answer(&Offer::bundled([media]).text()).unwrap();
    let line = line(&negotiated, "0");
    let (receive, send) = (line.receive_extensions, line.send_extensions);
    assert_eq!((receive.mid, receive.rid, receive.transport_wide_cc), (Some(4), Some(10), Some(3)));
    assert_eq!((receive.playout_delay, send.playout_delay), (None, Some(5)));
    assert_eq!((receive.abs_send_time, send.abs_send_time), (Some(6), None));
    assert_eq!((receive.abs_capture_time, send.abs_capture_time), (None, None));
    assert_eq!(receive.audio_level, None, "video has no level");
    assert_eq!((receive.dependency_descriptor, send.dependency_descriptor), (Some(12), Some(12)));
    assert!(negotiated.answer.contains("a=extmap:5/sendonly http"));
    assert!(negotiated.answer.contains("a=extmap:6/recvonly http"));
    assert!(
        negotiated.answer.contains("a=extmap:12 https://aomediacodec.github.io/av1-rtp-spec/#dependency")
    );
}

#[test]
fn large_extension_ids_need_the_mixed_form() {
    let media = Media::audio("0", SendRecv)
        .with("a=extmap:20 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time")
        .with("a=extmap:15 http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time");
    let plain = Server::new().answer(&Offer::bundled([media.clone()]).text()).unwrap();
    assert_eq!(plain.extensions.abs_send_time, None);
    let mixed = Offer::bundled([media.with("a=extmap-allow-mixed")]);
    let mixed = Server::new().answer(&mixed.text()).unwrap();
    assert_eq!(mixed.extensions.abs_send_time, Some(20));
    assert_eq!(mixed.extensions.abs_capture_time, None, "15 is reserved");
    assert!(mixed.extensions.needs_two_byte_form());
    assert!(mixed.answer.contains("a=extmap-allow-mixed\r\n"));
}

#[test]
fn an_id_means_the_same_on_every_line() {
    let audio = Media::audio("0", SendRecv);
    let clash = Media::video("1", SendRecv)
        .without("a=extmap:4")
        .with("a=extmap:4 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time")
        .with("a=extmap:9 urn:ietf:params:rtp-hdrext:sdes:mid");
    let negotiated = Server::new().answer(&Offer::bundled([audio, clash]).text()).unwrap();
    let video = line(&negotiated, "1");
    assert_eq!((video.receive_extensions.abs_send_time, video.receive_extensions.mid), (None, None));
    assert_eq!(negotiated.extensions.mid, Some(4));
}

#[test]
fn voice_activity_is_meant_unless_switched_off() {
    let media = Media::audio("0", SendRecv).without("a=extmap:1");
    let level = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";
    for (attributes, expected) in [("", true), (" vad=on", true), (" vad=off", false)] {
        let offer = Offer::bundled([media.clone().with(&format!("a=extmap:1 {level}{attributes}"))]);
        let negotiated = Server::new().answer(&offer.text()).unwrap();
        assert_eq!(line(&negotiated, "0").receive_extensions.audio_level_vad, expected);
        assert!(negotiated.answer.contains(&format!("a=extmap:1 {level}{attributes}\r\n")));
    }
}

#[test]
fn reduced_size_rtcp_is_mirrored() {
    let offer = Offer::bundled([Media::audio("0", SendRecv), Media::video("1", SendRecv)]);
    assert!(Server::new().answer(&offer.text()).unwrap().rtcp_reduced_size);
    let offer =
        Offer::bundled([Media::audio("0", SendRecv).without("a=rtcp-rsize"), Media::video("1", SendRecv)]);
    let negotiated = Server::new().answer(&offer.text()).unwrap();
    assert!(!negotiated.rtcp_reduced_size);
    let answered: Vec<bool> = parsed(&negotiated).media.iter().map(|media| media.rtcp_reduced_size).collect();
    assert_eq!(answered, [false, true]);
}

#[test]
fn the_answer_is_lite_passive_and_has_all_candidates_once() {
    let offer = Offer::bundled([Media::audio("0", SendRecv), Media::video("1", SendRecv)]);
    let negotiated = Server::new().answer(&offer.text()).unwrap();
    let count = |needle: &str| negotiated.answer.matches(needle).count();
    assert_eq!(count("a=ice-lite\r\n"), 1);
    assert_eq!(count("a=setup:passive\r\n"), 2);
    assert_eq!(count("a=candidate:"), 2);
    assert_eq!(count("a=end-of-candidates\r\n"), 1);
    assert!(negotiated.answer.find("m=video") > negotiated.answer.find("a=end-of-candidates"));
}

#[test]
fn the_version_of_the_session_counts_answers() {
    let mut server = Server::new();
    let offer = Offer::bundled([Media::audio("0", SendRecv)]).text();
    for version in 1..=3 {
        let negotiated = server.answer(&offer).unwrap();
        assert!(negotiated.answer.starts_with(&format!("v=0\r\no=- 4242 {version} IN IP4 127.0.0.1\r\n")));
    }
    server.answer("v=0\r\n").unwrap_err();
    assert_eq!(parsed(&server.answer(&offer).unwrap()).session_version, 4, "a refused offer does not count");
}

#[test]
fn the_transport_is_read_from_the_session_where_lines_lack_it() {
    let media = Media::audio("0", SendRecv).without("a=ice-").without("a=fingerprint").without("a=setup");
    let sha512 = format!("a=fingerprint:SHA-512 {}", ["AB"; 64].join(":"));
    let offer = Offer::bundled([media.with("a=candidate:1 1 udp 1 192.0.2.9 1234 typ host")])
        .with("a=ice-ufrag:sess")
        .with("a=ice-pwd:0123456789abcdefghijkl")
        .with("a=ice-options:trickle renomination")
        .with(&sha512)
        .with("a=fingerprint:sha-1 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33");
    let negotiated = Server::new().answer(&offer.text()).unwrap();
    let remote = negotiated.remote.unwrap();
    assert_eq!(remote.ufrag, "sess");
    assert_eq!(remote.ice_options, ["trickle", "renomination"]);
    assert_eq!(remote.setup, Setup::Active, "RFC 4145 §4: the default");
    let hashes: Vec<HashAlgorithm> = remote.fingerprints.iter().map(|print| print.hash).collect();
    assert_eq!(hashes, [HashAlgorithm::Sha512], "SHA-1 is not trusted");
    assert_eq!(negotiated.candidates, ["candidate:1 1 udp 1 192.0.2.9 1234 typ host"]);
}

#[test]
fn a_rejected_first_line_lends_its_transport_to_the_bundle() {
    let audio = Media::audio("1", SendRecv).port(0).with("a=bundle-only");
    let audio = audio.without("a=ice-").without("a=fingerprint").without("a=setup");
    let offer = Offer::bundled([Media::application("0"), audio]);
    let negotiated = Server::new().answer(&offer.text()).unwrap();
    assert_eq!(negotiated.remote.unwrap().ufrag, "abcd");
}

#[test]
fn a_line_with_a_transport_of_its_own_is_reached_there_when_the_first_is_rejected() {
    let audio = Media::audio("1", SendRecv).without("a=ice-ufrag").with("a=ice-ufrag:own1");
    let audio = audio.with("a=candidate:1 1 udp 1 192.0.2.9 1234 typ host");
    let first = Media::application("0").with("a=candidate:1 1 udp 1 192.0.2.9 999 typ host");
    let negotiated = Server::new().answer(&Offer::bundled([first, audio]).text()).unwrap();
    assert_eq!(negotiated.remote.unwrap().ufrag, "own1");
    assert_eq!(negotiated.candidates, ["candidate:1 1 udp 1 192.0.2.9 1234 typ host"]);
}

#[test]
fn a_payload_type_named_twice_is_answered_once() {
    let media = Media::bare("m=audio 9 UDP/TLS/RTP/SAVPF 0 8 0 8", "0");
    let negotiated = Server::new().answer(&Offer::bundled([media]).text()).unwrap();
    assert_eq!(parsed(&negotiated).media[0].formats, ["0", "8"]);
    assert_eq!(line(&negotiated, "0").codecs.len(), 2);
}

#[test]
fn old_and_other_rtp_profiles_are_mirrored() {
    for protocol in ["RTP/SAVPF", "UDP/TLS/RTP/SAVP", "TCP/DTLS/RTP/SAVPF"] {
        let media = Media::bare(&format!("m=audio 9 {protocol} 0"), "0");
        let negotiated = Server::new().answer(&Offer::bundled([media]).text()).unwrap();
        assert!(negotiated.answer.contains(&format!("m=audio 9 {protocol} 0\r\n")));
    }
}

#[test]
fn line_feeds_alone_and_blank_lines_are_read() {
    let text = Offer::bundled([Media::audio("0", SendRecv)]).text().replace("\r\n", "\n") + "\n\n";
    assert!(Server::new().answer(&text).is_ok());
}

#[test]
fn packets_go_where_their_codec_fits() {
    let codecs = |lines: &[&str]| {
        let formats: Vec<String> = (96..96 + lines.len()).map(|pt| pt.to_string()).collect();
        let media = Media::bare(&format!("m=video 9 UDP/TLS/RTP/SAVPF {}", formats.join(" ")), "0");
        let media = lines.iter().zip(&formats).fold(media, |media, (line, pt)| {
            let (name, parameters) = line.split_once(' ').unwrap_or((line, "x-none=1"));
            media.with(&format!("a=rtpmap:{pt} {name}/90000")).with(&format!("a=fmtp:{pt} {parameters}"))
        });
        let negotiated = Server::new().answer(&Offer::bundled([media]).text()).unwrap();
        line(&negotiated, "0").codecs.clone()
    };
    let h264 = |mode: u8, profile: &str| format!("H264 packetization-mode={mode};profile-level-id={profile}");
    let all = [&*h264(1, "42e01f"), &h264(0, "42e01f"), &h264(1, "640c1f"), &h264(1, "42001f"), "VP8"];
    let receiver = codecs(&[all[2], all[0], "VP9 profile-id=2", "VP9", "AV1 profile=1", "VP8"]);
    let pt = |sender: &str| pick(&codecs(&[sender])[0], &receiver).map(|codec| codec.pt);
    assert_eq!(pt(all[0]), Some(97), "exactly the same comes before a larger profile");
    assert_eq!(pt(all[1]), Some(96), "single NAL units are understood by those who take fragments");
    assert_eq!(pt(all[3]), None, "baseline is no part of constrained baseline");
    assert_eq!(pt("VP9"), Some(99));
    assert_eq!(pt("VP9 profile-id=1"), None);
    assert_eq!(pt("AV1"), Some(100), "high includes main");
    assert_eq!(pt("AV1 profile=2"), None);
    assert_eq!(pt("VP8"), Some(101));
    let single = codecs(&[all[1]]);
    assert!(!codecs(&[all[0]])[0].matches(&single[0]), "fragments need a receiver that takes them");
    let CodecProfile::H264 { profile, .. } = single[0].profile else { panic!("H.264") };
    assert_eq!(profile, H264Profile::ConstrainedBaseline);
}

#[test]
fn a_description_is_a_value() {
    let text = Offer::bundled([Media::audio("0", SendRecv)]).text();
    assert!(text.contains(FINGERPRINT));
    assert_eq!(SessionDescription::parse(&text), SessionDescription::parse(&text));
}
