//! A unit, and peers that connected honestly.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bolero::TypeGenerator;
use model::datagram::{Protocol, Transport};
use model::unit::{Offer, Source, UnitCommand};
use model::{MeetingId, Mid, PeerId, UnitId};
use rtc::NtpClock;
use rtc::srtp::{KeyingMaterial, Outbound, Profile};
use sfu::{Config, Unit};
use sim::client::{Client, Lines};
use sim::{Random, handshake};

const SERVER: ([u8; 4], u16) = ([192, 0, 2, 1], 5000);
/// Two of one room and one of another.
const ROOMS: [u8; 3] = [1, 1, 2];

/// A packet whose every field is made up.
#[derive(Debug, Clone, TypeGenerator)]
pub(crate) struct Rtp {
    who: u8,
    ssrc: Ssrc,
    payload_type: u8,
    marker: bool,
    padding: Option<u8>,
    sequence: u16,
    timestamp: u32,
    csrcs: u8,
    extensions: Vec<Extension>,
    payload: Vec<u8>,
    bytes: u16,
}

/// Whose stream a packet claims to be of.
#[derive(Debug, Clone, TypeGenerator)]
enum Ssrc {
    Own(u8),
    Slot(u8),
    New(u32),
}

#[derive(Debug, Clone, TypeGenerator)]
struct Extension {
    id: u8,
    what: What,
}

#[derive(Debug, Clone, TypeGenerator)]
enum What {
    Mid(u8),
    Rid(u8),
    Bytes(Vec<u8>),
}

/// A report or request whose every field is made up.
#[derive(Debug, Clone, TypeGenerator)]
pub(crate) struct Rtcp {
    who: u8,
    kind: u8,
    count: u8,
    /// Said instead of the right length.
    length: Option<u16>,
    ssrc: Ssrc,
    media: Ssrc,
    body: Vec<u8>,
    /// How often the packet is in the datagram.
    times: u8,
}

impl Rtp {
    /// One of a flood: half of them of the peer's own streams, half of streams never heard of, on its m-lines in turn.
    pub(crate) fn numbered(n: u32) -> Self {
        let stream = (n / 6 % 4) as u8;
        let (line, payload_type) = if stream == 0 { (0, 111) } else { (1, 96) };
        let rid = (stream > 0).then(|| Extension { id: 0, what: What::Rid(stream - 1) });
        Self {
            who: n as u8,
            ssrc: if n.is_multiple_of(2) {
                Ssrc::Own(stream)
            } else {
                Ssrc::New(n.wrapping_mul(2_654_435_761))
            },
            payload_type,
            marker: true,
            padding: None,
            sequence: (n / 24) as u16,
            timestamp: n.wrapping_mul(90_001),
            csrcs: 0,
            extensions: [Extension { id: 0, what: What::Mid(line) }].into_iter().chain(rid).collect(),
            payload: vec![
                0x90,
                0xe0,
                0x80 | (n >> 8) as u8,
                n as u8,
                n as u8,
                0x20,
                0x10,
                2,
                0,
                0x9d,
                1,
                0x2a,
            ],
            bytes: 1_000,
        }
    }
}

impl Rtcp {
    /// One of a flood: transport feedback, requests and reports about any stream.
    pub(crate) fn numbered(n: u32) -> Self {
        Self {
            who: n as u8,
            kind: 200 + (n % 8) as u8,
            count: (n / 8) as u8,
            length: None,
            ssrc: Ssrc::New(n),
            media: if n.is_multiple_of(2) { Ssrc::Slot(n as u8) } else { Ssrc::New(n) },
            body: n.to_be_bytes().repeat(12),
            times: 3,
        }
    }
}

struct Peer {
    address: SocketAddr,
    client: Option<Client>,
    /// Numbers of both sides' flights.
    numbers: [Option<u64>; 2],
    keys: Option<Outbound>,
    /// m-lines on which it sends, and those of its slots.
    lines: Vec<Mid>,
    slots: Vec<Mid>,
    slot_ssrcs: Vec<u32>,
    /// What the header extensions of m-line and RID are called.
    mid_extension: u8,
    rid_extension: u8,
}

