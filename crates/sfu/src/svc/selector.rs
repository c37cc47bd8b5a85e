//! What of a scalable encoding one slot is sent.
//!
//! A slot is sent the frames of one decode target, whole frames only. It moves to another target
//! - at any frame when the other is contained in what it was sent: down at once;
//! - else at a frame that the sender marks as a place to switch to that target, if the frame before on the target's chain
//!   and those that it refers to were sent: up at a switching point, or at a key frame.
//!
//! The spatial layer changes between pictures only, so that the end of each picture is marked once, on the last packet
//! that is sent.
//!
//! While the spatial layer cannot be left it takes what it can: going down, the least frequent pictures of the layer it
//! has; going up, the rate that is wanted. A key frame is asked for meanwhile.
//!
//! Since all frames of a target are sent from the switch on, its chain stays whole. What was lost before it came to the
//! unit is repaired by the sender or, at the receiver's request, by a key frame, as for any stream.

use rtc::rtp::dependency_descriptor::{ActiveTargets, Indication};

use super::ladder::Ladder;
use super::mark::Mark;
use crate::relay::Layers;

/// Frames back that are remembered to have been left out: chains reach no further (A.4.1: 8 bits).
const FRAMES: u64 = 256;

/// Frames after a change of target that say which targets are active. The first is repaired when it is lost, for it
/// needs no more than a few; more cost nothing but bytes.
const ANNOUNCED_FRAMES: u8 = 16;

/// A decode target of an encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Choice {
    /// Index of the encoding.
    pub(crate) encoding: u8,
    /// The decode target.
    pub(crate) target: u8,
}

/// What to do with a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// `last`: nothing of this picture follows for this receiver.
    Send { last: bool },
    /// `within_frame`: packets of this frame were left out before. `begins`: the frame was not seen before.
    LeaveOut { within_frame: bool, begins: bool },
}

/// What one slot is sent of the encoding that it shows.
#[derive(Debug, Default)]
pub(crate) struct Selector {
    /// What is wanted, of whichever encoding; `None`: everything.
    wanted: Option<Choice>,
    /// `None`: everything is sent, and nothing is looked at.
    limit: Option<Limit>,
    /// Frames before this one were not sent.
    floor: u64,
    /// What the receiver was told of active targets, and how often still.
    announced: u8,
}

#[derive(Debug)]
struct Limit {
    current: Option<u8>,
    /// The spatial layer of `current`.
    spatial: u8,
    wanted: u8,
    /// The newest frame, and whether it is sent; `None` until the next picture begins.
    newest: Option<(u64, bool)>,
    /// The spatial layer of the newest frame. Within a picture they grow.
    newest_spatial: u8,
    /// Frames that were left out: bit *n* mod 256 for frame *n*, for the last 256 frames.
    left_out: [u64; 4],
}

impl Selector {
    /// What is wanted from here on. `encoding` is the one that is shown now, with its ladder.
    pub(crate) fn want(&mut self, wanted: Option<Choice>, shown: Option<(u8, &Ladder)>) {
        self.wanted = wanted;
        let Some((encoding, ladder)) = shown else { return };
        let Some(target) = wanted.filter(|w| w.encoding == encoding).map(|w| w.target) else { return };
        match &mut self.limit {
            Some(limit) => limit.wanted = target,
            None if ladder.is_whole(target) => {}
            None => {
                // Everything was sent until now, so the largest target is one that may be left at once.
                let current = ladder.points().last().map(|p| p.target);
                let spatial = current.map_or(0, |c| ladder.layers(c).0);
                self.limit = Some(Limit { current, spatial, ..Limit::new(target) });
            }
        }
    }

    /// The highest layers that must come in for what is sent and what is wanted; `None`: all. `shows`: something is sent.
    pub(crate) fn needs(&self, ladder: &Ladder, shows: bool) -> Option<Layers> {
        let layers = |target| {
            let (spatial, temporal) = ladder.layers(target);
            Layers { spatial, temporal }
        };
        let wanted = layers(self.wanted?.target);
        match &self.limit {
            _ if !shows => Some(wanted),
            Some(limit) => Some(limit.current.map_or(wanted, |current| layers(current).max(wanted))),
            None => ladder.is_whole(self.wanted?.target).then_some(wanted),
        }
    }

