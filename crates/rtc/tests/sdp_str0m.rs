//! str0m, an independent implementation, offers and takes our answers.

mod sdp_support;

use std::time::Instant;

use rtc::sdp::{LineState, Negotiated};
use str0m::Rtc;
use str0m::change::SdpAnswer;
use str0m::media::{Direction, MediaKind, Mid, Simulcast, SimulcastLayer};

use sdp_support::{Server, line};

/// str0m wants a beginning of time; nothing here waits for it.
#[expect(clippy::disallowed_methods, reason = "a test may read the clock once, as its base")]
fn client() -> Rtc {
    Rtc::new(Instant::now())
}

/// Offers what `change` does, and takes the answer.
fn exchange<T>(
    client: &mut Rtc,
    server: &mut Server,
    change: impl FnOnce(&mut str0m::change::SdpApi<'_>) -> T,
) -> (T, Negotiated) {
    let mut api = client.sdp_api();
    let result = change(&mut api);
    let (offer, pending) = api.apply().expect("a change");
    let negotiated = server.answer(&offer.to_sdp_string()).expect("an answer");
    let answer = SdpAnswer::from_sdp_string(&negotiated.answer).expect("str0m reads it");
    client.sdp_api().accept_answer(pending, answer).expect("str0m takes it");
    (result, negotiated)
}

fn add(api: &mut str0m::change::SdpApi<'_>, kind: MediaKind, direction: Direction) -> Mid {
    api.add_media(kind, direction, None, None, None)
}

#[test]
fn it_takes_audio_and_video_both_ways() {
    let (mut client, mut server) = (client(), Server::new());
    let (mids, negotiated) = exchange(&mut client, &mut server, |api| {
        [MediaKind::Audio, MediaKind::Video].map(|kind| add(api, kind, Direction::SendRecv))
    });
    for mid in mids {
        let ours = line(&negotiated, &mid.to_string());
        assert_eq!(ours.state, LineState::Active);
        let media = client.media(mid).expect("agreed");
        assert_eq!(media.direction(), Direction::SendRecv);
        let agreed: Vec<u8> = media.remote_pts().iter().map(|pt| **pt).collect();
        assert!(ours.codecs.iter().all(|codec| agreed.contains(&codec.pt)));
    }
}

#[test]
fn it_takes_twenty_lines_and_more_in_later_offers() {
    let (mut client, mut server) = (client(), Server::new());
    let (mids, first) = exchange(&mut client, &mut server, |api| {
        let mut mids = vec![
            add(api, MediaKind::Audio, Direction::SendOnly),
            add(api, MediaKind::Video, Direction::SendOnly),
        ];
        mids.extend((0..18).map(|n| {
            let kind = if n % 2 == 0 { MediaKind::Audio } else { MediaKind::Video };
            add(api, kind, Direction::RecvOnly)
        }));
        mids
    });
    assert_eq!(first.media.len(), 20);
    assert!(mids.iter().all(|mid| client.media(*mid).is_some()));
    let (mid, second) =
        exchange(&mut client, &mut server, |api| add(api, MediaKind::Video, Direction::SendOnly));
    assert_eq!(second.media.len(), 21);
    assert_eq!(line(&second, &mid.to_string()).state, LineState::Active);
    let kept = first.media.iter().zip(&second.media).all(|(before, after)| before.send == after.send);
    assert!(kept, "slots stay");
}

#[test]
fn it_takes_simulcast() {
    let (mut client, mut server) = (client(), Server::new());
    let (mid, negotiated) = exchange(&mut client, &mut server, |api| {
        let mut simulcast = Simulcast::new();
        for rid in ["q", "h", "f"] {
            simulcast.add_send_layer(SimulcastLayer::new(rid));
        }
        api.add_media(MediaKind::Video, Direction::SendOnly, None, None, Some(simulcast))
    });
    let receive = line(&negotiated, &mid.to_string()).receive.as_ref().expect("it sends");
    let rids: Vec<&str> = receive.layers.iter().map(|layer| layer.rid.as_str()).collect();
    assert_eq!(rids, ["q", "h", "f"]);
}

#[test]
fn it_takes_the_refusal_of_a_data_channel() {
    let (mut client, mut server) = (client(), Server::new());
    let (mid, negotiated) = exchange(&mut client, &mut server, |api| {
        api.add_channel("chat".to_owned());
        add(api, MediaKind::Audio, Direction::SendRecv)
    });
    assert_eq!(line(&negotiated, &mid.to_string()).state, LineState::Active);
}

#[test]
fn it_takes_changed_directions_and_stopped_lines() {
    let (mut client, mut server) = (client(), Server::new());
    let (mids, _) = exchange(&mut client, &mut server, |api| {
        [MediaKind::Audio, MediaKind::Video].map(|kind| add(api, kind, Direction::RecvOnly))
    });
    let (_, paused) =
        exchange(&mut client, &mut server, |api| api.set_direction(mids[1], Direction::Inactive));
    assert_eq!(line(&paused, &mids[1].to_string()).state, LineState::Inactive);
    let (_, stopped) = exchange(&mut client, &mut server, |api| api.stop_media(mids[1]));
    assert_eq!(line(&stopped, &mids[1].to_string()).state, LineState::Stopped);
}

#[test]
fn it_takes_an_ice_restart() {
    let (mut client, mut server) = (client(), Server::new());
    let (_, first) =
        exchange(&mut client, &mut server, |api| add(api, MediaKind::Audio, Direction::SendRecv));
    let (_, second) = exchange(&mut client, &mut server, |api| api.ice_restart(true));
    assert_ne!(first.remote.map(|remote| remote.ufrag), second.remote.map(|remote| remote.ufrag));
}
