//! Scalable streams of every kind, and receivers that change their minds: whatever is sent can be decoded.

use std::time::{Duration, Instant};

use model::Codec;
use proptest::prelude::*;
use rtc::rtp::dependency_descriptor::{
    ChainDiffs, Descriptor, FrameDiffs, Indication, Indications, Structure, Template,
};

use super::*;
use crate::choice::TileSize;
use crate::tests_time::start;

/// How a stream says what it is, and whether its spatial layers depend on each other beside key frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Described { key_svc: bool },
    Vp9 { key_svc: bool },
    Vp8,
}

const KINDS: [Kind; 5] = [
    Kind::Described { key_svc: true },
    Kind::Described { key_svc: false },
    Kind::Vp9 { key_svc: true },
    Kind::Vp9 { key_svc: false },
    Kind::Vp8,
];

/// Which pictures a picture of each place in the pattern refers to, and its temporal layer.
const PATTERN: [(u8, u64); 4] = [(0, 4), (2, 1), (1, 2), (2, 1)];
const TEMPORAL: u8 = 3;
const PACKETS: u64 = 2;

#[derive(Debug, Clone)]
struct Frame {
    picture: u64,
    spatial: u8,
    key: bool,
    /// Frames that it cannot be decoded without.
    needs: Vec<(u64, u8)>,
    packets: Vec<(Vec<u8>, Vec<u8>)>,
}

/// An encoder with three spatial and three temporal layers (VP8: one and three).
struct Encoder {
    kind: Kind,
    picture: u64,
    since_key: u64,
    key_wanted: bool,
    chains: [u64; 3],
}

impl Encoder {
    fn new(kind: Kind) -> Self {
        // Numbers begin near their ends, so that every run goes over one.
        Self { kind, picture: 21_843 * 3 - 20, since_key: 0, key_wanted: true, chains: [0; 3] }
    }

    fn spatial_layers(&self) -> u8 {
        if self.kind == Kind::Vp8 { 1 } else { 3 }
    }

    fn key_svc(&self) -> bool {
        matches!(self.kind, Kind::Described { key_svc: true } | Kind::Vp9 { key_svc: true })
    }

    fn picture(&mut self) -> Vec<Frame> {
        let key = std::mem::take(&mut self.key_wanted);
        if key {
            self.since_key = 0;
        }
        let (temporal, back) = PATTERN[(self.since_key % 4) as usize];
        let layers = self.spatial_layers();
        let frames = (0..layers)
            .map(|spatial| {
                let mut needs = Vec::new();
                if !key {
                    needs.push((self.picture - back, spatial));
                }
                if spatial > 0 && (key || !self.key_svc()) {
                    needs.push((self.picture, spatial - 1));
                }
                let packets = (0..PACKETS).map(|n| self.packet(key, spatial, temporal, n, &needs)).collect();
                if temporal == 0 {
                    let number = self.number(spatial);
                    let built_on =
                        |chain: &u8| *chain == spatial || *chain > spatial && (key || !self.key_svc());
                    for chain in (0..3u8).filter(built_on).collect::<Vec<_>>() {
                        self.chains[usize::from(chain)] = number;
                    }
                }
                Frame { picture: self.picture, spatial, key: key && spatial == 0, needs, packets }
            })
            .collect();
        self.picture += 1;
        self.since_key += 1;
        frames
    }

    fn number(&self, spatial: u8) -> u64 {
        self.picture * 3 + u64::from(spatial)
    }

