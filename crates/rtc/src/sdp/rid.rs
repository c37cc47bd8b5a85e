//! Simulcast by RID (RFC 8851, RFC 8853).

use std::fmt;
use std::str::FromStr;

use model::limits::LAYERS_MAX;
use model::{Layer, Rid};

use super::attribute::push_bounded;
use super::codec::payload_type;
use super::{IMAGE_SIZES_MAX, MediaDescription, RIDS_MAX, SyntaxProblem};

/// `a=rid` (RFC 8851 §10).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RidLine {
    /// The name of the encoding.
    pub rid: Rid,
    /// Whether the writer sends it; else it receives it.
    pub send: bool,
    /// `pt=`: the payload types it is restricted to; empty for all.
    pub payload_types: Vec<u8>,
    /// `max-width`, in pixels.
    pub width_max: Option<u16>,
    /// `max-height`, in pixels.
    pub height_max: Option<u16>,
}

impl FromStr for RidLine {
    type Err = SyntaxProblem;

    fn from_str(value: &str) -> Result<Self, SyntaxProblem> {
        const ERROR: SyntaxProblem = SyntaxProblem::Attribute("rid");
        let mut words = value.trim_ascii().splitn(3, ' ');
        let rid = words.next().and_then(|rid| rid.parse().ok()).ok_or(ERROR)?;
        let send = match words.next() {
            Some("send") => true,
            Some("recv") => false,
            _ => return Err(ERROR),
        };
        let mut line = Self { rid, send, payload_types: Vec::new(), width_max: None, height_max: None };
        for restriction in words.next().unwrap_or_default().split(';') {
            let Some((name, value)) = restriction.trim_ascii().split_once('=') else { continue };
            match name {
                "pt" => {
                    for pt in value.split(',') {
                        push_bounded(
                            &mut line.payload_types,
                            payload_type(pt)?,
                            "pt in a=rid",
                            super::FORMATS_MAX,
                        )?;
                    }
                }
                "max-width" => line.width_max = Some(pixels(value).ok_or(ERROR)?),
                "max-height" => line.height_max = Some(pixels(value).ok_or(ERROR)?),
                _ => {}
            }
        }
        Ok(line)
    }
}

impl fmt::Display for RidLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.rid, if self.send { "send" } else { "recv" })?;
        let mut restrictions = Vec::new();
        if !self.payload_types.is_empty() {
            let payload_types: Vec<String> = self.payload_types.iter().map(u8::to_string).collect();
            restrictions.push(format!("pt={}", payload_types.join(",")));
        }
        restrictions.extend(self.width_max.map(|width| format!("max-width={width}")));
        restrictions.extend(self.height_max.map(|height| format!("max-height={height}")));
        if !restrictions.is_empty() {
            write!(f, " {}", restrictions.join(";"))?;
        }
        Ok(())
    }
}

/// Pixels of one side. What a page works out by division may have a fraction; what is larger than any picture is
/// taken as unknown by staying at the largest number.
fn pixels(text: &str) -> Option<u16> {
    let whole = text.trim_ascii().split('.').next()?;
    let pixels: u64 = whole.parse().ok()?;
    Some(u16::try_from(pixels).unwrap_or(u16::MAX))
}

/// `a=simulcast` (RFC 8853 §5.1): the first alternative of each encoding. We answer one format per encoding, and pause
/// nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Simulcast {
    /// What the writer sends.
    pub send: Vec<Rid>,
    /// What it receives.
    pub recv: Vec<Rid>,
}

impl FromStr for Simulcast {
    type Err = SyntaxProblem;

    fn from_str(value: &str) -> Result<Self, SyntaxProblem> {
        const ERROR: SyntaxProblem = SyntaxProblem::Attribute("simulcast");
        let mut simulcast = Self::default();
        let mut words = value.split_ascii_whitespace();
        while let Some(direction) = words.next() {
            let rids = read_streams(words.next().ok_or(ERROR)?)?;
            match direction {
                "send" => simulcast.send = rids,
                "recv" => simulcast.recv = rids,
                _ => return Err(ERROR),
            }
        }
        if simulcast.send.is_empty() && simulcast.recv.is_empty() {
            return Err(ERROR);
        }
        Ok(simulcast)
    }
}

