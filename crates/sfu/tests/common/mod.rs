//! A unit and clients of another make (str0m), on a virtual clock and a network that does what a test says.

#![allow(dead_code, reason = "each test file uses its part of the harness")]
#![allow(unreachable_pub, reason = "shared by test crates")]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use model::datagram::{Protocol, Transport};
use model::unit::{Answer, Offer, Source, UnitCommand, UnitFact};
use model::{MeetingId, Mid, PeerId, ReceiveQuality, UnitId};
use rtc::{Identity, NtpClock};
use sfu::{Config, Counters, Unit};
use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::format::Codec;
use str0m::media::{Direction, KeyframeRequestKind, MediaKind, Rid, Simulcast, SimulcastLayer};
use str0m::net::Receive;
use str0m::rtp::{ExtensionValues, RtpPacket, RtpWrite};
use str0m::{Candidate, Event, Input, Output, Rtc, RtcConfig};

pub const SERVER: ([u8; 4], u16) = ([192, 0, 2, 1], 5000);
/// `over_two_units` has the tests of other files run over two units: nobody can tell the difference.
const UNITS: usize = if env!("CARGO_CRATE_NAME").len() == "over_two_units".len() { 2 } else { 1 };
const STEP: Duration = Duration::from_millis(5);

#[expect(clippy::disallowed_methods, reason = "tests count from one base instant, whatever it is")]
fn start() -> Instant {
    Instant::now()
}

/// A datagram on its way; the filter says whether it arrives.
#[derive(Debug, Clone, Copy)]
pub struct Hop<'a> {
    pub client: usize,
    pub to_server: bool,
    pub bytes: &'a [u8],
}

impl Hop<'_> {
    /// An SRTP packet (no RTCP).
    pub fn is_rtp(&self) -> bool {
        matches!(self.bytes, [128..=191, kind, ..] if !(192..=223).contains(kind))
    }
}

type BatchFilter = Box<dyn FnMut(&[u8]) -> bool>;

pub struct World {
    pub now: Instant,
    pub unit: Unit,
    /// Further units; a client of number `n` is on the one of number `n`, where there are so many.
    pub others: Vec<Unit>,
    /// Whether a batch between two units arrives.
    pub relay_filter: BatchFilter,
    pub clients: Vec<Client>,
    pub facts: Vec<UnitFact>,
    pub filter: Box<dyn FnMut(Hop<'_>) -> bool>,
    /// Whether clients report what their path carries.
    estimates: bool,
}

pub struct Client {
    pub rtc: Rtc,
    pub peer: PeerId,
    pub meeting: MeetingId,
    /// 0: [`World::unit`], else one of the others.
    pub unit: usize,
    pub address: SocketAddr,
    /// Where the server sees it: another address once a router between them has forgotten the first.
    pub seen_as: SocketAddr,
    pending: Option<SdpPendingOffer>,
    pub connected: bool,
    pub packets: Vec<RtpPacket>,
    pub key_frame_requests: Vec<(Mid, Option<String>, KeyframeRequestKind)>,
    /// What its offers say in place of what str0m writes.
    pub says: Vec<(&'static str, &'static str)>,
    timeout: Option<Instant>,
    /// Datagrams on their way to the server.
    outgoing: Vec<Vec<u8>>,
}

/// What a client sends, as a camera would: frames of several packets, numbered.
pub struct Camera {
    pub client: usize,
    pub mid: Mid,
    pub rid: Option<&'static str>,
    pub size: (u16, u16),
    /// It has sent a frame.
    pub begun: bool,
    sequence: u64,
    picture: u16,
    timestamp: u32,
}

impl Camera {
    pub fn new(client: usize, mid: Mid, rid: Option<&'static str>, size: (u16, u16)) -> Self {
        let seed = rid.map_or(0, |r| u64::from(r.as_bytes()[0]));
        Self {
            client,
            mid,
            rid,
            size,
            begun: false,
            sequence: 1000 + seed * 100,
            picture: seed as u16 * 50,
            timestamp: seed as u32 * 77_777,
        }
    }

