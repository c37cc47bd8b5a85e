//! Codecs of an m-line: what is offered, what of it is answered, and whose packets fit whose payload type.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use model::{Codec, MediaKind};
use serde::{Deserialize, Serialize};

use super::{CodecProfile, FORMATS_MAX, MediaDescription, SyntaxProblem};

/// `a=rtpmap` (RFC 8866 §6.6).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RtpMap {
    /// The payload type, 0 to 127.
    pub pt: u8,
    /// The encoding, as written; compared without regard to case.
    pub name: String,
    /// The RTP clock, in Hz.
    pub clock_rate_hz: u32,
    /// Audio channels; absent means 1.
    pub channels: Option<u8>,
}

impl FromStr for RtpMap {
    type Err = SyntaxProblem;

    fn from_str(value: &str) -> Result<Self, SyntaxProblem> {
        const ERROR: SyntaxProblem = SyntaxProblem::Attribute("rtpmap");
        let (pt, encoding) = value.trim_ascii().split_once(' ').ok_or(ERROR)?;
        let mut parts = encoding.trim_ascii().split('/');
        let name = parts.next().filter(|name| !name.is_empty()).ok_or(ERROR)?.to_owned();
        let clock_rate_hz = parts.next().and_then(|clock| clock.parse().ok()).ok_or(ERROR)?;
        let channels = match parts.next() {
            Some(channels) => Some(channels.parse().map_err(|_| ERROR)?),
            None => None,
        };
        Ok(Self { pt: payload_type(pt)?, name, clock_rate_hz, channels })
    }
}

impl fmt::Display for RtpMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.pt, self.name, self.clock_rate_hz)?;
        if let Some(channels) = self.channels {
            write!(f, "/{channels}")?;
        }
        Ok(())
    }
}

/// `a=fmtp` (RFC 8866 §6.15).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FormatParameters {
    /// The payload type, 0 to 127.
    pub pt: u8,
    /// `name=value` pairs between semicolons, mostly.
    pub text: String,
}

impl FormatParameters {
    /// The value of a parameter; names are compared without regard to case.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.pairs().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.text
            .split(';')
            .filter_map(|pair| pair.trim_ascii().split_once('='))
            .map(|(key, value)| (key.trim_ascii(), value.trim_ascii()))
    }
}

impl FromStr for FormatParameters {
    type Err = SyntaxProblem;

    fn from_str(value: &str) -> Result<Self, SyntaxProblem> {
        let (pt, text) = value.trim_ascii().split_once(' ').ok_or(SyntaxProblem::Attribute("fmtp"))?;
        Ok(Self { pt: payload_type(pt)?, text: text.trim_ascii().to_owned() })
    }
}

impl fmt::Display for FormatParameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.pt, self.text)
    }
}

/// A kind of RTCP feedback that we know (RFC 4585, RFC 5104, draft-holmer-rmcat-transport-wide-cc).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FeedbackKind {
    /// Generic NACK.
    Nack,
    /// Picture loss indication.
    NackPli,
    /// Full intra request.
    CcmFir,
    /// Transport-wide arrival times.
    TransportCc,
    /// Receiver-estimated maximum bitrate.
    GoogRemb,
}

impl FeedbackKind {
    const ALL: [FeedbackKind; 5] = [
        FeedbackKind::Nack,
        FeedbackKind::NackPli,
        FeedbackKind::CcmFir,
        FeedbackKind::TransportCc,
        FeedbackKind::GoogRemb,
    ];

    /// As in the description.
    pub const fn as_str(self) -> &'static str {
        match self {
            FeedbackKind::Nack => "nack",
            FeedbackKind::NackPli => "nack pli",
            FeedbackKind::CcmFir => "ccm fir",
            FeedbackKind::TransportCc => "transport-cc",
            FeedbackKind::GoogRemb => "goog-remb",
        }
    }
}

