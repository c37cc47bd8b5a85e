//! Every recorded offer of a real client is answered, and the answer obeys the rules. `corpus/README.md` says how each
//! was recorded.

mod sdp_support;

use std::collections::BTreeMap;
use std::path::Path;

use model::{Codec, MediaKind, Semantic};
use rtc::sdp::{Direction, LineState, MediaType, Negotiated, RejectReason, SessionDescription};

use sdp_support::{Server, line, parsed};

/// The offers of one peer connection, in order.
struct Scenario {
    name: String,
    offers: Vec<String>,
}

/// Reads `<client>-<version>.<scenario>.<step>.sdp`.
fn corpus() -> Vec<Scenario> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut offers_by_scenario: BTreeMap<String, BTreeMap<u32, String>> = BTreeMap::new();
    for entry in folder.read_dir().expect("the corpus") {
        let path = entry.expect("a file").path();
        if path.extension().is_none_or(|extension| extension != "sdp") {
            continue;
        }
        let stem = path.file_stem().and_then(|stem| stem.to_str()).expect("a name").to_owned();
        let (name, step) = stem.rsplit_once('.').expect("a step");
        let text = std::fs::read_to_string(&path).expect("text");
        let step = step.parse().expect("a number");
        offers_by_scenario.entry(name.to_owned()).or_default().insert(step, text);
    }
    let scenario = |(name, offers): (String, BTreeMap<u32, String>)| Scenario {
        name,
        offers: offers.into_values().collect(),
    };
    offers_by_scenario.into_iter().map(scenario).collect()
}

/// All answers of a scenario.
fn replay(name: &str) -> Vec<Negotiated> {
    let scenario = corpus().into_iter().find(|scenario| scenario.name == name);
    let offers = scenario.unwrap_or_else(|| panic!("{name} is not in the corpus")).offers;
    let mut server = Server::new();
    offers.iter().map(|offer| server.answer(offer).expect("an answer")).collect()
}

#[test]
fn the_corpus_is_there() {
    let names: Vec<String> = corpus().into_iter().map(|scenario| scenario.name).collect();
    for client in ["chromium-", "firefox-", "safari-", "aiortc-", "webrtcbin-"] {
        assert!(names.iter().any(|name| name.starts_with(client)), "no offer of {client} in {names:?}");
    }
}

#[test]
fn every_recorded_offer_is_answered() {
    for scenario in corpus() {
        let mut server = Server::new();
        for (index, offer) in scenario.offers.iter().enumerate() {
            let step = format!("{} step {}", scenario.name, index + 1);
            let negotiated = server.answer(offer).unwrap_or_else(|error| panic!("{step}: {error}"));
            assert_eq!(parsed(&negotiated).session_version, index as u64 + 1, "{step}");
            if !scenario.name.ends_with(".unbundled") {
                check_nothing_is_refused_that_could_be_served(&step, offer, &negotiated);
            }
        }
    }
}

fn check_nothing_is_refused_that_could_be_served(step: &str, offer: &str, negotiated: &Negotiated) {
    let offer = SessionDescription::parse(offer).expect("it was answered");
    let served = negotiated.media.iter().filter(|line| line.state != LineState::Stopped);
    for line in served {
        assert!(
            !matches!(line.state, LineState::Rejected(_)),
            "{step}: mid {} is {:?}",
            line.mid,
            line.state
        );
    }
    let media = offer.media.iter().filter(|media| media.media != MediaType::Application).count();
    assert_eq!(negotiated.media.len(), media, "{step}");
}

#[test]
fn what_is_sent_on_an_m_line_stays_the_same_while_it_lives() {
    for scenario in corpus() {
        let mut server = Server::new();
        let mut slots_by_mid = BTreeMap::new();
        for offer in &scenario.offers {
            let negotiated = server.answer(offer).expect("an answer");
            for line in negotiated.media {
                let Some(slot) = line.send else { continue };
                let known = slots_by_mid.entry(line.mid).or_insert_with(|| slot.clone());
                assert_eq!(*known, slot, "{}: mid {}", scenario.name, line.mid);
            }
        }
    }
}

