//! One client's connection: ICE, DTLS and SRTP below, streams above.
//!
//! Input comes by `handle_*`, with the time; what is to be sent goes into the outbox that is passed in; what happened
//! comes from [`Endpoint::poll_event`]; when to call [`Endpoint::handle_timeout`] says [`Endpoint::poll_timeout`].

mod feedback;
mod reports;
mod sending;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use aws_lc_rs::digest;
use model::datagram::{Outbox, Protocol, Transport};

use crate::bwe::Estimator;
use crate::clock::NtpClock;
use crate::dtls::{Handshake, HandshakeError, Identity, Output};
use crate::ice::{Credentials, Ice, Stun, StunMessage};
use crate::receive::{Receiver, RtpOutcome};
use crate::rtcp;
use crate::rtp;
use crate::sdp::{
    self, Fingerprint, HashAlgorithm, LocalParameters, MediaLine, Negotiated, Negotiator, SdpError,
    SessionDescription,
};
use crate::send::{Sender, extension_ids};
use crate::srtp::{self, KeyingMaterial, Profile};
use feedback::FeedbackPace;

/// Fills a buffer from a cryptographic source.
pub type Entropy = Box<dyn FnMut(&mut [u8]) + Send>;

/// Reports to and about streams (RFC 3550 §6.2 would allow rarer ones; browsers send one a second).
const REPORT_INTERVAL: Duration = Duration::from_secs(1);
/// Without an authenticated packet for so long after the offer, the client cannot reach us.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
/// After so long without a packet a connection is given up; the room has let its participant go by then.
const GIVE_UP: Duration = Duration::from_secs(120);
/// Report blocks of one report (RFC 3550 §6.4.1).
const BLOCKS_MAX: usize = 31;

/// What all endpoints of a unit share.
#[derive(Debug)]
pub struct Local {
    /// Our certificate.
    pub identity: Identity,
    /// Our addresses.
    pub candidates: Vec<(Protocol, SocketAddr)>,
    /// The wall clock.
    pub clock: NtpClock,
    /// What ICE user names begin with: the unit.
    pub ufrag_prefix: String,
}

/// What happened to a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// ICE and DTLS are up.
    Connected,
    /// Nothing authenticated has come for [`crate::ice::PATH_TIMEOUT`].
    PathLost,
    /// Something has, again.
    PathRestored,
    /// The connection is over.
    Failed(FailReason),
}

/// Why a connection is over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FailReason {
    /// No authenticated STUN message in time.
    #[error("ice_timeout: no connectivity check reached this server; UDP may be blocked")]
    NoConnectivity,
    /// The certificate is not the one of the offer.
    #[error("fingerprint_mismatch: the client's certificate is not the one of its offer")]
    Fingerprint,
    /// The handshake failed.
    #[error("dtls_failed: {0}")]
    Handshake(HandshakeError),
    /// The client closed it.
    #[error("closed: the client closed the connection")]
    Closed,
    /// Nothing has come for a long time.
    #[error("path_dead: nothing came from the client for too long")]
    PathDead,
}

/// What a peer says about what it is sent, and what it sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feedback {
    /// It lacks a packet of a slot.
    Lost {
        /// Index of the m-line.
        line: u16,
        /// As it was sent.
        sequence: u16,
    },
    /// It needs a key frame on a slot.
    KeyFrame {
        /// Index of the m-line.
        line: u16,
    },
    /// Its clock, as a sender report has it (RFC 3550 §6.4.1).
    Clock {
        /// Index of the m-line on which it sends.
        line: u16,
        /// Index of the encoding.
        layer: u8,
        /// When the report was sent.
        ntp: rtcp::NtpTime,
        /// The same instant in the clock of the encoding.
        timestamp: u32,
    },
}

/// One client's connection.
pub struct Endpoint {
    ice: Ice,
    handshake: Box<dyn Handshake>,
    negotiator: Negotiator,
    media: Vec<MediaLine>,
    fingerprints: Vec<Fingerprint>,
    receiver: Receiver,
    sender: Sender,
    keys: Option<Keys>,
    pending_keys: Option<Keys>,
    verified: bool,
    handshake_done: bool,
    /// Where DTLS came from last, for the time before the client has chosen a transport.
    dtls_transport: Option<Transport>,
    state: State,
    events: VecDeque<Event>,
    clock: NtpClock,
    epoch: Instant,
    ssrc: u32,
    session_id: u64,
    cname: String,
    reduced_size: bool,
    dtls_deadline: Option<Instant>,
    connect_deadline: Instant,
    report_deadline: Instant,
    feedback_pace: FeedbackPace,
    loss: Loss,
    estimator: Estimator,
    scratch: Vec<u8>,
}

