//! Answers offers, and remembers from one to the next what must stay the same.

use model::{Layer, MediaKind, Mid, Semantic};

use super::attribute::{Ssrc, SsrcGroup, SsrcSemantics, Transport};
pub use super::bundle::RemoteTransport;
use super::bundle::{self, Bundle};
use super::extension::ExtensionAgreement;
use super::slot::SsrcSource;
use super::{
    CodecParameters, Direction, Extensions, Fingerprint, MediaDescription, Msid, SdpError, SendSlot,
    SessionDescription, Setup, codec, rid,
};

/// Our side of the connection, the same in every answer until ICE restarts.
#[derive(Debug, Clone, Copy)]
pub struct LocalParameters<'a> {
    /// The ICE user name fragment.
    pub ufrag: &'a str,
    /// The ICE password.
    pub pwd: &'a str,
    /// The SHA-256 of our certificate.
    pub fingerprint_sha256: &'a [u8; 32],
    /// All our candidates, each as `candidate:…`.
    pub candidates: &'a [String],
    /// The canonical name of all that we send (RFC 3550 §6.5.1).
    pub cname: &'a str,
    /// Of our descriptions; random, and below 2^63 (RFC 9429 §5.2.1).
    pub session_id: u64,
}

/// Answers the offers of one peer connection.
///
/// It keeps the SSRCs and msid of every m-line. A client that comes with a new peer connection needs a new negotiator.
#[derive(Debug, Clone, Default)]
pub struct Negotiator {
    lines: Vec<Line>,
    answers: u64,
    /// The mid of the m-line that carries the transport.
    carrier: Option<Mid>,
}

/// What is kept of an m-line.
#[derive(Debug, Clone)]
struct Line {
    mid: Mid,
    kind: Option<MediaKind>,
    /// Neither stopped nor rejected.
    is_alive: bool,
    slot: Option<SendSlot>,
}

/// An answer, and what it means for the endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Negotiated {
    /// The session description to send back.
    pub answer: String,
    /// The other end. `None` if every m-line is stopped or rejected and the offer says nothing of a transport.
    pub remote: Option<RemoteTransport>,
    /// The offerer starts a new transport, DTLS handshake included: with the first answer, and whenever another m-line
    /// carries it than before. Chromium 156 and Firefox 153 do so when the first m-line of the bundle is stopped or its
    /// place is taken, **with the same ICE credentials and certificate** (Firefox always, Chromium at the stop). An ICE
    /// restart alone starts no new transport; it shows as new credentials in `remote`.
    pub new_transport: bool,
    /// The candidates in the offer, each as `candidate:…`.
    pub candidates: Vec<String>,
    /// The m-lines of audio and video in the order of the offer, stopped and rejected ones included.
    pub media: Vec<MediaLine>,
    /// Whether RTCP may be of reduced size (RFC 5506) on every m-line.
    pub rtcp_reduced_size: bool,
    /// What any packet from the offerer may carry: one id means the same on every m-line.
    pub extensions: Extensions,
}

/// An m-line of audio or video, as it was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaLine {
    /// Its place, from 0, other kinds of m-lines included.
    pub index: usize,
    /// Its mid; its index as text where the offer has none.
    pub mid: Mid,
    /// Audio or video.
    pub kind: MediaKind,
    /// From `a=content`.
    pub semantic: Semantic,
    /// Whether media flows.
    pub state: LineState,
    /// What we send with. Only with [`LineState::Active`].
    pub send: Option<SendSlot>,
    /// What the offerer sends. Only with [`LineState::Active`].
    pub receive: Option<ReceiveLine>,
    /// The agreed codecs in the offerer's order of preference; valid in both directions.
    pub codecs: Vec<CodecParameters>,
    /// The header extensions that the offerer may send.
    pub receive_extensions: Extensions,
    /// The header extensions that we may send.
    pub send_extensions: Extensions,
    /// Whether header extensions of both forms may be mixed in a stream (RFC 8285 §4.1.2).
    pub extmap_allow_mixed: bool,
}

