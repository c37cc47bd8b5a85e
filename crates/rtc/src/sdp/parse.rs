//! Reading a session description. Bounded: no line, list or number of m-lines is longer than its constant says, and
//! what is wrong is named with its line.

use std::str::FromStr;

use model::limits::{MEDIA_LINES_MAX, SDP_BYTES_MAX};
use model::{MediaKind, Mid};

use super::attribute::{Transport, push_bounded};
use super::codec::payload_type;
use super::rid::read_image_sizes;
use super::{
    BUNDLE_GROUPS_MAX, CANDIDATES_MAX, Direction, EXTMAPS_MAX, Extmap, FEEDBACK_LINES_MAX, FORMATS_MAX,
    FeedbackLine, FormatParameters, LINE_BYTES_MAX, MSIDS_MAX, Msid, RIDS_MAX, RidLine, RtpMap,
    SSRC_GROUPS_MAX, SSRCS_MAX, SdpError, Simulcast, Ssrc, SsrcGroup, SyntaxProblem,
};

/// A session description: the parts of it that an answer depends on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionDescription {
    /// `o=`: the id of the session.
    pub session_id: u64,
    /// `o=`: one more with every description of the session.
    pub session_version: u64,
    /// `a=group:BUNDLE`: the mids of each such group (RFC 8843).
    pub bundles: Vec<Vec<Mid>>,
    /// `a=ice-lite` (RFC 8839 §5.3).
    pub ice_lite: bool,
    /// `a=extmap-allow-mixed` for all m-lines (RFC 8285 §6).
    pub extmap_allow_mixed: bool,
    /// The direction of m-lines that have none.
    pub direction: Option<Direction>,
    /// What m-lines that do not say it themselves have in common.
    pub transport: Transport,
    /// The m-lines, in order.
    pub media: Vec<MediaDescription>,
}

/// `<media>` of an m-line.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum MediaType {
    /// `audio`.
    Audio,
    /// `video`.
    Video,
    /// `application`: data channels.
    Application,
    /// Anything else.
    Other(String),
}

impl MediaType {
    /// Audio or video.
    pub fn kind(&self) -> Option<MediaKind> {
        match self {
            MediaType::Audio => Some(MediaKind::Audio),
            MediaType::Video => Some(MediaKind::Video),
            MediaType::Application | MediaType::Other(_) => None,
        }
    }

    /// As in the description.
    pub fn as_str(&self) -> &str {
        match self {
            MediaType::Audio => "audio",
            MediaType::Video => "video",
            MediaType::Application => "application",
            MediaType::Other(name) => name,
        }
    }
}

/// An m-line and the lines that belong to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaDescription {
    /// Of what kind.
    pub media: MediaType,
    /// 9 where candidates say it, 0 for a stopped or rejected m-line, and for one that is only good within a bundle.
    pub port: u16,
    /// As written: `UDP/TLS/RTP/SAVPF`.
    pub protocol: String,
    /// As written; the payload types of an RTP protocol, in order of preference.
    pub formats: Vec<String>,
    /// `a=mid` (RFC 5888).
    pub mid: Option<Mid>,
    /// `a=sendrecv` and its kin.
    pub direction: Option<Direction>,
    /// `a=bundle-only` (RFC 8843 §6): port 0 does not mean stopped.
    pub bundle_only: bool,
    /// `a=rtcp-mux` (RFC 5761).
    pub rtcp_mux: bool,
    /// `a=rtcp-rsize` (RFC 5506).
    pub rtcp_reduced_size: bool,
    /// ICE and DTLS.
    pub transport: Transport,
    /// `candidate:…`, without `a=`.
    pub candidates: Vec<String>,
    /// `a=end-of-candidates` (RFC 8840).
    pub end_of_candidates: bool,
    /// `a=extmap` (RFC 8285).
    pub extmaps: Vec<Extmap>,
    /// `a=extmap-allow-mixed` (RFC 8285 §6).
    pub extmap_allow_mixed: bool,
    /// `a=rtpmap`.
    pub rtpmaps: Vec<RtpMap>,
    /// `a=fmtp`.
    pub parameters: Vec<FormatParameters>,
    /// `a=rtcp-fb`, those that we know.
    pub feedback: Vec<FeedbackLine>,
    /// `a=msid`.
    pub msids: Vec<Msid>,
    /// `a=content` (RFC 4796), as written.
    pub content: Option<String>,
    /// `a=rid`.
    pub rids: Vec<RidLine>,
    /// `a=simulcast`.
    pub simulcast: Option<Simulcast>,
    /// `a=imageattr`: the sizes that are sent.
    pub image_sizes: Vec<(u16, u16)>,
    /// `a=ssrc`.
    pub ssrcs: Vec<Ssrc>,
    /// `a=ssrc-group`.
    pub ssrc_groups: Vec<SsrcGroup>,
}

