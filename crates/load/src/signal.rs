//! Joining a meeting as an application's client does, and asking for streams.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use futures_util::{SinkExt, StreamExt};
use model::{MediaKind, ParticipantId, StreamId};
use net::{UdpSocket, clock};
use str0m::change::SdpAnswer;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use tracing::{debug, warn};
use wire::meet::{Guest, NewRoom};
use wire::rest::{JoinDetails, JoinRequest};
use wire::server::{RosterEntry, RosterStream};
use wire::{ClientMessage, Envelope, ServerMessage};

use crate::args::Plan;
use crate::http::BaseUrl;
use crate::media::{
    Client, FleetHandle, Publisher, Receiver, Role, negotiate, slots_of_answer, socket_config,
    transport_cc_id,
};

/// A reply that takes longer has failed.
const REPLY_TIMEOUT: Duration = Duration::from_secs(30);

/// What all clients' signalling has seen.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Streams that the server has bound to a slot.
    pub(crate) bound: AtomicUsize,
    /// Requests that the server refused.
    pub(crate) refused: AtomicUsize,
    /// WebSockets that ended before we closed them.
    pub(crate) sockets_lost: AtomicUsize,
    /// The largest picture that the roster announced: width above 16 bits of height; 0 for none.
    pub(crate) announced: AtomicU32,
}

/// Sending or receiving, and the number among its kind.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Part {
    Publisher(usize),
    Receiver(usize),
}

/// Makes a room.
pub(crate) async fn new_room(url: &BaseUrl) -> Result<String> {
    let room: NewRoom = url.post("/meet/v1/rooms", "{}".to_owned()).await?;
    Ok(room.name)
}

/// Joins, hands the client to the fleet, and returns when it can send or has received. Signalling goes on in a task.
pub(crate) async fn join(
    plan: &Plan,
    room: &str,
    part: Part,
    ip: IpAddr,
    fleet: &FleetHandle,
    seen: Arc<Seen>,
) -> Result<()> {
    let guest: Guest = plan.url.post(&format!("/meet/v1/rooms/{room}/participants"), "{}".to_owned()).await?;
    let api = BaseUrl::parse(&guest.api_address).context("api_address of the participant")?;
    let joined = clock::now();
    let body = JoinRequest {
        participant_id: guest.participant_id.to_string(),
        participant_secret: guest.participant_secret.clone(),
    };
    let path = format!("/v1/meetings/{}/join", guest.meeting_id);
    let details: JoinDetails = api.post(&path, serde_json::to_string(&body)?).await?;
    let mut socket = Socket::connect(&details.location).await?;
    socket
        .request(ClientMessage::Authenticate {
            token: details.token,
            participant_id: guest.participant_id.to_string(),
        })
        .await
        .context("authenticate")?;
    if plan.args.hello {
        let client = concat!("althing-load ", env!("CARGO_PKG_VERSION")).to_owned();
        socket.send(ClientMessage::Hello { client, profile: serde_json::Value::Null }).await?;
    }
    let ready = offer(plan, part, ip, fleet, joined, &mut socket).await?;
    let wants = match part {
        Part::Publisher(_) => None,
        Part::Receiver(index) => Some(Wants::new(plan, guest.participant_id, index)),
    };
    tokio::spawn(attend(socket, wants, seen));
    timeout(plan.setup, ready).await.context("no media in time")?.context("the media session failed")
}