pub(crate) struct Peers {
    now: Instant,
    unit: Unit,
    peers: Vec<Peer>,
    offers: u64,
}

impl Peers {
    /// A unit and three peers that are connected, each bound to what it may be sent.
    pub(crate) fn connected() -> Self {
        let now = sim::start();
        let random = Random::new(1);
        let mut entropy = random.part("unit", 0);
        let config = Config {
            unit: UnitId(1),
            peers_max: ROOMS.len(),
            candidates: vec![(Protocol::Udp, SERVER.into())],
            identity: handshake::identity(&random),
            clock: NtpClock::new(now, Duration::from_secs(1_800_000_000)),
        };
        let unit = Unit::new(now, config, Box::new(move |bytes| bytes.fill_with(|| entropy.draw() as u8)));
        let peer = |n| Peer {
            address: SocketAddr::from(([10, 0, 0, n], 6000)),
            client: None,
            numbers: [None; 2],
            keys: None,
            lines: Vec::new(),
            slots: Vec::new(),
            slot_ssrcs: Vec::new(),
            mid_extension: 1,
            rid_extension: 2,
        };
        let mut peers = Self { now, unit, peers: (1..=ROOMS.len() as u8).map(peer).collect(), offers: 0 };
        for who in 0..ROOMS.len() as u8 {
            peers.join(who);
        }
        peers.wait(Duration::from_millis(200));
        assert!(peers.peers.iter().all(|p| p.keys.is_some()), "all are connected");
        for who in 0..ROOMS.len() as u8 {
            for (slot, line) in [(0, 0), (2, 1)] {
                let (peer, slot) = (peers.id(who), peers.slot(who, slot));
                let source = Some(peers.source(who ^ 1, line));
                peers.command(UnitCommand::Bind { peer, slot, source, home: None, rid: None });
            }
        }
        peers
    }

    pub(crate) fn counters(&self) -> &sfu::Counters {
        self.unit.counters()
    }

    fn index(&self, who: u8) -> usize {
        usize::from(who) % self.peers.len()
    }

    pub(crate) fn id(&self, who: u8) -> PeerId {
        PeerId(100 + self.index(who) as u64)
    }

    pub(crate) fn slot(&self, who: u8, slot: u8) -> Mid {
        pick(&self.peers[self.index(who)].slots, slot).unwrap_or_else(|| "none".parse().expect("a mid"))
    }

    pub(crate) fn source(&self, who: u8, line: u8) -> Source {
        let mid =
            pick(&self.peers[self.index(who)].lines, line).unwrap_or_else(|| "none".parse().expect("a mid"));
        Source { peer: self.id(who), mid }
    }

    /// Offers with a new peer connection.
    pub(crate) fn join(&mut self, who: u8) {
        let (index, peer) = (self.index(who), self.id(who));
        let lines = Lines {
            camera: true,
            codec: model::Codec::Vp8,
            microphone: true,
            audio_slots: 2,
            video_slots: 2,
        };
        self.offers += 1;
        let random = Random::new(self.offers);
        let address = self.peers[index].address;
        let (mut client, sdp) =
            Client::offer((self.now, self.now), address, lines, handshake::provider(), random)
                .expect("an offer");
        let meeting = MeetingId::from_bytes([ROOMS[index]; 16]);
        let answer = self.unit.handle_offer(self.now, &Offer { peer, meeting, sdp }).expect("an answer");
        client.answer(self.now, &answer.sdp).expect("an acceptable answer");
        let ssrcs = answer
            .sdp
            .lines()
            .filter_map(|line| line.strip_prefix("a=ssrc:")?.split(' ').next()?.parse().ok());
        self.peers[index] = Peer {
            address,
            lines: client.sends_on().map(|(_, mid)| mid.to_string().parse().expect("a mid")).collect(),
            client: Some(client),
            numbers: [None; 2],
            keys: None,
            slots: answer.slots.iter().map(|s| s.mid).collect(),
            slot_ssrcs: ssrcs.collect(),
            mid_extension: extension_id(&answer.sdp, "urn:ietf:params:rtp-hdrext:sdes:mid"),
            rid_extension: extension_id(&answer.sdp, "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"),
        };
    }

