//! The room before it is measured: units with their sockets and links, and clients that connect, with ICE and DTLS, and
//! are bound to what the publishers send.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Parser;
use load::args::Plan;
use load::media::{Negotiation, negotiate, take_outbound, transport_cc_id};
use load::source::Noise;
use media::links::{Links, Port};
use model::datagram::{Protocol, Transport};
use model::unit::{Answer, Offer, Source, UnitCommand, UnitFact};
use model::{MediaKind, MeetingId, PeerId, UnitId};
use net::clock::WallClock;
use net::{NetConfig, Poller, UdpSocket};
use rtc::srtp::Outbound;
use rtc::{Identity, NtpClock};
use sfu::Unit;
use str0m::change::SdpAnswer;
use str0m::net::Receive;
use str0m::{Input, Output, Rtc};

use super::players::{Outlet, Publisher, Receiver};
use super::worker::{Clock, Pace, Totals, Worker};
use super::{Args, sink};

/// The one room.
const ROOM: [u8; 16] = [7; 16];
/// Time goes in such steps while a client connects, and nobody waits for it.
const STEP: Duration = Duration::from_millis(5);
/// A client that is not connected after so many steps will not be.
const STEPS_MAX: usize = 2_000;

/// Everybody is there.
pub(super) struct Meeting {
    pub(super) workers: Vec<Worker>,
    /// The clients' sockets. Nobody reads them.
    pub(super) sinks: Vec<UdpSocket>,
}

/// A client that is connected.
struct Session {
    rtc: Rtc,
    peer: PeerId,
    transport: Transport,
    keys: Outbound,
    answer: Answer,
}

impl Meeting {
    pub(super) fn open(args: &Args, pace: &Arc<Pace>) -> Result<Self> {
        // The clients are those of the generator.
        let line = format!("althing-load --publishers {} --size {}", args.publishers, args.size);
        let plan = load::args::Args::parse_from(line.split(' ')).plan()?;
        let mut meeting = Self { workers: Vec::new(), sinks: Vec::new() };
        meeting.start_units(args.units, pace)?;
        let mut clock = Clock::default();
        let mut sources = Vec::new();
        for number in 0..args.publishers {
            let unit = number % args.units;
            let session = meeting.join(&plan, true, unit, &mut clock)?;
            let published = session.answer.published.first().context("nothing is published")?;
            sources.push((Source { peer: session.peer, mid: published.mid }, UnitId(unit as u64)));
            let publisher = publisher(session, clock.now(), (args.burst, args.size))?;
            meeting.workers.get_mut(unit).context("no such unit")?.publishers.push(publisher);
        }
        for number in 0..args.units * args.receivers {
            let unit = number % args.units;
            let session = meeting.join(&plan, false, unit, &mut clock)?;
            let worker = meeting.workers.get_mut(unit).context("no such unit")?;
            for (slot, (source, home)) in session.answer.slots.iter().zip(&sources) {
                let (peer, home) = (session.peer, Some(*home));
                let bind = UnitCommand::Bind { peer, slot: slot.mid, source: Some(*source), home, rid: None };
                worker.unit.handle_command(clock.now(), bind);
            }
            let extension = transport_cc_id(&session.answer.sdp).context("no feedback was agreed")?;
            let turn = (worker.receivers.len(), args.receivers);
            let Session { peer, transport, keys, .. } = session;
            worker.by_address.insert(transport.remote, worker.receivers.len());
            worker.receivers.push(Receiver::new(clock.now(), transport, keys, extension, turn));
            worker.peers.push(peer);
        }
        for worker in &mut meeting.workers {
            worker.clock = clock;
        }
        Ok(meeting)
    }

    fn start_units(&mut self, units: usize, pace: &Arc<Pace>) -> Result<()> {
        let config = NetConfig::default();
        let mut ports = Vec::new();
        for index in 0..units {
            let id = UnitId(index as u64);
            let socket = UdpSocket::bind(([127, 0, 0, 1], 0).into(), &config)?;
            let poller = Poller::new(&config)?;
            let (port, batches) = Port::new(id, poller.waker());
            ports.push(port);
            self.workers.push(Worker {
                index,
                id,
                unit: new_unit(id, socket.local_addr(), net::clock::now())?,
                clock: Clock::default(),
                socket,
                poller,
                batches,
                links: Links::default(),
                pace: pace.clone(),
                publishers: Vec::new(),
                receivers: Vec::new(),
                peers: Vec::new(),
                by_address: HashMap::new(),
                totals: Totals::default(),
            });
        }
        for worker in &mut self.workers {
            worker.links = Links::new(ports.clone());
        }
        Ok(())
    }

    /// A client joins on a unit.
    fn join(&mut self, plan: &Plan, sends: bool, unit: usize, clock: &mut Clock) -> Result<Session> {
        let peer = PeerId(self.sinks.len() as u64 + 1);
        let sink = sink()?;
        let worker = self.workers.get_mut(unit).context("no such unit")?;
        let transport = Transport {
            protocol: Protocol::Udp,
            local: worker.socket.local_addr(),
            remote: sink.local_addr(),
        };
        self.sinks.push(sink);
        connect(&mut worker.unit, plan, sends, peer, transport, clock)
    }
}