/// Offers, takes the answer, hands the client over.
async fn offer(
    plan: &Plan,
    part: Part,
    ip: IpAddr,
    fleet: &FleetHandle,
    joined: Instant,
    socket: &mut Socket,
) -> Result<oneshot::Receiver<()>> {
    let timestamps = matches!(part, Part::Receiver(index) if plan.args.delay && plan.feeds(index));
    let udp = UdpSocket::bind((ip, 0).into(), &socket_config(timestamps))?;
    let sends = matches!(part, Part::Publisher(_));
    let mut negotiation = negotiate(plan, sends, udp.local_addr(), clock::now())?;
    let sdp = negotiation.offer.to_sdp_string();
    debug!(sdp, "offer");
    let answer = match socket.request(ClientMessage::MediaOffer { sdp }).await.context("media_offer")? {
        ServerMessage::MediaOffer { sdp } => sdp,
        other => bail!("media_offer answered by {other:?}"),
    };
    debug!(answer, "answer");
    let parsed =
        SdpAnswer::from_sdp_string(&answer).with_context(|| format!("unreadable answer:\n{answer}"))?;
    negotiation.rtc.sdp_api().accept_answer(negotiation.pending, parsed).context("answer does not fit")?;
    let role = match part {
        Part::Publisher(index) => {
            Role::Publisher(Publisher::new(plan, index, &negotiation.lines, clock::now()))
        }
        Part::Receiver(index) => {
            let slots = slots_of_answer(&answer);
            let silent = slots.iter().filter(|slot| slot.ssrc.is_none()).count();
            ensure!(silent == 0, "{silent} m-lines of the answer declare no SSRC:\n{answer}");
            let mut receiver = Receiver::new(&negotiation.lines, &slots, plan.feeds(index));
            if plan.args.verify {
                receiver = receiver.with_verification(plan.codec);
            }
            if !plan.args.silent {
                receiver = receiver.with_light_reports(transport_cc_id(&answer), clock::now());
            }
            Role::Receiver(receiver)
        }
    };
    let (tell, ready) = oneshot::channel();
    fleet.add(Client::new(negotiation.rtc, udp, role, joined, tell));
    Ok(ready)
}

/// A WebSocket with envelopes.
struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    next_id: u64,
    /// The newest roster that came while something else was waited for.
    roster: Option<BTreeMap<ParticipantId, RosterEntry>>,
}

impl Socket {
    async fn connect(location: &str) -> Result<Self> {
        let connect = tokio_tungstenite::connect_async_with_config(location, None, true);
        let (stream, _) =
            timeout(REPLY_TIMEOUT, connect).await?.with_context(|| format!("WebSocket {location}"))?;
        Ok(Self { stream, next_id: 0, roster: None })
    }

    /// Sends a message with an id of its own, which is returned.
    async fn send(&mut self, message: ClientMessage) -> Result<String> {
        self.next_id += 1;
        let id = self.next_id.to_string();
        let envelope = Envelope { id: Some(id.clone()), ..Envelope::new(message) };
        self.stream.send(Message::text(serde_json::to_string(&envelope)?)).await?;
        Ok(id)
    }

    /// Sends a message and waits for its reply.
    async fn request(&mut self, message: ClientMessage) -> Result<ServerMessage> {
        let id = self.send(message).await?;
        let reply = async {
            loop {
                let envelope = self.receive().await?;
                match envelope.message {
                    ServerMessage::RosterUpdate { participants } => self.roster = Some(participants),
                    ServerMessage::Error { error_type, error_message, .. }
                        if envelope.reference.is_some() =>
                    {
                        bail!("{error_type:?}: {}", error_message.unwrap_or_default())
                    }
                    ServerMessage::ServerError { error_message } => bail!("server error: {error_message}"),
                    // The public package takes the next `media_offer` as the answer, with or without a `ref`.
                    message @ ServerMessage::MediaOffer { .. } => return Ok(message),
                    message if envelope.reference.as_deref() == Some(&id) => return Ok(message),
                    _ => {}
                }
            }
        };
        timeout(REPLY_TIMEOUT, reply).await.context("no reply in time")?
    }

    /// The next message that this version knows.
    async fn receive(&mut self) -> Result<Envelope<ServerMessage>> {
        while let Some(frame) = self.stream.next().await {
            match frame? {
                Message::Text(text) => match serde_json::from_str(&text) {
                    Ok(envelope) => return Ok(envelope),
                    Err(error) => debug!(%error, %text, "a message that is not known"),
                },
                Message::Close(Some(frame)) => bail!("closed by the server: {} {}", frame.code, frame.reason),
                _ => {}
            }
        }
        bail!("closed by the server")
    }
}

