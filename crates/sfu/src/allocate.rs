//! What each slot of one receiver is sent: a pure function of its bandwidth, of what its tiles need, and of what the
//! encodings cost now.
//!
//! 1. Sound is never cut: what it costs is taken off the budget before anything else.
//! 2. Everybody's lowest rung comes next, the important and large tiles first: a small picture is better than a frozen one.
//! 3. Then tiles are raised rung by rung: shared screens, then who speaks, then the others; among equals where a bit
//!    buys most, which raises everybody to the middle before anybody to the top.
//! 4. No tile is raised above what it needs ([`needed`]).
//!
//! **Stable.** A rung above what a slot has now is only taken if the budget covers it with a margin, and not soon after
//! the slot had to step down; one that it has is kept as long as the budget covers it, and preferred to raising another
//! of the same class. So a budget that swings by less than the margin changes nothing twice.
//!
//! **Not optimal.** Who fills a knapsack best would give other tiles more now and then, and would change all of them
//! whenever the budget moves. Steps are tried in one order that does not depend on the budget, so a larger budget gives
//! the first step that a smaller one could not.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use arrayvec::ArrayVec;
use model::{Bitrate, LayerReason};

use crate::choice::{TileSize, needed};

/// Rungs of one ladder: four encodings of four temporal layers, or three by three layers within one encoding.
pub(crate) const RUNGS_MAX: usize = 16;

/// What the budget must hold, in percent of what is used afterwards, before a slot is raised. The estimate of a
/// bandwidth swings by about ±5 % when nothing changes.
const RAISE_PCT: u64 = 115;

/// A picture that is there already is only taken away when everybody's lowest rungs need more than this share of the
/// budget, in percent: the estimate may fall that low for a moment, and a frozen picture needs a key frame to come back.
const SHORTAGE_PCT: u64 = 125;

/// How much more a kept step counts against a new one, in percent: costs of equal tiles differ and change all the time.
const KEPT_PCT: u64 = 150;

/// One way to send a source: an encoding, or the lower layers of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rung {
    /// Index of the encoding in the order of the offer.
    pub encoding: u8,
    /// Highest spatial layer sent; 0 without scalable layers.
    pub spatial: u8,
    /// Highest temporal layer sent.
    pub temporal: u8,
    /// What it costs, with headers.
    pub cost: Bitrate,
    /// Pixels of a picture; 0 while unknown.
    pub area: u64,
    /// Share of the source's pictures that it holds, in percent.
    pub frames_pct: u8,
}

impl Rung {
    /// A whole encoding.
    pub(crate) fn whole(encoding: u8, area: u64, cost: Bitrate) -> Self {
        Self { encoding, spatial: 0, temporal: 0, cost, area, frames_pct: 100 }
    }

    /// What names it, whatever it costs now.
    pub(crate) fn key(&self) -> RungKey {
        (self.encoding, self.spatial, self.temporal)
    }

    /// Pixels, guessed by the cost where they are unknown: encoders spend about two bits a second on each.
    pub(crate) fn pixels(&self) -> u64 {
        if self.area > 0 { self.area } else { self.cost.as_bps() / 2 }
    }

    /// What a tile of so many pixels has of it: the edge of the picture as it is seen, less for fewer pictures a second.
    /// The edge and not the area, so that the first steps are worth most.
    fn value(&self, tile_pixels: u64) -> u64 {
        self.pixels().min(tile_pixels).isqrt() * (50 + u64::from(self.frames_pct) / 2)
    }
}

/// (encoding, spatial layer, temporal layer).
pub(crate) type RungKey = (u8, u8, u8);

/// A rung that a slot could have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Offered {
    pub(crate) rung: Rung,
    /// It comes in, or would if it was asked for.
    pub(crate) available: bool,
    /// It comes in now.
    pub(crate) flowing: bool,
}

impl Offered {
    /// A rung that comes in.
    #[cfg(test)]
    pub(crate) fn new(rung: Rung) -> Self {
        Self { rung, available: true, flowing: true }
    }
}

/// What a slot is to the receiver, the most important first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    Sound,
    /// A shared screen: text that must be read.
    Screen,
    /// Who speaks now, or spoke last.
    Speaker,
    Other,
}

/// An encoding that a receiver asked for, or the lower layers of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) encoding: u8,
    pub(crate) spatial_max: u8,
}

impl Named {
    /// All layers.
    pub(crate) fn whole(encoding: u8) -> Self {
        Self { encoding, spatial_max: u8::MAX }
    }

    fn has(self, rung: &Rung) -> bool {
        rung.encoding == self.encoding && rung.spatial <= self.spatial_max
    }
}

/// What one slot asks for. Lines differ; the order of wishes means nothing.
#[derive(Debug, Clone)]
pub(crate) struct Wish {
    pub(crate) line: u16,
    pub(crate) class: Class,
    pub(crate) tile: TileSize,
    /// What the receiver asked for, by name or by quality.
    pub(crate) requested: Option<Named>,
    pub(crate) offers: ArrayVec<Offered, RUNGS_MAX>,
    /// What the last plan gave it.
    pub(crate) current: Option<RungKey>,
    /// False for a while after it had to step down.
    pub(crate) may_rise: bool,
}

