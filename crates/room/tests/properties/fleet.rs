//! Units, as far as a room notices.

use std::collections::BTreeMap;

use model::unit::{Answer, Source, UnitCommand, Voice};
use model::{Mid, PeerId, UnitId};

use crate::common::Lines;

/// All units at once; a peer is on the one where it offered.
#[derive(Default)]
pub(crate) struct Fleet {
    pub(crate) peers: BTreeMap<PeerId, (UnitId, Answer)>,
    pub(crate) bound: BTreeMap<(PeerId, Mid), Bound>,
    /// Who speaks, as units were told.
    pub(crate) speaking: BTreeMap<UnitId, PeerId>,
    voices: BTreeMap<PeerId, Voice>,
}

/// What a slot shows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bound {
    pub(crate) source: Source,
    /// False: the unit waits for what another unit does not send (any more). A unit notices what its own peers do, but
    /// of those of others it knows only what it was told.
    pub(crate) alive: bool,
}

impl Fleet {
    pub(crate) fn answer(
        &mut self,
        unit: UnitId,
        peer: PeerId,
        lines: &Lines,
        new_connection: bool,
    ) -> Answer {
        let replaced = new_connection && self.peers.contains_key(&peer);
        if replaced {
            self.forget(peer);
        }
        let answer = lines.answer(replaced);
        let published: Vec<Mid> = answer.published.iter().map(|p| p.mid).collect();
        self.end_sources(unit, |source| source.peer == peer && !published.contains(&source.mid));
        self.bound
            .retain(|(receiver, slot), _| *receiver != peer || answer.slots.iter().any(|s| s.mid == *slot));
        self.peers.insert(peer, (unit, answer.clone()));
        answer
    }

    pub(crate) fn forget(&mut self, peer: PeerId) {
        if let Some((unit, _)) = self.peers.remove(&peer) {
            self.bound.retain(|(receiver, _), _| *receiver != peer);
            self.end_sources(unit, |source| source.peer == peer);
        }
    }

    /// A unit is gone. Gives the peers that it had.
    pub(crate) fn lose(&mut self, unit: UnitId) -> Vec<PeerId> {
        let peers = self.peers.iter().filter(|(_, (on, _))| *on == unit).map(|(peer, _)| *peer);
        let peers: Vec<PeerId> = peers.collect();
        for peer in &peers {
            self.forget(*peer);
            self.voices.remove(peer);
        }
        self.speaking.remove(&unit);
        peers
    }

    /// These sources of a unit are no more.
    fn end_sources(&mut self, unit: UnitId, ended: impl Fn(Source) -> bool) {
        let peers = &self.peers;
        self.bound.retain(|(receiver, _), bound| {
            if ended(bound.source) {
                bound.alive = false;
            }
            bound.alive || peers.get(receiver).is_some_and(|(on, _)| *on != unit)
        });
    }

    /// What of these is published on that unit.
    fn sends(&self, unit: UnitId, source: Source) -> bool {
        let sender = self.peers.get(&source.peer).filter(|(on, _)| *on == unit);
        sender.is_some_and(|(_, answer)| answer.published.iter().any(|p| p.mid == source.mid))
    }

    pub(crate) fn obey(&mut self, unit: UnitId, command: &UnitCommand) {
        match command {
            UnitCommand::Bind { peer, slot, source: Some(source), home, .. } => {
                let receiver = self.peers.get(peer).filter(|(on, _)| *on == unit);
                if receiver.is_none_or(|(_, answer)| !answer.slots.iter().any(|s| s.mid == *slot)) {
                    return;
                }
                let alive = self.sends(home.unwrap_or(unit), *source);
                if alive || home.is_some() {
                    self.bound.insert((*peer, *slot), Bound { source: *source, alive });
                } else {
                    self.bound.remove(&(*peer, *slot));
                }
            }
            UnitCommand::Bind { peer, slot, source: None, .. } => {
                self.bound.remove(&(*peer, *slot));
            }
            UnitCommand::Close { peer } => {
                self.forget(*peer);
                self.voices.remove(peer);
            }
            UnitCommand::Speaking { peer, .. } => {
                match peer {
                    Some(peer) => self.speaking.insert(unit, *peer),
                    None => self.speaking.remove(&unit),
                };
            }
            UnitCommand::AddCandidate { .. } | UnitCommand::Resize { .. } | UnitCommand::Mute { .. } => {}
        }
    }

    /// A peer is heard, or not any more. Gives what its unit tells the room then.
    pub(crate) fn hear(&mut self, peer: PeerId, voice: Option<Voice>) -> Option<(UnitId, Vec<Voice>)> {
        let unit = self.peers.get(&peer)?.0;
        match voice {
            Some(voice) => self.voices.insert(peer, voice),
            None => self.voices.remove(&peer),
        };
        let is_here = |peer: &PeerId| self.peers.get(peer).is_some_and(|(on, _)| *on == unit);
        let voices = self.voices.iter().filter(|(peer, _)| is_here(peer)).map(|(_, voice)| *voice);
        let mut voices: Vec<Voice> = voices.collect();
        voices.sort_by_key(|v| (v.level_dbov, v.peer));
        Some((unit, voices))
    }
}
