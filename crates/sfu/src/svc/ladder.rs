//! What a scalable encoding is made of: its decode targets, how large they are and what they cost now.

use std::time::{Duration, Instant};

use arrayvec::ArrayVec;
use model::Codec;
use rtc::payload::{vp8, vp9};
use rtc::rtp::dependency_descriptor::{
    DECODE_TARGETS_MAX, Descriptor, SPATIAL_LAYERS_MAX, Structure, TEMPORAL_LAYERS_MAX,
};

use super::mark::{FrameNumbers, Mark};
use super::vp8::Vp8;
use super::vp9::Vp9;

use crate::relay::Layers;
use crate::timeline::Templates;

/// A spatial layer from which nothing has come for so long is not chosen: encoders stop layers without a word.
const SILENT_AFTER: Duration = Duration::from_millis(1_000);

/// A scalable encoding.
#[derive(Debug)]
pub(crate) struct Ladder {
    stream: Stream,
    /// A bit for each target that there is.
    known: u32,
    /// A bit for each that the encoder says it makes.
    made: u32,
    targets: [Target; DECODE_TARGETS_MAX],
    sizes: [(u16, u16); SPATIAL_LAYERS_MAX],
    last_packet: [Option<Instant>; SPATIAL_LAYERS_MAX],
    /// A bit for each spatial layer from which something comes.
    awake: u8,
    /// The layers that come whole, where another unit leaves some out.
    whole: Option<Layers>,
}

/// Where the knowledge comes from.
#[derive(Debug)]
enum Stream {
    Described { structure: Box<Structure>, since: u64, numbers: FrameNumbers },
    Vp8(Vp8),
    Vp9(Box<Vp9>),
}

/// A decode target.
#[derive(Debug, Clone, Copy, Default)]
struct Target {
    spatial: u8,
    temporal: u8,
    chain: Option<u8>,
    /// The targets, a bit each, that whoever is sent this one is sent too.
    contains: u32,
    bytes: u32,
    bitrate_bps: u64,
}

/// A choice that an encoding offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OperatingPoint {
    /// The decode target.
    pub(crate) target: u8,
    pub(crate) spatial: u8,
    pub(crate) temporal: u8,
    /// Width and height; 0 while unknown.
    pub(crate) size: (u16, u16),
    /// Measured.
    pub(crate) bitrate_bps: u64,
    /// Of the encoding's pictures: 256 is all.
    pub(crate) fps_share: u16,
}

/// What a packet told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Told {
    /// `None`: it cannot be told where the packet stands.
    pub(crate) mark: Option<Mark>,
    /// The descriptor says that a key frame begins here.
    pub(crate) key_frame: bool,
    /// There is something else to choose from.
    pub(crate) news: bool,
}

/// A packet that came in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Incoming<'a> {
    pub(crate) now: Instant,
    pub(crate) codec: Codec,
    pub(crate) payload: &'a [u8],
    /// Of the payload, also where only its head is here.
    pub(crate) bytes: usize,
    /// The layers that come whole with its picture; `None`: all.
    pub(crate) layers: Option<Layers>,
    pub(crate) marker: bool,
    pub(crate) key_frame: bool,
    /// The dependency descriptor; empty without one.
    pub(crate) descriptor: &'a [u8],
}

impl Ladder {
    /// Takes note of a packet. The ladder is made when the first packet shows that there is one.
    pub(crate) fn take_in(ladder: &mut Option<Box<Self>>, packet: &Incoming<'_>) -> Told {
        let told = match packet.codec {
            // VP8 has said all this itself since before there were descriptors.
            Codec::Vp8 => Self::take_in_vp8(ladder, packet),
            Codec::Vp9 | Codec::Av1 | Codec::H264 if !packet.descriptor.is_empty() => {
                Self::take_in_described(ladder, packet)
            }
            Codec::Vp9 => Self::take_in_vp9(ladder, packet),
            _ => Told::default(),
        };
        if let (Some(mark), Some(ladder)) = (&told.mark, ladder) {
            let awoke = ladder.count(packet.now, mark, packet.bytes);
            let moved = std::mem::replace(&mut ladder.whole, packet.layers) != packet.layers;
            let whole = packet.layers.map_or(u32::MAX, |layers| ladder.within(layers));
            let mark = Some(Mark { whole, ..*mark });
            return Told { mark, news: told.news || awoke || moved, ..told };
        }
        told
    }