    fn packet(
        &self,
        key: bool,
        spatial: u8,
        temporal: u8,
        n: u64,
        needs: &[(u64, u8)],
    ) -> (Vec<u8>, Vec<u8>) {
        let (first, last) = (n == 0, n == PACKETS - 1);
        let [high, low] = (self.picture as u16 & 0x7fff | 0x8000).to_be_bytes();
        match self.kind {
            Kind::Vp8 => {
                let start = if first { 0x10 } else { 0 };
                let sync = temporal == 1 || self.since_key % 4 == 1;
                let layer = temporal << 6 | u8::from(sync) << 5;
                (vec![0x80 | start, 0xe0, high, low, 0, layer, u8::from(!key)], Vec::new())
            }
            Kind::Vp9 { key_svc } => {
                let unused = spatial == 2 || key_svc && !key;
                let flags = 0xa0
                    | u8::from(!key) << 6
                    | u8::from(first) << 3
                    | u8::from(last) << 2
                    | u8::from(unused);
                let inter_layer = spatial > 0 && (key || !key_svc);
                let layer = temporal << 5 | 0x10 | spatial << 1 | u8::from(inter_layer);
                (vec![flags, high, low, layer, 0, 0], Vec::new())
            }
            Kind::Described { key_svc } => {
                let structure = structure(key_svc);
                let number = self.number(spatial);
                let template = structure
                    .templates
                    .iter()
                    .position(|t| {
                        (t.spatial, t.temporal) == (spatial, temporal)
                            && (t.indications == indications(key_svc, key, spatial, temporal))
                    })
                    .expect("a template");
                let mut chain_diffs = ChainDiffs::default();
                for (diff, chain) in chain_diffs.iter_mut().zip(self.chains) {
                    *diff = if key && spatial == 0 { 0 } else { (number - chain) as u8 };
                }
                let descriptor = Descriptor {
                    start: first,
                    end: last,
                    template_id: template as u8,
                    frame_number: number as u16,
                    structure: (key && spatial == 0 && first).then(|| Box::new(structure.clone())),
                    frame_diffs: Some(
                        needs.iter().map(|(p, s)| (number - (p * 3 + u64::from(*s))) as u16).collect(),
                    ),
                    chain_diffs: Some(chain_diffs),
                    ..Descriptor::default()
                };
                let bytes = descriptor.write(Some(&structure)).expect("it fits");
                (vec![0; 5], bytes.to_vec())
            }
        }
    }
}

fn indications(key_svc: bool, key: bool, spatial: u8, temporal: u8) -> Indications {
    let mut made = Indications::default();
    for target in 0..9u8 {
        let (of_spatial, of_temporal) = (target / 3, target % 3);
        let above = of_spatial > spatial;
        if of_spatial < spatial || of_temporal < temporal || above && key_svc && !key {
            continue;
        }
        let indication = match (key, above, temporal) {
            (true, ..) => Indication::Switch,
            (false, true, _) => Indication::Required,
            (false, false, 0) => Indication::Switch,
            (false, false, 1) if of_temporal == 2 => Indication::Switch,
            _ => Indication::Discardable,
        };
        made.set(target, indication);
    }
    made
}

fn structure(key_svc: bool) -> Structure {
    let template = |spatial, temporal, key| Template {
        spatial,
        temporal,
        indications: indications(key_svc, key, spatial, temporal),
        frame_diffs: FrameDiffs::new(),
        chain_diffs: ChainDiffs::default(),
    };
    let of = |spatial| {
        [
            template(spatial, 0, true),
            template(spatial, 0, false),
            template(spatial, 1, false),
            template(spatial, 2, false),
        ]
    };
    Structure {
        id_offset: 0,
        target_count: 9,
        chain_count: 3,
        protected_by: (0..9).map(|target| target / 3).collect(),
        templates: (0..3).flat_map(of).collect(),
        resolutions: [(320, 180), (640, 360), (1280, 720)].into_iter().collect(),
    }
}

/// One receiver behind a ladder and a selector.
struct Viewer {
    now: Instant,
    ladder: Option<Box<Ladder>>,
    selector: Selector,
    begun: bool,
    /// Frames sent, whole.
    sent: std::collections::BTreeSet<(u64, u8)>,
    /// Frames sent, by picture: the spatial layers and whether the end of the picture was marked on the last.
    last_marked: std::collections::BTreeMap<u64, Vec<(u8, bool)>>,
}

impl Viewer {
    fn new() -> Self {
        Self {
            now: start(),
            ladder: None,
            selector: Selector::default(),
            begun: false,
            sent: Default::default(),
            last_marked: Default::default(),
        }
    }

    fn want(&mut self, target: u8) {
        let choice = Choice { encoding: 0, target };
        self.selector.want(Some(choice), self.ladder.as_deref().map(|l| (0, l)));
    }

    fn show(&mut self, encoder: &Encoder, frame: &Frame) {
        let codec = match encoder.kind {
            Kind::Vp8 => Codec::Vp8,
            Kind::Vp9 { .. } => Codec::Vp9,
            Kind::Described { .. } => Codec::Av1,
        };
        let mut sent = Vec::new();
        for (n, (payload, descriptor)) in frame.packets.iter().enumerate() {
            let end = n as u64 == PACKETS - 1;
            let marker = end && frame.spatial == encoder.spatial_layers() - 1;
            let key_frame = frame.key && n == 0;
            let incoming = Incoming {
                now: self.now,
                codec,
                payload,
                bytes: payload.len(),
                layers: None,
                marker,
                key_frame,
                descriptor,
            };
            let told = Ladder::take_in(&mut self.ladder, &incoming);
            let ladder = self.ladder.as_deref().expect("a ladder");
            let mark = told.mark.expect("a mark");
            if !self.begun {
                self.begun = true;
                self.selector.restart(0, Some(ladder), Some(&mark));
            }
            sent.push(match self.selector.judge(ladder, &mark, key_frame) {
                Verdict::Send { last } => Some(last || marker),
                Verdict::LeaveOut { .. } => None,
            });
        }
        let whole = sent.iter().all(Option::is_some);
        assert!(whole || sent.iter().all(Option::is_none), "frames are sent as a whole: {sent:?}");
        if whole {
            let place = (frame.picture, frame.spatial);
            for needed in &frame.needs {
                assert!(self.sent.contains(needed), "{place:?} was sent without {needed:?}");
            }
            self.sent.insert(place);
            let marked = sent.last().copied().flatten() == Some(true);
            assert_eq!(sent.iter().flatten().filter(|m| **m).count(), usize::from(marked), "at the end only");
            self.last_marked.entry(frame.picture).or_default().push((frame.spatial, marked));
        }
    }

