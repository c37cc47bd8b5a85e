//! What one participant receives: its m-lines, what is bound to them, and what the unit was told of that.

use std::collections::BTreeMap;

use model::unit::{ReceiveSlot, Source};
use model::{
    LayerReason, MediaKind, Mid, ParticipantId, ReceiveQuality, Rid, Semantic, StreamId, UnitId, limits,
};

use crate::stage::Seat;
use crate::{SavedSeat, SavedSlot};

/// What a slot is to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Binding {
    pub(crate) producer: ParticipantId,
    pub(crate) stream: StreamId,
    pub(crate) rid: Option<Rid>,
}

/// What the unit is to send on a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Wanted {
    pub(crate) source: Option<Source>,
    /// The unit that the source is on; `None`: the receiver's own.
    pub(crate) home: Option<UnitId>,
    pub(crate) rid: Option<Rid>,
}

/// Width and height at which a client shows a slot, and what it chose.
pub(crate) type Size = (u16, u16, Option<ReceiveQuality>);

/// A receiving m-line.
#[derive(Debug, Clone)]
pub(crate) struct Slot {
    pub(crate) kind: MediaKind,
    semantic: Semantic,
    pub(crate) binding: Option<Binding>,
    /// It follows this seat of the stage, whoever has it: `binding` is who has it now.
    pub(crate) seat: Option<Seat>,
    /// Grows with each slot that becomes free: the smallest has been free longest.
    free_since: u64,
    /// How the client shows it; `None` while it has not said.
    size: Option<Size>,
    /// What the unit says that it sends.
    pub(crate) shown_rid: Option<Rid>,
    pub(crate) spatial: Option<u8>,
    pub(crate) active: bool,
    pub(crate) reason: LayerReason,
    /// What the unit was told last; a unit starts with nothing bound.
    sent: Wanted,
    size_sent: Option<Size>,
}

/// The slots of one participant.
#[derive(Debug, Default)]
pub(crate) struct Slots {
    by_mid: BTreeMap<Mid, Slot>,
    /// Bindings of m-lines that the participant's present peer connection has not offered (yet): they come to life with
    /// the m-line. At most [`limits::MEDIA_LINES_MAX`].
    dormant: BTreeMap<Mid, (MediaKind, Binding)>,
    /// As `dormant`, for slots that follow the stage.
    dormant_seats: BTreeMap<Mid, Seat>,
    ticks: u64,
}

impl Slots {
    pub(crate) fn restored(saved: &[SavedSlot], seats: &[SavedSeat]) -> Self {
        let dormant = saved
            .iter()
            .take(limits::MEDIA_LINES_MAX)
            .map(|s| (s.mid, (s.kind, Binding { producer: s.producer, stream: s.stream, rid: s.rid })));
        let seats = seats.iter().take(limits::MEDIA_LINES_MAX).map(|s| (s.mid, s.seat));
        Self { dormant: dormant.collect(), dormant_seats: seats.collect(), ..Self::default() }
    }

    pub(crate) fn saved(&self) -> Vec<SavedSlot> {
        let live = self.by_mid.iter().filter(|(_, s)| s.seat.is_none());
        let live = live.filter_map(|(mid, s)| Some((*mid, s.kind, s.binding?)));
        let dormant = self.dormant.iter().map(|(mid, (kind, binding))| (*mid, *kind, *binding));
        let saved =
            |(mid, kind, Binding { producer, stream, rid })| SavedSlot { mid, kind, producer, stream, rid };
        live.chain(dormant).map(saved).collect()
    }

    pub(crate) fn saved_seats(&self) -> Vec<SavedSeat> {
        let live = self.by_mid.iter().filter_map(|(mid, s)| Some((*mid, s.seat?)));
        let dormant = self.dormant_seats.iter().map(|(mid, seat)| (*mid, *seat));
        live.chain(dormant).map(|(mid, seat)| SavedSeat { mid, seat }).collect()
    }

    pub(crate) fn get(&self, mid: Mid) -> Option<&Slot> {
        self.by_mid.get(&mid)
    }

    pub(crate) fn get_mut(&mut self, mid: Mid) -> Option<&mut Slot> {
        self.by_mid.get_mut(&mid)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Mid, &Slot)> {
        self.by_mid.iter().map(|(mid, slot)| (*mid, slot))
    }

    /// Takes over which m-lines there are now. `fresh`: of a new peer connection, to which nothing is bound yet.
    pub(crate) fn apply(&mut self, offered: Vec<ReceiveSlot>, fresh: bool) {
        if fresh {
            self.forget_sent();
        }
        let mut former = std::mem::take(&mut self.by_mid);
        for line in offered.into_iter().take(limits::MEDIA_LINES_MAX) {
            let slot = match former.remove(&line.mid) {
                Some(slot) if slot.kind == line.kind => Slot { semantic: line.semantic, ..slot },
                _ => self.new_slot(&line),
            };
            self.by_mid.insert(line.mid, slot);
        }
        // A new peer connection may offer the rest of its lines later; on the same one, a line that is gone is gone.
        if fresh {
            let seated = former.iter().filter_map(|(mid, slot)| Some((*mid, slot.seat?)));
            let space = limits::MEDIA_LINES_MAX.saturating_sub(self.dormant_seats.len());
            self.dormant_seats.extend(seated.take(space));
            let bound = former.into_iter().filter(|(_, slot)| slot.seat.is_none());
            let bound = bound.filter_map(|(mid, slot)| Some((mid, (slot.kind, slot.binding?))));
            let space = limits::MEDIA_LINES_MAX.saturating_sub(self.dormant.len());
            self.dormant.extend(bound.take(space));
        }
    }