    fn new(stream: Stream) -> Box<Self> {
        Box::new(Self {
            stream,
            known: 0,
            made: u32::MAX,
            targets: [Target::default(); DECODE_TARGETS_MAX],
            sizes: [(0, 0); SPATIAL_LAYERS_MAX],
            last_packet: [None; SPATIAL_LAYERS_MAX],
            awake: 0,
            whole: None,
        })
    }

    fn take_in_described(ladder: &mut Option<Box<Self>>, packet: &Incoming<'_>) -> Told {
        let known = ladder.as_ref().and_then(|l| match &l.stream {
            Stream::Described { structure, .. } => Some(&**structure),
            _ => None,
        });
        let Ok(descriptor) = Descriptor::parse(packet.descriptor, known) else { return Told::default() };
        let Some(info) = descriptor.frame(known) else { return Told::default() };
        let key_frame = descriptor.start && descriptor.structure.is_some();
        let mut news = false;
        if let Some(structure) = descriptor.structure {
            news |= Self::put_structure(ladder, structure, info.number);
        }
        let Some(ladder) = ladder else { return Told::default() };
        let Stream::Described { numbers, .. } = &mut ladder.stream else { return Told::default() };
        let frame = numbers.extend(info.number, 16);
        // With a structure all targets are active unless it says otherwise (A.4.1).
        if let Some(made) = descriptor.active_targets.or(key_frame.then_some(u32::MAX)) {
            news |= std::mem::replace(&mut ladder.made, made) != made;
        }
        let mark = Mark {
            frame,
            indications: info.indications,
            refers_to: info.refers_to,
            chain_diffs: info.chain_diffs,
            spatial: info.spatial,
            whole: u32::MAX,
            start: info.start,
            end: info.end,
        };
        Told { mark: Some(mark), key_frame, news }
    }

    /// Takes a structure over, unless a newer one is there already: that of a packet that was sent again.
    fn put_structure(ladder: &mut Option<Box<Self>>, structure: Box<Structure>, number: u16) -> bool {
        if let Some(Ladder { stream: Stream::Described { structure: known, since, numbers }, .. }) =
            ladder.as_deref_mut()
        {
            let frame = numbers.extend(number, 16);
            if frame < *since {
                return false;
            }
            *since = frame;
            if *known == structure {
                return false;
            }
        }
        let mut made = Self::new(Stream::Vp8(Vp8::default()));
        for target in 0..structure.target_count {
            let (spatial, temporal) = structure.layers_of(target);
            let contains = structure.contained_in(target);
            let chain = structure.chain_of(target);
            made.add(target, Target { spatial, temporal, chain, contains, ..Target::default() });
        }
        for (size, (width, height)) in made.sizes.iter_mut().zip(&structure.resolutions) {
            *size = (u16::try_from(*width).unwrap_or(u16::MAX), u16::try_from(*height).unwrap_or(u16::MAX));
        }
        let mut numbers = FrameNumbers::default();
        let mut since = numbers.extend(number, 16);
        if let Some(former) = ladder {
            // Frames are counted on, and what a layer costs is taken from before until it is measured.
            if let Stream::Described { numbers: n, since: s, .. } = &former.stream {
                (numbers, since) = (*n, *s);
            }
            made.last_packet = former.last_packet;
            made.awake = former.awake;
            made.whole = former.whole;
            for (target, before) in made.targets.iter_mut().zip(&former.targets) {
                if (target.spatial, target.temporal) == (before.spatial, before.temporal) {
                    target.bitrate_bps = before.bitrate_bps;
                }
            }
        }
        made.stream = Stream::Described { structure, since, numbers };
        *ladder = Some(made);
        true
    }

    fn take_in_vp8(ladder: &mut Option<Box<Self>>, packet: &Incoming<'_>) -> Told {
        let Some(descriptor) = vp8::Descriptor::parse(packet.payload) else { return Told::default() };
        if descriptor.temporal_id.is_none() || descriptor.picture_id.is_none() {
            return Told::default();
        }
        let ladder = match ladder {
            Some(ladder) if matches!(ladder.stream, Stream::Vp8(_)) => ladder,
            _ => ladder.insert(Self::new(Stream::Vp8(Vp8::default()))),
        };
        let Stream::Vp8(stream) = &mut ladder.stream else { return Told::default() };
        let Some((mark, temporal)) = stream.read(&descriptor, packet.key_frame, packet.marker) else {
            return Told::default();
        };
        let before = ladder.known;
        for temporal in 0..=temporal {
            let contains = (2 << temporal) - 1;
            ladder.add(temporal, Target { temporal, chain: Some(temporal), contains, ..Target::default() });
        }
        Told { mark: Some(mark), key_frame: false, news: ladder.known != before }
    }

