//! What time brings: the deadlines of connections, encodings that fall silent, and who speaks.

use std::time::{Duration, Instant};

use model::MeetingId;
use model::unit::UnitFact;

use crate::speakers;
use crate::track::Ticked;
use crate::unit::Unit;

/// How often encodings and voices are looked at.
pub(crate) const TICK: Duration = speakers::INTERVAL;

impl Unit {
    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(peer) = self.timers.poll_expired(now) {
            if let Some(known) = self.peers.get_mut(peer) {
                let crate::peer::Peer { endpoint, slots, .. } = known;
                let timestamp_at = |line: u16| {
                    slots.get(usize::from(line)).and_then(Option::as_ref).and_then(|s| s.timestamp_at(now))
                };
                endpoint.handle_timeout(now, &mut self.outbox, &timestamp_at);
            }
            self.pace(now, peer as u32);
            self.take_events(now, peer as u32);
        }
        if self.next_tick <= now {
            self.next_tick = now + TICK;
            self.tick_tracks(now);
            self.tick_speakers(now);
            self.tick_demand(now);
            self.tick_plans();
            self.tick_relays(now);
        }
        self.make_plans(now);
        self.request_key_frames(now);
    }

    fn tick_tracks(&mut self, now: Instant) {
        let mut changed = Vec::new();
        for (index, track) in &mut self.tracks {
            let Some(published) = &mut track.published else { continue };
            let ticked = published.encodings.iter_mut().map(|e| e.tick(now, TICK)).max();
            if let Some(ticked) = ticked.filter(|t| *t != Ticked::Nothing) {
                changed.push((index as u32, ticked));
            }
        }
        for (track, ticked) in changed {
            if ticked == Ticked::FellSilent {
                self.track_changed(track);
            } else {
                self.plan_soon_where_cost_matters(track);
                self.announce(track);
            }
        }
    }

    /// A microphone's packet told its level.
    pub(crate) fn hear(&mut self, now: Instant, meeting: MeetingId, track: u32, level_dbov: u8) {
        let Some(published) = self.tracks.get_mut(track as usize).and_then(|t| t.published.as_mut()) else {
            return;
        };
        if published.muted {
            return;
        }
        published.voice.heard(now, level_dbov);
        if published.voice.speaks(now)
            && let Some(room) = self.rooms.get_mut(&meeting)
            && !room.voices.contains(&track)
        {
            room.voices.push(track);
        }
    }

    fn tick_speakers(&mut self, now: Instant) {
        for (meeting, room) in &mut self.rooms {
            let mut speaking = Vec::new();
            room.voices.retain(|track| {
                let Some(known) = self.tracks.get_mut(*track as usize) else { return false };
                let peer = known.source.peer;
                let heard = known.published.as_mut().and_then(|p| p.voice.heard_of(now, peer));
                speaking.extend(heard);
                heard.is_some()
            });
            if let Some(speakers) = room.speakers.update(speaking) {
                self.facts.push_back(UnitFact::Speakers { meeting: *meeting, unit: self.id, speakers });
            }
        }
    }
}