/// Whether media flows on an m-line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LineState {
    /// In at least one direction.
    Active,
    /// In neither for now (`a=inactive`); its slot is kept.
    Inactive,
    /// The offerer ended it by port 0.
    Stopped,
    /// We refused it by port 0.
    Rejected(RejectReason),
}

/// Why an m-line is refused. The rest of the offer is answered all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum RejectReason {
    /// Neither audio nor video.
    #[error("neither audio nor video")]
    Media,
    /// Not an RTP profile of RFC 9429 §5.1.2.
    #[error("a protocol without RTP")]
    Protocol,
    /// None of its codecs is forwarded.
    #[error("no codec in common")]
    NoCommonCodec,
    /// Another m-line carries the transport, and this one is not bundled with it.
    #[error("not bundled with the m-line that carries the transport")]
    NotBundled,
}

/// What the offerer sends on an m-line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiveLine {
    /// The simulcast encodings, in the order of the offer; empty without RIDs.
    pub layers: Vec<Layer>,
    /// The SSRCs that are announced, each with the one that retransmits it. Empty where RIDs are used.
    pub ssrcs: Vec<(u32, Option<u32>)>,
    /// The stream and track.
    pub msid: Option<Msid>,
}

impl Negotiator {
    /// For a new peer connection.
    pub fn new() -> Self {
        Self::default()
    }

    /// Answers an offer. `next_ssrc` draws random SSRCs.
    ///
    /// # Errors
    /// The offer cannot be used as a whole; the negotiator is as it was before.
    pub fn handle_offer(
        &mut self,
        offer: &SessionDescription,
        local: &LocalParameters<'_>,
        next_ssrc: &mut dyn FnMut() -> u32,
    ) -> Result<Negotiated, SdpError> {
        if offer.media.is_empty() {
            return Err(SdpError::NoMediaLines);
        }
        if offer.ice_lite {
            return Err(SdpError::IceLite);
        }
        let mids = bundle::mids(&offer.media)?;
        self.check_continuity(offer, &mids)?;
        let refusals: Vec<Option<RejectReason>> = offer.media.iter().map(unservable).collect();
        let bundle = Bundle::choose(offer, |index| {
            let is_servable = matches!(refusals.get(index), Some(None));
            is_servable && !offer.media.get(index).is_none_or(is_stopped)
        })?;
        let remote = self.remote(offer, &mids, &bundle)?;
        let carrier = bundle.carrier().and_then(|place| mids.get(place)).copied();
        let new_transport = carrier.is_some() && carrier != self.carrier;
        let slots = self.lines.iter().filter_map(|line| line.slot.as_ref());
        let answering = Answering {
            offer,
            local,
            mids: &mids,
            refusals: &refusals,
            bundle: &bundle,
            ssrcs: SsrcSource::new(next_ssrc, offer, slots),
            extensions: ExtensionAgreement::default(),
        };
        let (negotiated, lines) = answering.answer(&self.lines, self.answers + 1, remote)?;
        self.lines = lines;
        self.answers += 1;
        self.carrier = carrier;
        Ok(Negotiated { new_transport, ..negotiated })
    }

    /// RFC 3264 §8: m-lines keep their places; RFC 9429 §5.2.2: a new mid may take the place of another.
    fn check_continuity(&self, offer: &SessionDescription, mids: &[Mid]) -> Result<(), SdpError> {
        let (count, count_before) = (mids.len(), self.lines.len());
        if count < count_before {
            return Err(SdpError::MediaLinesRemoved { count, count_before });
        }
        for (index, (media, mid)) in offer.media.iter().zip(mids).enumerate() {
            let known = self.lines.iter().enumerate().find(|(_, line)| line.is_alive && line.mid == *mid);
            let Some((before, line)) = known else { continue };
            if before != index {
                return Err(SdpError::MidMoved { mid: *mid, before, index });
            }
            if let Some(kind) = line.kind.filter(|kind| media.media.kind() != Some(*kind)) {
                return Err(SdpError::KindChanged { index, mid: *mid, before: kind });
            }
        }
        Ok(())
    }