/// `a=rtcp-fb` (RFC 4585 §4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FeedbackLine {
    /// The payload type; `None` for `*`, all of them.
    pub pt: Option<u8>,
    /// What kind.
    pub kind: FeedbackKind,
}

impl FeedbackLine {
    /// `None` for a kind that we do not know.
    pub(super) fn read(value: &str) -> Result<Option<Self>, SyntaxProblem> {
        let (pt, kind) = value.trim_ascii().split_once(' ').ok_or(SyntaxProblem::Attribute("rtcp-fb"))?;
        let pt = if pt == "*" { None } else { Some(payload_type(pt)?) };
        let kind = FeedbackKind::ALL.into_iter().find(|known| known.as_str() == kind.trim_ascii());
        Ok(kind.map(|kind| Self { pt, kind }))
    }
}

impl fmt::Display for FeedbackLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pt {
            Some(pt) => write!(f, "{pt} {}", self.kind.as_str()),
            None => write!(f, "* {}", self.kind.as_str()),
        }
    }
}

/// The feedback that both sides may send about packets of a codec.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Feedback {
    /// Generic NACK (RFC 4585 §6.2.1).
    pub nack: bool,
    /// Picture loss indication (RFC 4585 §6.3.1).
    pub pli: bool,
    /// Full intra request (RFC 5104 §4.3.1).
    pub fir: bool,
    /// Transport-wide arrival times.
    pub transport_cc: bool,
    /// Receiver-estimated maximum bitrate; only where transport-wide feedback is not agreed.
    pub remb: bool,
}

impl Feedback {
    fn add(&mut self, kind: FeedbackKind) {
        let flag = match kind {
            FeedbackKind::Nack => &mut self.nack,
            FeedbackKind::NackPli => &mut self.pli,
            FeedbackKind::CcmFir => &mut self.fir,
            FeedbackKind::TransportCc => &mut self.transport_cc,
            FeedbackKind::GoogRemb => &mut self.remb,
        };
        *flag = true;
    }

    /// One estimator is enough: transport-wide feedback where its header extension is agreed too, else REMB.
    fn agreed(self, transport_wide_cc_extension: bool) -> Self {
        let transport_cc = self.transport_cc && transport_wide_cc_extension;
        Self { transport_cc, remb: self.remb && !transport_cc, ..self }
    }

    fn kinds(self) -> impl Iterator<Item = FeedbackKind> {
        let flags = [self.nack, self.pli, self.fir, self.transport_cc, self.remb];
        FeedbackKind::ALL.into_iter().zip(flags).filter_map(|(kind, is_set)| is_set.then_some(kind))
    }
}

/// An agreed codec of an m-line. The payload types are the offerer's, and valid in both directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CodecParameters {
    /// The payload type.
    pub pt: u8,
    /// The payload type of retransmissions (RFC 4588), where agreed.
    pub rtx_pt: Option<u8>,
    /// The payload type under which packets carry older ones of this codec beside their own (RED, RFC 2198), where
    /// agreed; of Opus only.
    pub red_pt: Option<u8>,
    /// Which codec.
    pub codec: Codec,
    /// The RTP clock, in Hz.
    pub clock_rate_hz: u32,
    /// Audio channels; 1 for video.
    pub channels: u8,
    /// What else two peers must have in common.
    pub profile: CodecProfile,
    /// The agreed feedback.
    pub feedback: Feedback,
}

impl CodecParameters {
    /// Whether packets of this payload type are media of this codec, alone or redundant.
    pub fn carries(&self, pt: u8) -> bool {
        self.pt == pt || self.red_pt == Some(pt)
    }

    /// Whether packets of this codec, as its sender makes them, may be sent on the payload type of that `receiver`: it is
    /// the same codec, and the receiver's profile includes the sender's. Levels are not compared, as browsers announce
    /// 3.1 and decode more.
    pub fn matches(&self, receiver: &Self) -> bool {
        self.codec == receiver.codec
            && self.clock_rate_hz == receiver.clock_rate_hz
            && self.channels == receiver.channels
            && receiver.profile.includes(self.profile)
    }

