//! The same clients in a room of Janus (its VideoRoom plugin), over Janus' HTTP API, so that both servers are measured
//! by one generator.
//!
//! Janus offers to receivers, where Althing answers them; otherwise the two are alike: one connection per client, a
//! receiver with all the streams that it wants, feedback, retransmission.

use std::net::IpAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use model::{Codec, MediaKind};
use net::{UdpSocket, clock};
use serde_json::{Value, json};
use str0m::Candidate;
use str0m::change::{SdpAnswer, SdpOffer};
use str0m::media::Mid;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::args::Plan;
use crate::http::BaseUrl;
use crate::media::{
    Client, FleetHandle, Publisher, Receiver, Role, client_config, lines_of, negotiate, slots_of_answer,
    socket_config, transport_cc_id,
};
use crate::signal::Part;

/// Events that may come before the one that is waited for (`webrtcup`, `media`, and the like).
const EVENTS_BEFORE_MAX: usize = 64;
/// The room that we make. The server is ours alone.
const ROOM: u64 = 1;

/// A Janus with our room.
pub(crate) struct Janus {
    url: BaseUrl,
    next: AtomicU64,
    /// What publishers are known by to receivers.
    feeds: Mutex<Vec<u64>>,
}

/// A session with a handle of the plugin.
struct Handle {
    session: u64,
    handle: u64,
}

impl Janus {
    /// Makes the room.
    pub(crate) async fn new(plan: &Plan) -> Result<Self> {
        let janus = Self { url: plan.url.clone(), next: AtomicU64::new(1), feeds: Mutex::default() };
        let handle = janus.attach().await?;
        let create = json!({
            "request": "create",
            "room": ROOM,
            "publishers": plan.args.publishers,
            "videocodec": codec_name(plan.codec),
            "audiocodec": "opus",
            "bitrate": 0,
            "transport_wide_cc_ext": true,
            "notify_joining": false,
        });
        let answer = janus.message(&handle, create, None).await.context("create")?;
        ensure!(plugin_data(&answer)["videoroom"] == "created", "no room was made: {answer}");
        Ok(janus)
    }

    /// Joins, hands the client to the fleet, and returns when it can send or has received.
    pub(crate) async fn join(&self, plan: &Plan, part: Part, ip: IpAddr, fleet: &FleetHandle) -> Result<()> {
        let joined = clock::now();
        let handle = self.attach().await?;
        let ready = match part {
            Part::Publisher(index) => self.publish(plan, &handle, index, ip, fleet, joined).await?,
            Part::Receiver(index) => self.subscribe(plan, &handle, index, ip, fleet, joined).await?,
        };
        timeout(plan.setup, ready).await.context("no media in time")?.context("the media session failed")
    }

    async fn publish(
        &self,
        plan: &Plan,
        handle: &Handle,
        index: usize,
        ip: IpAddr,
        fleet: &FleetHandle,
        joined: Instant,
    ) -> Result<oneshot::Receiver<()>> {
        let join = json!({ "request": "join", "ptype": "publisher", "room": ROOM });
        let answer = self.message(handle, join, None).await.context("join")?;
        let feed = plugin_data(&answer)["id"].as_u64().with_context(|| format!("no id: {answer}"))?;
        let udp = UdpSocket::bind((ip, 0).into(), &socket_config(false))?;
        let mut negotiation = negotiate(plan, true, udp.local_addr(), clock::now())?;
        let offer = jsep("offer", negotiation.offer.to_sdp_string());
        let answer = self.message(handle, json!({ "request": "publish" }), Some(offer)).await?;
        let parsed = SdpAnswer::from_sdp_string(sdp_of(&answer)?)?;
        negotiation.rtc.sdp_api().accept_answer(negotiation.pending, parsed)?;
        let publisher = Publisher::new(plan, index, &negotiation.lines, clock::now());
        let (tell, ready) = oneshot::channel();
        fleet.add(Client::new(negotiation.rtc, udp, Role::Publisher(publisher), joined, tell));
        self.feeds.lock().map_err(|_| anyhow::anyhow!("a join panicked"))?.push(feed);
        Ok(ready)
    }