    /// The free slot for a stream of this kind: of those meant for its semantic, else of all, the one free longest.
    pub(crate) fn pick(&self, kind: MediaKind, semantic: Semantic) -> Option<Mid> {
        let free = self.by_mid.iter().filter(|(_, s)| s.kind == kind && s.is_free());
        free.min_by_key(|(_, s)| (s.semantic != semantic, s.free_since)).map(|(mid, _)| *mid)
    }

    pub(crate) fn bind(&mut self, mid: Mid, binding: Binding) {
        if let Some(slot) = self.by_mid.get_mut(&mid) {
            slot.binding = Some(binding);
            slot.seat = None;
        }
    }

    /// The slot follows a seat of the stage from here on.
    pub(crate) fn seat(&mut self, mid: Mid, seat: Seat) {
        if let Some(slot) = self.by_mid.get_mut(&mid) {
            slot.binding = None;
            slot.seat = Some(seat);
        }
    }

    /// Who has the seat that a slot follows.
    pub(crate) fn follow(&mut self, mid: Mid, binding: Option<Binding>) {
        if let Some(slot) = self.by_mid.get_mut(&mid).filter(|s| s.seat.is_some()) {
            slot.binding = binding;
        }
    }

    /// Frees a slot, or forgets what would come to life on a line that is not there yet. False: nothing was bound.
    pub(crate) fn free(&mut self, mid: Mid) -> bool {
        let was_dormant = self.dormant.remove(&mid).is_some() | self.dormant_seats.remove(&mid).is_some();
        let Some(slot) = self.by_mid.get_mut(&mid).filter(|s| !s.is_free()) else {
            return was_dormant;
        };
        slot.binding = None;
        slot.seat = None;
        self.ticks += 1;
        slot.free_since = self.ticks;
        true
    }

    /// Frees all slots with such a binding. False: there was none.
    pub(crate) fn free_where(&mut self, gone: impl Fn(&Binding) -> bool) -> bool {
        let bound = self.by_mid.iter().filter(|(_, s)| s.binding.as_ref().is_some_and(&gone));
        let mids: Vec<Mid> = bound.map(|(mid, _)| *mid).collect();
        self.dormant.retain(|_, (_, binding)| !gone(binding));
        for mid in &mids {
            // A seat stays, whoever leaves it.
            match self.by_mid.get_mut(mid).filter(|s| s.seat.is_some()) {
                Some(seated) => seated.binding = None,
                None => {
                    self.free(*mid);
                }
            }
        }
        !mids.is_empty()
    }

    /// Notes what the client shows; lines that do not exist are ignored.
    pub(crate) fn resize(&mut self, mid: Mid, size: Size) {
        if let Some(slot) = self.by_mid.get_mut(&mid) {
            slot.size = Some(size);
        }
    }

    /// Sizes that the unit has not been told; they count as told.
    pub(crate) fn take_resized(&mut self) -> Vec<(Mid, Size)> {
        let mut resized = Vec::new();
        for (mid, slot) in &mut self.by_mid {
            if let Some(size) = slot.size.filter(|_| slot.size != slot.size_sent) {
                slot.size_sent = Some(size);
                resized.push((*mid, size));
            }
        }
        resized
    }

    /// Whether the unit must be told this of a slot; it counts as told.
    pub(crate) fn take_rebound(&mut self, mid: Mid, wanted: Wanted) -> bool {
        self.by_mid.get_mut(&mid).is_some_and(|slot| std::mem::replace(&mut slot.sent, wanted) != wanted)
    }

    /// The unit forgot what it was told of all slots.
    pub(crate) fn forget_sent(&mut self) {
        self.by_mid.values_mut().for_each(Slot::forget_sent);
    }

    /// The unit forgot the source of such bindings. False: there was none.
    pub(crate) fn forget_sent_where(&mut self, gone: impl Fn(&Binding) -> bool) -> bool {
        let mut found = false;
        for slot in self.by_mid.values_mut().filter(|s| s.binding.as_ref().is_some_and(&gone)) {
            slot.sent = Wanted::default();
            slot.show_nothing();
            found = true;
        }
        found
    }

    /// Nothing comes of such bindings any more, whatever the unit was told. False: there was none.
    pub(crate) fn silence_where(&mut self, gone: impl Fn(&Binding) -> bool) -> bool {
        let mut found = false;
        for slot in self.by_mid.values_mut().filter(|s| s.binding.as_ref().is_some_and(&gone)) {
            slot.show_nothing();
            found = true;
        }
        found
    }

    fn new_slot(&mut self, line: &ReceiveSlot) -> Slot {
        self.ticks += 1;
        let woken = self.dormant.remove(&line.mid).filter(|(kind, _)| *kind == line.kind);
        Slot {
            kind: line.kind,
            semantic: line.semantic,
            binding: woken.map(|(_, binding)| binding),
            seat: self.dormant_seats.remove(&line.mid).filter(|s| s.kind == line.kind),
            free_since: self.ticks,
            size: None,
            shown_rid: None,
            spatial: None,
            active: false,
            reason: LayerReason::default(),
            sent: Wanted::default(),
            size_sent: None,
        }
    }
}

impl Slot {
    fn is_free(&self) -> bool {
        self.binding.is_none() && self.seat.is_none()
    }

    fn forget_sent(&mut self) {
        self.sent = Wanted::default();
        self.size_sent = None;
        self.show_nothing();
    }

    fn show_nothing(&mut self) {
        self.shown_rid = None;
        self.spatial = None;
        self.active = false;
        self.reason = LayerReason::default();
    }
}
