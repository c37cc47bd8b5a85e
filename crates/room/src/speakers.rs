//! Who speaks: each unit hears its own people, the room makes one list of it, and tells the units who it is.

use std::collections::{BTreeMap, BTreeSet};

use model::unit::{UnitCommand, Voice};
use model::{PeerId, UnitId};
use wire::server::Speaker;

use crate::participant::Home;
use crate::{Now, Room, stage};

/// −dBov of silence (RFC 6464 §3).
const SILENCE_DBOV: u32 = 127;

/// Speakers that clients are told of: as many as one unit names, so that nobody can tell on how many units a room is.
const SPEAKERS_MAX: usize = 5;

/// What each unit hears, and what it was told.
#[derive(Debug, Default)]
pub(crate) struct Voices {
    /// The last list of each unit that the room is on, at most [`SPEAKERS_MAX`] voices.
    by_unit: BTreeMap<UnitId, Vec<Voice>>,
    /// The dominant speaker, as units were told; those that are not listed were told of nobody.
    told: BTreeMap<UnitId, PeerId>,
}

impl Voices {
    /// The room has left this unit.
    pub(crate) fn forget(&mut self, unit: UnitId) {
        self.by_unit.remove(&unit);
    }

    /// Loudest first.
    fn merged(&self) -> Vec<(UnitId, Voice)> {
        let voices = self.by_unit.iter().flat_map(|(unit, voices)| voices.iter().map(|v| (*unit, *v)));
        let mut merged: Vec<_> = voices.collect();
        merged.sort_by_key(|(_, voice)| (voice.level_dbov, voice.peer));
        merged
    }
}

impl Room {
    /// A unit says who speaks of those whom it hears.
    pub(crate) fn voices_heard(&mut self, now: Now, unit: UnitId, mut voices: Vec<Voice>) {
        // What a unit says that the room has left is late.
        if self.units.contains(unit) {
            voices.truncate(SPEAKERS_MAX);
            self.voices.by_unit.insert(unit, voices);
            self.merge_voices(now);
        }
    }

    /// Makes one list of what all units hear.
    pub(crate) fn merge_voices(&mut self, now: Now) {
        let mut speakers: Vec<Speaker> = Vec::new();
        let mut voices = Vec::new();
        for (unit, Voice { peer, level_dbov, activity }) in self.voices.merged() {
            let Some(participant_id) = self.participant_of(peer) else {
                continue;
            };
            let is_there = self.home_of(participant_id) == Some(Home { unit, peer });
            let heard = speakers.iter().any(|s| s.participant_id == participant_id);
            if is_there && !heard && speakers.len() < SPEAKERS_MAX {
                speakers.push(Speaker { participant_id, level: level_percent(level_dbov) });
                voices.push(stage::Voice { who: participant_id, activity });
            }
        }
        self.set_speakers(speakers);
        self.stage.hear(now.at, voices);
        self.stage_changed = true;
    }

    /// Tells each of several units who speaks, as none of them hears everybody; a unit that has everybody hears it
    /// itself. Units are told only while they know somebody of this room.
    pub(crate) fn sync_speaking(&mut self) {
        let homes = self.participants.values().filter_map(|p| p.known_home());
        let units: BTreeSet<UnitId> = homes.map(|home| home.unit).collect();
        let speaker = self.stage.speaker().and_then(|who| self.participants.get(&who)?.known_home());
        let wanted: BTreeMap<UnitId, PeerId> = match speaker {
            Some(Home { peer, .. }) if units.len() > 1 => {
                units.into_iter().map(|unit| (unit, peer)).collect()
            }
            _ => BTreeMap::new(),
        };
        let told = std::mem::replace(&mut self.voices.told, wanted.clone());
        let all: BTreeSet<UnitId> = told.keys().chain(wanted.keys()).copied().collect();
        for unit in all {
            let peer = wanted.get(&unit).copied();
            if told.get(&unit).copied() != peer {
                self.command(unit, UnitCommand::Speaking { meeting: self.config.meeting, peer });
            }
        }
    }
}

/// From −dBov (0 loudest, 127 silence) to 0 (silence) to 100.
fn level_percent(dbov: u8) -> u8 {
    let loud = SILENCE_DBOV.saturating_sub(u32::from(dbov));
    u8::try_from(loud * 100 / SILENCE_DBOV).unwrap_or(100)
}