    pub(crate) fn command(&mut self, command: UnitCommand) {
        self.unit.handle_command(self.now, command);
        self.exchange();
    }

    /// Lets time go by. Clients do what clients do until they are connected; what they send then is lies.
    pub(crate) fn wait(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.now = (self.now + Duration::from_millis(20)).min(end);
            for index in 0..self.peers.len() {
                let peer = &mut self.peers[index];
                if let Some(client) = peer.client.as_mut().filter(|_| peer.keys.is_none()) {
                    client.handle_timeout(self.now);
                }
            }
            for _ in 0..10 {
                self.exchange();
            }
        }
    }

    fn exchange(&mut self) {
        for index in 0..self.peers.len() {
            let Some(client) = &mut self.peers[index].client else { continue };
            for datagram in client.take_outgoing() {
                self.peers[index].listen(0, 3, &datagram);
                self.send(index as u8, datagram);
            }
        }
        if self.unit.poll_timeout().is_some_and(|at| at <= self.now) {
            self.unit.handle_timeout(self.now);
        }
        self.unit.forward(self.now, |_| {});
        let outbox = self.unit.outbox();
        let mut arriving = Vec::new();
        for run in outbox.runs() {
            let bytes = &outbox.data()[run.start..run.start + run.len];
            arriving.extend(bytes.chunks(run.segment).map(|d| (run.transport.remote, d.to_vec())));
        }
        outbox.clear();
        for (to, datagram) in arriving {
            let Some(peer) = self.peers.iter_mut().find(|p| p.address == to) else { continue };
            peer.listen(1, 4, &datagram);
            // Media and reports are answers to lies of which the client knows nothing.
            if datagram.first().is_some_and(|first| *first >= 128) {
                continue;
            }
            if let Some(client) = &mut peer.client {
                client.handle_datagram(self.now, SERVER.into(), &datagram);
            }
        }
        while self.unit.poll_fact().is_some() {}
    }

    pub(crate) fn send(&mut self, who: u8, mut datagram: Vec<u8>) {
        let remote = self.peers[self.index(who)].address;
        let transport = Transport { protocol: Protocol::Udp, local: SERVER.into(), remote };
        self.unit.handle_datagram(self.now, transport, &mut datagram);
    }

    pub(crate) fn send_rtp(&mut self, packet: &Rtp) {
        let peer = &self.peers[self.index(packet.who)];
        let Some(keys) = &peer.keys else { return };
        let mut extensions = Vec::new();
        for Extension { id, what } in packet.extensions.iter().take(20) {
            let value = match what {
                What::Mid(line) => {
                    pick(&peer.lines, *line).map(|m| m.to_string().into_bytes()).unwrap_or_default()
                }
                What::Rid(rid) => pick(b"lmhx", *rid).map(|r| vec![r]).unwrap_or_default(),
                What::Bytes(bytes) => bytes.iter().copied().take(16).collect(),
            };
            // Half of the time it is the right one.
            let id = match what {
                What::Mid(_) if id.is_multiple_of(2) => peer.mid_extension,
                What::Rid(_) if id.is_multiple_of(2) => peer.rid_extension,
                _ => *id,
            };
            extensions.push(id << 4 | (value.len().max(1) - 1) as u8);
            extensions.extend(if value.is_empty() { vec![0] } else { value });
        }
        extensions.resize(extensions.len().next_multiple_of(4), 0);
        let csrcs = packet.csrcs % 16;
        let bit = |set: bool, bit: u8| if set { bit } else { 0 };
        let first = 0x80 | bit(packet.padding.is_some(), 0x20) | bit(!extensions.is_empty(), 0x10) | csrcs;
        let mut bytes = vec![first, packet.payload_type & 0x7f | bit(packet.marker, 0x80)];
        bytes.extend(packet.sequence.to_be_bytes());
        bytes.extend(packet.timestamp.to_be_bytes());
        bytes.extend(peer.ssrc(&packet.ssrc).to_be_bytes());
        bytes.extend((0..csrcs).flat_map(|n| u32::from(n).to_be_bytes()));
        if !extensions.is_empty() {
            bytes.extend([0xbe, 0xde]);
            bytes.extend(((extensions.len() / 4) as u16).to_be_bytes());
            bytes.extend(extensions);
        }
        let header_len = bytes.len();
        bytes.extend(packet.payload.iter().take(1_000));
        bytes.resize(bytes.len().max(header_len + usize::from(packet.bytes % 1_100)), 0);
        if let (Some(padding), Some(last)) = (packet.padding, bytes.last_mut()) {
            *last = padding;
        }
        keys.protect_rtp(&mut bytes, 0, header_len, u64::from(packet.sequence));
        self.send(packet.who, bytes);
        self.unit.forward(self.now, |_| {});
        self.unit.outbox().clear();
    }

    pub(crate) fn send_rtcp(&mut self, packet: &Rtcp) {
        let index = self.index(packet.who);
        let peer = &mut self.peers[index];
        let (ssrc, media) = (peer.ssrc(&packet.ssrc), peer.ssrc(&packet.media));
        let Some(keys) = &mut peer.keys else { return };
        let mut one = vec![0x80 | packet.count & 0x1f, 192 + packet.kind % 32, 0, 0];
        one.extend(ssrc.to_be_bytes());
        one.extend(media.to_be_bytes());
        one.extend(packet.body.iter().take(300));
        one.resize(one.len().next_multiple_of(4), 0);
        let length = packet.length.unwrap_or((one.len() / 4 - 1) as u16);
        one[2..4].copy_from_slice(&length.to_be_bytes());
        let mut bytes = one.repeat(usize::from(packet.times % 4) + 1);
        keys.protect_rtcp(&mut bytes, 0);
        self.send(packet.who, bytes);
        self.unit.outbox().clear();
    }

    /// Everybody goes, and nothing is left.
    pub(crate) fn leave(mut self) {
        for who in 0..ROOMS.len() as u8 {
            let peer = self.id(who);
            self.unit.handle_command(self.now, UnitCommand::Close { peer });
        }
        assert!(self.unit.is_empty(), "something is left: {:?}", self.unit);
        assert_eq!(self.unit.poll_timeout(), None);
    }
}