struct Keys {
    inbound: srtp::Inbound,
    outbound: srtp::Outbound,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Connecting,
    Connected,
    PathLost,
    Failed,
}

/// What receivers report about what they are sent, smoothed by nobody: the newest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Loss {
    /// Share of packets lost since the report before, of the worst stream, in 1/256.
    pub fraction: u8,
    /// Round trip, if one could be measured.
    pub round_trip: Option<Duration>,
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint").field("state", &self.state).finish_non_exhaustive()
    }
}

impl Endpoint {
    /// Answers a client's first offer.
    ///
    /// # Errors
    /// The offer cannot be used.
    pub fn accept(
        now: Instant,
        local: &Local,
        offer: &SessionDescription,
        entropy: &mut Entropy,
    ) -> Result<(Self, String), SdpError> {
        let mut numbers = [0u8; 20];
        entropy(&mut numbers);
        let credentials = new_credentials(local, entropy);
        let [a, b, c, d, rest @ ..] = numbers;
        let (session, cname) = rest.split_at(8);
        let session_id = u64::from_be_bytes(session.try_into().unwrap_or_default()) >> 1;
        let cname = cname.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let mut endpoint = Self {
            ice: Ice::new(
                credentials,
                Credentials { ufrag: String::new(), pwd: String::new() },
                local.candidates.clone(),
            ),
            handshake: local.identity.accept(now),
            negotiator: Negotiator::new(),
            media: Vec::new(),
            fingerprints: Vec::new(),
            receiver: Receiver::new(),
            sender: Sender::default(),
            keys: None,
            pending_keys: None,
            verified: false,
            handshake_done: false,
            dtls_transport: None,
            state: State::Connecting,
            events: VecDeque::new(),
            clock: local.clock,
            epoch: now,
            ssrc: u32::from_be_bytes([a, b, c, d]),
            session_id,
            cname,
            reduced_size: false,
            dtls_deadline: None,
            connect_deadline: now + CONNECT_TIMEOUT,
            report_deadline: now + REPORT_INTERVAL,
            feedback_pace: FeedbackPace::new(now),
            loss: Loss::default(),
            estimator: Estimator::new(now),
            scratch: Vec::new(),
        };
        let answer = endpoint.handle_offer(now, local, offer, entropy)?;
        Ok((endpoint, answer))
    }

    /// Whether an offer comes from this peer connection: it has this one's certificate. A reloaded page has another.
    pub fn is_from(&self, offer: &SessionDescription) -> bool {
        transports(offer).any(|t| t.fingerprints.iter().any(|f| self.fingerprints.contains(f)))
    }

    /// Answers a further offer of the same peer connection. New ICE credentials restart ICE.
    ///
    /// # Errors
    /// The offer cannot be used; everything is as it was.
    pub fn handle_offer(
        &mut self,
        now: Instant,
        local: &Local,
        offer: &SessionDescription,
        entropy: &mut Entropy,
    ) -> Result<String, SdpError> {
        // The answer needs our credentials before the negotiator has said whether the offer is any good.
        let former = self.ice.remote().clone();
        let restart = !transports(offer).any(|t| t.ufrag.as_ref() == Some(&former.ufrag));
        let first = former.ufrag.is_empty();
        let credentials =
            if restart && !first { new_credentials(local, entropy) } else { self.ice.local().clone() };
        let candidates: Vec<String> =
            local.candidates.iter().zip(1..).map(|(c, n)| candidate_line(*c, n)).collect();
        let parameters = LocalParameters {
            ufrag: &credentials.ufrag,
            pwd: &credentials.pwd,
            fingerprint_sha256: local.identity.fingerprint(),
            candidates: &candidates,
            cname: &self.cname,
            session_id: self.session_id,
        };
        let mut next_ssrc = || {
            let mut bytes = [0u8; 4];
            entropy(&mut bytes);
            u32::from_be_bytes(bytes)
        };
        let negotiated = self.negotiator.handle_offer(offer, &parameters, &mut next_ssrc)?;
        if negotiated.new_transport && !first {
            self.renew_transport(now, local);
        }
        self.agree(negotiated, credentials, entropy)
    }