/// What may be sent to a receiver in all, sound too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Budget {
    /// What its path carries; `None` while nothing is known, which is then no bound.
    pub(crate) estimate: Option<Bitrate>,
    /// What it is allowed.
    pub(crate) cap: Option<Bitrate>,
}

impl Budget {
    pub(crate) fn limit(self) -> Option<Bitrate> {
        self.estimate.into_iter().chain(self.cap).min()
    }

    fn reason(self) -> LayerReason {
        match (self.estimate, self.cap) {
            (Some(estimate), Some(cap)) if cap < estimate => LayerReason::Cap,
            (None, Some(_)) => LayerReason::Cap,
            _ => LayerReason::Bandwidth,
        }
    }
}

/// What a slot gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) line: u16,
    pub(crate) rung: Option<Rung>,
    pub(crate) reason: LayerReason,
    /// The encoding that the tile needs and its sender does not send at the moment.
    pub(crate) lacks: Option<u8>,
}

/// What everybody gets, in the order of the wishes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Outcome {
    pub(crate) decisions: Vec<Decision>,
    /// What that costs.
    pub(crate) used: Bitrate,
    /// What it would cost to give everybody what it needs.
    pub(crate) wanted: Bitrate,
}

impl Outcome {
    /// Somebody gets less than it needs for want of budget.
    pub(crate) fn is_limited(&self) -> bool {
        self.decisions.iter().any(|d| matches!(d.reason, LayerReason::Bandwidth | LayerReason::Cap))
    }
}

/// Decides. Cost: slots × rungs, times the logarithm of the slots.
pub(crate) fn allocate(budget: Budget, wishes: &[Wish]) -> Outcome {
    let mut ladders: Vec<Ladder<'_>> = wishes.iter().map(Ladder::new).collect();
    let wanted = total(ladders.iter().filter_map(|l| l.top()));
    match budget.limit() {
        None => ladders.iter_mut().for_each(Ladder::give_top),
        Some(limit) => {
            ladders.iter_mut().filter(|l| l.wish.class == Class::Sound).for_each(Ladder::give_top);
            // Margins are shares of the whole: what swings is the path, not what sound leaves of it.
            let sound = total(ladders.iter().filter_map(|l| l.given()));
            let mut share = Share { budget: limit.as_bps(), used: sound.as_bps() };
            share.give_lowest(&mut ladders);
            share.raise(&mut ladders);
        }
    }
    let decisions = ladders.iter().map(|l| l.decision(budget)).collect();
    Outcome { decisions, used: total(ladders.iter().filter_map(|l| l.given())), wanted }
}

fn total<'a>(rungs: impl Iterator<Item = &'a Rung>) -> Bitrate {
    Bitrate::from_bps(rungs.fold(0, |sum, r| sum.saturating_add(r.cost.as_bps())))
}

/// The rungs that one slot can climb.
struct Ladder<'a> {
    wish: &'a Wish,
    /// From the lowest to what the tile needs. Each is better than the one before, and costs more.
    rungs: ArrayVec<Rung, RUNGS_MAX>,
    /// How many of them are no better than what the slot has now.
    kept: usize,
    /// How many of them it was given: the last of these is sent.
    given: usize,
    tile_pixels: u64,
}

impl<'a> Ladder<'a> {
    fn new(wish: &'a Wish) -> Self {
        let top = wish.top();
        // What was asked for by name is wanted as it is, however small it is shown.
        let shown = if wish.requested.is_some() { top.map_or(0, |t| t.pixels()) } else { 0 };
        let tile_pixels = wish.tile.area().max(shown);
        let mut ladder = Self { wish, rungs: ArrayVec::new(), kept: 0, given: 0, tile_pixels };
        let Some(top) = top else { return ladder };
        let order = |r: &Rung| (r.value(tile_pixels), r.area, r.cost);
        let below =
            |o: &&Offered| o.available && order(&o.rung) < order(&top) && o.rung.pixels() <= top.pixels();
        let mut rungs: ArrayVec<Rung, RUNGS_MAX> = wish.offers.iter().filter(below).map(|o| o.rung).collect();
        rungs.sort_unstable_by_key(|r| Reverse(order(r)));
        let mut cheapest = top.cost;
        let mut climb: ArrayVec<Rung, RUNGS_MAX> = ArrayVec::from_iter([top]);
        for rung in rungs {
            // One that costs as much as a better one is no step.
            if rung.cost < cheapest && !climb.is_full() {
                cheapest = rung.cost;
                climb.push(rung);
            }
        }
        climb.reverse();
        let now = wish.offers.iter().find(|o| Some(o.rung.key()) == wish.current).map(|o| order(&o.rung));
        ladder.kept = now.map_or(0, |now| climb.iter().filter(|r| order(r) <= now).count());
        ladder.rungs = climb;
        ladder
    }