    /// Sends a frame of three packets.
    pub fn frame(&mut self, world: &mut World, key: bool) {
        self.begun = true;
        self.picture = (self.picture + 1) & 0x7fff;
        self.timestamp = self.timestamp.wrapping_add(3000);
        let now = world.now;
        let mid: str0m::media::Mid = self.mid.as_str().into();
        let pt = world.clients[self.client]
            .rtc
            .codec_config()
            .find(|p| p.spec().codec == Codec::Vp8)
            .expect("VP8")
            .pt();
        for part in 0..3u8 {
            self.sequence += 1;
            let payload = vp8_payload(self.picture, key, part, self.size);
            let rid: Option<Rid> = self.rid.map(Into::into);
            let mut api = world.clients[self.client].rtc.direct_api();
            let stream = api.stream_tx_by_mid(mid, rid).expect("a stream to send on");
            let write = RtpWrite::new(pt, self.sequence.into(), self.timestamp, now, payload)
                .marker(part == 2)
                .ext_vals(ExtensionValues::default())
                .nackable(true);
            stream.write_rtp(write);
            world.drain(self.client);
        }
    }
}

/// What a client sends of sound: a packet each 20 ms.
pub struct Microphone {
    client: usize,
    mid: Mid,
    sequence: u64,
}

impl Microphone {
    pub fn new(client: usize, mid: Mid) -> Self {
        Self { client, mid, sequence: 500 }
    }

    /// Sends so many packets.
    pub fn speak(&mut self, world: &mut World, packets: usize) {
        for _ in 0..packets {
            self.sequence += 1;
            let now = world.now;
            let rtc = &mut world.clients[self.client].rtc;
            let pt = rtc.codec_config().find(|p| p.spec().codec == Codec::Opus).expect("Opus").pt();
            let mut api = rtc.direct_api();
            let stream = api.stream_tx_by_mid(self.mid.as_str().into(), None).expect("a stream to send on");
            let timestamp = self.sequence as u32 * 960;
            let write = RtpWrite::new(pt, self.sequence.into(), timestamp, now, vec![0x5a; 100]);
            stream.write_rtp(write.ext_vals(ExtensionValues::default()));
            world.drain(self.client);
            world.run(Duration::from_millis(20));
        }
    }
}

/// A VP8 payload: descriptor with a 15-bit picture id and TL0PICIDX, then what the first packet of a frame shows.
pub fn vp8_payload(picture: u16, key: bool, part: u8, (width, height): (u16, u16)) -> Vec<u8> {
    let start = if part == 0 { 0x10 } else { 0 };
    let mut payload = vec![0x80 | start, 0xc0, 0x80 | (picture >> 8) as u8, picture as u8, picture as u8];
    if part == 0 {
        payload.extend([u8::from(!key), 0, 0]);
        if key {
            payload.extend([
                0x9d,
                0x01,
                0x2a,
                width as u8,
                (width >> 8) as u8,
                height as u8,
                (height >> 8) as u8,
            ]);
        }
    }
    payload.resize(900 + usize::from(part), 0x5a);
    payload
}

/// The picture id that a receiver sees.
pub fn picture_id(packet: &RtpPacket) -> u16 {
    u16::from_be_bytes([packet.payload[2] & 0x7f, packet.payload[3]])
}

/// The width that the key frame in this packet announces.
pub fn key_frame_width(packet: &RtpPacket) -> Option<u16> {
    let p = &packet.payload;
    (p[0] & 0x10 != 0 && p[5] & 1 == 0).then(|| u16::from_le_bytes([p[11], p[12]]))
}

fn unit_id(number: usize) -> UnitId {
    UnitId(1 + number as u64)
}

fn address_of(unit: usize) -> SocketAddr {
    SocketAddr::from((SERVER.0, SERVER.1 + unit as u16))
}

fn new_unit(now: Instant, number: usize) -> Unit {
    let mut counter = number as u64;
    let config = Config {
        unit: unit_id(number),
        peers_max: 100,
        candidates: vec![(Protocol::Udp, address_of(number))],
        identity: Identity::generate().expect("an identity"),
        clock: NtpClock::new(now, Duration::from_secs(1_800_000_000)),
    };
    let entropy = Box::new(move |buffer: &mut [u8]| {
        for byte in buffer {
            counter = counter.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = (counter >> 56) as u8;
        }
    });
    Unit::new(now, config, entropy)
}

pub fn meeting(n: u8) -> MeetingId {
    MeetingId::from_bytes([n; 16])
}

impl World {
    pub fn new() -> Self {
        Self::over(UNITS)
    }

