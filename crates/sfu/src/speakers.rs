//! Who speaks: levels of the audio-level header extension (RFC 6464), smoothed, with a short memory so that a pause
//! between two words changes nothing.

use std::time::{Duration, Instant};

use model::PeerId;
use model::unit::Voice as Heard;

/// Speakers that a room is told of.
const SPEAKERS_MAX: usize = 5;
/// Louder than this counts as speech, in −dBov. Speech of a usual microphone is between 15 and 40.
const SPEECH_DBOV: f32 = 50.0;
/// A voice counts as speaking for so long after it was last loud enough.
const HOLD: Duration = Duration::from_millis(800);
/// A sound must have been there for about so long to count: below are clicks and coughs.
const ATTACK: Duration = Duration::from_millis(120);
/// Rooms are told at most this often.
pub(crate) const INTERVAL: Duration = Duration::from_millis(150);
/// A level must change by so much to be worth telling.
const LEVEL_STEP: u8 = 6;
/// So much must the share of a second change, in percent.
const ACTIVITY_STEP: u8 = 15;
/// The last second is remembered in pieces of this.
const PIECE: Duration = Duration::from_millis(50);
const PIECES: u32 = 20;

/// One microphone.
#[derive(Debug)]
pub(crate) struct Voice {
    /// Smoothed level, −dBov.
    level: f32,
    /// Since when it is loud without a break longer than `HOLD`.
    loud_since: Option<Instant>,
    last_loud: Option<Instant>,
    /// One bit for each piece of the last second, set where it was loud; the lowest is the one that ends at
    /// `pieces_until`.
    pieces: u32,
    pieces_until: Option<Instant>,
}

impl Default for Voice {
    fn default() -> Self {
        Self { level: 127.0, loud_since: None, last_loud: None, pieces: 0, pieces_until: None }
    }
}

impl Voice {
    /// A packet with this level has come.
    #[inline]
    pub(crate) fn heard(&mut self, now: Instant, level_dbov: u8) {
        let level = f32::from(level_dbov.min(127));
        // Louder quickly, quieter slowly: about 60 ms and 300 ms at 50 packets a second.
        let weight = if level < self.level { 0.33 } else { 0.07 };
        self.level += (level - self.level) * weight;
        if level < SPEECH_DBOV {
            self.turn_pieces(now);
            self.pieces |= 1;
        }
        if self.level < SPEECH_DBOV {
            if self.last_loud.is_none_or(|at| now.saturating_duration_since(at) > HOLD) {
                self.loud_since = Some(now);
            }
            self.last_loud = Some(now);
        }
    }

    /// Moves the pieces of the last second on to now.
    fn turn_pieces(&mut self, now: Instant) {
        let until = *self.pieces_until.get_or_insert(now + PIECE);
        if now < until {
            return;
        }
        let passed = (now - until).as_micros() / PIECE.as_micros() + 1;
        let passed = u32::try_from(passed).unwrap_or(u32::MAX);
        self.pieces = if passed >= PIECES { 0 } else { self.pieces << passed & ((1 << PIECES) - 1) };
        self.pieces_until = Some(if passed >= PIECES { now + PIECE } else { until + PIECE * passed });
    }

    /// Share of the last second in which it was loud, in percent.
    fn activity(&mut self, now: Instant) -> u8 {
        self.turn_pieces(now);
        (self.pieces.count_ones() * 100 / PIECES) as u8
    }

    /// It was muted.
    pub(crate) fn silence(&mut self) {
        *self = Self::default();
    }

    /// Whether it speaks.
    pub(crate) fn speaks(&self, now: Instant) -> bool {
        let (Some(last), Some(since)) = (self.last_loud, self.loud_since) else { return false };
        let held = now.saturating_duration_since(last) <= HOLD;
        let long = last.saturating_duration_since(since) >= ATTACK;
        held && long
    }

    /// What is heard of it, if it speaks.
    pub(crate) fn heard_of(&mut self, now: Instant, peer: PeerId) -> Option<Heard> {
        let level_dbov = self.level.clamp(0.0, 127.0) as u8;
        self.speaks(now).then(|| Heard { peer, level_dbov, activity: self.activity(now) })
    }
}