    fn top(&self) -> Option<&Rung> {
        self.rungs.last()
    }

    fn given(&self) -> Option<&Rung> {
        self.rungs.get(self.given.checked_sub(1)?)
    }

    fn give_top(&mut self) {
        self.given = self.rungs.len();
    }

    /// The next step up.
    fn step(&self, index: usize) -> Option<Step> {
        let (now, next) = (self.given()?, self.rungs.get(self.given)?);
        let gain = next.value(self.tile_pixels).saturating_sub(now.value(self.tile_pixels));
        let cost = next.cost.as_bps().saturating_sub(now.cost.as_bps());
        let kept = self.given < self.kept;
        let weight = if kept { KEPT_PCT } else { 100 };
        Some(Step {
            class: Reverse(self.wish.class),
            worth: (gain.saturating_mul(weight) << 16) / cost.max(1),
            tile: self.tile_pixels,
            line: Reverse(self.wish.line),
            index,
            cost,
            kept,
        })
    }

    fn decision(&self, budget: Budget) -> Decision {
        let Wish { line, tile, requested, ref offers, .. } = *self.wish;
        let mut lacks = None;
        let reason = match (self.top(), self.given()) {
            _ if tile.is_hidden() => LayerReason::Hidden,
            (None, _) => LayerReason::Inactive,
            (Some(top), given) if given != Some(top) => budget.reason(),
            (Some(top), _) if requested.is_some_and(|r| r.encoding != top.encoding) => {
                lacks = requested.map(|r| r.encoding);
                LayerReason::Inactive
            }
            _ if requested.is_some() => LayerReason::Requested,
            (Some(top), _) => {
                let ideal = needed(offers, tile, |o| o.available || o.rung.area > 0);
                lacks = ideal.filter(|ideal| ideal.area > top.area).map(|ideal| ideal.encoding);
                if lacks.is_some() { LayerReason::Inactive } else { LayerReason::TileSize }
            }
        };
        Decision { line, rung: self.given().copied(), reason, lacks }
    }
}

impl Wish {
    /// What it gets if bandwidth is no matter.
    fn top(&self) -> Option<Rung> {
        if self.tile.is_hidden() {
            return None;
        }
        let Some(requested) = self.requested else { return needed(&self.offers, self.tile, |o| o.available) };
        let best = |counts: &dyn Fn(&Offered) -> bool| {
            let rungs = self.offers.iter().filter(|o| counts(o)).map(|o| o.rung);
            rungs.max_by_key(|r| (r.area, r.frames_pct, r.cost))
        };
        let named = best(&|o| requested.has(&o.rung))?;
        // While what was asked for by name is silent, the best below it is better than nothing; else it is waited for.
        let comes = self.offers.iter().any(|o| requested.has(&o.rung) && o.available);
        let stand_in = best(&|o| o.available && o.rung.pixels() <= named.pixels());
        if comes { Some(named) } else { stand_in.or(Some(named)) }
    }
}

/// A step of one slot to its next rung. The greatest is tried first.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Step {
    class: Reverse<Class>,
    /// What a bit buys.
    worth: u64,
    tile: u64,
    line: Reverse<u16>,
    index: usize,
    cost: u64,
    kept: bool,
}

/// What there is, and what of it is given away.
struct Share {
    budget: u64,
    used: u64,
}

impl Share {
    fn give_lowest(&mut self, ladders: &mut [Ladder<'_>]) {
        let mut order: Vec<&mut Ladder<'_>> =
            ladders.iter_mut().filter(|l| l.wish.class != Class::Sound).collect();
        order.sort_unstable_by_key(|l| (l.wish.class, Reverse(l.tile_pixels), l.wish.line));
        for ladder in order {
            let Some(lowest) = ladder.rungs.first() else { continue };
            let used = self.used.saturating_add(lowest.cost.as_bps());
            let pct = if ladder.wish.current.is_some() { SHORTAGE_PCT } else { 100 };
            if used.saturating_mul(100) <= self.budget.saturating_mul(pct) {
                self.used = used;
                ladder.given = 1;
            }
        }
    }

    fn raise(&mut self, ladders: &mut [Ladder<'_>]) {
        let pictures = ladders.iter().enumerate().filter(|(_, l)| l.wish.class != Class::Sound);
        let mut steps: BinaryHeap<Step> = pictures.filter_map(|(index, l)| l.step(index)).collect();
        // Each step is tried once; a slot whose step does not fit stays where it is.
        while let Some(step) = steps.pop() {
            let Some(ladder) = ladders.get_mut(step.index) else { continue };
            let used = self.used.saturating_add(step.cost);
            let fits = if step.kept {
                used <= self.budget
            } else {
                ladder.wish.may_rise && used.saturating_mul(RAISE_PCT) <= self.budget.saturating_mul(100)
            };
            if fits {
                self.used = used;
                ladder.given += 1;
                steps.extend(ladder.step(step.index));
            }
        }
    }
}

#[cfg(test)]
mod tests;