    /// A world of several units.
    pub fn over(units: usize) -> Self {
        let now = start();
        Self {
            now,
            unit: new_unit(now, 0),
            others: (1..units).map(|n| new_unit(now, n)).collect(),
            relay_filter: Box::new(|_| true),
            clients: Vec::new(),
            facts: Vec::new(),
            filter: Box::new(|_| true),
            estimates: true,
        }
    }

    /// A world whose clients report on no bandwidth, so that a cap is all that bounds what they are sent.
    pub fn without_estimates() -> Self {
        Self { estimates: false, ..Self::new() }
    }

    /// The same over several units.
    pub fn without_estimates_over(units: usize) -> Self {
        Self { estimates: false, ..Self::over(units) }
    }

    /// The first unit fails and begins anew, without its peers.
    pub fn restart_unit(&mut self) {
        self.unit = new_unit(self.now, 0);
        for client in self.clients.iter_mut().filter(|c| c.unit == 0) {
            client.outgoing.clear();
        }
    }

    /// The unit of that number.
    pub fn unit_at(&mut self, unit: usize) -> &mut Unit {
        if unit == 0 { &mut self.unit } else { &mut self.others[unit - 1] }
    }

    /// From now on so many of ten media packets to a client are lost.
    pub fn lose_to(&mut self, client: usize, of_ten: u32) {
        let mut count = 0;
        self.filter = Box::new(move |hop| {
            let counts = hop.client == client && !hop.to_server && hop.is_rtp();
            count += u32::from(counts);
            !counts || count % 10 >= of_ten
        });
    }

    /// What all units count.
    pub fn total(&self, of: impl Fn(&Counters) -> u64) -> u64 {
        std::iter::once(&self.unit).chain(&self.others).map(|unit| of(unit.counters())).sum()
    }

    /// Nobody is on any unit, and nothing is left of them.
    pub fn is_empty(&self) -> bool {
        std::iter::once(&self.unit).chain(&self.others).all(Unit::is_empty)
    }

    /// The unit of a client.
    pub fn unit_of(&mut self, client: usize) -> &mut Unit {
        self.unit_at(self.clients[client].unit)
    }

    /// An offer as it is sent.
    fn sdp(&self, offer: &str) -> String {
        let reports = ["transport-wide-cc", "transport-cc", "goog-remb"];
        let kept = offer.lines().filter(|l| self.estimates || !reports.iter().any(|r| l.contains(r)));
        kept.flat_map(|line| [line, "\r\n"]).collect()
    }

    /// A client that has not offered yet.
    pub fn client(&mut self, room: u8) -> usize {
        self.client_with(room, |config| config)
    }

    /// A client with other codecs and extensions than usual.
    pub fn client_with(&mut self, room: u8, configure: impl FnOnce(RtcConfig) -> RtcConfig) -> usize {
        let index = self.clients.len();
        let address = SocketAddr::from(([192, 0, 2, 10 + index as u8], 6000));
        let config =
            RtcConfig::new().set_rtp_mode(true).clear_codecs().enable_vp8(true).enable_opus(true, true);
        let mut rtc = configure(config).build(self.now);
        rtc.add_local_candidate(Candidate::host(address, "udp").expect("a candidate"));
        self.clients.push(Client {
            rtc,
            peer: PeerId(100 + index as u64),
            meeting: meeting(room),
            unit: index % (self.others.len() + 1),
            address,
            seen_as: address,
            pending: None,
            connected: false,
            packets: Vec::new(),
            key_frame_requests: Vec::new(),
            says: Vec::new(),
            timeout: None,
            outgoing: Vec::new(),
        });
        index
    }