    fn take_in_vp9(ladder: &mut Option<Box<Self>>, packet: &Incoming<'_>) -> Told {
        let Some(descriptor) = vp9::Descriptor::parse(packet.payload) else { return Told::default() };
        if descriptor.layer.is_none() || descriptor.picture_id.is_none() {
            return Told::default();
        }
        let ladder = match ladder {
            Some(ladder) if matches!(ladder.stream, Stream::Vp9(_)) => ladder,
            _ => ladder.insert(Self::new(Stream::Vp9(Box::default()))),
        };
        let Stream::Vp9(stream) = &mut ladder.stream else { return Told::default() };
        let Some((mark, layer)) = stream.read(&descriptor) else { return Told::default() };
        let before = (ladder.known, ladder.sizes);
        if let Some(structure) = descriptor.structure
            && structure.size.is_some()
        {
            for (size, given) in ladder.sizes.iter_mut().zip(structure.sizes) {
                *size = given;
            }
        }
        ladder.add_vp9(layer.spatial_id, layer.temporal_id);
        Told { mark: Some(mark), key_frame: false, news: (ladder.known, ladder.sizes) != before }
    }

    /// Targets for all combinations of layers up to the highest of each that were seen.
    fn add_vp9(&mut self, spatial: u8, temporal: u8) {
        if self.known & 1 << super::vp9::target(spatial, temporal) != 0 {
            return;
        }
        let known = || self.points_of(u32::MAX);
        let spatial_max = known().map(|p| p.spatial).max().unwrap_or(0).max(spatial);
        let temporal_max = known().map(|p| p.temporal).max().unwrap_or(0).max(temporal);
        for spatial in 0..=spatial_max {
            for temporal in 0..=temporal_max {
                let target = super::vp9::target(spatial, temporal);
                // Which lower spatial layers a higher one brings along is not said.
                let contains = ((2u32 << temporal) - 1) << super::vp9::target(spatial, 0);
                self.add(
                    target,
                    Target { spatial, temporal, chain: Some(spatial), contains, ..Target::default() },
                );
            }
        }
    }

    fn add(&mut self, number: u8, target: Target) {
        let bit = 1u32 << (number & 31);
        if self.known & bit == 0
            && let Some(place) = self.targets.get_mut(usize::from(number))
        {
            self.known |= bit;
            *place = target;
        }
    }

    /// Counts a packet for the targets that it belongs to. True when its layer ends a silence.
    fn count(&mut self, now: Instant, mark: &Mark, bytes: usize) -> bool {
        let mut present = mark.indications.present() & self.known;
        while present != 0 {
            if let Some(target) = self.targets.get_mut(present.trailing_zeros() as usize) {
                target.bytes = target.bytes.saturating_add(bytes as u32);
            }
            present &= present - 1;
        }
        let Some(last) = self.last_packet.get_mut(usize::from(mark.spatial)) else { return false };
        *last = Some(now);
        let bit = 1 << mark.spatial;
        let awoke = self.awake & bit == 0;
        self.awake |= bit;
        awoke
    }

    /// Called every `interval`. True when a layer fell silent.
    pub(crate) fn tick(&mut self, now: Instant, interval: Duration) -> bool {
        for target in &mut self.targets {
            let rate = u64::from(target.bytes) * 8 * 1_000 / (interval.as_millis() as u64).max(1);
            target.bytes = 0;
            target.bitrate_bps = (target.bitrate_bps * 7 + rate) / 8;
        }
        let before = self.awake;
        for (spatial, last) in self.last_packet.iter().enumerate() {
            if last.is_none_or(|at| now.saturating_duration_since(at) > SILENT_AFTER) {
                self.awake &= !(1 << spatial);
            }
        }
        self.awake != before
    }

    /// What can be chosen now, the smallest first. Never more than there are decode targets.
    pub(crate) fn points(&self) -> ArrayVec<OperatingPoint, DECODE_TARGETS_MAX> {
        let mut points: ArrayVec<_, DECODE_TARGETS_MAX> =
            self.points_of(self.made).filter(|p| self.awake & 1 << p.spatial != 0).collect();
        points.sort_by_key(|p| (p.spatial, p.temporal));
        points
    }

