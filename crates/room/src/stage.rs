//! Who is on stage: the same choice for everybody in a room, so that any number of people fit into a few slots.
//!
//! Three seats of sound hold the loudest; eight of video hold the current speaker (the first) and those who spoke most
//! recently. Whoever has a seat keeps it until somebody else needs it: a change of speaker moves two pictures, never
//! all of them. One more seat of each kind, the spare, is for the eyes and ears of those who are on stage themselves.

use std::fmt;
use std::time::{Duration, Instant};

use model::{MediaKind, ParticipantId};
use serde::{Deserialize, Serialize};

/// Seats of sound: more people than this who talk at once nobody understands.
pub const AUDIO_SEATS: u8 = 3;
/// Seats of video: one large picture and seven small ones.
pub const VIDEO_SEATS: u8 = 8;

const AUDIO: usize = AUDIO_SEATS as usize;
const VIDEO: usize = VIDEO_SEATS as usize;

/// Who sounds for so much of the last second speaks (in percent). A cough of 600 ms does not: units count in pieces of
/// 50 ms, so it is 65 at most.
const SPEAKS: u8 = 66;
/// Who sounds for less of it has stopped.
const STOPPED: u8 = 15;
/// Who talks over the current speaker must sound for so much more of the time…
const LEAD: u8 = 25;
/// …and for so long.
const PATIENCE: Duration = Duration::from_millis(1_500);

/// A place on the stage: what a client asks for as a stream of the virtual producer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Seat {
    /// Sound or picture.
    pub kind: MediaKind,
    /// From 1; video 1 is the current speaker.
    pub number: u8,
}

impl Seat {
    /// Every seat that can be asked for.
    pub fn all() -> impl Iterator<Item = Self> {
        let audio = (1..=AUDIO_SEATS).map(|number| Self { kind: MediaKind::Audio, number });
        audio.chain((1..=VIDEO_SEATS).map(|number| Self { kind: MediaKind::Video, number }))
    }

    /// The seat of this stream id, `audio-1` to `audio-3` or `video-1` to `video-8`.
    pub fn from_stream_id(id: &str) -> Option<Self> {
        Self::all().find(|seat| seat.to_string() == id)
    }
}

impl fmt::Display for Seat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            MediaKind::Audio => "audio",
            MediaKind::Video => "video",
        };
        write!(f, "{kind}-{}", self.number)
    }
}

/// A microphone that is heard now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Voice {
    pub(crate) who: ParticipantId,
    /// Share of the last second in which it sounded, in percent.
    pub(crate) activity: u8,
}

/// Somebody who could be on stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Performer {
    pub(crate) who: ParticipantId,
    /// Has a microphone that is not muted.
    pub(crate) sounds: bool,
    /// Has a camera that is not off.
    pub(crate) is_seen: bool,
}

/// The stage of a room.
#[derive(Debug, Default)]
pub(crate) struct Stage {
    /// The seats and, last, the spare one.
    audio: [Option<ParticipantId>; AUDIO + 1],
    video: [Option<ParticipantId>; VIDEO + 1],
    speaker: Option<ParticipantId>,
    /// Who was the current speaker, newest first.
    spoke: Vec<ParticipantId>,
    /// Who was heard, newest first.
    heard: Vec<ParticipantId>,
    /// Talks over the current speaker since then.
    challenger: Option<(ParticipantId, Instant)>,
    voices: Vec<Voice>,
}

impl Stage {
    /// Who speaks, or spoke last.
    pub(crate) fn speaker(&self) -> Option<ParticipantId> {
        self.speaker
    }

    /// Who was the speaker, newest first.
    pub(crate) fn spoke(&self) -> &[ParticipantId] {
        &self.spoke
    }