    fn layers(&self) -> Option<(u8, u8)> {
        let ladder = self.ladder.as_deref()?;
        Some(match self.selector.target() {
            Some(target) => ladder.layers(target),
            None => ladder.points().last().map(|p| (p.spatial, p.temporal))?,
        })
    }
}

/// Runs a stream with a viewer who wants another target now and then; key frames come a while after they are asked for.
fn run(kind: Kind, wishes: &[(u8, u8)], key_after: u64) -> Viewer {
    let mut encoder = Encoder::new(kind);
    let mut viewer = Viewer::new();
    for (i, (pictures, wish)) in wishes.iter().enumerate() {
        let mut asked = None;
        // At first everything is sent. Minds change between pictures as well as within.
        let mut change_at = (i > 0).then_some(wish % encoder.spatial_layers());
        for _ in 0..*pictures {
            let ladder = viewer.ladder.as_deref();
            if ladder.and_then(|l| viewer.selector.awaits_key_frame(l)).is_some() {
                let due = *asked.get_or_insert(encoder.picture + key_after);
                if due <= encoder.picture {
                    encoder.key_wanted = true;
                    asked = None;
                }
            }
            for (n, frame) in (0..).zip(encoder.picture()) {
                if change_at.is_some_and(|at| at <= n)
                    && let Some(ladder) = &viewer.ladder
                {
                    change_at = None;
                    let points = ladder.points();
                    let target = points[usize::from(*wish) % points.len()].target;
                    viewer.want(target);
                }
                viewer.show(&encoder, &frame);
            }
            viewer.now += Duration::from_millis(33);
        }
    }
    for (picture, frames) in &viewer.last_marked {
        let (last, before) = frames.split_last().expect("a frame");
        assert!(last.1 && before.iter().all(|f| !f.1), "the end of picture {picture}: {frames:?}");
    }
    viewer
}

#[test]
fn the_target_that_is_wanted_is_reached_from_every_other_with_a_key_frame_or_before() {
    for kind in KINDS {
        let points = run(kind, &[(12, 0)], 2).ladder.expect("a ladder").points();
        assert_eq!(points.len(), if kind == Kind::Vp8 { 3 } else { 9 }, "{kind:?}");
        for from in 0..points.len() as u8 {
            for to in 0..points.len() as u8 {
                let viewer = run(kind, &[(12, 0), (20, from), (20, to)], 3);
                let wanted = points[usize::from(to)];
                assert_eq!(
                    viewer.layers(),
                    Some((wanted.spatial, wanted.temporal)),
                    "{kind:?}: {from} → {to}"
                );
            }
        }
    }
}

#[test]
fn within_what_is_sent_the_way_down_takes_one_frame() {
    let (low, high) = (0, 8);
    // Full dependency: every lower target is part of the highest.
    let viewer = run(Kind::Described { key_svc: false }, &[(12, high), (7, high), (1, low)], 100);
    assert_eq!(viewer.layers(), Some((0, 0)));
    // Layers that share key frames only: less often at once, the lower layer with a key frame.
    let viewer = run(Kind::Described { key_svc: true }, &[(12, high), (7, high), (1, low)], 100);
    assert_eq!(viewer.layers(), Some((2, 0)));
    let viewer = run(Kind::Vp8, &[(12, 2), (7, 2), (1, 0)], 100);
    assert_eq!(viewer.layers(), Some((0, 0)));
}

#[test]
fn what_is_left_out_is_not_sent() {
    let pictures = |viewer: &Viewer| {
        let of = |s: u8| viewer.sent.iter().rev().take_while(|(p, _)| *p > 0).filter(|f| f.1 == s).count();
        (of(0), of(1), of(2))
    };
    // The whole first dozen, then a quarter of the pictures of the lowest layer.
    let viewer = run(Kind::Described { key_svc: false }, &[(12, 8), (40, 0)], 2);
    assert_eq!(pictures(&viewer), (12 + 10, 12, 12));
    let viewer = run(Kind::Vp8, &[(12, 2), (40, 0)], 2);
    assert_eq!(pictures(&viewer), (12 + 10, 0, 0));
}

