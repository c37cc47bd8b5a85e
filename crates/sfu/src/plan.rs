//! The plan of each peer: what it is sent on its slots and why, made anew when what it depends on has changed, carried
//! out, and kept as values for whoever asks why a picture was blurred.

use std::time::{Duration, Instant};

use arrayvec::ArrayVec;
use model::{Bitrate, LayerReason, MediaKind, Mid, PeerId, Semantic};

use crate::allocate::{
    Budget, Class, Decision, Named, Offered, Outcome, RUNGS_MAX, Rung, RungKey, Wish, allocate,
};
use crate::choice::chosen;
use crate::keyframe::Urgency;
use crate::peer::Peer;
use crate::slot::Slot;
use crate::svc::Choice;
use crate::track::{Published, SlotRef};
use crate::unit::Unit;

/// A slot that had to step down is not raised again before this: a path that was just too narrow is seldom wide a
/// moment later, and a picture that changes all the time is worse than a small one.
const RISE_HOLD_OFF: Duration = Duration::from_secs(3);

/// From this share of the budget on, in percent, what is sent is clearly too much: a queue builds up that delays sound.
/// What must step down is then stopped before there is anything in its place.
const EXCESS_PCT: u64 = 120;

/// Changes that a unit remembers: some minutes of a busy one.
const CHANGES_MAX: usize = 1024;

/// What one peer is sent, as it was decided last.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// When; `None`: never.
    pub at: Option<Instant>,
    /// What could be sent in all; `None`: no bound was known.
    pub budget: Option<Bitrate>,
    /// What the plan costs, sound too.
    pub used: Bitrate,
    /// What it would cost to give every tile what it needs.
    pub wanted: Bitrate,
    /// Some tile gets less than it needs for want of budget.
    pub limited: bool,
    /// Slots with a source, in the order of the m-lines.
    pub slots: Vec<PlannedSlot>,
}

/// A slot of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedSlot {
    /// The m-line.
    pub slot: Mid,
    /// What it is to be sent; `None`: nothing.
    pub rung: Option<Rung>,
    /// Why that and not more.
    pub reason: LayerReason,
}

/// One slot's step from one plan to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerChange {
    /// When.
    pub at: Instant,
    /// Whose slot.
    pub peer: PeerId,
    /// The m-line.
    pub slot: Mid,
    /// Encoding, spatial and temporal layer before; `None`: nothing.
    pub from: Option<(u8, u8, u8)>,
    /// What it is sent now.
    pub to: Option<Rung>,
    /// Why.
    pub reason: LayerReason,
    /// What could be sent in all.
    pub budget: Option<Bitrate>,
}

/// What a slot shows and waits for, by index of the encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Showing {
    current: Option<u8>,
    /// Its key frame is waited for.
    target: Option<u8>,
    /// It does not come, and is to come: it is switched off, or its sender lacks bandwidth.
    awaited: Option<u8>,
}

impl Showing {
    fn of(slot: &Slot) -> Self {
        Self { current: slot.current, target: slot.target, awaited: slot.awaited }
    }

    fn all(self) -> impl Iterator<Item = u8> {
        [self.current, self.target, self.awaited].into_iter().flatten()
    }

    /// What is to be done for a decision. `excess`: what is sent now is clearly too much.
    fn next(self, decision: &Decision, offers: &[Offered], excess: bool) -> Self {
        let Some(rung) = decision.rung else {
            return match decision.reason {
                // Nothing comes in at the moment: stay where it was.
                LayerReason::Inactive => self,
                _ => Self::default(),
            };
        };
        let chosen = rung.encoding;
        if self.current == Some(chosen) {
            return Self { current: self.current, target: None, awaited: decision.lacks };
        }
        let flows = |encoding: u8| offers.iter().any(|o| o.rung.encoding == encoding && o.flowing);
        let lowered =
            is_scarce(decision.reason) && self.current.is_some_and(|c| costs_more(offers, c, &rung));
        let current = self.current.filter(|_| !(lowered && excess));
        if !flows(chosen) && !current.is_some_and(flows) {
            // Until its sender sends it, anything that costs no more is better than nothing.
            let cheaper = offers.iter().filter(|o| o.flowing && o.rung.cost <= rung.cost);
            if let Some(stand_in) = cheaper.max_by_key(|o| (o.rung.area, o.rung.cost)) {
                return Self { current, target: Some(stand_in.rung.encoding), awaited: Some(chosen) };
            }
        }
        Self { current, target: Some(chosen), awaited: decision.lacks }
    }
}