    /// Whether it [matches](Self::matches) with exactly the same profile.
    pub fn matches_exactly(&self, receiver: &Self) -> bool {
        self.matches(receiver) && self.profile.is_same(receiver.profile)
    }
}

/// The receiver's codec on which a sender's packets go: the one of exactly the sender's profile, else the first that
/// includes it.
pub fn pick<'a>(sender: &CodecParameters, receiver: &'a [CodecParameters]) -> Option<&'a CodecParameters> {
    let exact = receiver.iter().find(|candidate| sender.matches_exactly(candidate));
    exact.or_else(|| receiver.iter().find(|candidate| sender.matches(candidate)))
}

/// The codecs of an m-line that are answered, with the lines of the answer.
#[derive(Debug, Default)]
pub(super) struct AgreedCodecs {
    /// In the order of the offer, which is the order of preference.
    pub(super) codecs: Vec<CodecParameters>,
    pub(super) formats: Vec<String>,
    pub(super) rtpmaps: Vec<RtpMap>,
    pub(super) parameters: Vec<FormatParameters>,
    pub(super) feedback: Vec<FeedbackLine>,
}

/// What an m-line says of each payload type. Looking it up costs the same for any number of them.
struct Formats<'a> {
    maps: [Option<&'a RtpMap>; FORMATS_MAX],
    parameters: [Option<&'a FormatParameters>; FORMATS_MAX],
    feedback: [Feedback; FORMATS_MAX],
}

impl<'a> Formats<'a> {
    /// Of several lines for a payload type the first counts.
    fn of(media: &'a MediaDescription) -> Self {
        let mut formats = Self {
            maps: [None; FORMATS_MAX],
            parameters: [None; FORMATS_MAX],
            feedback: [Feedback::default(); FORMATS_MAX],
        };
        for map in &media.rtpmaps {
            if let Some(place) = formats.maps.get_mut(usize::from(map.pt)) {
                place.get_or_insert(map);
            }
        }
        for parameters in &media.parameters {
            if let Some(place) = formats.parameters.get_mut(usize::from(parameters.pt)) {
                place.get_or_insert(parameters);
            }
        }
        for line in &media.feedback {
            match line.pt {
                Some(pt) => {
                    formats.feedback.iter_mut().skip(usize::from(pt)).take(1).for_each(|of| of.add(line.kind))
                }
                None => formats.feedback.iter_mut().for_each(|of| of.add(line.kind)),
            }
        }
        formats
    }

    fn parameters(&self, pt: u8) -> Option<&'a FormatParameters> {
        self.parameters.get(usize::from(pt)).copied().flatten()
    }

    fn feedback(&self, pt: u8) -> Feedback {
        self.feedback.get(usize::from(pt)).copied().unwrap_or_default()
    }

    fn written_map(&self, pt: u8) -> Option<&'a RtpMap> {
        self.maps.get(usize::from(pt)).copied().flatten()
    }

    /// The `a=rtpmap` of a payload type, or what RFC 3551 §6 says about it.
    fn map(&self, pt: u8) -> Option<Cow<'a, RtpMap>> {
        let known = |name: &str| RtpMap { pt, name: name.to_owned(), clock_rate_hz: 8_000, channels: None };
        match (self.written_map(pt), pt) {
            (Some(written), _) => Some(Cow::Borrowed(written)),
            (None, 0) => Some(Cow::Owned(known("PCMU"))),
            (None, 8) => Some(Cow::Owned(known("PCMA"))),
            (None, 9) => Some(Cow::Owned(known("G722"))),
            (None, _) => None,
        }
    }
}