    /// The m-line that carried the transport is gone, and browsers begin a new one on another m-line, at times with the
    /// same ICE credentials: connectivity, handshake and keys begin anew, streams stay.
    fn renew_transport(&mut self, now: Instant, local: &Local) {
        self.ice.renew();
        self.estimator.restart(now);
        self.receiver.renew();
        self.sender.renew();
        self.handshake = local.identity.accept(now);
        self.keys = None;
        self.pending_keys = None;
        self.verified = false;
        self.handshake_done = false;
        self.dtls_transport = None;
        self.dtls_deadline = None;
        self.connect_deadline = now + CONNECT_TIMEOUT;
        if self.state != State::Failed {
            self.state = State::Connecting;
        }
    }

    fn agree(
        &mut self,
        negotiated: Negotiated,
        credentials: Credentials,
        entropy: &mut Entropy,
    ) -> Result<String, SdpError> {
        if let Some(remote) = negotiated.remote {
            let remote_credentials = Credentials { ufrag: remote.ufrag, pwd: remote.pwd };
            if remote_credentials != *self.ice.remote() {
                self.ice.restart(credentials, remote_credentials);
            }
            self.fingerprints = remote.fingerprints;
        }
        self.reduced_size = negotiated.rtcp_reduced_size;
        self.receiver.agree(&negotiated.media, extension_ids(&negotiated.extensions));
        self.sender.agree(&negotiated.media, || {
            let mut bytes = [0u8; 2];
            entropy(&mut bytes);
            u16::from_be_bytes(bytes)
        });
        self.estimator.set_numbered(self.sender.is_numbered());
        self.media = negotiated.media;
        Ok(negotiated.answer)
    }

    /// The m-lines of audio and video, as they were answered last.
    pub fn media(&self) -> &[MediaLine] {
        &self.media
    }

    /// The user name by which the client's connectivity checks are known.
    pub fn ufrag(&self) -> &str {
        &self.ice.local().ufrag
    }

    /// Transports that the client has proven.
    pub fn transports(&self) -> &[Transport] {
        self.ice.transports()
    }

    /// Whether media can flow.
    pub fn is_connected(&self) -> bool {
        matches!(self.state, State::Connected | State::PathLost)
    }

    /// The SRTP profile, once keys are there.
    pub fn profile(&self) -> Option<Profile> {
        self.keys.as_ref().map(|k| k.outbound.profile())
    }

    /// What receivers reported last.
    pub fn loss(&self) -> Loss {
        self.loss
    }