fn is_scarce(reason: LayerReason) -> bool {
    matches!(reason, LayerReason::Bandwidth | LayerReason::Cap)
}

fn costs_more(offers: &[Offered], encoding: u8, than: &Rung) -> bool {
    offers.iter().any(|o| o.rung.encoding == encoding && o.rung.cost > than.cost)
}

impl Unit {
    /// What a peer is sent, and why, as it was decided last.
    pub fn plan(&self, peer: PeerId) -> Option<&Plan> {
        let peer = self.by_id.get(&peer)?;
        self.peers.get(*peer as usize).map(|p| &p.plan)
    }

    /// What changed in the plans of all peers lately, oldest first; at most some hundred changes.
    pub fn layer_changes(&self) -> impl Iterator<Item = &LayerChange> {
        self.layer_changes.iter()
    }

    /// Bounds what a peer is sent in all, sound too; `None` lifts the bound.
    pub fn set_receive_cap(&mut self, now: Instant, peer: PeerId, cap: Option<Bitrate>) {
        let Some(&peer) = self.by_id.get(&peer) else { return };
        if let Some(known) = self.peers.get_mut(peer as usize) {
            known.cap = cap;
        }
        self.plan_soon(peer);
        self.make_plans(now);
    }

    /// What a peer's plan depends on has changed: it is made anew in this pass.
    pub(crate) fn plan_soon(&mut self, peer: u32) {
        if let Some(known) = self.peers.get_mut(peer as usize)
            && !std::mem::replace(&mut known.plan_due, true)
        {
            self.plans_due.push(peer);
        }
    }

    /// The same for everybody who is to see a track.
    pub(crate) fn plan_soon_for_all(&mut self, track: u32) {
        self.plan_soon_where(track, |_| true);
    }

    /// The same for those of them whose bandwidth is known.
    pub(crate) fn plan_soon_where_cost_matters(&mut self, track: u32) {
        self.plan_soon_where(track, |peer| peer.plan.budget.is_some());
    }

    fn plan_soon_where(&mut self, track: u32, matters: impl Fn(&Peer) -> bool) {
        let Some(known) = self.tracks.get(track as usize) else { return };
        for at in &known.subscribers {
            if let Some(peer) = self.peers.get_mut(at.peer as usize)
                && matters(peer)
                && !std::mem::replace(&mut peer.plan_due, true)
            {
                self.plans_due.push(at.peer);
            }
        }
    }

    /// Makes the plans that are due, and asks senders for what they newly need.
    pub(crate) fn make_plans(&mut self, now: Instant) {
        let mut due = std::mem::take(&mut self.plans_due);
        for peer in due.drain(..) {
            if self.peers.get(peer as usize).is_some_and(|p| p.plan_due) {
                self.make_plan(now, peer);
            }
        }
        self.plans_due = due;
        self.settle_demand(now);
    }

    /// Looks at those whose bandwidth matters: it moves all the time, so a plan follows it a few times a second.
    pub(crate) fn tick_plans(&mut self) {
        let mut due = std::mem::take(&mut self.plans_due);
        for (index, peer) in &mut self.peers {
            let limit = peer.budget().limit();
            let moved = match (limit, peer.plan.budget) {
                // Where somebody lacks something, time alone can change it: hold-offs end.
                (Some(limit), Some(_)) => peer.plan.limited || limit < peer.plan.used,
                (limit, planned) => limit != planned,
            };
            if moved && !std::mem::replace(&mut peer.plan_due, true) {
                due.push(index as u32);
            }
        }
        self.plans_due = due;
    }