/// Keeps the socket alive for as long as the server lets it, and asks for the streams that are wanted.
async fn attend(mut socket: Socket, mut wants: Option<Wants>, seen: Arc<Seen>) {
    let reason = loop {
        if let (Some(wants), Some(roster)) = (&mut wants, socket.roster.take()) {
            seen.announced.fetch_max(largest(&roster), Ordering::Relaxed);
            if let Err(error) = wants.request_new(&mut socket, &roster).await {
                break error;
            }
        }
        match socket.receive().await {
            Ok(envelope) => match envelope.message {
                ServerMessage::RosterUpdate { participants } => socket.roster = Some(participants),
                ServerMessage::RequestStreamResponse { .. } => {
                    seen.bound.fetch_add(1, Ordering::Relaxed);
                }
                ServerMessage::Error { error_type, error_message, .. } => {
                    let others = seen.refused.fetch_add(1, Ordering::Relaxed);
                    if others == 0 {
                        warn!(?error_type, ?error_message, "refused; further refusals are only counted");
                    }
                }
                ServerMessage::Ping {} => {
                    if let Err(error) = socket.send(ClientMessage::Pong {}).await {
                        break error;
                    }
                }
                _ => {}
            },
            Err(error) => break error,
        }
    };
    if seen.sockets_lost.fetch_add(1, Ordering::Relaxed) == 0 {
        warn!(error = format!("{reason:#}"), "a WebSocket ended; further ones are only counted");
    }
}

/// The largest layer of anybody's: width above 16 bits of height.
fn largest(roster: &BTreeMap<ParticipantId, RosterEntry>) -> u32 {
    let streams = roster.values().flat_map(|entry| entry.streams.values());
    let layers = streams.flat_map(|stream| match stream {
        RosterStream::Video { layers, .. } => layers.as_slice(),
        RosterStream::Audio { .. } => &[],
    });
    layers.map(|layer| u32::from(layer.width) << 16 | u32::from(layer.height)).max().unwrap_or(0)
}

/// What a receiver asks for: everything, until its slots are used up.
struct Wants {
    own: ParticipantId,
    /// Where in the list of streams it begins, so that receivers with few slots do not all want the same ones.
    begin: usize,
    rid: Option<model::Rid>,
    video_free: usize,
    audio_free: usize,
    requested: HashMap<(ParticipantId, StreamId), MediaKind>,
}

impl Wants {
    fn new(plan: &Plan, own: ParticipantId, index: usize) -> Self {
        Self {
            own,
            // Receivers are dealt to rooms in turn: this is its place among those of its room.
            begin: index / plan.args.rooms,
            rid: plan.rid,
            video_free: plan.video_slots,
            audio_free: plan.audio_slots,
            requested: HashMap::new(),
        }
    }

    async fn request_new(
        &mut self,
        socket: &mut Socket,
        roster: &BTreeMap<ParticipantId, RosterEntry>,
    ) -> Result<()> {
        for (producer, stream, rid) in self.update(roster) {
            let request = ClientMessage::RequestStream {
                producer_id: producer.to_string(),
                stream_id: stream.to_string(),
                rid,
                receive_mid: None,
            };
            socket.send(request).await?;
        }
        Ok(())
    }