    /// Everything was sent. Where that does not come in any more, what does is sent.
    #[cold]
    pub(crate) fn confine(&mut self, ladder: &Ladder, mark: &Mark) {
        let wanted = self.wanted.map(|w| w.target).or_else(|| ladder.best_of(u32::MAX));
        let Some(wanted) = wanted.filter(|w| mark.whole & 1 << (w & 31) == 0) else { return };
        let (spatial, _) = ladder.layers(wanted);
        self.limit = Some(Limit { current: Some(wanted), spatial, ..Limit::new(wanted) });
    }

    /// The slot begins to show an encoding with the frame of this mark.
    pub(crate) fn restart(&mut self, encoding: u8, ladder: Option<&Ladder>, mark: Option<&Mark>) {
        self.floor = mark.map_or(0, |m| m.frame);
        self.announced = 0;
        let comes = mark.map_or(u32::MAX, |m| m.whole);
        self.limit = ladder.and_then(|ladder| {
            let chosen = self.wanted.filter(|w| w.encoding == encoding).map(|w| w.target);
            // Without a choice everything is sent, if it comes.
            let wanted = chosen.or_else(|| ladder.best_of(u32::MAX).filter(|_| comes != u32::MAX))?;
            (!ladder.is_whole(wanted) || comes & 1 << (wanted & 31) == 0).then(|| Limit::new(wanted))
        });
    }

    /// Whether anything may be left out, so that packets must be [judged](Self::judge).
    #[inline]
    pub(crate) fn is_limited(&self) -> bool {
        self.limit.is_some()
    }

    /// Whether what is wanted needs a key frame; if so, whether it is less than what is sent.
    pub(crate) fn awaits_key_frame(&self, ladder: &Ladder) -> Option<bool> {
        let limit = self.limit.as_ref()?;
        let (wanted, _) = ladder.layers(limit.wanted);
        let Some(current) = limit.current else { return Some(false) };
        let (current, _) = ladder.layers(current);
        (wanted != current).then_some(wanted < current)
    }

    /// Whether nothing of its picture follows the packet of this mark for this receiver.
    pub(crate) fn is_last(&self, mark: &Mark) -> bool {
        self.limit.as_ref().is_some_and(|l| mark.end && l.current.is_some() && l.spatial == mark.spatial)
    }

    /// What is sent now: a target; `None` for everything.
    #[cfg(test)]
    pub(crate) fn target(&self) -> Option<u8> {
        self.limit.as_ref()?.current
    }

    /// Whether a packet is sent.
    pub(crate) fn judge(&mut self, ladder: &Ladder, mark: &Mark, key_frame: bool) -> Verdict {
        let Some(limit) = &mut self.limit else { return Verdict::Send { last: false } };
        if key_frame && limit.newest.is_none_or(|(newest, _)| mark.frame > newest) {
            // Nothing that follows needs what was before, and the targets may be others from here on.
            self.floor = mark.frame;
            limit.current = None;
        }
        let verdict = limit.judge(ladder, mark, self.floor, &mut self.announced);
        // Everything is wanted and sent again.
        if limit.current == Some(limit.wanted) && ladder.is_whole(limit.wanted) && self.announced == 0 {
            self.limit = None;
        }
        verdict
    }

    /// What the receiver is to be told of active targets with this packet.
    pub(crate) fn active_targets(
        &self,
        ladder: &Ladder,
        mark: &Mark,
        key_frame: bool,
    ) -> Option<ActiveTargets> {
        let limit = self.limit.as_ref()?;
        let count = ladder.described_targets();
        if count == 0 || !mark.start || !(key_frame || self.announced > 0) {
            return None;
        }
        Some(ActiveTargets { mask: ladder.contained(limit.current?), count })
    }
}

impl Limit {
    /// Nothing was sent yet.
    fn new(wanted: u8) -> Self {
        Self { current: None, spatial: 0, wanted, newest: None, newest_spatial: 0, left_out: [0; 4] }
    }

    fn judge(&mut self, ladder: &Ladder, mark: &Mark, floor: u64, announced: &mut u8) -> Verdict {
        let new = match self.newest {
            // Everything was sent up to here: the rest of a picture that has begun goes on too.
            None if self.current.is_some() && !(mark.start && mark.spatial == 0) => {
                return Verdict::Send { last: false };
            }
            None => true,
            Some((newest, _)) => mark.frame > newest,
        };
        let mut begins = false;
        let mut contiguous = false;
        let send = match self.newest {
            _ if new => {
                begins = true;
                let before = self.current;
                let between_pictures = self.newest.is_none() || mark.spatial <= self.newest_spatial;
                self.move_on(ladder, mark, floor, between_pictures);
                self.newest_spatial = mark.spatial;
                self.spatial = self.current.map_or(0, |c| ladder.layers(c).0);
                *announced =
                    if self.current == before { announced.saturating_sub(1) } else { ANNOUNCED_FRAMES };
                let send = self.belongs(mark);
                self.note(mark.frame, send);
                send
            }
            Some((newest, verdict)) if newest == mark.frame => {
                contiguous = true;
                verdict
            }
            _ => !self.was_left_out(mark.frame, floor) && self.belongs(mark),
        };
        if send {
            Verdict::Send { last: mark.end && self.spatial == mark.spatial }
        } else {
            Verdict::LeaveOut { within_frame: contiguous, begins }
        }
    }

