//! What comes in: tracks and their encodings.

use std::time::{Duration, Instant};

use arrayvec::ArrayVec;
use model::unit::Source;
use model::{Bitrate, Codec, Layer, MediaKind, Rid, Semantic};
use rtc::sdp::CodecParameters;

use crate::allocate::{Offered, RUNGS_MAX, Rung};
use crate::backup::Backup;
use crate::capture::MediaClock;
use crate::cost::{CostMeter, nominal_cost};
use crate::demand::Asked;
use crate::history::{AUDIO_PACKETS, History, VIDEO_PACKETS};
use crate::keyframe::KeyFrameRequests;
use crate::relay::{Far, Order, Relay};
use crate::speakers::Voice;
use crate::svc::Ladder;

/// An encoding from which nothing has come for so long is not shown: a browser that lacks bandwidth or processor stops
/// its largest encodings without a word. A camera in the dark may go down to five pictures a second.
const SILENT_AFTER: Duration = Duration::from_millis(1_000);

/// A slot of a peer, as the unit numbers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct SlotRef {
    /// Index of the peer.
    pub(crate) peer: u32,
    /// Index of the m-line.
    pub(crate) line: u16,
}

/// A stream of a peer: an m-line on which it sends, or on which somebody waits for it to send.
#[derive(Debug)]
pub(crate) struct Track {
    pub(crate) source: Source,
    /// What its peer agreed to send; `None` while it does not (yet, any more).
    pub(crate) published: Option<Published>,
    /// Slots bound to it.
    pub(crate) subscribers: Vec<SlotRef>,
    /// The last word about muting, also of a stream that is not published yet.
    pub(crate) muted_ahead: bool,
    /// Where it comes from, if not from a peer of this unit.
    pub(crate) far: Option<Far>,
    /// Units that it goes to.
    pub(crate) relays: Vec<Relay>,
}

/// From where a track comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A peer of this unit.
    Local {
        /// Index of the peer.
        peer: u32,
        /// Index of the m-line.
        line: u16,
    },
    /// Another unit.
    Relayed,
}

/// A stream that its peer agreed to send.
#[derive(Debug)]
pub(crate) struct Published {
    pub(crate) origin: Origin,
    pub(crate) kind: MediaKind,
    /// From `a=content`.
    pub(crate) semantic: Semantic,
    pub(crate) codecs: Vec<CodecParameters>,
    /// Never empty: without simulcast there is one, without a RID.
    pub(crate) encodings: Vec<Encoding>,
    pub(crate) muted: bool,
    /// It goes on sending what it was told to stop.
    pub(crate) disobeys: bool,
    pub(crate) voice: Voice,
    pub(crate) backup: Backup,
    /// What the room was last told.
    pub(crate) told: Option<(Codec, Vec<Layer>, bool)>,
}

/// One encoding of a stream.
#[derive(Debug)]
pub(crate) struct Encoding {
    pub(crate) rid: Option<Rid>,
    pub(crate) size: (u16, u16),
    pub(crate) codec: Option<Codec>,
    pub(crate) history: History,
    /// Numbers of the packets that came in with this pass.
    pub(crate) arrived: Vec<u64>,
    /// Slots that show it or wait for its key frame.
    pub(crate) watchers: Vec<SlotRef>,
    pub(crate) requests: KeyFrameRequests,
    pub(crate) active: bool,
    /// What its sender was told of it.
    pub(crate) asked: Asked,
    /// Its unit has it, if that is another one.
    pub(crate) on_offer: bool,
    /// The numbers that came from that unit.
    pub(crate) relayed: Order,
    pub(crate) cost: CostMeter,
    /// When its pictures or sounds were captured, once its sender has told, or as other encodings of them say.
    pub(crate) clock: Option<MediaClock>,
    /// When its newest packet was captured, if that is known.
    pub(crate) captured: Option<Instant>,
    /// What a scalable encoding is made of.
    pub(crate) ladder: Option<Box<Ladder>>,
    /// The number of the packet from which on it is sent in the codec of now.
    pub(crate) codec_from: u64,
    last_packet: Option<Instant>,
}

/// What was captured longer ago is another picture.
const SIBLING_AGE_MAX: Duration = Duration::from_millis(500);

/// What a tick found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ticked {
    Nothing,
    /// It costs more or less than it did.
    CostChanged,
    FellSilent,
}

