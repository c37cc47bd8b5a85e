//! RTP header extensions: which are offered, which are agreed, under which id (RFC 8285).

use std::fmt;
use std::str::FromStr;

use model::MediaKind;

use super::{Direction, SyntaxProblem};

/// A header extension that we know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Extension {
    /// The m-line of a packet (RFC 8843 §15).
    Mid,
    /// The simulcast encoding of a packet (RFC 8852).
    Rid,
    /// The simulcast encoding that a retransmission repairs (RFC 8852).
    RepairedRid,
    /// How loud a packet is (RFC 6464).
    AudioLevel,
    /// When the packet left, for bandwidth estimation.
    AbsSendTime,
    /// A number across all packets of a transport, for bandwidth estimation (draft-holmer-rmcat-transport-wide-cc).
    TransportWideCc,
    /// When a frame was captured, by its capturer's clock.
    AbsCaptureTime,
    /// How long the receiver is asked to buffer.
    PlayoutDelay,
    /// Which frames a frame needs (AV1 RTP specification, appendix A).
    DependencyDescriptor,
}

impl Extension {
    /// All of them.
    pub const ALL: [Extension; 9] = [
        Extension::Mid,
        Extension::Rid,
        Extension::RepairedRid,
        Extension::AudioLevel,
        Extension::AbsSendTime,
        Extension::TransportWideCc,
        Extension::AbsCaptureTime,
        Extension::PlayoutDelay,
        Extension::DependencyDescriptor,
    ];

    /// What it is called in a description.
    pub const fn uri(self) -> &'static str {
        match self {
            Extension::Mid => "urn:ietf:params:rtp-hdrext:sdes:mid",
            Extension::Rid => "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
            Extension::RepairedRid => "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
            Extension::AudioLevel => "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
            Extension::AbsSendTime => "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
            Extension::TransportWideCc => {
                "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
            }
            Extension::AbsCaptureTime => "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time",
            Extension::PlayoutDelay => "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay",
            Extension::DependencyDescriptor => {
                "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension"
            }
        }
    }

    /// Whether it is answered on an m-line of this kind.
    const fn is_answered(self, kind: MediaKind) -> bool {
        match self {
            Extension::AudioLevel => matches!(kind, MediaKind::Audio),
            Extension::PlayoutDelay | Extension::DependencyDescriptor => matches!(kind, MediaKind::Video),
            _ => true,
        }
    }

    fn from_uri(uri: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|extension| extension.uri() == uri)
    }
}

/// The ids of header extensions on an m-line, in one direction. `None`: not agreed, so never written and not looked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Extensions {
    /// [`Extension::Mid`].
    pub mid: Option<u8>,
    /// [`Extension::Rid`].
    pub rid: Option<u8>,
    /// [`Extension::RepairedRid`].
    pub repaired_rid: Option<u8>,
    /// [`Extension::AudioLevel`].
    pub audio_level: Option<u8>,
    /// Whether the voice activity bit of the audio level means something (RFC 6464 §4: `vad=on`, the default).
    pub audio_level_vad: bool,
    /// [`Extension::AbsSendTime`].
    pub abs_send_time: Option<u8>,
    /// [`Extension::TransportWideCc`].
    pub transport_wide_cc: Option<u8>,
    /// [`Extension::AbsCaptureTime`].
    pub abs_capture_time: Option<u8>,
    /// [`Extension::PlayoutDelay`].
    pub playout_delay: Option<u8>,
    /// [`Extension::DependencyDescriptor`].
    pub dependency_descriptor: Option<u8>,
}

impl Extensions {
    /// The id of an extension.
    pub const fn id(&self, extension: Extension) -> Option<u8> {
        match extension {
            Extension::Mid => self.mid,
            Extension::Rid => self.rid,
            Extension::RepairedRid => self.repaired_rid,
            Extension::AudioLevel => self.audio_level,
            Extension::AbsSendTime => self.abs_send_time,
            Extension::TransportWideCc => self.transport_wide_cc,
            Extension::AbsCaptureTime => self.abs_capture_time,
            Extension::PlayoutDelay => self.playout_delay,
            Extension::DependencyDescriptor => self.dependency_descriptor,
        }
    }

    /// What an id stands for.
    pub fn extension(&self, id: u8) -> Option<Extension> {
        Extension::ALL.into_iter().find(|extension| self.id(*extension) == Some(id))
    }

    /// Whether an id does not fit into the one-byte form of RFC 8285 §4.2.
    pub fn needs_two_byte_form(&self) -> bool {
        Extension::ALL.into_iter().any(|extension| {
            extension.is_answered_on_some_line() && self.id(extension).is_some_and(|id| id > ONE_BYTE_ID_MAX)
        })
    }

    fn set(&mut self, extension: Extension, id: u8) {
        let place = match extension {
            Extension::Mid => &mut self.mid,
            Extension::Rid => &mut self.rid,
            Extension::RepairedRid => &mut self.repaired_rid,
            Extension::AudioLevel => &mut self.audio_level,
            Extension::AbsSendTime => &mut self.abs_send_time,
            Extension::TransportWideCc => &mut self.transport_wide_cc,
            Extension::AbsCaptureTime => &mut self.abs_capture_time,
            Extension::PlayoutDelay => &mut self.playout_delay,
            Extension::DependencyDescriptor => &mut self.dependency_descriptor,
        };
        *place = Some(id);
    }
}

