//! What comes in: tracks and their encodings.

use std::time::{Duration, Instant};

use model::unit::Source;
use model::{Codec, Layer, MediaKind, Rid};
use rtc::sdp::CodecParameters;

use crate::choice::Candidate;
use crate::history::{AUDIO_PACKETS, History, VIDEO_PACKETS};
use crate::keyframe::KeyFrameRequests;
use crate::speakers::Voice;
use crate::svc::{Ladder, OperatingPoint};

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
}

/// A stream that its peer agreed to send.
#[derive(Debug)]
pub(crate) struct Published {
    /// Index of the peer.
    pub(crate) peer: u32,
    /// Index of the m-line.
    pub(crate) line: u16,
    pub(crate) kind: MediaKind,
    pub(crate) codecs: Vec<CodecParameters>,
    /// Never empty: without simulcast there is one, without a RID.
    pub(crate) encodings: Vec<Encoding>,
    pub(crate) muted: bool,
    pub(crate) voice: Voice,
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
    /// What a scalable encoding is made of.
    pub(crate) ladder: Option<Box<Ladder>>,
    last_packet: Option<Instant>,
    bytes_since_tick: u64,
    bitrate_bps: u64,
}

impl Track {
    pub(crate) fn new(source: Source) -> Self {
        Self { source, published: None, subscribers: Vec::new(), muted_ahead: false }
    }

    /// Nobody sends it and nobody waits for it.
    pub(crate) fn is_unused(&self) -> bool {
        self.published.is_none() && self.subscribers.is_empty()
    }
}

impl Published {
    pub(crate) fn new(
        peer: u32,
        line: u16,
        kind: MediaKind,
        codecs: Vec<CodecParameters>,
        layers: &[Layer],
    ) -> Self {
        let mut encodings: Vec<_> =
            layers.iter().map(|l| Encoding::new(kind, Some(l.rid), (l.width, l.height))).collect();
        if encodings.is_empty() {
            encodings.push(Encoding::new(kind, None, (0, 0)));
        }
        Self { peer, line, kind, codecs, encodings, muted: false, voice: Voice::default(), told: None }
    }

    /// What a slot may choose from.
    pub(crate) fn candidates(&self) -> impl Iterator<Item = Candidate> {
        let several = self.encodings.len() > 1;
        self.encodings.iter().map(move |e| Candidate {
            rid: e.rid,
            area: u64::from(e.size.0) * u64::from(e.size.1),
            bitrate_bps: e.bitrate_bps,
            // A single encoding is shown whenever something comes; there is nothing to choose.
            active: e.active || !several,
        })
    }

    /// What a slot may choose from within the encodings: for each its index, and what it offers, the smallest first.
    /// An encoding that is not scalable offers nothing but itself.
    #[expect(dead_code, reason = "for the allocator, which weighs all of them by what they cost")]
    pub(crate) fn operating_points(&self) -> impl Iterator<Item = (u8, OperatingPoint)> {
        let of = |e: &Encoding| e.ladder.as_ref().map(|l| l.points()).unwrap_or_default();
        (0u8..).zip(&self.encodings).flat_map(move |(index, e)| of(e).into_iter().map(move |p| (index, p)))
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
            ladder: None,
            last_packet: None,
            bytes_since_tick: 0,
            bitrate_bps: 0,
        }
    }

    /// A packet has come. True when it ends a silence.
    #[inline]
    pub(crate) fn count(&mut self, now: Instant, bytes: usize) -> bool {
        self.bytes_since_tick += bytes as u64;
        self.last_packet = Some(now);
        !std::mem::replace(&mut self.active, true)
    }

    /// Called every `interval`. True when it fell silent, or a layer of it did.
    pub(crate) fn tick(&mut self, now: Instant, interval: Duration) -> bool {
        let rate = self.bytes_since_tick * 8 * 1_000 / (interval.as_millis() as u64).max(1);
        self.bytes_since_tick = 0;
        self.bitrate_bps = (self.bitrate_bps * 7 + rate) / 8;
        let stepped = self.ladder.as_mut().is_some_and(|l| l.tick(now, interval));
        let silent = self.last_packet.is_none_or(|at| now.saturating_duration_since(at) > SILENT_AFTER);
        silent && std::mem::replace(&mut self.active, false) || stepped
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