impl Track {
    pub(crate) fn new(source: Source) -> Self {
        Self {
            source,
            published: None,
            subscribers: Vec::new(),
            muted_ahead: false,
            far: None,
            relays: Vec::new(),
        }
    }

    /// Nobody sends it and nobody waits for it.
    pub(crate) fn is_unused(&self) -> bool {
        self.published.is_none() && self.subscribers.is_empty() && self.relays.is_empty()
    }

    /// It comes in from another unit.
    pub(crate) fn is_from_afar(&self) -> bool {
        self.published.as_ref().is_some_and(|p| p.origin == Origin::Relayed)
    }
}

impl Published {
    pub(crate) fn new(
        origin: Origin,
        kind: MediaKind,
        semantic: Semantic,
        codecs: Vec<CodecParameters>,
        layers: &[Layer],
    ) -> Self {
        let mut encodings: Vec<_> =
            layers.iter().map(|l| Encoding::new(kind, Some(l.rid), (l.width, l.height))).collect();
        if encodings.is_empty() {
            encodings.push(Encoding::new(kind, None, (0, 0)));
        }
        Self {
            origin,
            kind,
            semantic,
            codecs,
            encodings,
            muted: false,
            disobeys: false,
            voice: Voice::default(),
            backup: Backup::default(),
            told: None,
        }
    }

    /// What a slot may choose from: the one place that knows which rungs encodings have. Those of simulcast are taken
    /// whole; one that is alone offers its spatial layers, and of the lowest its temporal ones.
    pub(crate) fn offers(&self) -> impl Iterator<Item = Offered> {
        let several = self.encodings.len() > 1;
        self.encodings.iter().zip(0u8..).flat_map(move |(e, index)| {
            // What never came and has no size is none of the sender's encodings at present.
            let asleep =
                e.asked.is_asleep() && e.on_offer && !self.disobeys && (e.area() > 0 || e.codec.is_some());
            let offered = move |rung| Offered {
                rung,
                // A single encoding is shown whenever something comes; there is nothing to choose.
                available: e.active || asleep || !several,
                flowing: e.active,
            };
            let mut rungs = if several { ArrayVec::new() } else { e.rungs(index) };
            if rungs.is_empty() {
                rungs.push(Rung::whole(index, e.area(), e.cost.cost()));
            }
            rungs.into_iter().map(offered)
        })
    }

    /// When the picture was captured of which another encoding than this one came last: its sender encodes it in all
    /// sizes, and sends them from the smallest on. An encoding that wakes up has told no time of its own yet, and with the
    /// time of arrival its pictures would be late by what a key frame takes, until a receiver has unlearned that.
    pub(crate) fn captured_lately(&self, now: Instant, encoding: u8) -> Option<Instant> {
        if self.encodings.get(usize::from(encoding)).is_none_or(|own| own.clock.is_some()) {
            return None;
        }
        let newest = self.encodings.iter().filter_map(|e| e.captured).max()?;
        (now.saturating_duration_since(newest) <= SIBLING_AGE_MAX).then_some(newest)
    }

    /// What the room should know now, if it does not.
    pub(crate) fn news(&mut self) -> Option<(Codec, Vec<Layer>, bool)> {
        let codec = self.encodings.iter().find_map(|e| e.codec)?;
        let layers = self
            .encodings
            .iter()
            .filter_map(|e| e.rid.map(|rid| Layer { rid, width: e.size.0, height: e.size.1 }));
        let now = (codec, layers.collect(), self.encodings.iter().any(|e| e.active));
        if self.told.as_ref() == Some(&now) {
            return None;
        }
        self.told = Some(now.clone());
        Some(now)
    }
}

impl Encoding {
    /// Its layers as rungs; empty where it has only one size.
    fn rungs(&self, index: u8) -> ArrayVec<Rung, RUNGS_MAX> {
        let points = self.ladder.as_ref().map(|l| l.points()).unwrap_or_default();
        if points.last().is_none_or(|p| p.spatial == 0) {
            return ArrayVec::new();
        }
        let best =
            |spatial: u8| points.iter().filter(move |p| p.spatial == spatial).map(|p| p.temporal).max();
        let worth = points.iter().filter(|p| p.spatial == 0 || best(p.spatial) == Some(p.temporal));
        let rungs = worth.map(|p| {
            let area = u64::from(p.size.0) * u64::from(p.size.1);
            let measured = (p.bitrate_bps > 0).then(|| Bitrate::from_bps(p.bitrate_bps));
            let frames_pct = u8::try_from(u32::from(p.fps_share) * 100 / 256).unwrap_or(100);
            let cost = measured.unwrap_or_else(|| nominal_cost(area));
            Rung { encoding: index, spatial: p.spatial, temporal: p.temporal, cost, area, frames_pct }
        });
        rungs.take(RUNGS_MAX).collect()
    }