    /// Adds m-lines, offers, and gives the answer to the client. Returns the mids of the new lines.
    pub fn offer(&mut self, client: usize, lines: &[Line]) -> (Vec<Mid>, Answer) {
        let known = &mut self.clients[client];
        let mut changes = known.rtc.sdp_api();
        let mids: Vec<Mid> = lines
            .iter()
            .map(|line| {
                let (kind, direction, rids) = match line {
                    Line::Receive(kind) => (*kind, Direction::RecvOnly, &[][..]),
                    Line::Send(kind) => (*kind, Direction::SendOnly, &[][..]),
                    Line::Simulcast(rids) => (MediaKind::Video, Direction::SendOnly, *rids),
                };
                let simulcast = (!rids.is_empty()).then(|| {
                    let mut simulcast = Simulcast::new();
                    rids.iter().for_each(|rid| simulcast.add_send_layer(SimulcastLayer::new(rid)));
                    simulcast
                });
                let mid = changes.add_media(kind, direction, None, None, simulcast);
                mid.to_string().parse().expect("a mid")
            })
            .collect();
        let (offer, pending) = changes.apply().expect("changes");
        known.pending = Some(pending);
        let (peer, meeting) = (known.peer, known.meeting);
        let says = known.says.clone();
        let sdp = self.sdp(&offer.to_sdp_string());
        let sdp = says.iter().fold(sdp, |sdp, (written, said)| sdp.replace(written, said));
        let offer = Offer { peer, meeting, sdp };
        let now = self.now;
        let answer = self.unit_of(client).handle_offer(now, &offer).expect("an answer");
        let known = &mut self.clients[client];
        let sdp = says.iter().fold(answer.sdp.clone(), |sdp, (written, said)| sdp.replace(said, written));
        let parsed = SdpAnswer::from_sdp_string(&sdp).expect("a valid answer");
        let pending = known.pending.take().expect("the offer");
        known.rtc.sdp_api().accept_answer(pending, parsed).expect("an answer that str0m accepts");
        (mids, answer)
    }

    /// Restarts ICE: a further offer with new credentials. Returns both descriptions.
    pub fn restart_ice(&mut self, client: usize) -> (String, String) {
        let known = &mut self.clients[client];
        let mut changes = known.rtc.sdp_api();
        changes.ice_restart(true);
        let (offer, pending) = changes.apply().expect("changes");
        let offer = Offer { peer: known.peer, meeting: known.meeting, sdp: offer.to_sdp_string() };
        let now = self.now;
        let answer = self.unit_of(client).handle_offer(now, &offer).expect("an answer");
        assert!(!answer.replaced);
        let parsed = SdpAnswer::from_sdp_string(&answer.sdp).expect("a valid answer");
        self.clients[client].rtc.sdp_api().accept_answer(pending, parsed).expect("an acceptable answer");
        (offer.sdp, answer.sdp)
    }

    /// The first offer of a client, for tests that send something else.
    pub fn offer_text(&mut self, client: usize) -> Offer {
        let known = &mut self.clients[client];
        let mut changes = known.rtc.sdp_api();
        changes.add_media(MediaKind::Video, Direction::SendOnly, None, None, None);
        let (offer, pending) = changes.apply().expect("changes");
        known.pending = Some(pending);
        Offer { peer: known.peer, meeting: known.meeting, sdp: offer.to_sdp_string() }
    }