#[test]
fn reading_and_writing_a_recorded_offer_loses_nothing_that_matters() {
    for scenario in corpus() {
        for offer in &scenario.offers {
            let read = SessionDescription::parse(offer).expect("a description");
            let again = SessionDescription::parse(&read.to_string()).expect("what we wrote");
            assert_eq!(read, again, "{}", scenario.name);
        }
    }
}

#[test]
fn redundancy_of_sound_is_agreed_on_with_whoever_offers_it() {
    for (name, red_pt) in [
        ("chromium-156.sendrecv", Some(63)),
        ("safari-18.receive", Some(63)),
        ("firefox-153.sendrecv", None),
        ("aiortc-1.16.sendrecv", None),
    ] {
        let answers = replay(name);
        let sound = answers[0].media.iter().find(|line| line.kind == MediaKind::Audio).expect("sound");
        let opus = sound.codecs.iter().find(|codec| codec.codec == Codec::Opus).expect("Opus");
        assert_eq!(opus.red_pt, red_pt, "{name}");
    }
}

#[test]
fn simulcast_is_received_by_rid() {
    for name in ["chromium-156.simulcast", "firefox-153.simulcast"] {
        let answers = replay(name);
        let receive = line(&answers[0], "1").receive.as_ref().expect("the client sends");
        let rids: Vec<&str> = receive.layers.iter().map(|layer| layer.rid.as_str()).collect();
        assert_eq!(rids, ["l", "m", "h"], "{name}");
        assert!(answers[0].answer.contains("a=simulcast:recv l;m;h\r\n"), "{name}");
        assert!(answers[0].answer.contains("a=rid:m recv\r\n"), "{name}");
    }
}

#[test]
fn a_page_of_the_vpaas_package_gets_sizes_content_and_twenty_lines() {
    for name in ["chromium-156.vpaas-package", "firefox-153.vpaas-package"] {
        let answers = replay(name);
        assert_eq!(answers[0].media.len(), 20, "{name}");
        let receive = line(&answers[0], "1").receive.as_ref().expect("the client sends");
        let sizes: Vec<(u16, u16)> = receive.layers.iter().map(|layer| (layer.width, layer.height)).collect();
        assert_eq!(sizes, [(320, 180), (640, 360), (1280, 720)], "{name}");
        assert_eq!(line(&answers[0], "19").semantic, Semantic::Presentation, "{name}");
        assert!(
            answers[0].media[2..].iter().all(|line| line.send.is_some() && line.receive.is_none()),
            "{name}"
        );
        let slides = line(&answers[1], "20");
        assert_eq!((slides.kind, slides.semantic), (MediaKind::Video, Semantic::Presentation), "{name}");
        assert!(slides.receive.is_some() && slides.send.is_none(), "{name}");
        assert!(parsed(&answers[1]).media[20].content.as_deref() == Some("slides"), "{name}");
    }
}

#[test]
fn twenty_receive_lines_are_answered_sendonly_at_once() {
    for name in ["chromium-156.receive-20", "firefox-153.receive-20"] {
        let answer = parsed(&replay(name)[0]);
        assert_eq!(answer.media.len(), 22);
        let directions = answer.media[2..].iter().map(|media| media.direction);
        assert!(directions.into_iter().all(|direction| direction == Some(Direction::SendOnly)), "{name}");
    }
}

#[test]
fn a_stopped_line_is_answered_by_port_0_and_its_place_taken_by_a_new_mid() {
    for name in ["chromium-156.line-reused", "firefox-153.line-reused"] {
        let answers = replay(name);
        assert_eq!(line(&answers[1], "1").state, LineState::Stopped, "{name}");
        assert_eq!(parsed(&answers[1]).media[1].port, 0, "{name}");
        let reused = &answers[2].media[1];
        assert_eq!(reused.state, LineState::Active, "{name}");
        assert_ne!(reused.mid.as_str(), "1", "{name}");
        assert!(reused.send.is_some(), "{name}");
    }
}

#[test]
fn the_transport_moves_on_when_its_line_is_stopped() {
    for name in ["chromium-156.first-line-stopped", "firefox-153.first-line-stopped"] {
        let answers = replay(name);
        let stopped = parsed(&answers[1]);
        assert_eq!(stopped.media[0].port, 0, "{name}");
        assert!(!stopped.media[1].candidates.is_empty(), "{name}");
        assert_eq!(answers[0].remote, answers[1].remote, "{name}: the same transport");
        let again = parsed(&answers[2]);
        assert!(!again.media[0].candidates.is_empty(), "{name}: the new first m-line carries it");
    }
}

