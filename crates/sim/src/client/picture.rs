//! What a person sees of one slot: frames that are complete and whose references were shown.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use model::Codec;

use super::publisher::LADDER;

/// Without a picture at all a decoder asks for a key frame so often, as libwebrtc does.
const WAIT_FOR_KEY_FRAME: Duration = Duration::from_millis(200);
/// Once it has shown something it waits longer for what is missing, as libwebrtc does.
const WAIT_FOR_FRAME: Duration = Duration::from_secs(3);
/// Packets that wait for those before them; about what libwebrtc's packet buffer keeps.
const PACKETS_MAX: usize = 2_048;

/// A frame that was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// When.
    pub at: Instant,
    /// Pixels of its width, as the last key frame said.
    pub width: u16,
    /// It is a key frame.
    pub key: bool,
}

/// The part of a packet that decoding depends on.
#[derive(Debug, Clone, Copy)]
struct Piece {
    timestamp: u32,
    /// A frame begins here.
    begins: bool,
    /// A frame ends here.
    ends: bool,
    /// It is of a key frame, or of a layer of one.
    key: bool,
    /// Pixels of the width that it says, or that its layer has.
    width: Option<u16>,
    /// Its spatial layer.
    layer: u8,
}

/// A frame that is complete: its first and last packet.
#[derive(Debug, Clone, Copy)]
struct Frame {
    first: u64,
    last: u64,
    key: bool,
    width: Option<u16>,
    layer: u8,
}

/// A decoder's view of a slot with VP8.
///
/// Frames are shown in order. A frame is shown when all of its packets are here, and it is a key frame or the packets
/// before it belong to a frame that was shown; nothing is shown out of a gap. That is what a decoder without temporal
/// layers can do, and what one with them does for the frames that it is sent: a unit numbers what it sends without gaps.
#[derive(Debug)]
pub(super) struct Picture {
    codec: Codec,
    pieces: BTreeMap<u64, Piece>,
    /// The sequence number after the last frame that was shown.
    next: Option<u64>,
    width: u16,
    /// The highest spatial layer that was shown last.
    layer: u8,
    shown: Vec<Shown>,
    /// When something was shown last, or a key frame asked for, or the first packet came.
    waiting_since: Option<Instant>,
    asked: u64,
}

impl Picture {
    pub(super) fn new(codec: Codec) -> Self {
        Self {
            codec,
            pieces: BTreeMap::new(),
            next: None,
            width: 0,
            layer: 0,
            shown: Vec::new(),
            waiting_since: None,
            asked: 0,
        }
    }

    /// Takes a packet.
    pub(super) fn take(&mut self, now: Instant, sequence: u64, timestamp: u32, marker: bool, payload: &[u8]) {
        self.waiting_since.get_or_insert(now);
        if self.next.is_some_and(|next| sequence < next) || payload.is_empty() {
            return;
        }
        let piece = match self.codec {
            Codec::Vp9 => vp9(payload),
            _ => vp8(payload),
        };
        self.pieces.insert(sequence, Piece { timestamp, ends: marker, ..piece });
        while self.pieces.len() > PACKETS_MAX {
            self.pieces.pop_first();
        }
        while self.show_next(now) {}
    }

    /// Shows the next frame if it can be shown.
    fn show_next(&mut self, now: Instant) -> bool {
        let next = self.next.and_then(|next| self.frame_at(next));
        // Nothing follows without a gap: a complete key frame further on is a new beginning.
        let Some(frame) = next.or_else(|| self.first_key_frame()) else { return false };
        if let Some(width) = frame.width {
            self.width = width;
        }
        self.layer = frame.layer;
        self.shown.push(Shown { at: now, width: self.width, key: frame.key });
        self.next = Some(frame.last + 1);
        self.pieces = self.pieces.split_off(&(frame.last + 1));
        debug_assert!(frame.first <= frame.last);
        self.waiting_since = Some(now);
        true
    }

    /// A complete frame that begins there and refers to nothing that was not shown: a layer above the highest one of the
    /// frame before cannot be predicted from it.
    fn frame_at(&self, first: u64) -> Option<Frame> {
        let head = self.pieces.get(&first).filter(|p| p.begins)?;
        let mut frame = Frame { first, last: first, key: head.key, width: None, layer: 0 };
        for (expected, (sequence, piece)) in (first..).zip(self.pieces.range(first..)) {
            if *sequence != expected || piece.timestamp != head.timestamp {
                return None;
            }
            if piece.layer > self.layer && !piece.key {
                return None;
            }
            frame.width = frame.width.max(piece.width);
            frame.layer = frame.layer.max(piece.layer);
            frame.last = *sequence;
            if piece.ends {
                return Some(frame);
            }
        }
        None
    }

    fn first_key_frame(&self) -> Option<Frame> {
        self.pieces.iter().filter(|(_, p)| p.begins && p.key).find_map(|(first, _)| self.frame_at(*first))
    }