impl MediaDescription {
    /// An m-line with nothing but itself.
    pub fn new(media: MediaType, port: u16, protocol: &str, formats: Vec<String>) -> Self {
        Self {
            media,
            port,
            protocol: protocol.to_owned(),
            formats,
            mid: None,
            direction: None,
            bundle_only: false,
            rtcp_mux: false,
            rtcp_reduced_size: false,
            transport: Transport::default(),
            candidates: Vec::new(),
            end_of_candidates: false,
            extmaps: Vec::new(),
            extmap_allow_mixed: false,
            rtpmaps: Vec::new(),
            parameters: Vec::new(),
            feedback: Vec::new(),
            msids: Vec::new(),
            content: None,
            rids: Vec::new(),
            simulcast: None,
            image_sizes: Vec::new(),
            ssrcs: Vec::new(),
            ssrc_groups: Vec::new(),
        }
    }

    /// The payload types of the m-line, in order of preference, each once.
    pub(super) fn payload_types(&self) -> impl Iterator<Item = u8> {
        let mut seen = 0u128;
        let numbers = self.formats.iter().filter_map(|format| payload_type(format).ok());
        numbers.filter(move |pt| {
            let bit = 1u128 << pt;
            let is_new = seen & bit == 0;
            seen |= bit;
            is_new
        })
    }
}

impl SessionDescription {
    /// Reads a description. Lines may end with CR LF or LF.
    ///
    /// # Errors
    /// [`SdpError::TooLarge`] and [`SdpError::TooManyMediaLines`] before anything is kept, [`SdpError::Syntax`] with the
    /// line for everything else.
    pub fn parse(text: &str) -> Result<Self, SdpError> {
        if text.len() > SDP_BYTES_MAX {
            return Err(SdpError::TooLarge { bytes: text.len(), bytes_max: SDP_BYTES_MAX });
        }
        let count = text.lines().filter(|line| line.starts_with("m=")).count();
        if count > MEDIA_LINES_MAX {
            return Err(SdpError::TooManyMediaLines { count, count_max: MEDIA_LINES_MAX });
        }
        let mut session = Self::default();
        for (index, line) in text.lines().enumerate() {
            let first = index == 0;
            session
                .read_line(line, first)
                .map_err(|problem| SdpError::Syntax { line: index + 1, problem })?;
        }
        if text.is_empty() {
            return Err(SdpError::Syntax { line: 1, problem: SyntaxProblem::Version });
        }
        Ok(session)
    }