    /// Gives a client the answer to its offer.
    pub fn answer(&mut self, client: usize, sdp: &str) {
        let known = &mut self.clients[client];
        let pending = known.pending.take().expect("an offer");
        let answer = SdpAnswer::from_sdp_string(sdp).expect("a valid answer");
        known.rtc.sdp_api().accept_answer(pending, answer).expect("an acceptable answer");
    }

    pub fn source(&self, client: usize, mid: Mid) -> Source {
        Source { peer: self.clients[client].peer, mid }
    }

    pub fn command(&mut self, command: UnitCommand) {
        let client = |peer: &PeerId| self.clients.iter().find(|c| c.peer == *peer);
        let mut command = command;
        let whose = match &mut command {
            UnitCommand::Bind { peer, source, home, .. } => {
                let sender = source.as_ref().and_then(|s| client(&s.peer));
                *home = sender.map(|c| unit_id(c.unit)).filter(|_| !self.others.is_empty());
                client(peer)
            }
            UnitCommand::AddCandidate { peer, .. }
            | UnitCommand::Resize { peer, .. }
            | UnitCommand::Mute { source: Source { peer, .. }, .. }
            | UnitCommand::Close { peer } => client(peer),
            UnitCommand::Speaking { .. } => None,
        };
        let (now, unit) = (self.now, whose.map_or(0, |c| c.unit));
        self.unit_at(unit).handle_command(now, command);
    }

    pub fn bind(&mut self, receiver: usize, slot: Mid, source: Option<Source>) {
        let peer = self.clients[receiver].peer;
        self.command(UnitCommand::Bind { peer, slot, source, home: None, rid: None });
    }

    /// The receiver chooses a quality, whatever the size of its tile.
    pub fn choose(&mut self, receiver: usize, slot: Mid, quality: Option<ReceiveQuality>) {
        let peer = self.clients[receiver].peer;
        self.command(UnitCommand::Resize { peer, slot, width: 640, height: 360, quality });
    }

    pub fn resize(&mut self, receiver: usize, slot: Mid, width: u16, height: u16) {
        self.command(UnitCommand::Resize {
            peer: self.clients[receiver].peer,
            slot,
            width,
            height,
            quality: None,
        });
    }

