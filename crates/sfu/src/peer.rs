//! One participant on this unit: its connection, what it sends, and what it is sent.

use std::time::Instant;

use model::{Bitrate, MeetingId, PeerId};
use rtc::{Bandwidth, Endpoint};

use crate::allocate::Budget;
use crate::capture::SenderClock;
use crate::pacer::Pacer;
use crate::plan::Plan;
use crate::slot::Slot;

/// Three voices with redundancy take as much. Sound must not be what fills a path.
const NARROW: Bitrate = Bitrate::from_kbps(150);
/// From this share of lost packets on, redundancy is worth its place on any path: Opus hides what is lost below.
const LOSSY: f32 = 0.03;

/// A slot has something to send in this pass.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Work {
    pub(crate) line: u16,
    pub(crate) track: u32,
    pub(crate) encoding: u8,
}

/// The path carries little, and most of that arrives: redundancy of sound would cost more than it helps.
pub(crate) fn is_narrow(bandwidth: &Bandwidth) -> bool {
    bandwidth.target.is_some_and(|target| target < NARROW) && bandwidth.loss < LOSSY
}

#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) id: PeerId,
    pub(crate) meeting: MeetingId,
    pub(crate) endpoint: Endpoint,
    /// By index of the m-line; `None` where nothing can be sent.
    pub(crate) slots: Vec<Option<Slot>>,
    /// By index of the m-line: the track that is received there.
    pub(crate) tracks: Vec<Option<u32>>,
    /// What is to be done in this pass.
    pub(crate) work: Vec<Work>,
    pub(crate) pacer: Pacer,
    /// The clock of what it sends.
    pub(crate) clock: SenderClock,
    /// What it may be sent in all.
    pub(crate) cap: Option<Bitrate>,
    /// What was decided last.
    pub(crate) plan: Plan,
    /// What that depends on has changed.
    pub(crate) plan_due: bool,
    pub(crate) offered_at: Instant,
    /// The connection is over, and the room was told.
    pub(crate) failed: bool,
}

impl Peer {
    pub(crate) fn slot_mut(&mut self, line: u16) -> Option<&mut Slot> {
        self.slots.get_mut(usize::from(line))?.as_mut()
    }

    pub(crate) fn slot(&self, line: u16) -> Option<&Slot> {
        self.slots.get(usize::from(line))?.as_ref()
    }

    /// What it can be sent.
    pub(crate) fn budget(&self) -> Budget {
        Budget { estimate: self.endpoint.bandwidth().target, cap: self.cap }
    }
}