    /// When to call [`Self::reconsider`], though nothing is heard of anybody.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.challenger.map(|(_, since)| since + PATIENCE)
    }

    /// Who sounds now, loudest first.
    pub(crate) fn hear(&mut self, now: Instant, voices: Vec<Voice>) {
        for voice in voices.iter().rev() {
            move_to_front(&mut self.heard, voice.who);
        }
        self.voices = voices;
        self.seat_voices();
        self.reconsider(now);
    }

    /// Decides who speaks.
    pub(crate) fn reconsider(&mut self, now: Instant) {
        let Some(best) = self.voices.iter().rev().max_by_key(|v| v.activity).copied() else {
            self.challenger = None;
            return;
        };
        if best.activity < SPEAKS || Some(best.who) == self.speaker {
            self.challenger = None;
            return;
        }
        let current = self.voices.iter().find(|v| Some(v.who) == self.speaker).map_or(0, |v| v.activity);
        if current < STOPPED {
            return self.speaks(best.who);
        }
        if best.activity < current.saturating_add(LEAD) {
            self.challenger = None;
            return;
        }
        match self.challenger {
            Some((who, since)) if who == best.who => {
                if since + PATIENCE <= now {
                    self.speaks(best.who);
                }
            }
            _ => self.challenger = Some((best.who, now)),
        }
    }

    /// Everybody who could be on stage, in the order of arrival: who cannot any more goes, and free seats are taken.
    pub(crate) fn admit(&mut self, performers: &[Performer]) {
        let is_here = |who: &ParticipantId| performers.iter().any(|p| p.who == *who);
        self.spoke.retain(is_here);
        self.heard.retain(is_here);
        self.voices.retain(|v| is_here(&v.who));
        self.speaker = self.speaker.filter(|who| is_here(who));
        self.challenger = self.challenger.filter(|(who, _)| is_here(who));
        let sounding: Vec<_> = performers.iter().filter(|p| p.sounds).map(|p| p.who).collect();
        fill(&mut self.audio, &self.heard, &sounding);
        let seen: Vec<_> = performers.iter().filter(|p| p.is_seen).map(|p| p.who).collect();
        fill(&mut self.video, &self.spoke, &seen);
        // The first seat is never empty: whoever spoke most recently moves there.
        if self.video[0].is_none() {
            let taken = (1..self.video.len()).filter(|i| self.video[*i].is_some());
            if let Some(next) = taken.min_by_key(|i| age(&self.spoke, self.video[*i])) {
                self.video.swap(0, next);
                fill(&mut self.video, &self.spoke, &seen);
            }
        }
        // A speaker without a camera leaves the first seat to whoever sits there.
        if let Some(speaker) = self.speaker.filter(|s| seen.contains(s)) {
            self.seat_in_front(speaker);
        }
    }

    /// Whom a receiver gets on a seat. Nobody gets themselves.
    pub(crate) fn at(&self, receiver: ParticipantId, seat: Seat) -> Option<ParticipantId> {
        let index = usize::from(seat.number).checked_sub(1)?;
        match seat.kind {
            MediaKind::Audio => {
                let occupant = self.audio.get(..AUDIO)?.get(index).copied().flatten();
                if occupant == Some(receiver) { self.audio[AUDIO] } else { occupant }
            }
            MediaKind::Video => {
                let occupant = self.video.get(..VIDEO)?.get(index).copied().flatten();
                let previous = self.previous_for(receiver);
                match (occupant, index) {
                    (Some(own), 0) if own == receiver => previous.or(self.video[VIDEO]),
                    (Some(own), _) if own == receiver => self.video[VIDEO],
                    // Shown in front already.
                    (Some(other), 1..) if Some(other) == previous => self.video[VIDEO],
                    _ => occupant,
                }
            }
        }
    }

    /// For the one who sits in front: who did before, if that is still on stage.
    fn previous_for(&self, receiver: ParticipantId) -> Option<ParticipantId> {
        let [first, others @ .., _spare] = &self.video;
        if *first != Some(receiver) {
            return None;
        }
        let seated = |who: &&ParticipantId| others.contains(&Some(**who));
        self.spoke.iter().find(seated).copied().or_else(|| others.iter().copied().flatten().next())
    }

    fn speaks(&mut self, who: ParticipantId) {
        self.challenger = None;
        self.speaker = Some(who);
        move_to_front(&mut self.spoke, who);
    }

    /// Brings somebody to the first seat; who sat there takes the seat that becomes free.
    fn seat_in_front(&mut self, who: ParticipantId) {
        let own = self.video.iter().position(|seat| *seat == Some(who));
        let Some(seat) = own.or_else(|| least(&self.video, &self.spoke)) else { return };
        self.video[seat] = Some(who);
        self.video.swap(0, seat);
    }

    /// Everybody who is heard gets a seat, if need be that of somebody who is not.
    fn seat_voices(&mut self) {
        let sounding: Vec<ParticipantId> = self.voices.iter().map(|v| v.who).take(AUDIO + 1).collect();
        for who in &sounding {
            let own = self.audio.iter().position(|seat| seat == &Some(*who));
            if own.is_some_and(|seat| seat < AUDIO) {
                continue;
            }
            let is_silent = |seat: &Option<ParticipantId>| seat.is_none_or(|s| !sounding.contains(&s));
            let age = |seat: &Option<ParticipantId>| age(&self.heard, *seat);
            let seats = self.audio.iter().enumerate().take(if own.is_some() { AUDIO } else { AUDIO + 1 });
            // Of the main seats before the spare one, the one whose holder was heard longest ago.
            let free = seats
                .filter(|(_, seat)| is_silent(seat))
                .max_by_key(|(index, seat)| (*index < AUDIO, age(seat), std::cmp::Reverse(*index)))
                .map(|(index, _)| index);
            match (free, own) {
                (Some(free), Some(spare)) => self.audio.swap(free, spare),
                (Some(free), None) => self.audio[free] = Some(*who),
                (None, _) => {}
            }
        }
    }
}

