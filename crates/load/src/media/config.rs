//! How a client's `str0m` is set up, and what it offers.

use std::time::Instant;

use anyhow::{Context, Result};
use model::{Codec, MediaKind};
use str0m::change::{SdpOffer, SdpPendingOffer};
use str0m::media::{Direction, Mid, Simulcast, SimulcastLayer};
use str0m::{Candidate, Rtc, RtcConfig};

use crate::args::Plan;

/// An offer, and what is needed to take its answer.
pub struct Negotiation {
    /// The client.
    pub rtc: Rtc,
    /// To be sent.
    pub offer: SdpOffer,
    /// To be given back with the answer.
    pub pending: SdpPendingOffer,
    /// The m-lines, in order.
    pub lines: Vec<(Mid, MediaKind)>,
}

/// Makes a client that sends (or receives) what the plan says, from that address.
///
/// # Errors
/// The address cannot be used as a candidate.
pub fn negotiate(plan: &Plan, sends: bool, local: std::net::SocketAddr, now: Instant) -> Result<Negotiation> {
    let mut rtc = client_config(plan).build(now);
    rtc.add_local_candidate(Candidate::host(local, "udp").context("no candidate")?);
    let mut changes = rtc.sdp_api();
    let (video, audio) = if sends {
        (plan.args.tracks_per_publisher, usize::from(plan.args.audio))
    } else {
        (plan.video_slots, plan.audio_slots)
    };
    let direction = if sends { Direction::SendOnly } else { Direction::RecvOnly };
    let mut lines = Vec::with_capacity(video + audio);
    for _ in 0..audio {
        let mid = changes.add_media(str0m::media::MediaKind::Audio, direction, None, None, None);
        lines.push((mid, MediaKind::Audio));
    }
    for _ in 0..video {
        let simulcast = if sends { simulcast(plan) } else { None };
        let mid = changes.add_media(str0m::media::MediaKind::Video, direction, None, None, simulcast);
        lines.push((mid, MediaKind::Video));
    }
    let (offer, pending) = changes.apply().context("nothing to offer")?;
    Ok(Negotiation { rtc, offer, pending, lines })
}

/// How every client is set up.
pub fn client_config(plan: &Plan) -> RtcConfig {
    let config = RtcConfig::new().set_rtp_mode(true).set_crypto_provider(super::keys::provider());
    let config = config.clear_codecs().enable_opus(true, false);
    match plan.codec {
        Codec::Vp9 => config.enable_vp9(true),
        Codec::H264 => config.enable_h264(true),
        Codec::Av1 => config.enable_av1(true),
        _ => config.enable_vp8(true),
    }
}

fn simulcast(plan: &Plan) -> Option<Simulcast> {
    let mut simulcast = Simulcast::new();
    for encoding in plan.encodings {
        let layer = SimulcastLayer::new_with_attributes(encoding.rid?);
        let layer = layer.max_width(encoding.width.into()).max_height(encoding.height.into()).max_fps(30);
        simulcast.add_send_layer(layer.build());
    }
    Some(simulcast)
}