    /// Whether to ask for a key frame now.
    pub(super) fn asks(&mut self, now: Instant) -> bool {
        if self.deadline().is_none_or(|at| at > now) {
            return false;
        }
        self.waiting_since = Some(now);
        self.asked += 1;
        true
    }

    /// When a key frame will be asked for if nothing comes until then.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let wait = if self.shown.is_empty() { WAIT_FOR_KEY_FRAME } else { WAIT_FOR_FRAME };
        // A decoder to which nothing is sent waits quietly.
        self.waiting_since.filter(|_| !self.pieces.is_empty()).map(|since| since + wait)
    }

    pub(super) fn shown(&self) -> &[Shown] {
        &self.shown
    }

    pub(super) fn asked(&self) -> u64 {
        self.asked
    }
}

const NOTHING: Piece = Piece { timestamp: 0, begins: false, ends: false, key: false, width: None, layer: 0 };

/// What a payload of VP8 says (RFC 7741 §4.2, §4.3).
fn vp8(payload: &[u8]) -> Piece {
    let Some(descriptor) = rtc::payload::vp8::Descriptor::parse(payload) else { return NOTHING };
    let key = rtc::payload::key_frame_start(Codec::Vp8, payload);
    let width = key.map(|k| k.size.map_or(0, |(width, _)| width));
    Piece { begins: descriptor.frame_start(), key: key.is_some(), width, ..NOTHING }
}

/// What a payload of scalable VP9 says.
fn vp9(payload: &[u8]) -> Piece {
    let Some((begins, key, layer)) = super::scalable::read(payload) else { return NOTHING };
    let width = LADDER.get(usize::from(layer)).map(|step| step.width);
    Piece { begins, key, width, layer, ..NOTHING }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The packets of a frame of three, as a sender of the load generator makes them.
    fn frame(sequence: u64, key: bool) -> Vec<(u64, bool, Vec<u8>)> {
        let mut packetizer = load::source::Packetizer::new(model::Codec::Vp8, 640, 360, 1);
        let frame = load::source::Frame { sizes: vec![50, 50, 50], key, at: Duration::ZERO };
        (sequence..)
            .zip(packetizer.payloads(&frame))
            .map(|(n, payload)| (n, n == sequence + 2, payload))
            .collect()
    }

    fn show(picture: &mut Picture, now: Instant, packets: &[(u64, bool, Vec<u8>)]) {
        for (sequence, marker, payload) in packets {
            let timestamp = (*sequence as u32) / 3 * 3_000;
            picture.take(now, *sequence, timestamp, *marker, payload);
        }
    }

    #[test]
    fn a_frame_is_shown_when_it_is_complete_and_follows_one_that_was_shown() {
        let (mut picture, now) = (Picture::new(Codec::Vp8), crate::tests::base());
        show(&mut picture, now, &frame(0, false));
        assert_eq!(picture.shown().len(), 0, "nothing without a key frame");
        show(&mut picture, now, &frame(3, true));
        let (third, fourth) = (frame(6, false), frame(9, false));
        show(&mut picture, now, &third[..1]);
        show(&mut picture, now, &third[2..]);
        show(&mut picture, now, &fourth);
        assert_eq!(picture.shown().iter().map(|s| (s.key, s.width)).collect::<Vec<_>>(), [(true, 640)]);
        show(&mut picture, now, &third[1..2]);
        assert_eq!(picture.shown().len(), 3, "the missing packet frees all that waited");
    }

    #[test]
    fn a_key_frame_ends_a_gap() {
        let (mut picture, now) = (Picture::new(Codec::Vp8), crate::tests::base());
        show(&mut picture, now, &frame(0, true));
        show(&mut picture, now, &frame(6, false));
        assert_eq!(picture.shown().len(), 1);
        show(&mut picture, now, &frame(9, true));
        assert_eq!(picture.shown().len(), 2);
        show(&mut picture, now, &frame(3, false));
        assert_eq!(picture.shown().len(), 2, "too late");
    }

    #[test]
    fn a_key_frame_is_asked_for_soon_at_first_and_late_in_a_gap() {
        let (mut picture, now) = (Picture::new(Codec::Vp8), crate::tests::base());
        let after = |ms| now + Duration::from_millis(ms);
        assert!(!picture.asks(after(10_000)), "nothing has come");
        show(&mut picture, now, &frame(0, false));
        assert!(!picture.asks(after(199)));
        assert!(picture.asks(after(200)));
        assert!(!picture.asks(after(399)));
        assert!(picture.asks(after(400)));
        show(&mut picture, after(500), &frame(3, true));
        show(&mut picture, after(600), &frame(9, false));
        assert!(!picture.asks(after(3_499)));
        assert!(picture.asks(after(3_500)));
    }
}