/// What a room was last told.
#[derive(Debug, Default)]
pub(crate) struct Speakers {
    told: Vec<Heard>,
    /// The loudest when somebody was last heard.
    latest: Option<PeerId>,
}

impl Speakers {
    /// Who speaks, or spoke last.
    pub(crate) fn latest(&self) -> Option<PeerId> {
        self.latest
    }

    /// Given everybody who speaks now, what to tell the room, if anything changed. Loudest first.
    pub(crate) fn update(&mut self, mut speaking: Vec<Heard>) -> Option<Vec<Heard>> {
        speaking.sort_by_key(|v| (v.level_dbov, v.peer));
        // A person with two microphones is listed once, with the louder.
        let mut seen = Vec::with_capacity(SPEAKERS_MAX);
        speaking.retain(|voice| {
            let new = !seen.contains(&voice.peer);
            if new {
                seen.push(voice.peer);
            }
            new
        });
        speaking.truncate(SPEAKERS_MAX);
        let same = speaking.len() == self.told.len() && speaking.iter().all(|v| self.is_told(v));
        if same {
            return None;
        }
        self.latest = speaking.first().map(|v| v.peer).or(self.latest);
        self.told.clone_from(&speaking);
        Some(speaking)
    }

    fn is_told(&self, voice: &Heard) -> bool {
        self.told.iter().any(|told| {
            told.peer == voice.peer
                && told.level_dbov.abs_diff(voice.level_dbov) < LEVEL_STEP
                && told.activity.abs_diff(voice.activity) < ACTIVITY_STEP
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests_time::start;

    fn talk(voice: &mut Voice, from: Instant, ms: u64, level: u8) -> Instant {
        for packet in 0..ms / 20 {
            voice.heard(from + Duration::from_millis(packet * 20), level);
        }
        from + Duration::from_millis(ms)
    }

    #[test]
    fn a_word_counts_a_click_does_not_and_a_pause_is_bridged() {
        let t0 = start();
        let mut voice = Voice::default();
        let t = talk(&mut voice, t0, 40, 10);
        let t = talk(&mut voice, t, 200, 127);
        assert!(!voice.speaks(t), "a click of 40 ms");
        let t = talk(&mut voice, t + Duration::from_secs(2), 400, 25);
        assert!(voice.heard_of(t, PeerId(1)).is_some_and(|v| v.level_dbov < 40));
        let t = talk(&mut voice, t, 500, 127);
        assert!(voice.speaks(t), "a pause of half a second");
        let t = talk(&mut voice, t, 2000, 127);
        assert!(!voice.speaks(t));
    }

    #[test]
    fn a_room_hears_of_changes_only() {
        let heard = |peer, level_dbov, activity| Heard { peer: PeerId(peer), level_dbov, activity };
        let mut speakers = Speakers::default();
        assert_eq!(speakers.update(vec![]), None);
        let both = Some(vec![heard(2, 20, 50), heard(1, 40, 50)]);
        assert_eq!(speakers.update(vec![heard(1, 40, 50), heard(2, 20, 50), heard(1, 60, 50)]), both);
        assert_eq!(speakers.update(vec![heard(1, 42, 60), heard(2, 22, 45)]), None);
        assert!(speakers.update(vec![heard(1, 42, 60), heard(2, 30, 45)]).is_some(), "a level");
        assert!(speakers.update(vec![heard(1, 42, 90), heard(2, 30, 45)]).is_some(), "an activity");
        assert_eq!(speakers.update(vec![]), Some(vec![]));
    }

    #[test]
    fn activity_is_the_share_of_the_last_second() {
        let t0 = start();
        let mut voice = Voice::default();
        let t = talk(&mut voice, t0, 300, 25);
        assert!((30..=35).contains(&voice.activity(t)), "{}", voice.activity(t));
        let t = talk(&mut voice, t, 2_000, 25);
        assert!(voice.activity(t) >= 95);
        let t = t + Duration::from_millis(500);
        assert!((45..=55).contains(&voice.activity(t)), "{}", voice.activity(t));
        assert_eq!(voice.activity(t + Duration::from_secs(3_600)), 0);
        let t = talk(&mut voice, t + Duration::from_secs(3_600), 100, 25);
        assert!(voice.activity(t) <= 15);
    }
}