/// `a;~b;c,d`: encodings between semicolons, alternatives between commas, `~` for paused. `rid=` stood before the list in
/// the drafts that Firefox before 60 followed.
fn read_streams(text: &str) -> Result<Vec<Rid>, SyntaxProblem> {
    let mut rids = Vec::new();
    for stream in text.trim_start_matches("rid=").split(';') {
        let first = stream.split(',').next().unwrap_or_default();
        let rid: Rid =
            first.trim_start_matches('~').parse().map_err(|_| SyntaxProblem::Attribute("simulcast"))?;
        if !rids.contains(&rid) {
            push_bounded(&mut rids, rid, "encodings in a=simulcast", RIDS_MAX)?;
        }
    }
    Ok(rids)
}

impl fmt::Display for Simulcast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let join = |rids: &[Rid]| rids.iter().map(Rid::as_str).collect::<Vec<_>>().join(";");
        match (self.send.is_empty(), self.recv.is_empty()) {
            (false, false) => write!(f, "send {} recv {}", join(&self.send), join(&self.recv)),
            (false, true) => write!(f, "send {}", join(&self.send)),
            (true, _) => write!(f, "recv {}", join(&self.recv)),
        }
    }
}

/// The sizes that `a=imageattr` (RFC 6236) says are sent, as width and height in pixels.
pub(super) fn read_image_sizes(value: &str) -> Vec<(u16, u16)> {
    let Some((_, rest)) = value.split_once("send ") else { return Vec::new() };
    let sent = rest.split("recv").next().unwrap_or_default();
    sent.split('[').filter_map(read_image_size).take(IMAGE_SIZES_MAX).collect()
}

/// `x=1280,y=720,…]`; ranges and lists of one side are not read.
fn read_image_size(text: &str) -> Option<(u16, u16)> {
    let set = text.split(']').next()?;
    let side = |name: &str| {
        let value =
            set.split(',').find_map(|pair| pair.trim_ascii().strip_prefix(name)?.strip_prefix('='))?;
        value.parse().ok()
    };
    Some((side("x")?, side("y")?))
}

/// The simulcast encodings of an m-line that are answered.
#[derive(Debug, Default)]
pub(super) struct AgreedLayers {
    /// In the order of the offer, with the sizes that it announces.
    pub(super) layers: Vec<Layer>,
    pub(super) rids: Vec<RidLine>,
    pub(super) simulcast: Option<Simulcast>,
}

/// Agrees on the encodings that the offerer sends: at most [`LAYERS_MAX`], without those whose payload types are all
/// refused. `is_agreed` says whether a payload type is answered.
pub(super) fn agree(media: &MediaDescription, is_agreed: impl Fn(u8) -> bool) -> AgreedLayers {
    let mut agreed = AgreedLayers::default();
    for rid in offered(media) {
        let Some(line) = media.rids.iter().find(|line| line.send && line.rid == rid) else { continue };
        let payload_types: Vec<u8> = line.payload_types.iter().copied().filter(|pt| is_agreed(*pt)).collect();
        let is_refused = payload_types.is_empty() && !line.payload_types.is_empty();
        if is_refused || agreed.layers.len() == LAYERS_MAX {
            continue;
        }
        let (width, height) = (line.width_max.unwrap_or(0), line.height_max.unwrap_or(0));
        agreed.layers.push(Layer { rid, width, height });
        agreed.rids.push(RidLine { rid, send: false, payload_types, width_max: None, height_max: None });
    }
    size_by_image_attributes(media, &mut agreed.layers);
    if media.simulcast.as_ref().is_some_and(|simulcast| !simulcast.send.is_empty()) && !agreed.rids.is_empty()
    {
        let recv = agreed.rids.iter().map(|line| line.rid).collect();
        agreed.simulcast = Some(Simulcast { send: Vec::new(), recv });
    }
    agreed
}

/// The encodings of `a=simulcast`, or, without it, of the `a=rid` lines.
fn offered(media: &MediaDescription) -> Vec<Rid> {
    match &media.simulcast {
        Some(simulcast) => simulcast.send.clone(),
        None => media.rids.iter().filter(|line| line.send).map(|line| line.rid).collect(),
    }
}

/// As many sizes as encodings are theirs, in order.
fn size_by_image_attributes(media: &MediaDescription, layers: &mut [Layer]) {
    if media.image_sizes.len() != layers.len() {
        return;
    }
    for (layer, (width, height)) in layers.iter_mut().zip(&media.image_sizes) {
        if layer.width == 0 && layer.height == 0 {
            (layer.width, layer.height) = (*width, *height);
        }
    }
}