    fn belongs(&self, mark: &Mark) -> bool {
        self.current.is_some_and(|current| mark.indications.of(current) != Indication::NotPresent)
    }

    /// Changes to what is wanted, or to what is nearest to it, if that can be done at this frame.
    fn move_on(&mut self, ladder: &Ladder, mark: &Mark, floor: u64, between_pictures: bool) {
        let comes = |target: u8| mark.whole & 1 << (target & 31) != 0;
        let wanted = if comes(self.wanted) { Some(self.wanted) } else { ladder.best_of(mark.whole) };
        if self.current == wanted {
            return;
        }
        if let Some(wanted) = wanted
            && self.may_enter(ladder, wanted, mark, floor, between_pictures)
        {
            self.current = Some(wanted);
            return;
        }
        if !self.current.is_none_or(comes) {
            // Another unit leaves it out: nothing until there is a place to enter what comes.
            self.current = None;
        }
        let Some(current) = self.current else { return };
        let (wanted_spatial, wanted_temporal) = ladder.layers(self.wanted);
        let (spatial, temporal) = ladder.layers(current);
        let temporal_wanted = if wanted_spatial < spatial { 0 } else { wanted_temporal };
        let mut step = temporal_wanted;
        while step != temporal {
            if let Some(target) = ladder.target_of(spatial, step)
                && self.may_enter(ladder, target, mark, floor, between_pictures)
            {
                self.current = Some(target);
                return;
            }
            step = if step > temporal { step - 1 } else { step + 1 };
        }
    }

    fn may_enter(
        &self,
        ladder: &Ladder,
        target: u8,
        mark: &Mark,
        floor: u64,
        between_pictures: bool,
    ) -> bool {
        if let Some(current) = self.current {
            if between_pictures && ladder.contained(current) & 1 << (target & 31) != 0 {
                return true;
            }
            if !between_pictures && ladder.layers(current).0 != ladder.layers(target).0 {
                return false;
            }
        }
        if mark.whole & 1 << (target & 31) == 0 || mark.indications.of(target) != Indication::Switch {
            return false;
        }
        let lacks =
            |diff: &u8| *diff > 0 && self.was_left_out(mark.frame.saturating_sub((*diff).into()), floor);
        if mark.refers_to.iter().any(lacks) {
            return false;
        }
        let diff = ladder.chain(target).and_then(|c| mark.chain_diffs.get(usize::from(c)).copied());
        match diff {
            Some(0) => true,
            Some(diff) => !self.was_left_out(mark.frame.saturating_sub(diff.into()), floor),
            // Not protected: whether what the frame needs was sent cannot be told, but where nothing is needed.
            None => mark.chain_diffs.iter().all(|diff| *diff == 0),
        }
    }

    fn was_left_out(&self, frame: u64, floor: u64) -> bool {
        let newest = self.newest.map_or(frame, |(newest, _)| newest);
        if frame < floor || newest.saturating_sub(frame) >= FRAMES {
            return true;
        }
        let bit = frame % FRAMES;
        self.left_out.get((bit / 64) as usize).is_some_and(|word| word & 1 << (bit % 64) != 0)
    }

    /// Remembers what was decided on a new frame. Frames that were passed over count as sent: they may still come.
    fn note(&mut self, frame: u64, send: bool) {
        let from = self.newest.map_or(frame, |(newest, _)| newest + 1);
        if frame.saturating_sub(from) >= FRAMES {
            self.left_out = [0; 4];
        } else {
            (from..=frame).for_each(|passed| self.set(passed, false));
        }
        self.set(frame, !send);
        self.newest = Some((frame, send));
    }

    fn set(&mut self, frame: u64, left_out: bool) {
        let bit = frame % FRAMES;
        if let Some(word) = self.left_out.get_mut((bit / 64) as usize) {
            *word = *word & !(1 << (bit % 64)) | u64::from(left_out) << (bit % 64);
        }
    }
}