    fn remote(
        &self,
        offer: &SessionDescription,
        mids: &[Mid],
        bundle: &Bundle,
    ) -> Result<Option<RemoteTransport>, SdpError> {
        let Some(carrier) = bundle.carrier() else {
            // Nothing flows, so nothing that is missing is missed.
            return Ok(bundle::remote_transport(offer, bundle).ok());
        };
        if let (Some(media), Some(mid)) = (offer.media.get(carrier), mids.get(carrier))
            && !media.rtcp_mux
        {
            return Err(SdpError::RtcpMuxMissing { index: carrier, mid: *mid });
        }
        bundle::remote_transport(offer, bundle).map(Some)
    }
}

/// RFC 9429 §5.2.2: port 0 without `a=bundle-only`.
fn is_stopped(media: &MediaDescription) -> bool {
    media.port == 0 && !media.bundle_only
}

/// Why an m-line cannot be served, wherever it is.
fn unservable(media: &MediaDescription) -> Option<RejectReason> {
    let Some(kind) = media.media.kind() else { return Some(RejectReason::Media) };
    // RFC 9429 §5.1.2: all of these are taken as UDP/TLS/RTP/SAVPF.
    let is_rtp = ["RTP/SAVPF", "RTP/SAVP", "RTP/AVPF", "RTP/AVP"].into_iter().any(|end| {
        media.protocol.strip_suffix(end).is_some_and(|start| matches!(start, "" | "UDP/TLS/" | "TCP/DTLS/"))
    });
    if !is_rtp {
        return Some(RejectReason::Protocol);
    }
    (!codec::has_common(media, kind)).then_some(RejectReason::NoCommonCodec)
}

/// One offer on its way to an answer.
struct Answering<'a> {
    offer: &'a SessionDescription,
    local: &'a LocalParameters<'a>,
    mids: &'a [Mid],
    /// Why each m-line cannot be served, wherever it is.
    refusals: &'a [Option<RejectReason>],
    bundle: &'a Bundle,
    ssrcs: SsrcSource<'a>,
    extensions: ExtensionAgreement,
}