/// Takes out who may not sit there, and fills what is free: with who was most recent, then in the order of arrival.
fn fill(seats: &mut [Option<ParticipantId>], recent: &[ParticipantId], allowed: &[ParticipantId]) {
    for seat in seats.iter_mut() {
        *seat = seat.filter(|who| allowed.contains(who));
    }
    let mut waiting = recent
        .iter()
        .filter(|who| allowed.contains(who))
        .chain(allowed.iter().filter(|who| !recent.contains(who)));
    for index in 0..seats.len() {
        if seats.get(index).is_some_and(Option::is_none) {
            let next = waiting.find(|who| !seats.contains(&Some(**who))).copied();
            if let Some(seat) = seats.get_mut(index) {
                *seat = next;
            }
        }
    }
}

/// The seat behind the first of whoever was the speaker longest ago, or never; a free one before all.
fn least(seats: &[Option<ParticipantId>], spoke: &[ParticipantId]) -> Option<usize> {
    seats.iter().enumerate().skip(1).max_by_key(|(_, seat)| age(spoke, **seat)).map(|(index, _)| index)
}

/// How long ago the holder of a seat was on the list: 0 is the newest; then who was never on it, then a free seat.
fn age(list: &[ParticipantId], seat: Option<ParticipantId>) -> usize {
    let never = usize::MAX - 1;
    seat.map_or(usize::MAX, |who| list.iter().position(|w| *w == who).unwrap_or(never))
}

