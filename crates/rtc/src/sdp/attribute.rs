//! The values of attributes that have a meaning of their own: directions, set-up roles, fingerprints, msids, SSRCs and
//! what describes a transport.

use std::fmt;
use std::str::FromStr;

use arrayvec::ArrayVec;

use super::FINGERPRINTS_MAX;
use super::SyntaxProblem;

/// `a=sendrecv` and its kin (RFC 8866 §6.7), seen by whoever wrote the description.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Sends and receives. The default.
    SendRecv,
    /// Only sends.
    SendOnly,
    /// Only receives.
    RecvOnly,
    /// Neither.
    Inactive,
}

impl Direction {
    /// The direction of these two facts.
    pub const fn new(sends: bool, receives: bool) -> Self {
        match (sends, receives) {
            (true, true) => Direction::SendRecv,
            (true, false) => Direction::SendOnly,
            (false, true) => Direction::RecvOnly,
            (false, false) => Direction::Inactive,
        }
    }

    /// Whether the writer sends.
    pub const fn sends(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::SendOnly)
    }

    /// Whether the writer receives.
    pub const fn receives(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::RecvOnly)
    }

    /// The same, seen from the other side.
    pub const fn reversed(self) -> Self {
        Direction::new(self.receives(), self.sends())
    }

    /// As in the description.
    pub const fn as_str(self) -> &'static str {
        match self {
            Direction::SendRecv => "sendrecv",
            Direction::SendOnly => "sendonly",
            Direction::RecvOnly => "recvonly",
            Direction::Inactive => "inactive",
        }
    }

    pub(super) fn read(text: &str) -> Option<Self> {
        [Direction::SendRecv, Direction::SendOnly, Direction::RecvOnly, Direction::Inactive]
            .into_iter()
            .find(|direction| direction.as_str() == text)
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Who starts the DTLS handshake (`a=setup`, RFC 8842 §5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Setup {
    /// Either.
    ActPass,
    /// The writer.
    Active,
    /// The reader.
    Passive,
    /// Nobody for now.
    HoldConn,
}

impl Setup {
    /// As in the description.
    pub const fn as_str(self) -> &'static str {
        match self {
            Setup::ActPass => "actpass",
            Setup::Active => "active",
            Setup::Passive => "passive",
            Setup::HoldConn => "holdconn",
        }
    }

    fn read(text: &str) -> Option<Self> {
        [Setup::ActPass, Setup::Active, Setup::Passive, Setup::HoldConn]
            .into_iter()
            .find(|setup| setup.as_str().eq_ignore_ascii_case(text))
    }
}

impl fmt::Display for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A hash function of certificates that we trust (RFC 8122 §5). Fingerprints of others are skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HashAlgorithm {
    /// SHA-1: read so that its refusal can be named, never compared with a certificate.
    Sha1,
    /// What every browser sends.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl HashAlgorithm {
    /// As in the description.
    pub const fn as_str(self) -> &'static str {
        match self {
            HashAlgorithm::Sha1 => "sha-1",
            HashAlgorithm::Sha256 => "sha-256",
            HashAlgorithm::Sha384 => "sha-384",
            HashAlgorithm::Sha512 => "sha-512",
        }
    }

    /// How long the hash is, in bytes.
    pub const fn size_bytes(self) -> usize {
        match self {
            HashAlgorithm::Sha1 => 20,
            HashAlgorithm::Sha256 => 32,
            HashAlgorithm::Sha384 => 48,
            HashAlgorithm::Sha512 => 64,
        }
    }

    /// Whether a certificate may be known by it.
    pub const fn is_trusted(self) -> bool {
        !matches!(self, HashAlgorithm::Sha1)
    }

    fn read(text: &str) -> Option<Self> {
        [HashAlgorithm::Sha1, HashAlgorithm::Sha256, HashAlgorithm::Sha384, HashAlgorithm::Sha512]
            .into_iter()
            .find(|hash| hash.as_str().eq_ignore_ascii_case(text))
    }
}

/// The hash of a certificate (`a=fingerprint`, RFC 8122 §5).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Fingerprint {
    /// Which hash.
    pub hash: HashAlgorithm,
    /// Its value, as long as [`HashAlgorithm::size_bytes`].
    pub bytes: ArrayVec<u8, 64>,
}

impl Fingerprint {
    /// The fingerprint that we write.
    pub fn sha256(hash: &[u8; 32]) -> Self {
        Self { hash: HashAlgorithm::Sha256, bytes: hash.iter().copied().collect() }
    }

    /// `None` for a hash that we do not know.
    fn read(value: &str) -> Result<Option<Self>, SyntaxProblem> {
        const ERROR: SyntaxProblem = SyntaxProblem::Attribute("fingerprint");
        let (name, hex) = value.split_once(' ').ok_or(ERROR)?;
        let Some(hash) = HashAlgorithm::read(name) else { return Ok(None) };
        let mut bytes = ArrayVec::new();
        for pair in hex.trim_ascii().split(':') {
            if pair.len() != 2 || !pair.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Err(ERROR);
            }
            let byte = u8::from_str_radix(pair, 16).map_err(|_| ERROR)?;
            bytes.try_push(byte).map_err(|_| ERROR)?;
        }
        if bytes.len() != hash.size_bytes() {
            return Err(ERROR);
        }
        Ok(Some(Self { hash, bytes }))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.hash.as_str())?;
        for (index, byte) in self.bytes.iter().enumerate() {
            if index > 0 {
                f.write_str(":")?;
            }
            write!(f, "{byte:02X}")?;
        }
        Ok(())
    }
}

/// Which stream and track an m-line carries (`a=msid`, RFC 8830).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Msid {
    /// The id of the stream; `-` for none.
    pub stream: String,
    /// The id of the track. Newer Firefox and RFC 8829 leave it out.
    pub track: Option<String>,
}