/// Both browsers then start ICE and DTLS anew, Firefox with the same credentials throughout.
#[test]
fn a_new_first_line_is_a_new_transport() {
    for (name, same_credentials) in
        [("chromium-156.first-line-stopped", false), ("firefox-153.first-line-stopped", true)]
    {
        let answers = replay(name);
        assert!(answers.iter().all(|answer| answer.new_transport), "{name}");
        let ufrag = |step: usize| answers[step].remote.as_ref().map(|remote| remote.ufrag.clone());
        assert_eq!(ufrag(0), ufrag(1), "{name}");
        assert_eq!(ufrag(1) == ufrag(2), same_credentials, "{name}");
    }
    for name in ["chromium-156.ice-restart", "firefox-153.ice-restart", "chromium-156.screen-added"] {
        let new: Vec<bool> = replay(name).iter().map(|answer| answer.new_transport).collect();
        assert_eq!(new, [true, false], "{name}");
    }
}

#[test]
fn an_ice_restart_shows_as_new_credentials() {
    for name in ["chromium-156.ice-restart", "firefox-153.ice-restart"] {
        let answers = replay(name);
        let remotes: Vec<_> =
            answers.iter().map(|answer| answer.remote.clone().expect("a transport")).collect();
        assert_ne!(remotes[0].ufrag, remotes[1].ufrag, "{name}");
        assert_ne!(remotes[0].pwd, remotes[1].pwd, "{name}");
        assert_eq!(remotes[0].fingerprints, remotes[1].fingerprints, "{name}");
    }
}

#[test]
fn a_data_channel_is_refused_and_the_rest_is_served() {
    for name in ["chromium-156.data-channel", "firefox-153.data-channel", "aiortc-1.16.data-channel"] {
        let answer = parsed(&replay(name)[0]);
        let application = answer.media.iter().find(|media| media.media == MediaType::Application);
        assert_eq!(application.map(|media| media.port), Some(0), "{name}");
        assert!(answer.media.iter().any(|media| media.port != 0), "{name}");
    }
}

#[test]
fn an_inactive_line_keeps_its_slot() {
    for name in ["chromium-156.inactive", "firefox-153.inactive"] {
        let answers = replay(name);
        assert_eq!(line(&answers[1], "1").state, LineState::Inactive, "{name}");
        assert_eq!(line(&answers[1], "1").send, None, "{name}");
        assert_eq!(line(&answers[0], "1").send, line(&answers[2], "1").send, "{name}");
    }
}

#[test]
fn when_every_line_is_stopped_the_connection_goes_on() {
    let answers = replay("firefox-153.all-stopped");
    assert!(answers[1].media.iter().all(|line| line.state == LineState::Stopped));
    assert_eq!(answers[1].remote, None, "Firefox says nothing of a transport then");
    assert_eq!(answers[2].media[1].state, LineState::Active);
    assert_eq!(answers[0].remote, answers[2].remote, "and comes back to the same one");
}

#[test]
fn bundle_only_lines_are_served() {
    let offer = corpus().into_iter().find(|scenario| scenario.name == "firefox-153.bundle-balanced");
    let offer = SessionDescription::parse(&offer.expect("recorded").offers[0]).expect("a description");
    assert!(
        offer.media.iter().any(|media| media.bundle_only && media.port == 0),
        "the recording has such a line"
    );
    let answers = replay("firefox-153.bundle-balanced");
    assert!(answers[0].media.iter().all(|line| line.state == LineState::Active));
}

/// webrtcbin bundles only when told to. What it has one transport for is served.
#[test]
fn of_unbundled_lines_the_first_is_served() {
    let answers = replay("webrtcbin-1.22.unbundled");
    let states: Vec<LineState> = answers[0].media.iter().map(|line| line.state).collect();
    assert_eq!(states, [LineState::Active, LineState::Rejected(RejectReason::NotBundled)]);
    assert!(parsed(&answers[0]).bundles.is_empty());
}
