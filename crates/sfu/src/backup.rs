//! Which codecs a sender may use: those that everybody can decode who is to see it. Where the one that it likes best is
//! not among them, it is asked for another, at once; and when nobody needs that any more, it may go back after a while.

use std::time::{Duration, Instant};

use model::Codec;
use rtc::sdp::CodecParameters;

use crate::track::{Origin, Published, Track};
use crate::unit::Unit;

/// People come and go, and reload their pages; each change costs everybody a key frame.
const BACK_AFTER: Duration = Duration::from_secs(10);

/// What is known of the codecs that a video source is needed in.
#[derive(Debug, Default)]
pub(crate) struct Backup {
    /// Who is to see it, or what they can decode, has changed.
    due: bool,
    /// What all of them can decode, in the sender's order; empty: what the sender likes best.
    needed: Vec<Codec>,
    /// What the sender was told, or its unit.
    told: Vec<Codec>,
    /// That is not so yet: it is to be told.
    changed: bool,
    /// Since when it may go back.
    free_since: Option<Instant>,
}

impl Backup {
    /// Whether the sender is to be told, once.
    pub(crate) fn take_change(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    /// What the sender is told.
    pub(crate) fn told(&self) -> &[Codec] {
        &self.told
    }

    fn settle(&mut self, now: Instant, back_after: Duration) {
        if self.told == self.needed {
            self.free_since = None;
            return;
        }
        let suits = |codec: &Codec| self.needed.is_empty() || self.needed.contains(codec);
        if !self.told.is_empty() && self.told.iter().all(suits) {
            let since = *self.free_since.get_or_insert(now);
            if now.saturating_duration_since(since) < back_after {
                return;
            }
        }
        self.free_since = None;
        self.told.clone_from(&self.needed);
        self.changed = true;
    }
}

impl Unit {
    /// Brings what a sender is told of codecs in line with what is needed. Called with each tick, for it looks at all
    /// receivers, and a thousand may come within one.
    pub(crate) fn settle_codecs(&mut self, now: Instant, track: u32) {
        let Some(known) = self.tracks.get(track as usize) else { return };
        let Some(published) = known.published.as_ref() else { return };
        let needed = published.backup.due.then(|| self.codecs_needed(known, published));
        let published = self.tracks.get_mut(track as usize).and_then(|t| t.published.as_mut());
        let Some(published) = published else { return };
        if let Some(needed) = needed {
            published.backup.due = false;
            published.backup.needed = needed;
        }
        // The unit of the sender is the one that waits before it tells them.
        let back_after = if published.origin == Origin::Relayed { Duration::ZERO } else { BACK_AFTER };
        published.backup.settle(now, back_after);
    }

    /// The receivers of a track, or what they can decode, have changed.
    pub(crate) fn codecs_soon(&mut self, track: u32) {
        if let Some(published) = self.tracks.get_mut(track as usize).and_then(|t| t.published.as_mut()) {
            published.backup.due = true;
        }
    }

    /// The codecs that all receivers can decode, unless the sender's first is one of them. Who can decode nothing of
    /// what it could send is not helped by another codec, and where nothing suits all, nothing is asked for.
    fn codecs_needed(&self, track: &Track, published: &Published) -> Vec<Codec> {
        let slots = || {
            let slots = track
                .subscribers
                .iter()
                .filter_map(|at| self.peers.get(at.peer as usize).and_then(|p| p.slot(at.line)));
            slots.filter(|slot| published.codecs.iter().any(|c| slot.takes(c.pt)))
        };
        let suits = |codec: &&CodecParameters| {
            slots().all(|slot| slot.takes(codec.pt)) && track.relays.iter().all(|r| r.takes(codec.codec))
        };
        // A sender uses the first of a codec's profiles that were agreed.
        let is_first = |codec: &CodecParameters| {
            published.codecs.iter().find(|c| c.codec == codec.codec).is_some_and(|c| c.pt == codec.pt)
        };
        let all = || published.codecs.iter().filter(|c| is_first(c));
        match all().next() {
            Some(liked) if !suits(&liked) => all().filter(suits).map(|c| c.codec).collect(),
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests_time::start;

    fn backup(told: &[Codec], needed: &[Codec]) -> Backup {
        Backup { told: told.to_vec(), needed: needed.to_vec(), ..Backup::default() }
    }

    /// Whether the sender is told something at that time.
    fn says(backup: &mut Backup, now: Instant) -> bool {
        backup.settle(now, BACK_AFTER);
        backup.take_change()
    }

    #[test]
    fn another_codec_is_asked_for_at_once_and_given_up_after_a_while() {
        let t0 = start();
        let at = |s| t0 + Duration::from_secs(s);
        let mut backup = backup(&[], &[Codec::Vp9, Codec::Vp8]);
        assert!(says(&mut backup, at(0)));
        assert!(!says(&mut backup, at(1)), "said once");
        backup.needed = vec![Codec::Vp8];
        assert!(says(&mut backup, at(2)), "somebody lacks that too");
        backup.needed = Vec::new();
        assert!(!says(&mut backup, at(3)));
        assert!(!says(&mut backup, at(12)));
        backup.needed = vec![Codec::Vp8];
        assert!(!says(&mut backup, at(12)), "they came back in time");
        backup.needed = Vec::new();
        assert!(!says(&mut backup, at(14)), "it begins anew");
        assert!(says(&mut backup, at(24)));
        assert!(backup.told().is_empty());
    }

    #[test]
    fn a_wider_choice_waits_like_the_way_back() {
        let t0 = start();
        let mut backup = backup(&[Codec::Vp8], &[Codec::Vp9, Codec::Vp8]);
        assert!(!says(&mut backup, t0));
        assert!(says(&mut backup, t0 + BACK_AFTER));
        assert_eq!(backup.told(), [Codec::Vp9, Codec::Vp8]);
    }
}