    /// What happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When to call [`Endpoint::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<Instant> {
        match self.state {
            State::Failed => None,
            State::Connecting => {
                let give_up = self.ice.path_deadline().unwrap_or(self.connect_deadline);
                Some(self.dtls_deadline.map_or(give_up, |at| at.min(give_up)))
            }
            State::Connected | State::PathLost => {
                let nack = self.receiver.nack_due().map(|due| self.epoch + due);
                let path = self.path_deadline();
                [Some(self.report_deadline), self.feedback_pace.deadline(), nack, path]
                    .into_iter()
                    .flatten()
                    .min()
            }
        }
    }

    fn path_deadline(&self) -> Option<Instant> {
        let lost = self.ice.path_deadline()?;
        Some(if self.state == State::PathLost { lost + GIVE_UP } else { lost })
    }

    /// Takes a STUN message. `forgotten` is told of transports that are not this client's any more.
    pub fn handle_stun(
        &mut self,
        now: Instant,
        transport: Transport,
        message: StunMessage<'_>,
        outbox: &mut Outbox,
        forgotten: impl FnMut(Transport),
    ) -> Stun {
        if self.state == State::Failed {
            return Stun::Refused;
        }
        let former = self.ice.selected();
        let outcome = self.ice.handle_stun(now, transport, message, outbox, forgotten);
        if former.is_some() && self.ice.selected() != former {
            // Wi-Fi to mobile: another path, of which nothing is known.
            self.estimator.restart(now);
        }
        if outcome != Stun::Refused {
            self.path_works(now);
            self.advance();
        }
        outcome
    }

    /// Takes a DTLS datagram of a transport that the client has proven.
    pub fn handle_dtls(&mut self, now: Instant, transport: Transport, datagram: &[u8], outbox: &mut Outbox) {
        if self.state == State::Failed {
            return;
        }
        self.dtls_transport = Some(transport);
        match self.handshake.handle_packet(now, datagram) {
            Ok(()) => self.drive_handshake(outbox),
            // Once connected, a bad record is an attacker's or a stray one and must not end the connection; before, the
            // library says that the connection is lost.
            Err(_) if self.is_connected() => {}
            Err(error) => self.fail(FailReason::Handshake(error)),
        }
    }

    fn drive_handshake(&mut self, outbox: &mut Outbox) {
        let Some(to) = self.transport() else { return };
        let mut buffer = std::mem::take(&mut self.scratch);
        loop {
            match self.handshake.poll(&mut buffer) {
                Output::Packet(packet) => outbox.push(to, packet),
                Output::PeerCertificate(der) => {
                    self.verified = self.fingerprints.iter().any(|f| has_fingerprint(der, f));
                    if !self.verified {
                        self.fail(FailReason::Fingerprint);
                        break;
                    }
                }
                Output::Keys(profile, material) => self.pending_keys = keys(profile, material.as_bytes()),
                Output::Connected => self.handshake_done = true,
                Output::Closed => {
                    self.fail(FailReason::Closed);
                    break;
                }
                Output::Timeout(at) => {
                    self.dtls_deadline = Some(at);
                    break;
                }
                Output::Idle => {
                    self.dtls_deadline = None;
                    break;
                }
            }
        }
        self.scratch = buffer;
        self.advance();
    }

    /// Connected is: the client has chosen a transport, its certificate is the one of the offer, keys are there.
    fn advance(&mut self) {
        if self.state != State::Connecting
            || !self.verified
            || !self.handshake_done
            || self.ice.selected().is_none()
        {
            return;
        }
        let Some(keys) = self.pending_keys.take() else { return };
        self.keys = Some(keys);
        self.state = State::Connected;
        self.events.push_back(Event::Connected);
    }

    fn path_works(&mut self, now: Instant) {
        if self.state == State::PathLost {
            // After so long nothing is known of it any more.
            self.estimator.restart(now);
            self.state = State::Connected;
            self.events.push_back(Event::PathRestored);
        }
    }

    fn fail(&mut self, reason: FailReason) {
        if self.state != State::Failed {
            self.state = State::Failed;
            self.keys = None;
            self.events.push_back(Event::Failed(reason));
        }
    }

    fn transport(&self) -> Option<Transport> {
        self.ice.selected().or(self.dtls_transport)
    }

    fn since_epoch(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.epoch)
    }

    /// Takes an RTP packet of a transport that the client has proven; it is decrypted in place.
    #[inline]
    pub fn handle_rtp(&mut self, now: Instant, packet: &mut [u8]) -> RtpOutcome {
        let Some(keys) = &mut self.keys else { return RtpOutcome::Refused };
        let Ok(header) = rtp::Header::parse(packet) else { return RtpOutcome::Refused };
        let Ok(opened) = keys.inbound.unprotect_rtp(packet, &header) else { return RtpOutcome::Refused };
        self.ice.touch(now);
        if self.state == State::PathLost {
            self.path_works(now);
        }
        let payload = header.header_len..header.header_len + opened.payload_len;
        let arrival = self.since_epoch(now);
        let outcome = self.receiver.handle(arrival, &header, opened.index, packet, payload);
        self.feedback_pace.received(now, packet.len(), self.receiver.feedback_pending());
        outcome
    }

    /// Time has come. `timestamp_at` gives the RTP time of now on an m-line that is sent on.
    pub fn handle_timeout(
        &mut self,
        now: Instant,
        outbox: &mut Outbox,
        timestamp_at: &dyn Fn(u16) -> Option<u32>,
    ) {
        match self.state {
            State::Failed => {}
            State::Connecting => self.handle_connect_timeout(now, outbox),
            State::Connected | State::PathLost => {
                self.handle_path_timeout(now);
                self.send_feedback(now, outbox);
                if self.report_deadline <= now {
                    self.report_deadline = now + REPORT_INTERVAL;
                    self.estimator.handle_timeout(now);
                    self.send_reports(now, outbox, timestamp_at);
                }
            }
        }
    }

    fn handle_connect_timeout(&mut self, now: Instant, outbox: &mut Outbox) {
        if self.dtls_deadline.is_some_and(|at| at <= now) {
            match self.handshake.handle_timeout(now) {
                Ok(()) => self.drive_handshake(outbox),
                Err(error) => return self.fail(FailReason::Handshake(error)),
            }
        }
        if self.ice.path_deadline().unwrap_or(self.connect_deadline) <= now {
            self.fail(FailReason::NoConnectivity);
        }
    }

    fn handle_path_timeout(&mut self, now: Instant) {
        if self.path_deadline().is_none_or(|at| at > now) {
            return;
        }
        if self.state == State::Connected {
            self.state = State::PathLost;
            self.events.push_back(Event::PathLost);
        } else {
            self.fail(FailReason::PathDead);
        }
    }

    /// Says goodbye; the connection is not to be used any more.
    pub fn close(&mut self, outbox: &mut Outbox) {
        let ssrcs = self.sender.ssrcs();
        for part in ssrcs.chunks(BLOCKS_MAX) {
            let mut out = Vec::new();
            rtcp::write_receiver_report(&mut out, self.ssrc, &[]);
            rtcp::write_bye(&mut out, part);
            self.send_rtcp(outbox, out);
        }
        self.handshake.close();
        if let Some(to) = self.transport() {
            let mut buffer = std::mem::take(&mut self.scratch);
            while let Output::Packet(packet) = self.handshake.poll(&mut buffer) {
                outbox.push(to, packet);
            }
        }
        self.state = State::Failed;
        self.keys = None;
    }
}

