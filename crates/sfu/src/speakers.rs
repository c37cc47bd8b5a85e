//! Who speaks: levels of the audio-level header extension (RFC 6464), smoothed, with a short memory so that a pause
//! between two words changes nothing.

use std::time::{Duration, Instant};

use model::PeerId;

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

/// One microphone.
#[derive(Debug)]
pub(crate) struct Voice {
    /// Smoothed level, −dBov.
    level: f32,
    /// Since when it is loud without a break longer than `HOLD`.
    loud_since: Option<Instant>,
    last_loud: Option<Instant>,
}

impl Default for Voice {
    fn default() -> Self {
        Self { level: 127.0, loud_since: None, last_loud: None }
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
        if self.level < SPEECH_DBOV {
            if self.last_loud.is_none_or(|at| now.saturating_duration_since(at) > HOLD) {
                self.loud_since = Some(now);
            }
            self.last_loud = Some(now);
        }
    }

    /// It was muted.
    pub(crate) fn silence(&mut self) {
        *self = Self::default();
    }

    /// The level, if it speaks.
    pub(crate) fn speaking(&self, now: Instant) -> Option<u8> {
        let last = self.last_loud?;
        let since = self.loud_since?;
        let held = now.saturating_duration_since(last) <= HOLD;
        let long = last.saturating_duration_since(since) >= ATTACK;
        (held && long).then_some(self.level.clamp(0.0, 127.0) as u8)
    }
}

/// What a room was last told.
#[derive(Debug, Default)]
pub(crate) struct Speakers {
    told: Vec<(PeerId, u8)>,
    /// The loudest when somebody was last heard.
    latest: Option<PeerId>,
}

impl Speakers {
    /// Who speaks, or spoke last.
    pub(crate) fn latest(&self) -> Option<PeerId> {
        self.latest
    }

    /// Given everybody who speaks now, what to tell the room, if anything changed. Loudest first.
    pub(crate) fn update(&mut self, mut speaking: Vec<(PeerId, u8)>) -> Option<Vec<(PeerId, u8)>> {
        speaking.sort_by_key(|(peer, level)| (*level, *peer));
        // A person with two microphones is listed once, with the louder.
        let mut seen = Vec::with_capacity(SPEAKERS_MAX);
        speaking.retain(|(peer, _)| {
            let new = !seen.contains(peer);
            if new {
                seen.push(*peer);
            }
            new
        });
        speaking.truncate(SPEAKERS_MAX);
        let same = speaking.len() == self.told.len()
            && speaking.iter().all(|(peer, level)| {
                self.told.iter().any(|(p, l)| p == peer && l.abs_diff(*level) < LEVEL_STEP)
            });
        if same {
            return None;
        }
        self.latest = speaking.first().map(|(peer, _)| *peer).or(self.latest);
        self.told.clone_from(&speaking);
        Some(speaking)
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
        assert_eq!(voice.speaking(t), None, "a click of 40 ms");
        let t = talk(&mut voice, t + Duration::from_secs(2), 400, 25);
        assert!(voice.speaking(t).is_some_and(|l| l < 40));
        let t = talk(&mut voice, t, 500, 127);
        assert!(voice.speaking(t).is_some(), "a pause of half a second");
        let t = talk(&mut voice, t, 2000, 127);
        assert_eq!(voice.speaking(t), None);
    }

    #[test]
    fn a_room_hears_of_changes_only() {
        let (a, b) = (PeerId(1), PeerId(2));
        let mut speakers = Speakers::default();
        assert_eq!(speakers.update(vec![]), None);
        assert_eq!(speakers.update(vec![(a, 40), (b, 20), (a, 60)]), Some(vec![(b, 20), (a, 40)]));
        assert_eq!(speakers.update(vec![(a, 42), (b, 22)]), None);
        assert_eq!(speakers.update(vec![(a, 42), (b, 30)]), Some(vec![(b, 30), (a, 42)]));
        assert_eq!(speakers.update(vec![]), Some(vec![]));
    }
}
