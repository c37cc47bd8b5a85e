//! What of a scalable encoding crosses a link: the layers that anybody beyond it looks at.
//!
//! Of packets above them the *head* crosses, a twentieth of their bytes: where they stand in the stream, and how long they
//! are. So the far unit knows what there is and what it costs, gives its receivers numbers without gaps, and leaves out
//! what it does not have as it leaves out what they do not look at. Every packet says which layers cross whole with its
//! picture, and a receiver enters no others; so it does no harm when the far unit's wish is late.

use std::time::{Duration, Instant};

use model::MediaKind;
use serde::{Deserialize, Serialize};

use crate::svc::{Ladder, Mark};
use crate::track::{Origin, Track};
use crate::unit::Unit;

/// Layers that nobody has looked at for so long do not cross any more: tiles grow and shrink, and what comes back begins
/// with a key frame.
const LOWER_AFTER: Duration = Duration::from_secs(2);

/// The highest layers of an encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Layers {
    pub(crate) spatial: u8,
    pub(crate) temporal: u8,
}

impl Layers {
    pub(crate) fn max(self, other: Self) -> Self {
        Self { spatial: self.spatial.max(other.spatial), temporal: self.temporal.max(other.temporal) }
    }
}

/// What crosses towards one far unit.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Crossing {
    /// What it asks for; `None`: everything.
    pub(super) wanted: Option<Layers>,
    /// What crosses with the picture of now.
    now: Option<Layers>,
}

impl Crossing {
    /// With the next picture: one that has begun goes on as it began.
    pub(super) fn new(wanted: Option<Layers>, former: Option<&Self>) -> Self {
        Self { wanted, now: former.and_then(|f| f.now) }
    }

    /// The layers that cross whole now.
    pub(super) fn now(&self) -> Option<Layers> {
        self.now
    }

    /// A packet is to cross: the layers that cross whole with its picture, and whether it is above them.
    pub(super) fn pass(&mut self, ladder: Option<&Ladder>, mark: Option<&Mark>) -> (Option<Layers>, bool) {
        let (Some(ladder), Some(mark)) = (ladder, mark) else { return (None, false) };
        if mark.start && mark.spatial == 0 {
            self.now = self.wanted;
        }
        let above = self.now.is_some_and(|now| mark.indications.present() & ladder.within(now) == 0);
        (self.now, above)
    }
}

/// What a far unit asked for.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Wish {
    pub(super) layers: Option<Layers>,
    /// Since when less would do.
    more_than_needed_since: Option<Instant>,
}

impl Wish {
    /// Takes over what is needed: more at once, less after a while. True when that is to be said.
    fn settle(&mut self, now: Instant, needed: Option<Layers>) -> bool {
        let both = self.layers.zip(needed).map(|(asked, needed)| asked.max(needed));
        if both == needed && needed == self.layers {
            self.more_than_needed_since = None;
            return false;
        }
        if both != self.layers {
            (self.layers, self.more_than_needed_since) = (both, None);
            return true;
        }
        let since = *self.more_than_needed_since.get_or_insert(now);
        let lowers = now.saturating_duration_since(since) >= LOWER_AFTER;
        if lowers {
            (self.layers, self.more_than_needed_since) = (needed, None);
        }
        lowers
    }
}

impl Unit {
    /// Brings what is asked of a far track's layers in line with what is looked at here. Cost: its receivers.
    pub(super) fn settle_layers(&mut self, now: Instant, track: u32) -> bool {
        let Some(known) = self.tracks.get(track as usize) else { return false };
        let needed = self.layers_needed(known);
        let far = self.tracks.get_mut(track as usize).and_then(|t| t.far.as_mut());
        far.is_some_and(|far| far.wish.settle(now, needed))
    }

    /// `None`: all of them, or it cannot be told.
    fn layers_needed(&self, track: &Track) -> Option<Layers> {
        let published = track.published.as_ref()?;
        if published.kind != MediaKind::Video || published.origin != Origin::Relayed {
            return None;
        }
        let [encoding] = published.encodings.as_slice() else { return None };
        let ladder = encoding.ladder.as_deref()?;
        let mut needed = Layers { spatial: 0, temporal: 0 };
        for at in &encoding.watchers {
            let slot = self.peers.get(at.peer as usize).and_then(|p| p.slot(at.line))?;
            needed = needed.max(slot.selector.needs(ladder, slot.current.is_some())?);
        }
        (needed != ladder.highest()?).then_some(needed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_at_once_and_less_after_a_while() {
        let t0 = crate::tests_time::start();
        let at = |ms| t0 + Duration::from_millis(ms);
        let layers = |spatial, temporal| Some(Layers { spatial, temporal });
        let mut wish = Wish::default();
        assert!(!wish.settle(at(0), None));
        assert!(!wish.settle(at(0), layers(0, 1)));
        assert!(!wish.settle(at(1_999), layers(0, 1)));
        assert!(wish.settle(at(2_000), layers(0, 1)), "less than everything");
        assert!(!wish.settle(at(2_001), layers(0, 1)), "said once");
        assert!(wish.settle(at(2_002), layers(1, 0)));
        assert_eq!(wish.layers, layers(1, 1));
        assert!(!wish.settle(at(2_100), layers(1, 0)));
        assert!(wish.settle(at(3_000), None), "everything");
        assert!(!wish.settle(at(5_900), layers(1, 0)));
        assert!(!wish.settle(at(6_000), None), "in time");
        assert!(!wish.settle(at(7_000), layers(1, 0)));
    }
}