#[test]
fn the_tile_decides_the_spatial_layer_and_the_rate_is_full() {
    let viewer = run(Kind::Described { key_svc: true }, &[(12, 0)], 2);
    let ladder = viewer.ladder.expect("a ladder");
    let tile = |width, height| TileSize { width, height };
    for (tile, spatial_max, layers) in [
        (tile(320, 180), 3, (0, 2)),
        (tile(640, 360), 3, (1, 2)),
        (tile(1280, 720), 3, (2, 2)),
        (TileSize::UNKNOWN, 3, (2, 2)),
        (TileSize::UNKNOWN, 0, (0, 2)),
    ] {
        let target = ladder.choose(tile, spatial_max).expect("a target");
        assert_eq!(ladder.layers(target), layers, "{tile:?}");
    }
    assert_eq!(ladder.points().first().map(|p| (p.fps_share, p.size)), Some((64, (320, 180))));
}

#[test]
fn a_silent_layer_is_not_chosen_and_comes_back() {
    let mut encoder = Encoder::new(Kind::Vp9 { key_svc: true });
    let mut viewer = Viewer::new();
    for picture in 0..100 {
        for frame in encoder.picture() {
            if frame.spatial < 2 || picture < 10 {
                viewer.show(&encoder, &frame);
            }
        }
        viewer.now += Duration::from_millis(33);
        viewer.ladder.as_mut().expect("a ladder").tick(viewer.now, Duration::from_millis(33));
    }
    let ladder = viewer.ladder.as_mut().expect("a ladder");
    assert_eq!(ladder.choose(TileSize::UNKNOWN, 3).map(|t| ladder.layers(t)), Some((1, 2)));
    encoder.key_wanted = true;
    viewer.selector = Selector::default();
    let frames = encoder.picture();
    frames.iter().for_each(|frame| {
        viewer.sent.extend(frame.needs.iter().copied());
        viewer.show(&encoder, frame);
    });
    let ladder = viewer.ladder.expect("a ladder");
    assert_eq!(ladder.choose(TileSize::UNKNOWN, 3).map(|t| ladder.layers(t)), Some((2, 2)));
}

#[test]
fn what_a_target_costs_is_measured() {
    let mut viewer = run(Kind::Described { key_svc: false }, &[(12, 0)], 2);
    let ladder = viewer.ladder.as_mut().expect("a ladder");
    ladder.tick(viewer.now, Duration::from_millis(12 * 33));
    let points = ladder.points();
    assert!(points.iter().all(|p| p.bitrate_bps > 0));
    let rates: Vec<_> = points.chunks(usize::from(TEMPORAL)).map(|c| c[2].bitrate_bps).collect();
    assert!(rates[0] < rates[1] && rates[1] < rates[2], "{rates:?}");
}

proptest! {
    /// The assertions are in `run`: whole frames, nothing without what it needs, each picture's end marked once.
    #[test]
    fn whatever_is_wanted_can_be_decoded(
        kind in prop::sample::select(KINDS.to_vec()),
        wishes in prop::collection::vec((1..30u8, any::<u8>()), 1..20),
        key_after in 0..12u64,
    ) {
        run(kind, &wishes, key_after);
    }

    /// Garbage in descriptors and payloads: a mark or none, never a panic.
    #[test]
    fn garbage_is_no_place(packets in prop::collection::vec((0..4u8, prop::collection::vec(any::<u8>(), 0..60), prop::collection::vec(any::<u8>(), 0..60)), 0..60)) {
        let mut viewer = Viewer::new();
        for (codec, payload, descriptor) in &packets {
            let codec = [Codec::Vp8, Codec::Vp9, Codec::Av1, Codec::H264][usize::from(*codec)];
            let incoming = Incoming {
                now: viewer.now,
                codec,
                payload,
                bytes: payload.len(),
                layers: None,
                marker: false,
                key_frame: false,
                descriptor,
            };
            let told = Ladder::take_in(&mut viewer.ladder, &incoming);
            if let (Some(mark), Some(ladder)) = (&told.mark, &viewer.ladder) {
                let target = ladder.choose(TileSize { width: 10, height: 10 }, 3);
                let choice = target.map(|target| Choice { encoding: 0, target });
                viewer.selector.want(choice, Some((0, ladder)));
                viewer.selector.judge(ladder, mark, told.key_frame);
            }
        }
    }
}