    fn new(kind: MediaKind, rid: Option<Rid>, size: (u16, u16)) -> Self {
        let packets = match kind {
            MediaKind::Audio => AUDIO_PACKETS,
            MediaKind::Video => VIDEO_PACKETS,
        };
        Self {
            rid,
            size,
            codec: None,
            history: History::new(packets),
            arrived: Vec::new(),
            watchers: Vec::new(),
            requests: KeyFrameRequests::default(),
            active: false,
            asked: Asked::default(),
            on_offer: true,
            relayed: Order::default(),
            cost: CostMeter::new(kind, u64::from(size.0) * u64::from(size.1)),
            clock: None,
            captured: None,
            ladder: None,
            codec_from: 0,
            last_packet: None,
        }
    }

    /// Pixels of a picture; 0 while unknown.
    pub(crate) fn area(&self) -> u64 {
        u64::from(self.size.0) * u64::from(self.size.1)
    }

    /// Its numbers begin anew below those of before, which are of something else.
    pub(crate) fn forget_packets(&mut self) {
        self.history.clear();
        self.codec_from = 0;
    }

    /// A packet has come. True when it ends a silence.
    #[inline]
    pub(crate) fn count(&mut self, now: Instant, bytes: usize) -> bool {
        self.cost.count(bytes);
        self.last_packet = Some(now);
        self.asked.awake();
        !std::mem::replace(&mut self.active, true)
    }

    /// Called every `interval`.
    pub(crate) fn tick(&mut self, now: Instant, interval: Duration) -> Ticked {
        let silent = self.last_packet.is_none_or(|at| now.saturating_duration_since(at) > SILENT_AFTER);
        let fell_silent = silent && std::mem::replace(&mut self.active, false);
        let dearer = self.cost.tick(interval, self.area(), self.active);
        let layer_stopped = self.ladder.as_mut().is_some_and(|l| l.tick(now, interval));
        match (fell_silent || layer_stopped, dearer) {
            (true, _) => Ticked::FellSilent,
            (false, true) => Ticked::CostChanged,
            (false, false) => Ticked::Nothing,
        }
    }

    /// A key frame came in with this pass: whoever begins to wait now begins with it.
    pub(crate) fn has_fresh_key_frame(&self) -> bool {
        self.arrived.iter().any(|sequence| self.history.get(*sequence).is_some_and(|p| p.key_frame))
    }

    /// This slot shows it or waits for it.
    pub(crate) fn watch(&mut self, slot: SlotRef) {
        if !self.watchers.contains(&slot) {
            self.watchers.push(slot);
        }
    }

    /// It does no longer.
    pub(crate) fn unwatch(&mut self, slot: SlotRef) {
        if let Some(at) = self.watchers.iter().position(|w| *w == slot) {
            self.watchers.swap_remove(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests_time::start;

    #[test]
    fn an_encoding_that_tells_no_time_has_that_of_its_newest_sibling() {
        let layers = ["l", "m", "h"].map(|rid| Layer { rid: rid.parse().unwrap(), width: 0, height: 0 });
        let camera = Published::new(
            Origin::Local { peer: 0, line: 0 },
            MediaKind::Video,
            Semantic::Main,
            Vec::new(),
            &layers,
        );
        let (mut camera, now) = (camera, start() + Duration::from_secs(10));
        assert_eq!(camera.captured_lately(now, 2), None, "nobody tells");
        let ago = |ms| Some(now - Duration::from_millis(ms));
        (camera.encodings[0].captured, camera.encodings[1].captured) = (ago(20), ago(90));
        assert_eq!(camera.captured_lately(now, 2), ago(20));
        camera.encodings[2].clock = Some(MediaClock { timestamp: 0, at: now, rate_hz: 90_000 });
        assert_eq!(camera.captured_lately(now, 2), None, "it tells itself");
        (camera.encodings[0].captured, camera.encodings[1].captured) = (ago(600), None);
        camera.encodings[2].clock = None;
        assert_eq!(camera.captured_lately(now, 2), None, "another picture");
        assert_eq!(camera.captured_lately(now, 9), None, "there is none");
    }
}
