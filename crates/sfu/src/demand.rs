//! Demand goes up: what of a source anybody looks at. An encoding that nobody looks at is switched off at its sender
//! after a while, and on again at once; while it is off by our wish it can be chosen as if it came in.

use std::time::{Duration, Instant};

use model::unit::UnitFact;
use model::{LayerReason, MediaKind};

use crate::relay::RelayedTo;
use crate::track::{Origin, Published, Track};
use crate::unit::Unit;

/// An encoding that nobody has looked at for so long is switched off. Layouts change and pages turn back within this.
const OFF_AFTER: Duration = Duration::from_secs(2);

/// An encoding that was switched on and does not come within this is broken, or its sender lacks bandwidth for it: what
/// comes is shown instead. A sender needs a message and an encoder's start, some 200 ms.
const WAKE_TIME: Duration = Duration::from_millis(2_000);

/// Who sends for so long what it was told to stop does not listen; the public package's client never hears of it.
/// What falls silent there is silent for a reason of its own.
const OBEY_TIME: Duration = Duration::from_secs(3);

/// What the sender of an encoding was told.
#[derive(Debug)]
pub(crate) struct Asked {
    /// Whether it is to be sent.
    pub(crate) wanted: bool,
    unwatched_since: Option<Instant>,
    off_since: Option<Instant>,
    /// Switched on; awaited until then.
    waking_until: Option<Instant>,
}

impl Default for Asked {
    /// A sender begins with everything.
    fn default() -> Self {
        Self { wanted: true, unwatched_since: None, off_since: None, waking_until: None }
    }
}

impl Asked {
    /// Another unit begins with nothing.
    pub(crate) fn nothing() -> Self {
        Self { wanted: false, ..Self::default() }
    }

    /// It is silent because we wished so.
    pub(crate) fn is_asleep(&self) -> bool {
        !self.wanted || self.waking_until.is_some()
    }

    /// It comes in.
    #[inline]
    pub(crate) fn awake(&mut self) {
        self.waking_until = None;
    }

    /// Takes over whether somebody looks; it is switched off when nobody has for `off_after`. True when the sender is to be told.
    fn watch(&mut self, now: Instant, watched: bool, active: bool, off_after: Duration) -> bool {
        if watched {
            self.unwatched_since = None;
            self.off_since = None;
            let on = !std::mem::replace(&mut self.wanted, true);
            if on && !active {
                self.waking_until = Some(now + WAKE_TIME);
            }
            return on;
        }
        let since = *self.unwatched_since.get_or_insert(now);
        let off = self.wanted && now.saturating_duration_since(since) >= off_after;
        if off {
            self.wanted = false;
            self.waking_until = None;
            self.off_since = Some(now);
        }
        off
    }

    /// It was awaited for too long.
    fn give_up(&mut self, now: Instant) -> bool {
        let over = self.waking_until.is_some_and(|at| at <= now);
        if over {
            self.waking_until = None;
        }
        over
    }
}

impl Unit {
    /// Somebody began to look at a track, or to wait for it.
    pub(crate) fn demand_soon(&mut self, track: u32) {
        if !self.demand_due.contains(&track) {
            self.demand_due.push(track);
        }
    }

    /// Switches on what is looked at.
    pub(crate) fn settle_demand(&mut self, now: Instant) {
        let mut due = std::mem::take(&mut self.demand_due);
        for track in due.drain(..) {
            self.update_demand(now, track);
        }
        self.demand_due = due;
    }

    /// Switches off what nobody has looked at for a while, and gives up what does not come.
    pub(crate) fn tick_demand(&mut self, now: Instant) {
        let mut tracks = std::mem::take(&mut self.demand_due);
        tracks.clear();
        tracks.extend(self.tracks.iter().filter_map(|(i, _)| u32::try_from(i).ok()));
        for track in tracks.drain(..) {
            let published = self.tracks.get_mut(track as usize).and_then(|t| t.published.as_mut());
            let Some(published) = published.filter(|p| p.kind == MediaKind::Video) else { continue };
            published.note_disobedience(now);
            let mut changed = false;
            for encoding in &mut published.encodings {
                changed |= encoding.asked.give_up(now);
            }
            if changed {
                self.track_changed(track);
            }
            self.settle_codecs(now, track);
            self.update_demand(now, track);
        }
        self.demand_due = tracks;
    }

