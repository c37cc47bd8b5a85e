//! A publisher and a receiver of the generator, real sockets and real DTLS-SRTP, and between them the least that can
//! forward: two `str0m` endpoints. What the generator counts must be what went through there.

use std::time::Duration;

use clap::Parser;
use load::args::{Args, Plan};
use load::media::{
    Client, Fleet, FleetHandle, Negotiation, Publisher, Receiver, Role, Totals, negotiate, slots_of_answer,
    transport_cc_id,
};
use model::MediaKind;
use model::datagram::{Outbox, Protocol, Transport};
use net::{NetConfig, Poller, RecvBatch, UdpSocket, clock};
use str0m::change::{SdpAnswer, SdpOffer};
use str0m::media::Mid;
use str0m::net::{Protocol as RtcProtocol, Receive};
use str0m::rtp::{RtpPacket, RtpWrite};
use str0m::{Candidate, Event, Input, Output, Rtc, RtcConfig};
use tokio::sync::oneshot;

/// A test that waits this long has failed; none waits when all is well.
const PATIENCE: Duration = Duration::from_secs(20);

fn plan(args: &str) -> Plan {
    Args::parse_from(std::iter::once("althing-load").chain(args.split_whitespace())).plan().unwrap()
}

fn socket() -> UdpSocket {
    UdpSocket::bind("127.0.0.1:0".parse().unwrap(), &NetConfig::default()).unwrap()
}

/// The server's end of one client.
struct Endpoint {
    rtc: Rtc,
    socket: UdpSocket,
    /// Audio and video m-line.
    lines: Vec<(Mid, MediaKind)>,
    arrived: Vec<RtpPacket>,
    key_frame_requested: bool,
    /// The client's receiver reports were opened and understood.
    reported: bool,
}

impl Endpoint {
    fn answer(offer: &str, lines: &[(Mid, MediaKind)]) -> (Self, String) {
        let socket = socket();
        let rtc = RtcConfig::new().set_rtp_mode(true).set_ice_lite(true);
        let mut rtc = rtc.set_stats_interval(Some(Duration::from_millis(50))).build(clock::now());
        rtc.add_local_candidate(Candidate::host(socket.local_addr(), "udp").unwrap());
        let answer = rtc.sdp_api().accept_offer(SdpOffer::from_sdp_string(offer).unwrap()).unwrap();
        let endpoint = Self {
            rtc,
            socket,
            lines: lines.to_vec(),
            arrived: Vec::new(),
            key_frame_requested: false,
            reported: false,
        };
        (endpoint, answer.to_sdp_string())
    }

    fn work(&mut self, batch: &mut RecvBatch) {
        let (now, local) = (clock::now(), self.socket.local_addr());
        let mut outbox = Outbox::default();
        while self.socket.recv_batch(batch).unwrap() > 0 {
            for (transport, datagram) in batch.iter_mut() {
                if let Ok(packet) = Receive::new(RtcProtocol::Udp, transport.remote, local, datagram) {
                    self.rtc.handle_input(Input::Receive(now, packet)).unwrap();
                    self.drain(&mut outbox);
                }
            }
        }
        self.rtc.handle_input(Input::Timeout(now)).unwrap();
        self.drain(&mut outbox);
        self.socket.send(outbox.data(), outbox.runs());
    }

    fn drain(&mut self, outbox: &mut Outbox) {
        let local = self.socket.local_addr();
        loop {
            match self.rtc.poll_output().unwrap() {
                Output::Transmit(packet) => {
                    let transport = Transport { protocol: Protocol::Udp, local, remote: packet.destination };
                    outbox.push(transport, &packet.contents);
                }
                Output::Event(Event::RtpPacket(packet)) => self.arrived.push(packet),
                Output::Event(Event::MediaEgressStats(stats)) => self.reported |= stats.remote.is_some(),
                Output::Event(_) => {}
                Output::Timeout(_) => return,
            }
        }
    }

    fn line(&self, kind: MediaKind) -> Option<Mid> {
        self.lines.iter().find(|(_, of)| *of == kind).map(|(mid, _)| *mid)
    }

    fn ask_for_a_key_frame(&mut self) {
        let Some(mid) = self.line(MediaKind::Video) else { return };
        if let Some(stream) = self.rtc.direct_api().stream_rx_by_mid(mid, None) {
            stream.request_keyframe(str0m::media::KeyframeRequestKind::Pli);
            self.key_frame_requested = true;
        }
    }

