//! Relays: what a sender on one unit (*home*) sends reaches receivers on others (*far*).
//!
//! A far unit that somebody binds a source of another unit to *subscribes* it, with the encodings that are looked at
//! there: demand goes up one hop more. Home answers with what the source is (*announce*), and sends each wanted packet
//! once to each far unit, in clear, as it came. The far unit takes it in as if it came from the sender: history, layer
//! choice, repair and congestion control are its own.
//!
//! All of it is soft state. Subscriptions are repeated and end when they are not; so is word of the source. A message
//! that is lost, doubled or late does no harm, and a unit that begins anew is subscribed again by itself.

mod far;
mod frame;
mod home;
mod layers;
mod order;
mod words;

use std::time::{Duration, Instant};

use model::{Codec, MeetingId, UnitId};
use rustc_hash::FxHashMap;

use crate::track::Track;
use crate::unit::Unit;
use frame::{Crosses, Frame};
pub(crate) use layers::Layers;
use layers::{Crossing, Wish};
pub(crate) use order::Order;
use words::Control;

/// Subscriptions and announcements are repeated so often.
const REFRESH: Duration = Duration::from_secs(1);
/// What is not repeated for so long is over: three repetitions and a bit.
const LEASE: Duration = Duration::from_millis(3_500);
/// Bytes that may wait for one unit. A pass of 4 Gbit/s makes half a megabyte; a shell that does not fetch them is stuck.
const BATCH_BYTES_MAX: usize = 4 << 20;
/// Control messages have room beyond what packets may fill.
const CONTROL_BYTES_MAX: usize = 2 * BATCH_BYTES_MAX;

/// A track of this unit's peers that another unit receives.
#[derive(Debug, Clone)]
pub(crate) struct Relay {
    unit: UnitId,
    /// The other unit's name for it.
    handle: u32,
    meeting: MeetingId,
    /// One bit for each encoding that is wanted there. Sound always is.
    encodings: u32,
    /// What of one that is scalable.
    crossing: Crossing,
    /// Those that all receivers there can decode; empty: any.
    codecs: Vec<Codec>,
    /// Its sender is in the room of those who receive it.
    allowed: bool,
    until: Instant,
}

/// Where a track that is received from another unit comes from.
#[derive(Debug)]
pub(crate) struct Far {
    unit: UnitId,
    /// Our name for it towards that unit.
    handle: u32,
    /// The room of those who receive it here.
    pub(crate) meeting: MeetingId,
    encodings: u32,
    wish: Wish,
    codecs: Vec<Codec>,
    /// Of what was announced.
    digest: u64,
    heard_at: Instant,
}

/// The encodings of a track that other units look at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RelayedTo(u32);

impl RelayedTo {
    pub(crate) fn of(track: &Track) -> Self {
        Self(track.relays.iter().filter(|r| r.allowed).fold(0, |all, r| all | r.encodings))
    }

    pub(crate) fn includes(self, encoding: u8) -> bool {
        self.0 & bit(encoding) != 0
    }
}

/// Of so many encodings, each has a bit; senders have far fewer.
fn bit(encoding: u8) -> u32 {
    1u32.checked_shl(encoding.into()).unwrap_or(0)
}

/// Everything of a unit that concerns other units.
#[derive(Debug)]
pub(crate) struct Relays {
    outgoing: Vec<(UnitId, Vec<u8>)>,
    /// Tracks that come from other units.
    by_handle: FxHashMap<u32, u32>,
    /// Tracks that go to other units.
    by_subscriber: FxHashMap<(UnitId, u32), u32>,
    next_handle: u32,
    next_refresh: Instant,
}

impl Relays {
    /// `first_handle` is random, so that those of a unit that began anew are not taken for those of before.
    pub(crate) fn new(now: Instant, first_handle: u32) -> Self {
        Self {
            outgoing: Vec::new(),
            by_handle: FxHashMap::default(),
            by_subscriber: FxHashMap::default(),
            next_handle: first_handle,
            next_refresh: now + REFRESH,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.by_handle.is_empty() && self.by_subscriber.is_empty()
    }

    fn draw_handle(&mut self) -> u32 {
        self.next_handle = self.next_handle.wrapping_add(1);
        self.next_handle
    }

    fn batch(&mut self, unit: UnitId, bytes_max: usize) -> Option<&mut Vec<u8>> {
        let place = match self.outgoing.iter().position(|(to, _)| *to == unit) {
            Some(place) => place,
            None => {
                self.outgoing.push((unit, Vec::new()));
                self.outgoing.len() - 1
            }
        };
        self.outgoing.get_mut(place).map(|(_, batch)| batch).filter(|batch| batch.len() < bytes_max)
    }

    fn say(&mut self, unit: UnitId, control: &Control) {
        if let Some(batch) = self.batch(unit, CONTROL_BYTES_MAX) {
            frame::write_control(batch, control);
        }
    }

    /// False: there is no room.
    fn push(&mut self, now: Instant, relay: &Relay, encoding: u8, packet: &Crosses<'_>) -> bool {
        let Some(batch) = self.batch(relay.unit, BATCH_BYTES_MAX) else { return false };
        frame::write_packet(now, batch, relay.handle, encoding, packet);
        true
    }
}

impl Unit {
    /// What is to go to another unit: which, and a batch for its [`Unit::handle_relay`]. Batches of two units must stay
    /// in their order; one that is lost is repaired like a lost datagram.
    pub fn poll_relay(&mut self) -> Option<(UnitId, Vec<u8>)> {
        let place = self.relays.outgoing.iter().rposition(|(_, batch)| !batch.is_empty())?;
        self.relays.outgoing.get_mut(place).map(|(unit, batch)| (*unit, std::mem::take(batch)))
    }

    /// Takes a batch of another unit. What is damaged in it is counted, and the rest of the batch is passed over.
    pub fn handle_relay(&mut self, now: Instant, from: UnitId, batch: &[u8]) {
        for frame in frame::read(batch) {
            match frame {
                Some(Frame::Packet(packet)) => self.take_relayed(now, from, &packet),
                Some(Frame::Control(control)) => self.handle_control(now, from, control),
                None => {
                    self.counters.relay_garbage += 1;
                    break;
                }
            }
        }
        self.make_plans(now);
        self.request_key_frames(now);
    }

    fn handle_control(&mut self, now: Instant, from: UnitId, control: Control) {
        match control {
            Control::Subscribe(subscription) => self.handle_subscribe(now, from, subscription),
            Control::Unsubscribe { handle } => self.handle_unsubscribe(from, handle),
            Control::KeyFrame { handle, encoding, urgent } => {
                self.handle_relayed_wish(from, handle, encoding, urgent);
            }
            Control::Resend { handle, encoding, sequences } => {
                self.handle_resend(now, from, handle, encoding, &sequences);
            }
            Control::Announce { handle, digest, media } => {
                self.handle_announce(now, from, handle, digest, media);
            }
            Control::Alive { handle } => self.handle_alive(now, from, handle),
        }
    }

    /// Repeats what is to be repeated, and ends what was not.
    pub(crate) fn tick_relays(&mut self, now: Instant) {
        if self.relays.next_refresh > now || self.relays.is_empty() {
            return;
        }
        self.relays.next_refresh = now + REFRESH;
        self.refresh_far(now);
        self.expire_relays(now);
    }
}
