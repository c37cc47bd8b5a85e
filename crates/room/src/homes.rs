//! On which unit each participant's media is, and what becomes of those whose unit is gone.

use std::collections::BTreeSet;

use model::unit::UnitCommand;
use model::{ParticipantId, UnitId};
use tracing::{info, warn};

use crate::offers::OfferFailure;
use crate::participant::{Home, Path};
use crate::placement::RoomUnit;
use crate::room::Phase;
use crate::{Now, Room};

/// The units that a room's people are on, in the order in which the room came to them.
#[derive(Debug, Default)]
pub(crate) struct Units(Vec<RoomUnit>);

impl Units {
    pub(crate) fn as_slice(&self) -> &[RoomUnit] {
        &self.0
    }

    pub(crate) fn contains(&self, unit: UnitId) -> bool {
        self.0.iter().any(|u| u.unit == unit)
    }

    fn add(&mut self, unit: UnitId) {
        match self.0.iter_mut().find(|u| u.unit == unit) {
            Some(known) => known.peers += 1,
            None => self.0.push(RoomUnit { unit, peers: 1 }),
        }
    }

    fn remove(&mut self, unit: UnitId) {
        if let Some(known) = self.0.iter_mut().find(|u| u.unit == unit) {
            known.peers = known.peers.saturating_sub(1);
        }
        self.0.retain(|u| u.peers > 0);
    }
}

impl Room {
    /// The units that this room's people are on, in the order in which the room came to them.
    pub fn units(&self) -> &[RoomUnit] {
        self.units.as_slice()
    }

    /// Where this participant's media goes.
    pub fn home_of(&self, participant: ParticipantId) -> Option<Home> {
        self.participants.get(&participant).and_then(|p| p.home)
    }

    /// Those who are connected and have no unit, in the order of arrival: [`Room::handle_placed`] is due for them.
    pub fn homeless(&self) -> Vec<ParticipantId> {
        let open = self.phase == Phase::Open;
        let homeless =
            self.participants.iter().filter(|(_, p)| open && p.socket.is_some() && p.home.is_none());
        let mut homeless: Vec<_> = homeless.map(|(id, p)| (p.order, *id)).collect();
        homeless.sort_unstable();
        homeless.into_iter().map(|(_, id)| id).collect()
    }

    /// A unit is gone. Its people, and nobody else, have to offer again, and are told so as soon as they have a unit.
    pub fn handle_unit_lost(&mut self, now: Now, unit: UnitId) {
        if self.phase != Phase::Open || !self.units.contains(unit) {
            return;
        }
        let on_it = self.participants.iter().filter(|(_, p)| p.home.is_some_and(|h| h.unit == unit));
        let lost: BTreeSet<ParticipantId> = on_it.map(|(id, _)| *id).collect();
        warn!(meeting = %self.config.meeting, %unit, participants = lost.len(), "media unit lost");
        for id in &lost {
            self.lose_home(now, *id);
        }
        self.merge_voices(now);
        self.sources_lost(&lost);
        self.mark_slots(now);
        self.mark_members(now);
        self.do_due(now);
    }

    /// A unit is found for one of [`Room::homeless`].
    pub fn handle_placed(&mut self, now: Now, participant: ParticipantId, home: Home) {
        if self.phase != Phase::Open {
            return;
        }
        self.settle(participant, home);
        if let Some(settled) = self.participants.get_mut(&participant).filter(|p| p.home == Some(home)) {
            settled.reoffer_at = (settled.path == Path::Gone).then_some(now.at);
            info!(meeting = %self.config.meeting, %participant, unit = %home.unit, "has a media unit again");
        }
        self.do_due(now);
    }

    /// Gives a participant that has none a home.
    pub(crate) fn settle(&mut self, id: ParticipantId, home: Home) {
        if let Some(participant) = self.participants.get_mut(&id).filter(|p| p.home.is_none()) {
            participant.home = Some(home);
            self.participant_by_peer.insert(home.peer, id);
            self.units.add(home.unit);
        }
    }

    /// The participant's unit need not know it any more. Gives where it was.
    pub(crate) fn leave_unit(&mut self, id: ParticipantId) -> Option<Home> {
        let participant = self.participants.get_mut(&id)?;
        let home = participant.home.take()?;
        if let Some(in_flight) = &participant.offers.in_flight
            && let Some(asked) = self.asked.get_mut(&in_flight.token)
        {
            // The unit may take the offer up after it was told to close: it is told again when it has answered.
            asked.participant = None;
        }
        let may_know = participant.unit_may_know();
        self.participant_by_peer.remove(&home.peer);
        self.units.remove(home.unit);
        if !self.units.contains(home.unit) {
            self.voices.forget(home.unit);
        }
        if may_know {
            self.command(home.unit, UnitCommand::Close { peer: home.peer });
        }
        Some(home)
    }

    /// The participant stays, its media does not.
    fn lose_home(&mut self, now: Now, id: ParticipantId) {
        self.leave_unit(id);
        let Some(participant) = self.participants.get_mut(&id) else {
            return;
        };
        participant.lose_media();
        participant.slots_changed = true;
        participant.reoffer_at = None;
        let in_flight = participant.offers.in_flight.take();
        if let Some(in_flight) = in_flight {
            self.not_answered(now, id, in_flight, &OfferFailure::NoAnswer);
            self.carry_out_waiting(now, id);
        }
    }
}