    /// A plan for one peer. Cost: its slots.
    pub(crate) fn make_plan(&mut self, now: Instant, peer: u32) {
        let Some(known) = self.peers.get_mut(peer as usize) else { return };
        known.plan_due = false;
        let budget = known.budget();
        let mut slots = std::mem::take(&mut known.plan.slots);
        let Some(known) = self.peers.get(peer as usize) else { return };
        let lines = (0u16..).zip(&known.slots).filter_map(|(line, slot)| Some((line, slot.as_ref()?)));
        let wishes: Vec<Wish> = lines.filter_map(|(line, slot)| self.wish(now, known, line, slot)).collect();
        // What flows without a queue or a loss passes, whatever it was taken for: an estimate is no reason to take it away.
        let budget = match budget.estimate {
            Some(estimate) if !known.endpoint.bandwidth().congested => {
                let planned =
                    wishes.iter().filter_map(|w| w.offers.iter().find(|o| w.current == Some(o.rung.key())));
                let kept =
                    planned.filter(|o| o.flowing).map(|o| o.rung.cost.as_bps()).fold(0, u64::saturating_add);
                Budget { estimate: Some(estimate.max(Bitrate::from_bps(kept))), ..budget }
            }
            _ => budget,
        };
        let outcome = allocate(budget, &wishes);
        let excess = budget.limit().is_some_and(|limit| {
            let sent = wishes.iter().filter_map(|w| sent_now(known, w)).fold(0, u64::saturating_add);
            sent.saturating_mul(100) > limit.as_bps().saturating_mul(EXCESS_PCT)
        });
        slots.clear();
        for (wish, decision) in wishes.iter().zip(&outcome.decisions) {
            let at = SlotRef { peer, line: wish.line };
            self.note_change(now, at, decision, budget.limit());
            self.carry_out(now, at, wish, decision, excess);
            let slot = self.peers.get(peer as usize).and_then(|p| p.slot(wish.line)).map(|s| s.mid);
            slots.extend(slot.map(|slot| PlannedSlot { slot, rung: decision.rung, reason: decision.reason }));
        }
        if let Some(known) = self.peers.get_mut(peer as usize) {
            tell_wanted(known, &outcome);
            let (limited, used, wanted) = (outcome.is_limited(), outcome.used, known.plan.wanted);
            known.plan = Plan { at: Some(now), budget: budget.limit(), used, wanted, limited, slots };
        }
    }

    /// What a slot asks for; `None` while there is nothing that it could be sent.
    fn wish(&self, now: Instant, peer: &Peer, line: u16, slot: &Slot) -> Option<Wish> {
        let published = self.tracks.get(slot.track? as usize)?.published.as_ref()?;
        let named = |rid| published.encodings.iter().position(|e| e.rid == Some(rid));
        let by_name = slot.wanted.and_then(named).and_then(|i| u8::try_from(i).ok()).map(Named::whole);
        let lowered = slot.lowered_at.map(|at| now.saturating_duration_since(at));
        let codec = |o: &Offered| published.encodings.get(usize::from(o.rung.encoding))?.codec;
        let can_take = |o: &Offered| codec(o).is_none_or(|codec| o.rung.spatial <= slot.spatial_max(codec));
        let offers: ArrayVec<_, RUNGS_MAX> = published.offers().filter(can_take).take(RUNGS_MAX).collect();
        let is_picture = published.kind == MediaKind::Video;
        let chosen = || chosen(&offers, slot.quality.filter(|_| is_picture)?);
        Some(Wish {
            line,
            class: self.class_of(peer, self.tracks.get(slot.track? as usize)?.source.peer, published),
            tile: slot.tile,
            requested: by_name.or_else(chosen),
            offers,
            current: slot.planned,
            may_rise: lowered.is_none_or(|since| since >= RISE_HOLD_OFF),
        })
    }

    /// How important a source is to a receiver.
    fn class_of(&self, receiver: &Peer, sender: PeerId, published: &Published) -> Class {
        if published.kind == MediaKind::Audio {
            return Class::Sound;
        }
        if published.semantic == Semantic::Presentation {
            return Class::Screen;
        }
        let room = self.rooms.get(&receiver.meeting);
        let speaker = room.and_then(|r| r.speaking.or_else(|| r.speakers.latest()));
        if speaker == Some(sender) { Class::Speaker } else { Class::Other }
    }

