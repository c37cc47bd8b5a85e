//! What everybody is told of everybody: whole snapshots, sent when something has changed, but not after each change.

use std::collections::BTreeMap;
use std::time::Duration;

use model::{Mid, ParticipantId, StreamId};
use wire::server::{Member, RosterEntry, Slot, Speaker, StreamDemand};
use wire::{Envelope, ServerMessage};

use crate::participant::Participant;
use crate::{Now, Room};

/// Between two snapshots to the same client at least. A person does not see the difference, and a crowd that comes
/// within a second costs 20 snapshots instead of one per head.
const SNAPSHOT_INTERVAL_MIN: Duration = Duration::from_millis(50);

/// How much longer the interval is for each participant. A roster holds N−1 people and goes to N: N² entries per
/// sending. With the interval growing with N, the entries per second stay proportional to N: 1,000 per participant.
const SNAPSHOT_INTERVAL_PER_PARTICIPANT: Duration = Duration::from_millis(1);

impl Room {
    pub(crate) fn snapshot_interval(&self) -> Duration {
        let people = u32::try_from(self.participants.len()).unwrap_or(u32::MAX);
        SNAPSHOT_INTERVAL_MIN.max(SNAPSHOT_INTERVAL_PER_PARTICIPANT.saturating_mul(people))
    }

    /// Streams have changed, or who is there, and so the members too.
    pub(crate) fn mark_roster(&mut self, now: Now) {
        self.stage_changed = true;
        self.roster_version += 1;
        self.roster.mark(now.at, self.snapshot_interval());
        self.mark_members(now);
    }

    pub(crate) fn mark_members(&mut self, now: Now) {
        self.members.mark(now.at, self.snapshot_interval());
    }

    /// Slots of those who are marked `slots_changed` have changed.
    pub(crate) fn mark_slots(&mut self, now: Now) {
        self.slots.mark(now.at, SNAPSHOT_INTERVAL_MIN);
    }

    /// Sends what is due.
    pub(crate) fn flush(&mut self, now: Now) {
        if self.roster.take(now.at) {
            self.send_rosters();
        }
        if self.members.take(now.at) {
            self.send_members();
        }
        if self.slots.take(now.at) {
            self.send_changed_slots();
        }
        if self.line_up.sending.take(now.at) {
            self.send_line_up();
        }
    }

    /// The roster at once, whatever it was sent before: goes with each answer, as the public package drops those that
    /// came before its `connect()`.
    pub(crate) fn send_roster_to(&mut self, id: ParticipantId) {
        let others = self.participants.iter().filter(|(other, _)| **other != id);
        let participants = others.map(|(id, p)| (*id, roster_entry(p))).collect();
        let version = self.roster_version;
        let Some(socket) = self.participants.get_mut(&id).and_then(|p| p.socket.as_mut()) else {
            return;
        };
        socket.roster_seen = version;
        let to = socket.to;
        self.deliver(to, Envelope::new(ServerMessage::RosterUpdate { participants }));
    }

    fn send_rosters(&mut self) {
        let everybody: BTreeMap<ParticipantId, RosterEntry> =
            self.participants.iter().map(|(id, p)| (*id, roster_entry(p))).collect();
        let mut rosters = Vec::new();
        for (id, participant) in &mut self.participants {
            let Some(socket) = participant.socket.as_mut().filter(|s| s.roster_seen != self.roster_version)
            else {
                continue;
            };
            socket.roster_seen = self.roster_version;
            let mut participants = everybody.clone();
            participants.remove(id);
            rosters.push((socket.to, participants));
        }
        for (to, participants) in rosters {
            self.deliver(to, Envelope::new(ServerMessage::RosterUpdate { participants }));
        }
    }

    fn send_members(&mut self) {
        let to: Vec<_> = self.participants.values().filter_map(Participant::hello_socket).collect();
        if !to.is_empty() {
            let message = self.members_message();
            self.deliver_all(to, message);
        }
    }

    pub(crate) fn members_message(&self) -> ServerMessage {
        let members = self.participants.iter().map(|(id, p)| (*id, member(p))).collect();
        ServerMessage::Members { members }
    }

    fn send_changed_slots(&mut self) {
        let changed = self.participants.iter_mut().filter(|(_, p)| p.slots_changed);
        let changed: Vec<ParticipantId> = changed.map(|(id, _)| *id).collect();
        changed.into_iter().for_each(|id| self.send_slots_to(id));
    }

    pub(crate) fn send_slots_to(&mut self, id: ParticipantId) {
        let Some(participant) = self.participants.get_mut(&id) else {
            return;
        };
        participant.slots_changed = false;
        if let Some(to) = participant.hello_socket() {
            let slots = self.slots_of(id);
            self.deliver(to, Envelope::new(ServerMessage::Slots { slots }));
        }
    }

    /// What a participant's slots show, without those whose stream is not back yet.
    fn slots_of(&self, id: ParticipantId) -> BTreeMap<Mid, Slot> {
        let slots = self.participants.get(&id).into_iter().flat_map(|p| p.slots.iter());
        let shown = slots.filter_map(|(mid, slot)| {
            let binding = slot.binding?;
            self.participants.get(&binding.producer)?.streams.get(binding.stream)?;
            let shown = Slot {
                producer_id: binding.producer,
                stream_id: binding.stream,
                rid: slot.shown_rid,
                spatial: slot.spatial,
                active: slot.active,
                reason: slot.reason,
                seat: slot.seat.map(|seat| seat.to_string()),
            };
            Some((mid, shown))
        });
        shown.collect()
    }

    pub(crate) fn send_published_to(&mut self, id: ParticipantId) {
        let Some(participant) = self.participants.get(&id) else {
            return;
        };
        if let Some(to) = participant.hello_socket() {
            let streams: BTreeMap<Mid, StreamId> =
                participant.streams.iter().map(|s| (s.mid, s.id)).collect();
            self.deliver(to, Envelope::new(ServerMessage::Published { streams }));
        }
    }

    /// What of a participant's own streams is looked at. Not coalesced: somebody may be looking at nothing meanwhile,
    /// and the unit says it seldom.
    pub(crate) fn send_demand_to(&mut self, id: ParticipantId) {
        let Some(participant) = self.participants.get(&id) else {
            return;
        };
        if let Some(to) = participant.hello_socket() {
            let known = participant.streams.iter().filter_map(|s| Some((s.mid, s.demand.clone()?)));
            let streams: BTreeMap<Mid, StreamDemand> = known.collect();
            self.deliver(to, Envelope::new(ServerMessage::Demand { streams }));
        }
    }

    /// Takes over who speaks and tells it, if it has changed.
    pub(crate) fn set_speakers(&mut self, speakers: Vec<Speaker>) {
        if speakers != self.speakers {
            self.speakers.clone_from(&speakers);
            let to = self.participants.values().filter_map(Participant::hello_socket).collect();
            self.deliver_all(to, ServerMessage::Speakers { speakers });
        }
    }
}

pub(crate) fn roster_entry(participant: &Participant) -> RosterEntry {
    RosterEntry { streams: participant.streams.iter().map(|s| (s.id, s.to_roster())).collect() }
}

fn member(participant: &Participant) -> Member {
    Member {
        profile: participant.profile.clone(),
        connection: participant.connection(),
        order: participant.order,
        muted: participant.streams.iter().filter(|s| s.muted).map(|s| s.id).collect(),
    }
}