/// Everything that an offer says of transports: they are bundled onto one.
fn transports(offer: &SessionDescription) -> impl Iterator<Item = &sdp::Transport> {
    std::iter::once(&offer.transport).chain(offer.media.iter().map(|m| &m.transport))
}

fn keys(profile: Profile, material: &[u8]) -> Option<Keys> {
    let material = KeyingMaterial::split(profile, material).ok()?;
    // We are the DTLS server: the client's key protects what comes in.
    let inbound = srtp::Inbound::new(profile, material.client_key, material.client_salt).ok()?;
    let outbound = srtp::Outbound::new(profile, material.server_key, material.server_salt).ok()?;
    Some(Keys { inbound, outbound })
}

fn has_fingerprint(der: &[u8], fingerprint: &Fingerprint) -> bool {
    let algorithm = match fingerprint.hash {
        HashAlgorithm::Sha256 => &digest::SHA256,
        HashAlgorithm::Sha384 => &digest::SHA384,
        HashAlgorithm::Sha512 => &digest::SHA512,
        HashAlgorithm::Sha1 => return false,
    };
    digest::digest(algorithm, der).as_ref() == fingerprint.bytes.as_slice()
}

/// 24 bits: 6 of seconds, 18 of their fraction.
#[inline]
fn abs_send_time(since_epoch: Duration) -> u32 {
    let fraction = (u64::from(since_epoch.subsec_nanos()) << 18) / 1_000_000_000;
    ((since_epoch.as_secs() << 18 | fraction) & 0x00ff_ffff) as u32
}

/// A user name of the unit's prefix and 64 random bits, a password of 160 (RFC 8839 §5.4 asks for 24 and 128).
fn new_credentials(local: &Local, entropy: &mut Entropy) -> Credentials {
    let mut random = [0u8; 28];
    entropy(&mut random);
    let text = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
    let (name, password) = random.split_at(8);
    Credentials { ufrag: format!("{}x{}", local.ufrag_prefix, text(name)), pwd: text(password) }
}

/// A host candidate (RFC 8839 §5.1, RFC 6544 §4.5). All UDP candidates come before all TCP ones.
fn candidate_line((protocol, address): (Protocol, SocketAddr), number: u32) -> String {
    let local_preference = 65_535u32.saturating_sub(number);
    let (type_preference, name, end) = match protocol {
        Protocol::Udp => (126u32, "udp", ""),
        Protocol::Tcp => (90, "tcp", " tcptype passive"),
    };
    let priority = (type_preference << 24) + (local_preference << 8) + 255;
    format!("candidate:{number} 1 {name} {priority} {} {} typ host{end}", address.ip(), address.port())
}