/// Whether an m-line has a codec that we forward.
pub(super) fn has_common(media: &MediaDescription, kind: MediaKind) -> bool {
    let formats = Formats::of(media);
    media.payload_types().any(|pt| formats.codec(kind, pt, false).is_some())
}

/// Agrees on every codec of the offer that we forward, and on RED of Opus. RED and FEC of video, comfort noise and
/// telephone events are not among them.
pub(super) fn agree(
    media: &MediaDescription,
    kind: MediaKind,
    transport_wide_cc_extension: bool,
) -> AgreedCodecs {
    let formats = Formats::of(media);
    let offered = media.payload_types();
    let mut codecs: Vec<CodecParameters> =
        offered.filter_map(|pt| formats.codec(kind, pt, transport_wide_cc_extension)).collect();
    formats.pair_retransmissions(media, &mut codecs);
    formats.pair_redundancy(media, &mut codecs);
    let mut agreed = AgreedCodecs { codecs, ..AgreedCodecs::default() };
    for pt in media.payload_types() {
        formats.answer(pt, &mut agreed);
    }
    agreed
}

impl Formats<'_> {
    fn codec(&self, kind: MediaKind, pt: u8, transport_wide_cc: bool) -> Option<CodecParameters> {
        if !is_usable_with_rtcp_mux(pt) {
            return None;
        }
        let map = self.map(pt)?;
        let codec = codec_named(&map.name).filter(|codec| codec.kind() == kind)?;
        let channels = map.channels.unwrap_or(1);
        // RFC 7587 §7: Opus is always written as 48000/2.
        let channels_expected = if codec == Codec::Opus { 2 } else { 1 };
        if map.clock_rate_hz != codec.clock_rate_hz() || channels != channels_expected {
            return None;
        }
        Some(CodecParameters {
            pt,
            rtx_pt: None,
            red_pt: None,
            codec,
            clock_rate_hz: map.clock_rate_hz,
            channels,
            profile: CodecProfile::read(codec, self.parameters(pt))?,
            feedback: self.feedback(pt).agreed(transport_wide_cc),
        })
    }

    /// RFC 4588 §8.1: the first retransmission payload type that names a codec is its own.
    fn pair_retransmissions(&self, media: &MediaDescription, codecs: &mut [CodecParameters]) {
        for pt in media.payload_types().filter(|pt| is_usable_with_rtcp_mux(*pt)) {
            let Some(map) = self.written_map(pt).filter(|map| map.name.eq_ignore_ascii_case("rtx")) else {
                continue;
            };
            let repaired =
                self.parameters(pt).and_then(|parameters| parameters.get("apt")?.parse::<u8>().ok());
            let is_repaired = |codec: &&mut CodecParameters| {
                Some(codec.pt) == repaired && codec.clock_rate_hz == map.clock_rate_hz
            };
            if let Some(codec) = codecs.iter_mut().find(is_repaired) {
                codec.rtx_pt.get_or_insert(pt);
            }
        }
    }

    /// RFC 2198 §5: the parameters of RED list what its blocks are. As browsers send it, all of them are of one codec.
    fn pair_redundancy(&self, media: &MediaDescription, codecs: &mut [CodecParameters]) {
        for pt in media.payload_types().filter(|pt| is_usable_with_rtcp_mux(*pt)) {
            let Some(map) = self.written_map(pt).filter(|map| map.name.eq_ignore_ascii_case("red")) else {
                continue;
            };
            let blocks = self.parameters(pt).and_then(|parameters| red_blocks(&parameters.text));
            let is_carried = |codec: &&mut CodecParameters| {
                codec.codec == Codec::Opus
                    && Some(codec.pt) == blocks
                    && codec.clock_rate_hz == map.clock_rate_hz
                    && codec.channels == map.channels.unwrap_or(1)
            };
            if let Some(codec) = codecs.iter_mut().find(is_carried) {
                codec.red_pt.get_or_insert(pt);
            }
        }
    }

    fn answer(&self, pt: u8, agreed: &mut AgreedCodecs) {
        let Some(map) = self.map(pt) else { return };
        if let Some(codec) = agreed.codecs.iter().find(|codec| codec.pt == pt) {
            if let Some(text) = answered_parameters(codec.codec, self.parameters(pt)) {
                agreed.parameters.push(FormatParameters { pt, text });
            }
            agreed.feedback.extend(codec.feedback.kinds().map(|kind| FeedbackLine { pt: Some(pt), kind }));
        } else if let Some(repaired) = agreed.codecs.iter().find(|codec| codec.rtx_pt == Some(pt)) {
            agreed.parameters.push(FormatParameters { pt, text: format!("apt={}", repaired.pt) });
        } else if agreed.codecs.iter().any(|codec| codec.red_pt == Some(pt)) {
            agreed.parameters.extend(self.parameters(pt).cloned());
        } else {
            return;
        }
        agreed.formats.push(pt.to_string());
        agreed.rtpmaps.push(map.into_owned());
    }
}