    /// Lets time go by.
    pub fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.now += STEP;
            self.settle();
        }
    }

    /// Runs until the condition holds; panics after ten virtual seconds.
    pub fn until(&mut self, what: &str, condition: impl Fn(&World) -> bool) {
        let end = self.now + Duration::from_secs(10);
        while !condition(self) {
            assert!(self.now < end, "not within ten seconds: {what}; facts: {:?}", self.facts);
            self.run(STEP);
        }
    }

    pub fn connect(&mut self, clients: &[usize]) {
        self.until("connected", |w| {
            clients.iter().all(|c| {
                let peer = w.clients[*c].peer;
                w.clients[*c].connected
                    && w.facts.iter().any(|f| matches!(f, UnitFact::Connected { peer: p, .. } if *p == peer))
            })
        });
    }

    /// Exchanges packets until nobody has anything to send at this instant.
    pub fn settle(&mut self) {
        for client in 0..self.clients.len() {
            let due = self.clients[client].timeout.is_none_or(|at| at <= self.now);
            if due {
                let _ = self.clients[client].rtc.handle_input(Input::Timeout(self.now));
            }
            self.drain(client);
        }
        for _ in 0..100 {
            let mut quiet = true;
            for client in 0..self.clients.len() {
                for mut datagram in std::mem::take(&mut self.clients[client].outgoing) {
                    quiet = false;
                    if (self.filter)(Hop { client, to_server: true, bytes: &datagram }) {
                        let (now, transport) = (self.now, self.transport(client));
                        self.unit_of(client).handle_datagram(now, transport, &mut datagram);
                    }
                }
            }
            for unit in 0..=self.others.len() {
                quiet &= !self.pass(unit);
            }
            if quiet {
                return;
            }
        }
        panic!("packets without end");
    }

    /// One pass of a unit. True: it said something.
    fn pass(&mut self, number: usize) -> bool {
        let now = self.now;
        let unit = self.unit_at(number);
        if unit.poll_timeout().is_some_and(|at| at <= now) {
            unit.handle_timeout(now);
        }
        unit.forward(now, |_| {});
        let facts: Vec<UnitFact> = std::iter::from_fn(|| unit.poll_fact()).collect();
        let relayed: Vec<_> = std::iter::from_fn(|| unit.poll_relay()).collect();
        self.facts.extend(facts);
        let said = self.deliver(number) || !relayed.is_empty();
        for (to, batch) in relayed {
            if (self.relay_filter)(&batch) {
                let to = (0..=self.others.len()).find(|n| unit_id(*n) == to).expect("a unit");
                self.unit_at(to).handle_relay(now, unit_id(number), &batch);
            }
        }
        said
    }

    pub fn transport(&self, client: usize) -> Transport {
        let Client { seen_as: remote, unit, .. } = self.clients[client];
        Transport { protocol: Protocol::Udp, local: address_of(unit), remote }
    }

    /// Takes everything that a client has to say. It wants that after each input.
    pub fn drain(&mut self, client: usize) {
        let known = &mut self.clients[client];
        loop {
            // A client whose handshake has timed out is as dead as a closed page.
            let Ok(output) = known.rtc.poll_output() else { return };
            match output {
                Output::Timeout(at) => {
                    if at <= self.now && known.timeout != Some(at) {
                        known.timeout = Some(at);
                        let _ = known.rtc.handle_input(Input::Timeout(self.now));
                        continue;
                    }
                    known.timeout = Some(at);
                    return;
                }
                Output::Transmit(transmit) => known.outgoing.push(transmit.contents.to_vec()),
                Output::Event(Event::Connected) => known.connected = true,
                Output::Event(Event::RtpPacket(packet)) => known.packets.push(packet),
                Output::Event(Event::KeyframeRequest(request)) => {
                    let mid = request.mid.to_string().parse().expect("a mid");
                    known.key_frame_requests.push((mid, request.rid.map(|r| r.to_string()), request.kind));
                }
                Output::Event(_) => {}
            }
        }
    }

    fn deliver(&mut self, unit: usize) -> bool {
        let outbox = self.unit_at(unit).outbox();
        let mut arriving = Vec::new();
        for run in outbox.runs() {
            let bytes = &outbox.data()[run.start..run.start + run.len];
            arriving.extend(bytes.chunks(run.segment).map(|d| (run.transport, d.to_vec())));
        }
        outbox.clear();
        let any = !arriving.is_empty();
        for (transport, datagram) in arriving {
            let Some(client) = self.clients.iter().position(|c| c.seen_as == transport.remote) else {
                continue;
            };
            if !(self.filter)(Hop { client, to_server: false, bytes: &datagram }) {
                continue;
            }
            let receive =
                Receive::new(str0m::net::Protocol::Udp, transport.local, transport.remote, &datagram);
            if let Ok(receive) = receive {
                let _ = self.clients[client].rtc.handle_input(Input::Receive(self.now, receive));
                self.drain(client);
            }
        }
        any
    }

    /// Packets that a client has received on a slot, and forgets them.
    pub fn take_packets(&mut self, client: usize) -> Vec<RtpPacket> {
        std::mem::take(&mut self.clients[client].packets)
    }
}

pub enum Line {
    Receive(MediaKind),
    Send(MediaKind),
    Simulcast(&'static [&'static str]),
}

/// By SSRC, the sequence numbers received, in order of arrival.
pub fn sequences(packets: &[RtpPacket]) -> BTreeMap<u32, Vec<u64>> {
    let mut by_ssrc: BTreeMap<u32, Vec<u64>> = BTreeMap::new();
    for packet in packets {
        by_ssrc.entry(*packet.header.ssrc).or_default().push(*packet.seq_no);
    }
    by_ssrc
}