fn move_to_front(list: &mut Vec<ParticipantId>, who: ParticipantId) {
    list.retain(|w| *w != who);
    list.insert(0, who);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::disallowed_methods, reason = "the base of all virtual time")]
    fn start() -> Instant {
        Instant::now()
    }

    fn person(n: u8) -> ParticipantId {
        ParticipantId::from_bytes([n; 16])
    }

    fn video(number: u8) -> Seat {
        Seat { kind: MediaKind::Video, number }
    }

    fn audio(number: u8) -> Seat {
        Seat { kind: MediaKind::Audio, number }
    }

    fn voice(n: u8, activity: u8) -> Voice {
        Voice { who: person(n), activity }
    }

    /// A stage with so many people who came in the order of their numbers, all with camera and microphone.
    fn stage(people: u8) -> Stage {
        let mut stage = Stage::default();
        stage.admit(&performers(people));
        stage
    }

    fn performers(people: u8) -> Vec<Performer> {
        (1..=people).map(|n| Performer { who: person(n), sounds: true, is_seen: true }).collect()
    }

    /// What a receiver gets on its video seats, by number of person.
    fn pictures(stage: &Stage, receiver: u8) -> Vec<u8> {
        let seats = (1..=VIDEO_SEATS).map(|n| stage.at(person(receiver), video(n)));
        seats.map(|who| who.map_or(0, |who| who.as_bytes()[0])).collect()
    }

    #[test]
    fn seats_have_names() {
        for seat in Seat::all() {
            assert_eq!(Seat::from_stream_id(&seat.to_string()), Some(seat));
        }
        assert_eq!(Seat::all().count(), 11);
        for bad in ["audio-0", "audio-4", "video-9", "video-01", "video", "", "video--1"] {
            assert_eq!(Seat::from_stream_id(bad), None, "{bad}");
        }
    }

    #[test]
    fn before_anybody_speaks_those_who_came_first_are_on_stage() {
        let stage = stage(20);
        assert_eq!(pictures(&stage, 20), [1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(pictures(&stage, 3), [1, 2, 9, 4, 5, 6, 7, 8], "not oneself");
        assert_eq!(stage.at(person(20), audio(3)), Some(person(3)));
    }

    #[test]
    fn a_new_speaker_moves_two_pictures() {
        let now = start();
        let mut stage = stage(20);
        for (speaker, expected) in [
            (5, [5, 2, 3, 4, 1, 6, 7, 8]),
            // Not on stage yet: takes the spare seat's place, and the former speaker moves there.
            (15, [15, 2, 3, 4, 1, 6, 7, 8]),
            (2, [2, 15, 3, 4, 1, 6, 7, 8]),
        ] {
            stage.hear(now, vec![voice(speaker, 80)]);
            stage.admit(&performers(20));
            assert_eq!(stage.speaker(), Some(person(speaker)));
            assert_eq!(pictures(&stage, 20), expected);
        }
        // The speaker sees who spoke before, in front, and everybody once.
        let own = pictures(&stage, 2);
        assert_eq!(own[0], 15);
        let mut once = own.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), 8, "{own:?}");
        assert!(!own.contains(&2));
    }

    #[test]
    fn a_cough_changes_nothing_and_talking_over_takes_a_while() {
        let t0 = start();
        let at = |ms| t0 + Duration::from_millis(ms);
        let mut stage = stage(5);
        stage.hear(at(0), vec![voice(1, 70)]);
        assert_eq!(stage.speaker(), Some(person(1)));
        stage.hear(at(200), vec![voice(2, 65), voice(1, 0)]);
        assert_eq!(stage.speaker(), Some(person(1)), "a cough of 600 ms in a pause");
        stage.hear(at(1_000), vec![voice(2, 95), voice(1, 60)]);
        assert_eq!(stage.speaker(), Some(person(1)));
        assert_eq!(stage.due(), Some(at(2_500)));
        stage.reconsider(at(2_499));
        assert_eq!(stage.speaker(), Some(person(1)));
        stage.reconsider(at(2_500));
        assert_eq!(stage.speaker(), Some(person(2)));
        assert_eq!(stage.due(), None);
        stage.hear(at(3_000), vec![voice(3, 70), voice(2, 10)]);
        assert_eq!(stage.speaker(), Some(person(3)), "at once when the other has stopped");
        stage.hear(at(9_000), vec![]);
        assert_eq!(stage.speaker(), Some(person(3)), "silence changes nothing");
    }

    #[test]
    fn everybody_who_talks_is_heard_and_keeps_the_seat() {
        let now = start();
        let mut stage = stage(10);
        stage.hear(now, vec![voice(7, 50)]);
        let seat = (1..=3).find(|n| stage.at(person(10), audio(*n)) == Some(person(7))).expect("a seat");
        stage.hear(now, vec![voice(8, 50), voice(7, 50), voice(9, 50)]);
        let heard: Vec<_> = (1..=3).filter_map(|n| stage.at(person(10), audio(n))).collect();
        assert_eq!(stage.at(person(10), audio(seat)), Some(person(7)), "stays where it is");
        assert!([7, 8, 9].iter().all(|n| heard.contains(&person(*n))), "{heard:?}");
        // Those on stage hear the two others, and a fourth in their own place.
        stage.hear(now, vec![voice(8, 50), voice(7, 50), voice(9, 50), voice(4, 40)]);
        let own = stage.at(person(7), audio(seat));
        assert_eq!(own, Some(person(4)));
        // The fourth comes to the front when a seat is silent.
        stage.hear(now, vec![voice(4, 50), voice(8, 50), voice(9, 50)]);
        assert_eq!(stage.at(person(10), audio(seat)), Some(person(4)));
    }

    #[test]
    fn who_leaves_or_is_muted_makes_room() {
        let now = start();
        let mut stage = stage(12);
        stage.hear(now, vec![voice(12, 80)]);
        let mut rest = performers(12);
        stage.admit(&rest);
        assert_eq!(pictures(&stage, 99)[0], 12);
        rest.retain(|p| p.who != person(12));
        rest[1].is_seen = false;
        stage.admit(&rest);
        assert_eq!(stage.speaker(), None);
        let shown = pictures(&stage, 99);
        assert!(!shown.contains(&12) && !shown.contains(&2) && !shown.contains(&0), "{shown:?}");
    }

    #[test]
    fn nobody_is_shown_twice_whatever_happens() {
        let t0 = start();
        let mut stage = Stage::default();
        let mut random = 7u64;
        let mut next = move |below: u64| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (random >> 33) % below
        };
        for step in 0..5_000u64 {
            let now = t0 + Duration::from_millis(step * 150);
            let voices = (0..next(6)).map(|_| voice(1 + next(14) as u8, next(101) as u8)).collect::<Vec<_>>();
            let mut unique: Vec<Voice> = Vec::new();
            for voice in voices {
                if !unique.iter().any(|v| v.who == voice.who) {
                    unique.push(voice);
                }
            }
            stage.hear(now, unique);
            let present: Vec<_> = (1..=14)
                .filter_map(|n| {
                    let performer = Performer { who: person(n), sounds: next(5) > 0, is_seen: next(5) > 0 };
                    (next(10) > 0).then_some(performer)
                })
                .collect();
            stage.admit(&present);
            for receiver in 1..=14 {
                for kind in [MediaKind::Audio, MediaKind::Video] {
                    let mut shown: Vec<_> = Seat::all()
                        .filter(|s| s.kind == kind)
                        .filter_map(|s| stage.at(person(receiver), s))
                        .collect();
                    assert!(!shown.contains(&person(receiver)), "step {step}");
                    let allowed = |who: &ParticipantId| {
                        present.iter().any(|p| {
                            p.who == *who && if kind == MediaKind::Audio { p.sounds } else { p.is_seen }
                        })
                    };
                    assert!(shown.iter().all(allowed), "step {step}");
                    let count = shown.len();
                    shown.sort_unstable();
                    shown.dedup();
                    assert_eq!(shown.len(), count, "step {step}: somebody twice for {receiver}");
                }
            }
        }
    }
}