    fn read_line(&mut self, line: &str, first: bool) -> Result<(), SyntaxProblem> {
        if line.len() > LINE_BYTES_MAX {
            return Err(SyntaxProblem::LineTooLong { bytes_max: LINE_BYTES_MAX });
        }
        if first {
            return if line.trim_ascii_end() == "v=0" { Ok(()) } else { Err(SyntaxProblem::Version) };
        }
        if line.trim_ascii().is_empty() {
            return Ok(());
        }
        // RFC 8866 §9: no value has these; in what we mirror they would start a line of their own.
        if line.contains(['\r', '\0']) {
            return Err(SyntaxProblem::NotALine);
        }
        let (letter, value) = line.split_once('=').ok_or(SyntaxProblem::NotALine)?;
        match letter {
            "a" => self.read_attribute(value.trim_ascii_end()),
            "m" => {
                self.media.push(value.parse()?);
                Ok(())
            }
            "o" if self.media.is_empty() => self.read_origin(value),
            // Nothing depends on the rest of RFC 8866 §5.
            "v" | "o" | "s" | "i" | "u" | "e" | "p" | "c" | "b" | "t" | "r" | "z" | "k" => Ok(()),
            _ => Err(SyntaxProblem::NotALine),
        }
    }

    fn read_origin(&mut self, value: &str) -> Result<(), SyntaxProblem> {
        let words: Vec<&str> = value.split_ascii_whitespace().take(7).collect();
        let [_, id, version, _, _, _] = words[..] else { return Err(SyntaxProblem::Origin) };
        self.session_id = id.parse().map_err(|_| SyntaxProblem::Origin)?;
        self.session_version = version.parse().map_err(|_| SyntaxProblem::Origin)?;
        Ok(())
    }

    fn read_attribute(&mut self, attribute: &str) -> Result<(), SyntaxProblem> {
        let (name, value) = attribute.split_once(':').unwrap_or((attribute, ""));
        match self.media.last_mut() {
            Some(media) => media.read_attribute(name, value),
            None => self.read_session_attribute(name, value),
        }
    }

    fn read_session_attribute(&mut self, name: &str, value: &str) -> Result<(), SyntaxProblem> {
        if self.transport.read(name, value)? {
            return Ok(());
        }
        match name {
            "group" => {
                if let Some(mids) = read_bundle(value)? {
                    push_bounded(&mut self.bundles, mids, "a=group:BUNDLE", BUNDLE_GROUPS_MAX)?;
                }
            }
            "ice-lite" => self.ice_lite = true,
            "extmap-allow-mixed" => self.extmap_allow_mixed = true,
            _ => self.direction = Direction::read(name).or(self.direction),
        }
        Ok(())
    }
}

/// The mids of a BUNDLE group; `None` for a group of another kind.
fn read_bundle(value: &str) -> Result<Option<Vec<Mid>>, SyntaxProblem> {
    let mut words = value.split_ascii_whitespace();
    if words.next() != Some("BUNDLE") {
        return Ok(None);
    }
    let mut mids = Vec::new();
    for word in words {
        let mid = word.parse().map_err(|_| SyntaxProblem::Attribute("group"))?;
        push_bounded(&mut mids, mid, "mids in a=group:BUNDLE", MEDIA_LINES_MAX)?;
    }
    Ok(Some(mids))
}

impl FromStr for MediaDescription {
    type Err = SyntaxProblem;

    /// Reads `audio 9 UDP/TLS/RTP/SAVPF 111 63`.
    fn from_str(value: &str) -> Result<Self, SyntaxProblem> {
        const ERROR: SyntaxProblem = SyntaxProblem::Media;
        let mut words = value.split_ascii_whitespace();
        let media = match words.next().ok_or(ERROR)? {
            "audio" => MediaType::Audio,
            "video" => MediaType::Video,
            "application" => MediaType::Application,
            other => MediaType::Other(other.to_owned()),
        };
        // RFC 8866 §5.14: `<port>/<number of ports>` is allowed.
        let port = words.next().and_then(|port| port.split('/').next()?.parse().ok()).ok_or(ERROR)?;
        let protocol = words.next().ok_or(ERROR)?;
        let mut formats = Vec::new();
        for format in words {
            push_bounded(&mut formats, format.to_owned(), "formats in m=", FORMATS_MAX)?;
        }
        if formats.is_empty() {
            return Err(ERROR);
        }
        Ok(Self::new(media, port, protocol, formats))
    }
}