    fn update_demand(&mut self, now: Instant, track: u32) {
        let Some(known) = self.tracks.get(track as usize) else { return };
        let all = self.somebody_waits(known);
        let Some(known) = self.tracks.get_mut(track as usize) else { return };
        let source = known.source;
        let relayed = RelayedTo::of(known);
        let Some(published) = known.published.as_mut().filter(|p| p.kind == MediaKind::Video) else { return };
        // The unit of the sender is the one that waits before it tells them.
        let off_after = if published.origin == Origin::Relayed { Duration::ZERO } else { OFF_AFTER };
        let mut changed = published.backup.take_change();
        for (encoding, index) in published.encodings.iter_mut().zip(0u8..) {
            let watched = all || !encoding.watchers.is_empty() || relayed.includes(index);
            changed |= encoding.asked.watch(now, watched, encoding.active, off_after);
        }
        if published.origin == Origin::Relayed {
            let wanted = (0u32..).zip(&published.encodings).filter(|(_, e)| e.asked.wanted);
            let encodings = wanted.filter_map(|(i, _)| 1u32.checked_shl(i)).fold(0, |all, bit| all | bit);
            let codecs = published.backup.told().to_vec();
            return self.want_relayed(now, track, encodings, &codecs);
        }
        if changed {
            let wanted = || published.encodings.iter().filter(|e| e.asked.wanted);
            let rids = wanted().filter_map(|e| e.rid).collect();
            let watched = wanted().next().is_some();
            let codecs = published.backup.told().to_vec();
            self.facts.push_back(UnitFact::Demand { source, watched, rids, codecs });
        }
    }

    /// A slot is to show the track and there is nothing to choose from yet: anything is welcome.
    fn somebody_waits(&self, track: &Track) -> bool {
        let choice = track.published.as_ref().is_some_and(|p| p.offers().any(|o| o.available));
        // The common case first: there may be a thousand subscribers.
        !choice
            && track.subscribers.iter().any(|at| {
                let slot = self.peers.get(at.peer as usize).and_then(|p| p.slot(at.line));
                slot.is_some_and(|s| {
                    s.planned.is_none() && s.reason == LayerReason::Inactive && !s.tile.is_hidden()
                })
            })
    }
}

impl Published {
    fn note_disobedience(&mut self, now: Instant) {
        let disobeys = self.encodings.iter().any(|e| {
            let since = e.asked.off_since.filter(|_| e.active);
            since.is_some_and(|since| now.saturating_duration_since(since) > OBEY_TIME)
        });
        self.disobeys |= disobeys;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests_time::start;

    #[test]
    fn off_after_a_while_and_on_at_once() {
        let t0 = start();
        let at = |ms| t0 + Duration::from_millis(ms);
        let mut asked = Asked::default();
        assert!(!asked.watch(at(0), false, true, OFF_AFTER));
        assert!(!asked.watch(at(1_900), false, true, OFF_AFTER));
        assert!(!asked.watch(at(1_950), true, true, OFF_AFTER), "looked at again in time");
        assert!(!asked.watch(at(3_000), false, true, OFF_AFTER));
        assert!(!asked.watch(at(4_999), false, true, OFF_AFTER));
        assert!(asked.watch(at(5_000), false, true, OFF_AFTER));
        assert!(!asked.watch(at(9_000), false, false, OFF_AFTER), "said once");
        assert!(asked.is_asleep());
        assert!(asked.watch(at(9_001), true, false, OFF_AFTER));
        assert!(asked.is_asleep(), "until it comes");
        asked.awake();
        assert!(!asked.is_asleep());
    }

    #[test]
    fn what_does_not_wake_is_given_up() {
        let t0 = start();
        let at = |ms| t0 + Duration::from_millis(ms);
        let mut asked = Asked::default();
        asked.watch(at(0), false, true, OFF_AFTER);
        assert!(asked.watch(at(2_000), false, true, OFF_AFTER));
        assert!(asked.watch(at(3_000), true, false, OFF_AFTER));
        assert!(!asked.give_up(at(4_999)));
        assert!(asked.give_up(at(5_000)));
        assert!(!asked.is_asleep());
        assert!(!asked.give_up(at(6_000)));
    }
}