/// RFC 5761 §4: with RTP and RTCP on one port, 64 to 95 look like RTCP.
const fn is_usable_with_rtcp_mux(pt: u8) -> bool {
    !matches!(pt, 64..=95)
}

fn codec_named(name: &str) -> Option<Codec> {
    const NAMES: [(&str, Codec); 8] = [
        ("VP8", Codec::Vp8),
        ("VP9", Codec::Vp9),
        ("H264", Codec::H264),
        ("AV1", Codec::Av1),
        ("opus", Codec::Opus),
        ("G722", Codec::G722),
        ("PCMU", Codec::Pcmu),
        ("PCMA", Codec::Pcma),
    ];
    NAMES.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, codec)| codec)
}

/// The offer's parameters that say which stream it is, without those that say what the offerer can decode: `max-fs` and
/// its kin would bound what it sends to others.
fn answered_parameters(codec: Codec, offered: Option<&FormatParameters>) -> Option<String> {
    const OPUS: [&str; 7] =
        ["minptime", "usedtx", "stereo", "sprop-stereo", "maxaveragebitrate", "maxplaybackrate", "cbr"];
    const H264: [&str; 3] = ["level-asymmetry-allowed", "packetization-mode", "profile-level-id"];
    let kept: &[&str] = match codec {
        Codec::Opus => &OPUS,
        Codec::H264 => &H264,
        Codec::Vp9 => &["profile-id"],
        Codec::Av1 => &["level-idx", "profile", "tier"],
        Codec::Vp8 | Codec::G722 | Codec::Pcmu | Codec::Pcma => &[],
    };
    let is_kept = |name: &str| kept.iter().any(|kept| kept.eq_ignore_ascii_case(name));
    let pairs = offered.into_iter().flat_map(FormatParameters::pairs).filter(|(name, _)| is_kept(name));
    let mut text: Vec<String> = pairs.map(|(name, value)| format!("{name}={value}")).collect();
    if codec == Codec::Opus {
        text.push("useinbandfec=1".to_owned());
    }
    (!text.is_empty()).then(|| text.join(";"))
}

/// The one payload type of all blocks of RED.
fn red_blocks(parameters: &str) -> Option<u8> {
    let mut blocks = parameters.split('/').map(payload_type);
    let first = blocks.next()?.ok()?;
    blocks.all(|block| block == Ok(first)).then_some(first)
}

/// A payload type: 0 to 127, without a sign or leading zeros, so that it has one way to be written.
pub(super) fn payload_type(text: &str) -> Result<u8, SyntaxProblem> {
    let text = text.trim_ascii();
    let pt = text.parse().ok().filter(|pt| *pt <= 127).ok_or(SyntaxProblem::PayloadType)?;
    let is_canonical = text == "0" || !text.starts_with(['0', '+']);
    if is_canonical { Ok(pt) } else { Err(SyntaxProblem::PayloadType) }
}