    /// Sends on what arrived elsewhere.
    fn forward(&mut self, packets: Vec<RtpPacket>, audio_pt: u8) {
        for packet in packets {
            let pt = packet.header.payload_type;
            let kind = if *pt == audio_pt { MediaKind::Audio } else { MediaKind::Video };
            let Some(mid) = self.line(kind) else { continue };
            let mut api = self.rtc.direct_api();
            let Some(stream) = api.stream_tx_by_mid(mid, None) else { continue };
            let write =
                RtpWrite::new(pt, packet.seq_no, packet.time.numer() as u32, clock::now(), packet.payload);
            stream.write_rtp(write.marker(packet.header.marker).nackable(true));
            self.rtc.handle_input(Input::Timeout(clock::now())).unwrap();
            let mut outbox = Outbox::default();
            self.drain(&mut outbox);
            self.socket.send(outbox.data(), outbox.runs());
        }
    }
}

/// A client of the generator and the server's end of it.
fn connect(plan: &Plan, publishes: bool, fleet: &FleetHandle) -> (Endpoint, oneshot::Receiver<()>) {
    let socket = socket();
    let now = clock::now();
    let Negotiation { mut rtc, offer, pending, lines } =
        negotiate(plan, publishes, socket.local_addr(), now).unwrap();
    let (endpoint, answer) = Endpoint::answer(&offer.to_sdp_string(), &lines);
    rtc.sdp_api().accept_answer(pending, SdpAnswer::from_sdp_string(&answer).unwrap()).unwrap();
    let role = if publishes {
        Role::Publisher(Publisher::new(plan, 0, &lines, now))
    } else {
        let receiver = Receiver::new(&lines, &slots_of_answer(&answer), plan.feeds(0));
        Role::Receiver(receiver.with_light_reports(transport_cc_id(&answer), now))
    };
    let (tell, ready) = oneshot::channel();
    fleet.add(Client::new(rtc, socket, role, now, tell));
    (endpoint, ready)
}

/// Forwards until the receiver has that many packets of each kind, and a key frame was asked for and made.
fn run(plan: &Plan, video: u64, audio: u64) -> Totals {
    let fleet = Fleet::spawn(0).unwrap();
    let (mut from, from_ready) = connect(plan, true, &fleet);
    let (mut into, into_ready) = connect(plan, false, &fleet);
    let config = NetConfig::default();
    let mut poller = Poller::new(&config).unwrap();
    poller.add_udp(&from.socket, 0).unwrap();
    poller.add_udp(&into.socket, 1).unwrap();
    let mut batch = RecvBatch::new(&config);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let audio_pt =
        *RtcConfig::new().codec_config().params().iter().find(|p| p.spec().channels.is_some()).unwrap().pt();
    let deadline = clock::now() + PATIENCE;
    loop {
        poller.wait(Some(clock::now() + Duration::from_millis(5))).unwrap();
        from.work(&mut batch);
        if into.rtc.is_connected() {
            into.forward(std::mem::take(&mut from.arrived), audio_pt);
        } else {
            // As a server does: nothing is kept for those who are not there yet.
            from.arrived.clear();
        }
        into.work(&mut batch);
        let totals = runtime.block_on(fleet.totals()).unwrap();
        if totals.video.packets > 50 && !from.key_frame_requested {
            from.ask_for_a_key_frame();
        }
        let asked = totals.key_frame_requests > 0 || video == 0;
        if totals.video.packets >= video && totals.audio.packets >= audio && asked && into.reported {
            runtime.block_on(async { (from_ready.await.unwrap(), into_ready.await.unwrap()) });
            return totals;
        }
        assert!(clock::now() < deadline, "{totals:?}");
    }
}

fn check(totals: &Totals) {
    assert_eq!((totals.publishers, totals.receivers, totals.failed), (1, 1, 0), "{totals:?}");
    assert_eq!((totals.video.lost, totals.audio.lost, totals.unknown), (0, 0, 0), "{totals:?}");
    assert!(
        totals.sent_video >= totals.video.packets && totals.sent_audio >= totals.audio.packets,
        "{totals:?}"
    );
    assert_eq!((totals.join_ms.len(), totals.connect_ms.len()), (1, 1));
    assert_eq!(totals.dropped, 0);
}

#[test]
fn every_codec_arrives_whole() {
    for codec in ["vp8", "vp9", "h264", "av1"] {
        let totals = run(&plan(&format!("--codec {codec} --pps 2000 --burst 8 --audio")), 500, 10);
        check(&totals);
        assert!(totals.decrypted > 300, "{codec}: {totals:?}");
    }
}

#[test]
fn a_camera_arrives_whole_and_who_only_counts_counts_the_same_and_reports() {
    let totals = run(&plan("--profile camera --audio --feed 0"), 200, 10);
    check(&totals);
    assert_eq!(totals.decrypted, 0);
    assert!(totals.reports > 0, "{totals:?}");
    assert_eq!((totals.video.slots, totals.audio.slots), (1, 1));
}