fn new_unit(id: UnitId, local: SocketAddr, now: Instant) -> Result<Unit> {
    let config = sfu::Config {
        unit: id,
        peers_max: 2_000,
        candidates: vec![(Protocol::Udp, local)],
        identity: Identity::generate()?,
        clock: NtpClock::new(now, WallClock::read().unix(now)),
    };
    // Nobody is to be kept out here.
    let mut noise = Noise::new(id.0 + 1);
    Ok(Unit::new(now, config, Box::new(move |buffer| buffer.fill_with(|| noise.draw() as u8))))
}

fn connect(
    unit: &mut Unit,
    plan: &Plan,
    sends: bool,
    peer: PeerId,
    transport: Transport,
    clock: &mut Clock,
) -> Result<Session> {
    let now = clock.now();
    let Negotiation { mut rtc, offer, pending, .. } = negotiate(plan, sends, transport.remote, now)?;
    let offer = Offer { peer, meeting: MeetingId::from_bytes(ROOM), sdp: offer.to_sdp_string() };
    let answer = unit.handle_offer(now, &offer).context("an offer")?;
    rtc.sdp_api().accept_answer(pending, SdpAnswer::from_sdp_string(&answer.sdp)?)?;
    let mut client = Connecting { rtc, keys: None, outgoing: Vec::new() };
    let mut connected = false;
    for _ in 0..STEPS_MAX {
        let now = clock.now();
        client.take(Input::Timeout(now), now)?;
        while !client.outgoing.is_empty() {
            for mut datagram in std::mem::take(&mut client.outgoing) {
                unit.handle_datagram(now, transport, &mut datagram);
            }
            client.hear(unit, transport, now)?;
        }
        if unit.poll_timeout().is_some_and(|at| at <= now) {
            unit.handle_timeout(now);
            client.hear(unit, transport, now)?;
        }
        let facts = std::iter::from_fn(|| unit.poll_fact());
        connected |= facts.filter(|fact| matches!(fact, UnitFact::Connected { .. })).count() > 0;
        if connected && let Some(keys) = client.keys.take() {
            return Ok(Session { rtc: client.rtc, peer, transport, keys, answer });
        }
        clock.skip(STEP);
    }
    bail!("a client does not connect")
}

/// A client and what it has to say.
struct Connecting {
    rtc: Rtc,
    keys: Option<Outbound>,
    outgoing: Vec<Vec<u8>>,
}

impl Connecting {
    /// Takes what the unit says to this client; what it says to others is lost, which nobody has missed yet.
    fn hear(&mut self, unit: &mut Unit, transport: Transport, now: Instant) -> Result<()> {
        unit.forward(now, |_| {});
        let outbox = unit.outbox();
        for run in outbox.runs().iter().filter(|run| run.transport.remote == transport.remote) {
            let datagrams = outbox.data().get(run.start..run.start + run.len).unwrap_or_default();
            for datagram in datagrams.chunks(run.segment.max(1)) {
                let protocol = str0m::net::Protocol::Udp;
                let receive = Receive::new(protocol, transport.local, transport.remote, datagram)?;
                self.take(Input::Receive(now, receive), now)?;
            }
        }
        outbox.clear();
        Ok(())
    }

    fn take(&mut self, input: Input<'_>, now: Instant) -> Result<()> {
        self.rtc.handle_input(input)?;
        let mut called_again = false;
        loop {
            match self.rtc.poll_output()? {
                Output::Transmit(datagram) => self.outgoing.push(datagram.contents.to_vec()),
                Output::Event(_) => {}
                Output::Timeout(at) if at <= now && !called_again => {
                    called_again = true;
                    self.rtc.handle_input(Input::Timeout(now))?;
                }
                Output::Timeout(_) => break,
            }
        }
        // After every call: what is heard is then this client's.
        self.keys = take_outbound().or_else(|| self.keys.take());
        Ok(())
    }
}

fn publisher(session: Session, now: Instant, shape: (usize, usize)) -> Result<Publisher> {
    let Session { mut rtc, transport, keys, answer, .. } = session;
    let video = answer.published.iter().find(|media| media.kind == MediaKind::Video);
    let mid = video.context("no video is published")?.mid;
    let mid: str0m::media::Mid = mid.as_str().into();
    let agreed = rtc.media(mid).and_then(|media| media.remote_pts().first().copied());
    let ssrc = rtc.direct_api().stream_tx_by_mid(mid, None).map(|stream| *stream.ssrc());
    let outlet = Outlet {
        ssrc: ssrc.context("no stream to send on")?,
        payload_type: *agreed.context("no codec was agreed")?,
        extension: transport_cc_id(&answer.sdp).context("no feedback was agreed")?,
    };
    Ok(Publisher::new(now, transport, keys, outlet, shape))
}