    /// Takes in a roster; returns what to ask for now.
    fn update(
        &mut self,
        roster: &BTreeMap<ParticipantId, RosterEntry>,
    ) -> Vec<(ParticipantId, StreamId, Option<model::Rid>)> {
        let there = |who: &ParticipantId, what: &StreamId| {
            roster.get(who).is_some_and(|entry| entry.streams.contains_key(what))
        };
        let (mut video, mut audio) = (0, 0);
        self.requested.retain(|(who, what), kind| {
            let stays = there(who, what);
            match kind {
                MediaKind::Video => video += usize::from(!stays),
                MediaKind::Audio => audio += usize::from(!stays),
            }
            stays
        });
        self.video_free += video;
        self.audio_free += audio;
        let others = roster.iter().filter(|(who, _)| **who != self.own);
        let mut offered: Vec<_> = others
            .flat_map(|(who, entry)| entry.streams.iter().map(move |(what, is)| (*who, *what, is)))
            .collect();
        let begin = self.begin.checked_rem(offered.len()).unwrap_or(0);
        offered.rotate_left(begin);
        let mut requests = Vec::new();
        for (producer, stream, description) in offered {
            let (kind, free, rid) = match description {
                RosterStream::Video { layers, .. } => {
                    let rid = self.rid.filter(|rid| layers.iter().any(|layer| layer.rid == *rid));
                    (MediaKind::Video, &mut self.video_free, rid)
                }
                RosterStream::Audio { .. } => (MediaKind::Audio, &mut self.audio_free, None),
            };
            if *free > 0 && !self.requested.contains_key(&(producer, stream)) {
                *free -= 1;
                self.requested.insert((producer, stream), kind);
                requests.push((producer, stream, rid));
            }
        }
        requests
    }
}

#[cfg(test)]
mod tests {
    use model::{Codec, Layer, Semantic};

    use super::*;

    fn who(n: u8) -> ParticipantId {
        ParticipantId::from_bytes([n; 16])
    }

    fn what(n: u8) -> StreamId {
        StreamId::from_bytes([n; 10])
    }

    fn video(rids: &[&str]) -> RosterStream {
        let layer = |rid: &&str| Layer { rid: rid.parse().unwrap(), width: 0, height: 0 };
        RosterStream::Video {
            codec: Codec::Vp8,
            semantic: Semantic::Main,
            layers: rids.iter().map(layer).collect(),
        }
    }

    fn roster(streams: &[(u8, u8, RosterStream)]) -> BTreeMap<ParticipantId, RosterEntry> {
        let mut roster = BTreeMap::<_, RosterEntry>::new();
        for (producer, stream, description) in streams {
            roster.entry(who(*producer)).or_default().streams.insert(what(*stream), description.clone());
        }
        roster
    }

    fn wants(video_free: usize) -> Wants {
        Wants {
            own: who(0),
            begin: 0,
            rid: "h".parse().ok(),
            video_free,
            audio_free: 1,
            requested: HashMap::new(),
        }
    }

    #[test]
    fn everything_but_the_own_streams_is_asked_for_once() {
        let audio = RosterStream::Audio { codec: Codec::Opus, semantic: Semantic::Main };
        let all =
            roster(&[(0, 1, video(&[])), (1, 2, video(&["l", "h"])), (1, 3, audio), (2, 4, video(&["l"]))]);
        let mut wants = wants(5);
        let h = "h".parse().ok();
        assert_eq!(
            wants.update(&all),
            [(who(1), what(2), h), (who(1), what(3), None), (who(2), what(4), None)]
        );
        assert_eq!(wants.update(&all), []);
    }

    #[test]
    fn receivers_with_one_slot_each_want_another_stream() {
        let all = roster(&[(1, 1, video(&[])), (2, 2, video(&[])), (3, 3, video(&[]))]);
        let of = |begin| Wants { begin, ..wants(1) }.update(&all);
        assert_eq!(of(0), [(who(1), what(1), None)]);
        assert_eq!((of(1), of(4)), (vec![(who(2), what(2), None)], vec![(who(2), what(2), None)]));
    }

    #[test]
    fn slots_bound_what_is_asked_for_and_come_free_again() {
        let mut wants = wants(1);
        let both = roster(&[(1, 1, video(&[])), (2, 2, video(&[]))]);
        assert_eq!(wants.update(&both), [(who(1), what(1), None)]);
        assert_eq!(wants.update(&roster(&[(2, 2, video(&[]))])), [(who(2), what(2), None)]);
    }
}