    async fn subscribe(
        &self,
        plan: &Plan,
        handle: &Handle,
        index: usize,
        ip: IpAddr,
        fleet: &FleetHandle,
        joined: Instant,
    ) -> Result<oneshot::Receiver<()>> {
        let feeds = self.feeds.lock().map_err(|_| anyhow::anyhow!("a join panicked"))?.clone();
        let streams: Vec<_> = feeds.iter().map(|feed| json!({ "feed": feed })).collect();
        let join = json!({ "request": "join", "ptype": "subscriber", "room": ROOM, "streams": streams });
        let answer = self.message(handle, join, None).await.context("join")?;
        let offer = sdp_of(&answer)?;
        let lines: Vec<(Mid, MediaKind)> = lines_of(offer);
        let slots = slots_of_answer(offer);
        let udp = UdpSocket::bind((ip, 0).into(), &socket_config(plan.args.delay && plan.feeds(index)))?;
        let mut rtc = client_config(plan).build(clock::now());
        rtc.add_local_candidate(Candidate::host(udp.local_addr(), "udp")?);
        let accepted = rtc.sdp_api().accept_offer(SdpOffer::from_sdp_string(offer)?)?;
        let answer = jsep("answer", accepted.to_sdp_string());
        let mut receiver = Receiver::new(&lines, &slots, plan.feeds(index));
        if !plan.args.silent {
            receiver = receiver.with_light_reports(transport_cc_id(offer), clock::now());
        }
        let (tell, ready) = oneshot::channel();
        fleet.add(Client::new(rtc, udp, Role::Receiver(receiver), joined, tell));
        let start = json!({ "request": "start" });
        self.message(handle, start, Some(answer)).await.context("start")?;
        Ok(ready)
    }

    async fn attach(&self) -> Result<Handle> {
        let session = id_of(&self.post("/janus", json!({ "janus": "create" })).await?)?;
        let attach = json!({ "janus": "attach", "plugin": "janus.plugin.videoroom" });
        let handle = id_of(&self.post(&format!("/janus/{session}"), attach).await?)?;
        Ok(Handle { session, handle })
    }

    /// Sends a message to the plugin and waits for its answer, which comes at once or as an event.
    async fn message(&self, handle: &Handle, body: Value, jsep: Option<Value>) -> Result<Value> {
        let mut message = json!({ "janus": "message", "body": body });
        if let Some(jsep) = jsep {
            message["jsep"] = jsep;
        }
        let path = format!("/janus/{}/{}", handle.session, handle.handle);
        let answer = self.post(&path, message).await?;
        if answer["janus"] == "success" {
            return checked(answer);
        }
        let transaction = answer["transaction"].clone();
        for _ in 0..EVENTS_BEFORE_MAX {
            let event: Value = self.url.get(&format!("/janus/{}", handle.session)).await?;
            if event["transaction"] == transaction && event["janus"] == "event" {
                return checked(event);
            }
            ensure!(event["janus"] != "timeout", "Janus has ended the session");
        }
        bail!("no answer among {EVENTS_BEFORE_MAX} events")
    }

    async fn post(&self, path: &str, mut body: Value) -> Result<Value> {
        body["transaction"] = self.next.fetch_add(1, Ordering::Relaxed).to_string().into();
        checked(self.url.post(path, body.to_string()).await?)
    }
}

/// Gives Janus the time to begin to listen.
///
/// # Errors
/// It does not, in that time.
pub(crate) async fn wait_until_ready(url: &BaseUrl, at_most: Duration) -> Result<()> {
    let deadline = clock::now() + at_most;
    loop {
        match url.get::<Value>("/janus/info").await {
            Ok(_) => return Ok(()),
            Err(error) if clock::now() > deadline => return Err(error),
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

fn codec_name(codec: Codec) -> &'static str {
    match codec {
        Codec::Vp9 => "vp9",
        Codec::H264 => "h264",
        Codec::Av1 => "av1",
        _ => "vp8",
    }
}

fn jsep(kind: &str, sdp: String) -> Value {
    json!({ "type": kind, "sdp": sdp, "trickle": false })
}

fn plugin_data(answer: &Value) -> &Value {
    &answer["plugindata"]["data"]
}

fn id_of(answer: &Value) -> Result<u64> {
    answer["data"]["id"].as_u64().with_context(|| format!("no id: {answer}"))
}

fn sdp_of(answer: &Value) -> Result<&str> {
    answer["jsep"]["sdp"].as_str().with_context(|| format!("no description: {answer}"))
}

/// Errors of Janus itself and of the plugin.
fn checked(answer: Value) -> Result<Value> {
    if answer["janus"] == "error" {
        bail!("Janus: {}", answer["error"]);
    }
    let data = plugin_data(&answer);
    if !data["error"].is_null() {
        bail!("VideoRoom: {} ({})", data["error"], data["error_code"]);
    }
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_of_janus_and_of_its_plugin_are_errors() {
        let of = |answer: Value| checked(answer).map_err(|error| error.to_string());
        assert!(of(json!({ "janus": "success", "data": { "id": 7 } })).is_ok());
        let error = of(json!({ "janus": "error", "error": { "code": 458, "reason": "No such session" } }));
        assert!(error.unwrap_err().contains("No such session"));
        let refused =
            json!({ "janus": "event", "plugindata": { "data": { "error": "no room", "error_code": 426 } } });
        assert!(of(refused).unwrap_err().contains("426"));
    }
}