    fn points_of(&self, mask: u32) -> impl Iterator<Item = OperatingPoint> {
        let known = self.known & mask;
        let among = move |(number, _): &(u8, &Target)| known & 1 << number != 0;
        let temporal_max = self
            .targets
            .iter()
            .zip(0u32..)
            .filter(|(_, n)| self.known & 1 << n != 0)
            .map(|(t, _)| t.temporal)
            .max()
            .unwrap_or(0);
        (0u8..).zip(&self.targets).filter(among).map(move |(number, target)| OperatingPoint {
            target: number,
            spatial: target.spatial,
            temporal: target.temporal,
            size: self.sizes.get(usize::from(target.spatial)).copied().unwrap_or_default(),
            bitrate_bps: target.bitrate_bps,
            fps_share: 256 >> temporal_max.saturating_sub(target.temporal),
        })
    }

    /// Width and height of the largest layer that comes in, if they are known.
    pub(crate) fn size(&self) -> Option<(u16, u16)> {
        self.points().last().map(|p| p.size).filter(|size| *size != (0, 0))
    }

    /// The target for a tile: the smallest picture with at least half of its pixels, as for encodings, at full rate.
    /// `spatial_max`: what the receiver can take.
    #[cfg(test)]
    pub(crate) fn choose(&self, tile: crate::choice::TileSize, spatial_max: u8) -> Option<u8> {
        let points = self.points();
        let full_rate = || {
            let possible = points.iter().filter(|p| p.spatial <= spatial_max);
            possible.clone().filter(move |p| {
                !possible.clone().any(|other| other.spatial == p.spatial && other.temporal > p.temporal)
            })
        };
        let area = |p: &OperatingPoint| u64::from(p.size.0) * u64::from(p.size.1);
        let enough = |p: &&OperatingPoint| area(p) > 0 && area(p).saturating_mul(2) >= tile.area();
        full_rate().find(enough).or_else(|| full_rate().next_back()).map(|p| p.target)
    }

    /// Spatial and temporal layer of a target.
    pub(crate) fn layers(&self, target: u8) -> (u8, u8) {
        self.targets.get(usize::from(target)).map_or((0, 0), |t| (t.spatial, t.temporal))
    }

    /// The target of these layers.
    pub(crate) fn target_of(&self, spatial: u8, temporal: u8) -> Option<u8> {
        let is = |t: &Target| (t.spatial, t.temporal) == (spatial, temporal);
        (0u8..).zip(&self.targets).find(|(n, t)| self.known & 1 << n != 0 && is(t)).map(|(n, _)| n)
    }

    /// The targets, a bit each, of these layers and those below them.
    pub(crate) fn within(&self, layers: Layers) -> u32 {
        let below = |t: &Target| t.spatial <= layers.spatial && t.temporal <= layers.temporal;
        let bits = (0u32..).zip(&self.targets).filter(|(n, t)| self.known & 1 << n != 0 && below(t));
        bits.fold(0, |all, (n, _)| all | 1 << n)
    }

    /// The highest layers that there are.
    pub(crate) fn highest(&self) -> Option<Layers> {
        let all = self.points_of(u32::MAX).map(|p| Layers { spatial: p.spatial, temporal: p.temporal });
        all.reduce(Layers::max)
    }

    /// The best of these targets that comes in.
    pub(crate) fn best_of(&self, targets: u32) -> Option<u8> {
        self.points().iter().rev().find(|p| targets & 1 << p.target != 0).map(|p| p.target)
    }

    /// The chain that protects a target.
    pub(crate) fn chain(&self, target: u8) -> Option<u8> {
        self.targets.get(usize::from(target))?.chain
    }

    /// The targets, a bit each, that whoever is sent this one is sent too.
    pub(crate) fn contained(&self, target: u8) -> u32 {
        self.targets.get(usize::from(target)).map_or(0, |t| t.contains) & self.known
    }

    /// Whether the target holds everything there is, so that nothing is left out for it.
    pub(crate) fn is_whole(&self, target: u8) -> bool {
        self.contained(target) == self.known
    }

    /// Decode targets of the descriptor's structure; 0 without one.
    pub(crate) fn described_targets(&self) -> u8 {
        match &self.stream {
            Stream::Described { structure, .. } => structure.target_count,
            _ => 0,
        }
    }

    /// Template ids of the descriptor's structure.
    pub(crate) fn templates(&self) -> Option<Templates> {
        match &self.stream {
            Stream::Described { structure, .. } => {
                Some(Templates { first: structure.id_offset, count: structure.templates.len() as u8 })
            }
            _ => None,
        }
    }
}

const _: () = assert!(SPATIAL_LAYERS_MAX * TEMPORAL_LAYERS_MAX == DECODE_TARGETS_MAX);