impl Answering<'_> {
    fn answer(
        mut self,
        former: &[Line],
        version: u64,
        remote: Option<RemoteTransport>,
    ) -> Result<(Negotiated, Vec<Line>), SdpError> {
        let mut answer = self.session(version);
        let mut media_lines = Vec::new();
        let mut lines = Vec::new();
        for (index, (offered, mid)) in self.offer.media.iter().zip(self.mids).enumerate() {
            let slot = former.get(index).filter(|line| line.is_alive && line.mid == *mid);
            let slot = slot.and_then(|line| line.slot.clone());
            let answered = self.line(index, *mid, offered, slot)?;
            answer.media.push(answered.description);
            lines.push(Line {
                mid: *mid,
                kind: offered.media.kind(),
                is_alive: answered.is_alive,
                slot: answered.slot,
            });
            media_lines.extend(answered.line);
        }
        let carried = || self.bundle.members.iter().filter_map(|place| self.offer.media.get(*place));
        let negotiated = Negotiated {
            answer: answer.to_string(),
            remote,
            new_transport: false,
            candidates: bundle::remote_candidates(self.offer, self.bundle),
            media: media_lines,
            rtcp_reduced_size: carried().count() > 0 && carried().all(|media| media.rtcp_reduced_size),
            extensions: self.extensions.all,
        };
        Ok((negotiated, lines))
    }

    fn session(&self, version: u64) -> SessionDescription {
        let members = self.bundle.members.iter().filter_map(|place| self.mids.get(*place)).copied();
        SessionDescription {
            session_id: self.local.session_id & (u64::MAX >> 1),
            session_version: version,
            bundles: if self.bundle.is_group { vec![members.collect()] } else { Vec::new() },
            ice_lite: true,
            extmap_allow_mixed: self.offer.extmap_allow_mixed,
            ..SessionDescription::default()
        }
    }

    fn line(
        &mut self,
        index: usize,
        mid: Mid,
        offered: &MediaDescription,
        slot: Option<SendSlot>,
    ) -> Result<AnsweredLine, SdpError> {
        let state = if is_stopped(offered) {
            LineState::Stopped
        } else if let Some(reason) = self.refusals.get(index).copied().flatten() {
            LineState::Rejected(reason)
        } else if !self.bundle.members.contains(&index) {
            LineState::Rejected(RejectReason::NotBundled)
        } else if self.direction(offered) == Direction::Inactive {
            LineState::Inactive
        } else {
            LineState::Active
        };
        let line = offered.media.kind().map(|kind| MediaLine {
            index,
            mid,
            kind,
            semantic: semantic(offered),
            state,
            send: None,
            receive: None,
            codecs: Vec::new(),
            receive_extensions: Extensions::default(),
            send_extensions: Extensions::default(),
            extmap_allow_mixed: self.offer.extmap_allow_mixed || offered.extmap_allow_mixed,
        });
        match (line, state) {
            (Some(line), LineState::Active | LineState::Inactive) => self.accept(line, offered, slot),
            (line, _) => {
                Ok(AnsweredLine { description: self.refuse(offered), line, is_alive: false, slot: None })
            }
        }
    }

    fn direction(&self, offered: &MediaDescription) -> Direction {
        offered.direction.or(self.offer.direction).unwrap_or(Direction::SendRecv)
    }

    fn accept(
        &mut self,
        mut line: MediaLine,
        offered: &MediaDescription,
        slot: Option<SendSlot>,
    ) -> Result<AnsweredLine, SdpError> {
        let direction = self.direction(offered);
        let extensions = self.extensions.agree(&offered.extmaps, line.kind, line.extmap_allow_mixed);
        let codecs = codec::agree(offered, line.kind, extensions.receive.transport_wide_cc.is_some());
        let mut answer =
            MediaDescription::new(offered.media.clone(), PORT, &offered.protocol, codecs.formats);
        self.write_transport(line.index, offered, &mut answer);
        answer.direction = Some(direction.reversed());
        answer.extmaps = extensions.answer;
        answer.rtpmaps = codecs.rtpmaps;
        answer.parameters = codecs.parameters;
        answer.feedback = codecs.feedback;
        answer.content = offered.content.clone();
        let has_rtx = codecs.codecs.iter().any(|codec| codec.rtx_pt.is_some());
        line.codecs = codecs.codecs;
        line.receive_extensions = extensions.receive;
        line.send_extensions = extensions.send;
        let slot = if direction.receives() { Some(self.ssrcs.slot(slot, has_rtx)?) } else { slot };
        if direction.receives() {
            line.send =
                slot.clone().map(|slot| SendSlot { rtx_ssrc: slot.rtx_ssrc.filter(|_| has_rtx), ..slot });
            line.send.iter().for_each(|slot| write_slot(slot, self.local.cname, &mut answer));
        }
        if direction.sends() {
            let is_agreed = |pt| line.codecs.iter().any(|codec| codec.pt == pt);
            let layers = rid::agree(offered, is_agreed);
            answer.rids = layers.rids;
            answer.simulcast = layers.simulcast;
            line.receive = Some(ReceiveLine {
                layers: layers.layers,
                ssrcs: announced_ssrcs(offered),
                msid: announced_msid(offered),
            });
        }
        Ok(AnsweredLine { description: answer, line: Some(line), is_alive: true, slot })
    }

    fn write_transport(&self, index: usize, offered: &MediaDescription, answer: &mut MediaDescription) {
        answer.mid = offered.mid;
        answer.rtcp_mux = true;
        answer.rtcp_reduced_size = offered.rtcp_reduced_size;
        answer.extmap_allow_mixed = offered.extmap_allow_mixed;
        answer.transport = self.transport();
        if self.bundle.carrier() == Some(index) {
            answer.candidates = self.local.candidates.to_vec();
            answer.end_of_candidates = true;
        }
    }

    /// Port 0, one format (RFC 3264 §6 wants at least one) with its `a=rtpmap`, and the transport: str0m cannot read an
    /// answer without the former, GStreamer and aiortc refuse one without the latter.
    fn refuse(&self, offered: &MediaDescription) -> MediaDescription {
        let formats = offered.formats.first().cloned().into_iter().collect();
        let mut answer = MediaDescription::new(offered.media.clone(), 0, &offered.protocol, formats);
        answer.mid = offered.mid;
        answer.direction = Some(Direction::Inactive);
        answer.transport = self.transport();
        let kept = answer.payload_types().next();
        answer.rtpmaps.extend(offered.rtpmaps.iter().find(|map| Some(map.pt) == kept).cloned());
        answer
    }

    /// Each m-line repeats the transport, as Chromium writes it: GStreamer looks for it there. Only one has the
    /// candidates.
    fn transport(&self) -> Transport {
        Transport {
            ufrag: Some(self.local.ufrag.to_owned()),
            pwd: Some(self.local.pwd.to_owned()),
            ice_options: Vec::new(),
            fingerprints: vec![Fingerprint::sha256(self.local.fingerprint_sha256)],
            setup: Some(Setup::Passive),
        }
    }
}