impl MediaDescription {
    fn read_attribute(&mut self, name: &str, value: &str) -> Result<(), SyntaxProblem> {
        if self.transport.read(name, value)? {
            return Ok(());
        }
        match name {
            "mid" => self.read_mid(value),
            "bundle-only" => set(&mut self.bundle_only),
            "rtcp-mux" | "rtcp-mux-only" => set(&mut self.rtcp_mux),
            "rtcp-rsize" => set(&mut self.rtcp_reduced_size),
            "extmap-allow-mixed" => set(&mut self.extmap_allow_mixed),
            "end-of-candidates" => set(&mut self.end_of_candidates),
            "candidate" => {
                if self.candidates.len() < CANDIDATES_MAX {
                    self.candidates.push(format!("candidate:{value}"));
                }
                Ok(())
            }
            "content" => {
                self.content = Some(value.trim_ascii().to_owned()).filter(|content| !content.is_empty());
                Ok(())
            }
            "extmap" => push_bounded(&mut self.extmaps, value.parse()?, "a=extmap", EXTMAPS_MAX),
            "rtpmap" => push_bounded(&mut self.rtpmaps, value.parse()?, "a=rtpmap", FORMATS_MAX),
            "fmtp" => self.read_parameters(value),
            "rtcp-fb" => match FeedbackLine::read(value)? {
                Some(line) => push_bounded(&mut self.feedback, line, "a=rtcp-fb", FEEDBACK_LINES_MAX),
                None => Ok(()),
            },
            "msid" => {
                if self.msids.len() < MSIDS_MAX {
                    self.msids.push(value.parse()?);
                }
                Ok(())
            }
            "rid" => push_bounded(&mut self.rids, value.parse()?, "a=rid", RIDS_MAX),
            "simulcast" => {
                self.simulcast = Some(value.parse()?);
                Ok(())
            }
            "imageattr" => {
                self.image_sizes = read_image_sizes(value);
                Ok(())
            }
            "ssrc" => self.read_ssrc(value),
            "ssrc-group" => match SsrcGroup::read(value)? {
                Some(group) => push_bounded(&mut self.ssrc_groups, group, "a=ssrc-group", SSRC_GROUPS_MAX),
                None => Ok(()),
            },
            _ => {
                self.direction = Direction::read(name).or(self.direction);
                Ok(())
            }
        }
    }

    fn read_mid(&mut self, value: &str) -> Result<(), SyntaxProblem> {
        if self.mid.is_some() {
            return Err(SyntaxProblem::Twice("mid"));
        }
        self.mid = Some(value.trim_ascii().parse().map_err(|_| SyntaxProblem::Attribute("mid"))?);
        Ok(())
    }

    /// An m-line without RTP may have any format, so its `a=fmtp` is not looked at.
    fn read_parameters(&mut self, value: &str) -> Result<(), SyntaxProblem> {
        if self.media.kind().is_none() {
            return Ok(());
        }
        push_bounded(&mut self.parameters, value.parse()?, "a=fmtp", FORMATS_MAX)
    }

    fn read_ssrc(&mut self, value: &str) -> Result<(), SyntaxProblem> {
        let (number, attribute) = value.split_once(' ').unwrap_or((value, ""));
        let number = Ssrc::read_number(number)?;
        if let Some(known) = self.ssrcs.iter_mut().find(|known| known.ssrc == number) {
            return known.read(attribute);
        }
        let mut ssrc = Ssrc { ssrc: number, cname: None, msid: None };
        ssrc.read(attribute)?;
        push_bounded(&mut self.ssrcs, ssrc, "SSRCs", SSRCS_MAX)
    }
}

fn set(flag: &mut bool) -> Result<(), SyntaxProblem> {
    *flag = true;
    Ok(())
}