impl Peer {
    /// Learns the keys from the flights that carry them.
    fn listen(&mut self, side: usize, kind: u8, datagram: &[u8]) {
        let [22, seen, number @ ..] = datagram else { return };
        let (Some(number), true) = (number.first_chunk::<8>(), *seen == kind) else { return };
        self.numbers[side] = Some(u64::from_be_bytes(*number));
        let [Some(client), Some(server)] = self.numbers else { return };
        let material = handshake::material(client, server);
        let keys = KeyingMaterial::split(Profile::AeadAes256Gcm, &material).expect("material of that length");
        self.keys =
            Some(Outbound::new(Profile::AeadAes256Gcm, keys.client_key, keys.client_salt).expect("keys"));
    }

    fn ssrc(&self, which: &Ssrc) -> u32 {
        match which {
            Ssrc::Own(n) => {
                let own: Vec<u32> = self.client.iter().flat_map(Client::ssrcs).map(|ssrc| **ssrc).collect();
                pick(&own, *n).unwrap_or(1)
            }
            Ssrc::Slot(n) => pick(&self.slot_ssrcs, *n).unwrap_or(2),
            Ssrc::New(ssrc) => *ssrc,
        }
    }
}

fn extension_id(sdp: &str, uri: &str) -> u8 {
    let lines = sdp.lines().filter(|line| line.ends_with(uri));
    let id = |line: &str| line.strip_prefix("a=extmap:")?.split([' ', '/']).next()?.parse().ok();
    lines.filter_map(id).next().expect("the extension is agreed")
}

fn pick<T: Clone>(list: &[T], which: u8) -> Option<T> {
    list.get(usize::from(which) % list.len().max(1)).cloned()
}