/// RFC 9429 §5.2.1: the discard port, as candidates say the real one.
const PORT: u16 = 9;

struct AnsweredLine {
    description: MediaDescription,
    /// `None` for what is neither audio nor video.
    line: Option<MediaLine>,
    is_alive: bool,
    slot: Option<SendSlot>,
}

fn write_slot(slot: &SendSlot, cname: &str, answer: &mut MediaDescription) {
    answer.msids.push(slot.msid.clone());
    if let Some(rtx_ssrc) = slot.rtx_ssrc {
        answer
            .ssrc_groups
            .push(SsrcGroup { semantics: SsrcSemantics::Fid, ssrcs: vec![slot.ssrc, rtx_ssrc] });
    }
    for ssrc in [Some(slot.ssrc), slot.rtx_ssrc].into_iter().flatten() {
        answer.ssrcs.push(Ssrc { ssrc, cname: Some(cname.to_owned()), msid: None });
    }
}

/// RFC 4796 §5: a list of words between commas.
fn semantic(media: &MediaDescription) -> Semantic {
    let content = media.content.as_deref().unwrap_or("main");
    let says = |word: &str| content.split(',').any(|part| part.trim_ascii().eq_ignore_ascii_case(word));
    if says("slides") {
        Semantic::Presentation
    } else if says("main") {
        Semantic::Main
    } else {
        Semantic::Misc
    }
}

/// The SSRCs of media, each with the one that retransmits it. Which of them carry the same pictures (`SIM`) is not looked
/// at: simulcast without RIDs is served as its first encoding.
fn announced_ssrcs(media: &MediaDescription) -> Vec<(u32, Option<u32>)> {
    let pairs = || media.ssrc_groups.iter().filter(|group| group.semantics != SsrcSemantics::Sim);
    let second_of = |group: &SsrcGroup| group.ssrcs.get(1).copied();
    let is_helper = |ssrc: u32| pairs().any(|group| second_of(group) == Some(ssrc));
    let retransmission_of = |ssrc: u32| {
        let group = pairs()
            .find(|group| group.semantics == SsrcSemantics::Fid && group.ssrcs.first() == Some(&ssrc))?;
        second_of(group)
    };
    let media_ssrcs = media.ssrcs.iter().map(|ssrc| ssrc.ssrc).filter(|ssrc| !is_helper(*ssrc));
    media_ssrcs.map(|ssrc| (ssrc, retransmission_of(ssrc))).collect()
}

fn announced_msid(media: &MediaDescription) -> Option<Msid> {
    let by_ssrc = || media.ssrcs.iter().find_map(|ssrc| ssrc.msid.clone());
    media.msids.first().cloned().or_else(by_ssrc)
}