    fn note_change(&mut self, now: Instant, at: SlotRef, decision: &Decision, budget: Option<Bitrate>) {
        let Some(peer) = self.peers.get_mut(at.peer as usize) else { return };
        let id = peer.id;
        let Some(slot) = peer.slot_mut(at.line) else { return };
        let (from, to) = (slot.planned, decision.rung.map(|r| r.key()));
        let waits = decision.rung.is_none() && decision.reason == LayerReason::Inactive;
        slot.reason = decision.reason;
        if from == to || waits {
            return;
        }
        slot.planned = to;
        let change = LayerChange {
            at: now,
            peer: id,
            slot: slot.mid,
            from,
            to: decision.rung,
            reason: decision.reason,
            budget,
        };
        if self.layer_changes.len() >= CHANGES_MAX {
            self.layer_changes.pop_front();
        }
        self.layer_changes.push_back(change);
    }

    /// Brings a slot to what was decided.
    fn carry_out(&mut self, now: Instant, at: SlotRef, wish: &Wish, decision: &Decision, excess: bool) {
        let Some(slot) = self.peers.get(at.peer as usize).and_then(|p| p.slot(at.line)) else { return };
        let Some(track) = slot.track else { return };
        let before = Showing::of(slot);
        let after = before.next(decision, &wish.offers, excess);
        let lowered = is_scarce(decision.reason) && stepped_down(wish, decision);
        if let Some(slot) = self.peers.get_mut(at.peer as usize).and_then(|p| p.slot_mut(at.line)) {
            Showing { current: slot.current, target: slot.target, awaited: slot.awaited } = after;
            if lowered {
                slot.lowered_at = Some(now);
            }
        }
        let choice = decision.rung.and_then(|rung| {
            let known = self.encoding_mut(track, rung.encoding)?;
            let target = known.ladder.as_ref()?.target_of(rung.spatial, rung.temporal)?;
            // A whole encoding is sent as it comes.
            let several = wish.offers.iter().any(|o| o.rung.encoding != rung.encoding);
            (!several).then_some(Choice { encoding: rung.encoding, target })
        });
        self.want_layers(at, track, choice);
        for former in before.all().filter(|f| after.all().all(|a| a != *f)) {
            self.with_encoding(track, former, |e| e.unwatch(at));
        }
        for watched in after.all() {
            self.with_encoding(track, watched, |e| e.watch(at));
        }
        self.demand_soon(track);
        // A key frame for somebody who cannot be sent it yet is lost, and browsers do not make another one at once: it is
        // asked for when the connection is there.
        let connected = self.peers.get(at.peer as usize).is_some_and(|p| p.endpoint.is_connected());
        let moved = (after.target, after.current) != (before.target, before.current);
        if connected && after.target.is_some() && moved {
            let sees =
                after.current.is_some_and(|c| wish.offers.iter().any(|o| o.rung.encoding == c && o.flowing));
            let urgency = if sees && !lowered { Urgency::Usual } else { Urgency::Urgent };
            self.await_key_frames(track, after, urgency);
        }
        self.tell_slot(at);
    }

    fn await_key_frames(&mut self, track: u32, showing: Showing, urgency: Urgency) {
        let Some(target) = showing.target else { return };
        if self.encoding_mut(track, target).is_some_and(|e| !e.has_fresh_key_frame()) {
            self.want_key_frame(track, target, urgency);
        }
    }
}

/// The one place where it is said how much would be sent if the path carried it: how far the endpoint probes.
fn tell_wanted(peer: &mut Peer, outcome: &Outcome) {
    peer.plan.wanted = outcome.wanted;
}

/// What a slot costs as it is sent at this instant, whatever was decided.
fn sent_now(peer: &Peer, wish: &Wish) -> Option<u64> {
    let current = peer.slot(wish.line)?.current?;
    let sent = |o: &&Offered| o.rung.encoding == current && o.flowing;
    wish.offers.iter().filter(sent).map(|o| o.rung.cost.as_bps()).max()
}