impl Extension {
    const fn is_answered_on_some_line(self) -> bool {
        self.is_answered(MediaKind::Audio) || self.is_answered(MediaKind::Video)
    }
}

/// RFC 8285 §4.2: ids 1 to 14; 15 is reserved and 0 is padding.
const ONE_BYTE_ID_MAX: u8 = 14;

/// An offered or answered extension (`a=extmap`, RFC 8285 §8).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Extmap {
    /// As written; 4096 and above ask the answerer to choose, which no browser does.
    pub id: u16,
    /// Which way; absent means as the m-line.
    pub direction: Option<Direction>,
    /// What it is.
    pub uri: String,
    /// What follows the URI.
    pub attributes: Option<String>,
}

impl FromStr for Extmap {
    type Err = SyntaxProblem;

    fn from_str(value: &str) -> Result<Self, SyntaxProblem> {
        const ERROR: SyntaxProblem = SyntaxProblem::Attribute("extmap");
        let (head, rest) = value.trim_ascii().split_once(' ').ok_or(ERROR)?;
        let (id, direction) = match head.split_once('/') {
            Some((id, direction)) => (id, Some(Direction::read(direction).ok_or(ERROR)?)),
            None => (head, None),
        };
        let (uri, attributes) = match rest.trim_ascii().split_once(' ') {
            Some((uri, attributes)) => (uri, Some(attributes.trim_ascii().to_owned())),
            None => (rest.trim_ascii(), None),
        };
        let id = id.parse().map_err(|_| ERROR)?;
        if uri.is_empty() {
            return Err(ERROR);
        }
        Ok(Self { id, direction, uri: uri.to_owned(), attributes })
    }
}

impl fmt::Display for Extmap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.id)?;
        if let Some(direction) = self.direction {
            write!(f, "/{direction}")?;
        }
        write!(f, " {}", self.uri)?;
        if let Some(attributes) = &self.attributes {
            write!(f, " {attributes}")?;
        }
        Ok(())
    }
}

/// Which extension each id stands for on the whole transport. RFC 8843 §9.2 wants one meaning for an id on all bundled
/// m-lines; whatever disagrees with an m-line before it is left out of the answer.
#[derive(Debug, Default)]
pub(super) struct ExtensionAgreement {
    uris_by_id: std::collections::BTreeMap<u8, String>,
    /// What the other side may send us, on any m-line.
    pub(super) all: Extensions,
}

/// What is agreed on one m-line.
#[derive(Debug, Default)]
pub(super) struct AgreedExtensions {
    /// What the other side may send.
    pub(super) receive: Extensions,
    /// What we may send.
    pub(super) send: Extensions,
    /// The lines of the answer.
    pub(super) answer: Vec<Extmap>,
}

impl ExtensionAgreement {
    /// Agrees on the offered extensions of one m-line.
    pub(super) fn agree(
        &mut self,
        offered: &[Extmap],
        kind: MediaKind,
        two_byte_form: bool,
    ) -> AgreedExtensions {
        let mut agreed = AgreedExtensions::default();
        for extmap in offered {
            self.agree_one(extmap, kind, two_byte_form, &mut agreed);
        }
        agreed
    }

    fn agree_one(
        &mut self,
        extmap: &Extmap,
        kind: MediaKind,
        two_byte_form: bool,
        agreed: &mut AgreedExtensions,
    ) {
        let direction = extmap.direction.unwrap_or(Direction::SendRecv);
        let Some(id) = usable_id(extmap.id, two_byte_form) else { return };
        if *self.uris_by_id.entry(id).or_insert_with(|| extmap.uri.clone()) != extmap.uri {
            return;
        }
        let Some(extension) = Extension::from_uri(&extmap.uri) else { return };
        let known_as_another = self.all.id(extension).is_some_and(|known| known != id);
        if known_as_another || direction == Direction::Inactive {
            return;
        }
        let answered_already = agreed.answer.iter().any(|answered| answered.uri == extmap.uri);
        if !extension.is_answered(kind) || answered_already {
            return;
        }
        let vad = extmap.attributes.as_deref() != Some("vad=off");
        self.all.set(extension, id);
        if direction.sends() {
            agreed.receive.set(extension, id);
        }
        if direction.receives() {
            agreed.send.set(extension, id);
        }
        if extension == Extension::AudioLevel {
            self.all.audio_level_vad = vad;
            agreed.receive.audio_level_vad = vad;
            agreed.send.audio_level_vad = vad;
        }
        agreed.answer.push(Extmap { direction: extmap.direction.map(Direction::reversed), ..extmap.clone() });
    }
}

/// An id that a packet can carry: 1 to 14, or, when both forms may be mixed (RFC 8285 §4.1.2), up to 255.
fn usable_id(id: u16, two_byte_form: bool) -> Option<u8> {
    let id = u8::try_from(id).ok()?;
    let usable = matches!(id, 1..=ONE_BYTE_ID_MAX) || (two_byte_form && id > ONE_BYTE_ID_MAX + 1);
    usable.then_some(id)
}