impl FromStr for Msid {
    type Err = SyntaxProblem;

    fn from_str(value: &str) -> Result<Self, SyntaxProblem> {
        let mut words = value.split_ascii_whitespace();
        let stream = words.next().ok_or(SyntaxProblem::Attribute("msid"))?.to_owned();
        Ok(Self { stream, track: words.next().map(str::to_owned) })
    }
}

impl fmt::Display for Msid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.stream)?;
        if let Some(track) = &self.track {
            write!(f, " {track}")?;
        }
        Ok(())
    }
}

/// A source that is announced by its SSRC (`a=ssrc`, RFC 5576 §4.1): all lines of one SSRC together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Ssrc {
    /// The SSRC.
    pub ssrc: u32,
    /// Its canonical name (RFC 3550 §6.5.1).
    pub cname: Option<String>,
    /// Its stream and track, where the m-line has no `a=msid` of its own (older peers).
    pub msid: Option<Msid>,
}

impl Ssrc {
    /// The SSRC of a line.
    pub(super) fn read_number(number: &str) -> Result<u32, SyntaxProblem> {
        number.trim_ascii().parse().map_err(|_| SyntaxProblem::Attribute("ssrc"))
    }

    /// Takes what a line says of the SSRC: `cname:…`, `msid:…`.
    pub(super) fn read(&mut self, attribute: &str) -> Result<(), SyntaxProblem> {
        match attribute.trim_ascii().split_once(':') {
            Some(("cname", cname)) => self.cname = Some(cname.to_owned()),
            Some(("msid", msid)) => self.msid = Some(msid.parse()?),
            _ => {}
        }
        Ok(())
    }
}

/// What SSRCs are to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SsrcSemantics {
    /// RFC 5576 §4.2: the second retransmits the first.
    Fid,
    /// RFC 5956: the second protects the first.
    FecFr,
    /// Simulcast before RIDs, never standardised.
    Sim,
}

impl SsrcSemantics {
    /// As in the description.
    pub const fn as_str(self) -> &'static str {
        match self {
            SsrcSemantics::Fid => "FID",
            SsrcSemantics::FecFr => "FEC-FR",
            SsrcSemantics::Sim => "SIM",
        }
    }
}

/// SSRCs that belong together (`a=ssrc-group`, RFC 5576 §4.2).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SsrcGroup {
    /// What they are to each other.
    pub semantics: SsrcSemantics,
    /// In order; at most [`super::SSRCS_MAX`].
    pub ssrcs: Vec<u32>,
}

impl SsrcGroup {
    /// `None` for semantics that we do not know.
    pub(super) fn read(value: &str) -> Result<Option<Self>, SyntaxProblem> {
        const NAME: &str = "ssrc-group";
        let mut words = value.split_ascii_whitespace();
        let semantics = match words.next() {
            Some("FID") => SsrcSemantics::Fid,
            Some("FEC-FR") => SsrcSemantics::FecFr,
            Some("SIM") => SsrcSemantics::Sim,
            Some(_) => return Ok(None),
            None => return Err(SyntaxProblem::Attribute(NAME)),
        };
        let mut ssrcs = Vec::new();
        for word in words {
            let ssrc = word.parse().map_err(|_| SyntaxProblem::Attribute(NAME))?;
            push_bounded(&mut ssrcs, ssrc, "SSRCs in a=ssrc-group", super::SSRCS_MAX)?;
        }
        Ok(Some(Self { semantics, ssrcs }))
    }
}

/// What an m-line or a session says of its transport.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Transport {
    /// `a=ice-ufrag`.
    pub ufrag: Option<String>,
    /// `a=ice-pwd`.
    pub pwd: Option<String>,
    /// `a=ice-options`, split at blanks.
    pub ice_options: Vec<String>,
    /// `a=fingerprint`, those of known hashes.
    pub fingerprints: Vec<Fingerprint>,
    /// `a=setup`.
    pub setup: Option<Setup>,
}

impl Transport {
    /// Takes an attribute of a transport; `false` if it is none.
    pub(super) fn read(&mut self, name: &str, value: &str) -> Result<bool, SyntaxProblem> {
        match name {
            "ice-ufrag" => self.ufrag = Some(credential(value, 4, "ice-ufrag")?),
            "ice-pwd" => self.pwd = Some(credential(value, 22, "ice-pwd")?),
            "ice-options" => {
                self.ice_options = value.split_ascii_whitespace().map(str::to_owned).collect();
            }
            "fingerprint" => {
                if let Some(fingerprint) = Fingerprint::read(value)? {
                    push_bounded(&mut self.fingerprints, fingerprint, "a=fingerprint", FINGERPRINTS_MAX)?;
                }
            }
            "setup" => {
                self.setup = Some(Setup::read(value.trim_ascii()).ok_or(SyntaxProblem::Attribute("setup"))?);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// An ICE user name fragment or password: RFC 8839 §5.4 bounds its length. Its characters are taken as they come.
fn credential(value: &str, length_min: usize, name: &'static str) -> Result<String, SyntaxProblem> {
    let value = value.trim_ascii();
    let valid =
        (length_min..=256).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_graphic());
    if valid { Ok(value.to_owned()) } else { Err(SyntaxProblem::Attribute(name)) }
}

/// Adds an element, or says that there are too many of them.
pub(super) fn push_bounded<T>(
    list: &mut Vec<T>,
    element: T,
    what: &'static str,
    max: usize,
) -> Result<(), SyntaxProblem> {
    if list.len() >= max {
        return Err(SyntaxProblem::TooMany { what, max });
    }
    list.push(element);
    Ok(())
}