fn stepped_down(wish: &Wish, decision: &Decision) -> bool {
    let cost = |key: RungKey| wish.offers.iter().find(|o| o.rung.key() == key).map(|o| o.rung.cost);
    let Some(before) = wish.current.and_then(cost) else { return false };
    decision.rung.is_none_or(|r| r.cost < before)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offers(flowing: [bool; 3]) -> Vec<Offered> {
        [(57_600, 150), (230_400, 500), (921_600, 1_700)]
            .into_iter()
            .zip(flowing)
            .zip(0u8..)
            .map(|(((area, kbps), flowing), i)| Offered {
                rung: Rung::whole(i, area, Bitrate::from_kbps(kbps)),
                available: true,
                flowing,
            })
            .collect()
    }

    fn decided(encoding: Option<u8>, reason: LayerReason) -> Decision {
        let rung = encoding.map(|e| offers([true; 3])[usize::from(e)].rung);
        Decision {
            line: 0,
            rung,
            reason,
            lacks: (reason == LayerReason::Inactive && rung.is_some()).then_some(2),
        }
    }

    fn showing(current: Option<u8>, target: Option<u8>, awaited: Option<u8>) -> Showing {
        Showing { current, target, awaited }
    }

    #[test]
    fn what_is_shown_goes_on_until_the_key_frame_unless_the_path_is_clogged() {
        use LayerReason::{Bandwidth, Hidden, Inactive, TileSize};
        let (all, only_low) = ([true; 3], [true, false, false]);
        let nothing = Showing::default();
        let table = [
            ("first", nothing, decided(Some(2), TileSize), all, false, showing(None, Some(2), None)),
            (
                "up",
                showing(Some(0), None, None),
                decided(Some(2), TileSize),
                all,
                false,
                showing(Some(0), Some(2), None),
            ),
            (
                "arrived",
                showing(Some(2), None, None),
                decided(Some(2), TileSize),
                all,
                false,
                showing(Some(2), None, None),
            ),
            (
                "back",
                showing(Some(0), Some(2), None),
                decided(Some(0), TileSize),
                all,
                false,
                showing(Some(0), None, None),
            ),
            (
                "smaller tile",
                showing(Some(2), None, None),
                decided(Some(0), TileSize),
                all,
                true,
                showing(Some(2), Some(0), None),
            ),
            (
                "a little too much",
                showing(Some(2), None, None),
                decided(Some(0), Bandwidth),
                all,
                false,
                showing(Some(2), Some(0), None),
            ),
            (
                "clogged",
                showing(Some(2), None, None),
                decided(Some(0), Bandwidth),
                all,
                true,
                showing(None, Some(0), None),
            ),
            (
                "clogged, but rises",
                showing(Some(0), None, None),
                decided(Some(1), Bandwidth),
                all,
                true,
                showing(Some(0), Some(1), None),
            ),
            ("nothing fits", showing(Some(0), None, None), decided(None, Bandwidth), all, true, nothing),
            ("hidden", showing(Some(0), Some(1), None), decided(None, Hidden), all, false, nothing),
            (
                "nothing comes",
                showing(Some(0), None, None),
                decided(None, Inactive),
                [false; 3],
                false,
                showing(Some(0), None, None),
            ),
            (
                "the best of what comes",
                showing(Some(0), None, None),
                decided(Some(1), Inactive),
                [true, true, false],
                false,
                showing(Some(0), Some(1), Some(2)),
            ),
            (
                "and there",
                showing(Some(1), None, Some(2)),
                decided(Some(1), Inactive),
                [true, true, false],
                false,
                showing(Some(1), None, Some(2)),
            ),
            ("asleep", nothing, decided(Some(2), TileSize), only_low, false, showing(None, Some(0), Some(2))),
            (
                "still asleep",
                showing(Some(0), None, Some(2)),
                decided(Some(2), TileSize),
                only_low,
                false,
                showing(Some(0), Some(2), None),
            ),
            (
                "all asleep",
                nothing,
                decided(Some(2), TileSize),
                [false; 3],
                false,
                showing(None, Some(2), None),
            ),
            (
                "only dearer ones awake",
                nothing,
                decided(Some(0), TileSize),
                [false, true, true],
                false,
                showing(None, Some(0), None),
            ),
        ];
        for (what, before, decision, flowing, excess, expected) in table {
            assert_eq!(before.next(&decision, &offers(flowing), excess), expected, "{what}");
        }
    }
}
