//! The unit itself: what it holds, and its face towards the shell.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use model::datagram::{Outbox, Protocol, Transport};
use model::unit::{Source, UnitFact};
use model::{MeetingId, PeerId, UnitId};
use rtc::{Endpoint, Entropy, Feedback, Identity, Local, NtpClock};
use rustc_hash::FxHashMap;
use slab::Slab;

use crate::counters::Counters;
use crate::fanout::Switched;
use crate::peer::Peer;
use crate::periodic;
use crate::plan::LayerChange;
use crate::relay::Relays;
use crate::speakers::Speakers;
use crate::timer_wheel::TimerWheel;
use crate::track::Track;

/// What a unit must know.
#[derive(Debug)]
pub struct Config {
    /// Which it is; ICE user names begin with it.
    pub unit: UnitId,
    /// Peers it takes at most.
    pub peers_max: usize,
    /// Our addresses, as clients are told.
    pub candidates: Vec<(Protocol, SocketAddr)>,
    /// Our certificate.
    pub identity: Identity,
    /// The wall clock, for sender reports.
    pub clock: NtpClock,
}

/// A selective forwarding unit.
///
/// Every method takes the time; nothing here reads a clock. What is to be sent lies in the [`Unit::outbox`], what the
/// rooms should know comes from [`Unit::poll_fact`].
pub struct Unit {
    pub(crate) id: UnitId,
    pub(crate) local: Local,
    pub(crate) peers_max: usize,
    pub(crate) entropy: Entropy,
    pub(crate) peers: Slab<Peer>,
    pub(crate) tracks: Slab<Track>,
    pub(crate) by_id: FxHashMap<PeerId, u32>,
    pub(crate) by_transport: FxHashMap<Transport, u32>,
    pub(crate) by_ufrag: FxHashMap<String, u32>,
    pub(crate) by_source: FxHashMap<Source, u32>,
    pub(crate) rooms: FxHashMap<MeetingId, Room>,
    pub(crate) timers: TimerWheel<usize>,
    pub(crate) next_tick: Instant,
    /// (track, encoding) pairs with packets of this pass.
    pub(crate) touched: Vec<(u32, u8)>,
    /// Peers with work in this pass.
    pub(crate) dirty: Vec<u32>,
    /// Slots that began to show another encoding in this pass.
    pub(crate) switched: Vec<Switched>,
    /// Encodings whose key frames somebody waits for.
    pub(crate) key_frames_wanted: Vec<(u32, u8)>,
    /// Peers that are to be planned for.
    pub(crate) plans_due: Vec<u32>,
    /// Tracks of which more may be looked at than their senders were told.
    pub(crate) demand_due: Vec<u32>,
    /// What changed in plans lately, oldest first.
    pub(crate) layer_changes: VecDeque<LayerChange>,
    pub(crate) relays: Relays,
    pub(crate) feedback: Vec<Feedback>,
    pub(crate) outbox: Outbox,
    pub(crate) facts: VecDeque<UnitFact>,
    pub(crate) counters: Counters,
}

/// What a unit knows of a room.
#[derive(Debug, Default)]
pub(crate) struct Room {
    pub(crate) peers: u32,
    pub(crate) speakers: Speakers,
    /// Who speaks of those on all units, where the room is on several.
    pub(crate) speaking: Option<PeerId>,
    /// Tracks from which sound was heard lately.
    pub(crate) voices: Vec<u32>,
}

impl std::fmt::Debug for Unit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Unit")
            .field("peers", &self.peers.len())
            .field("tracks", &self.tracks.len())
            .finish_non_exhaustive()
    }
}

impl Unit {
    /// A unit without peers. `entropy` fills a buffer from a cryptographic source.
    pub fn new(now: Instant, config: Config, mut entropy: Entropy) -> Self {
        let mut first_handle = [0; 4];
        entropy(&mut first_handle);
        Self {
            id: config.unit,
            local: Local {
                identity: config.identity,
                candidates: config.candidates,
                clock: config.clock,
                ufrag_prefix: format!("u{}", config.unit.0),
            },
            peers_max: config.peers_max,
            entropy,
            peers: Slab::new(),
            tracks: Slab::new(),
            by_id: FxHashMap::default(),
            by_transport: FxHashMap::default(),
            by_ufrag: FxHashMap::default(),
            by_source: FxHashMap::default(),
            rooms: FxHashMap::default(),
            timers: TimerWheel::new(now),
            next_tick: now + periodic::TICK,
            touched: Vec::new(),
            dirty: Vec::new(),
            switched: Vec::new(),
            key_frames_wanted: Vec::new(),
            plans_due: Vec::new(),
            demand_due: Vec::new(),
            layer_changes: VecDeque::new(),
            relays: Relays::new(now, u32::from_be_bytes(first_handle)),
            feedback: Vec::new(),
            outbox: Outbox::default(),
            facts: VecDeque::new(),
            counters: Counters::default(),
        }
    }

    /// What is to be sent now. The shell sends it and clears it.
    pub fn outbox(&mut self) -> &mut Outbox {
        &mut self.outbox
    }

    /// What the rooms should know.
    pub fn poll_fact(&mut self) -> Option<UnitFact> {
        self.facts.pop_front()
    }

    /// When to call [`Unit::handle_timeout`] at the latest.
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.peers.is_empty() && self.relays.is_empty() {
            return None;
        }
        Some(self.timers.next_deadline().map_or(self.next_tick, |at| at.min(self.next_tick)))
    }

    /// Peers now.
    pub fn peer_count(&self) -> usize {
        self.peers.len()
    }

    /// Whether nothing is left of any peer: no track, no transport, no timer.
    pub fn is_empty(&self) -> bool {
        self.peers.is_empty()
            && self.tracks.is_empty()
            && self.rooms.is_empty()
            && self.by_id.is_empty()
            && self.by_source.is_empty()
            && self.by_ufrag.is_empty()
            && self.by_transport.is_empty()
            && self.relays.is_empty()
    }

    /// All peers.
    pub fn peer_ids(&self) -> impl Iterator<Item = PeerId> {
        self.peers.iter().map(|(_, p)| p.id)
    }

    /// Totals.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Schedules the peer's next deadline.
    pub(crate) fn reschedule(&mut self, now: Instant, peer: u32) {
        let Some(known) = self.peers.get(peer as usize) else { return };
        let deadlines = [known.endpoint.poll_timeout(), known.pacer.deadline];
        let Some(deadline) = deadlines.into_iter().flatten().min() else { return };
        reschedule(&mut self.timers, now, peer, deadline);
    }

    /// Takes the events of a peer's connection, after anything that may have made some.
    pub(crate) fn take_events(&mut self, now: Instant, peer: u32) {
        while let Some(event) = self.peers.get_mut(peer as usize).and_then(|p| p.endpoint.poll_event()) {
            self.handle_event(now, peer, event);
        }
        self.follow_bandwidth(now, peer);
        self.reschedule(now, peer);
    }

    fn handle_event(&mut self, now: Instant, peer: u32, event: rtc::Event) {
        let Some(known) = self.peers.get_mut(peer as usize) else { return };
        let id = known.id;
        match event {
            rtc::Event::Connected => {
                let after = now.saturating_duration_since(known.offered_at);
                let after_ms = u32::try_from(after.as_millis()).unwrap_or(u32::MAX);
                self.facts.push_back(UnitFact::Connected { peer: id, after_ms });
                self.restart_slots(now, peer);
            }
            rtc::Event::PathLost => self.facts.push_back(UnitFact::PathLost { peer: id }),
            rtc::Event::PathRestored => {
                self.facts.push_back(UnitFact::PathRestored { peer: id });
                self.restart_slots(now, peer);
            }
            rtc::Event::Failed(reason) => {
                if !std::mem::replace(&mut known.failed, true) {
                    self.facts.push_back(UnitFact::Failed { peer: id, reason: reason.to_string() });
                }
            }
        }
    }

    pub(crate) fn endpoint(&mut self, peer: u32) -> Option<&mut Endpoint> {
        self.peers.get_mut(peer as usize).map(|p| &mut p.endpoint)
    }
}

/// What is due later than this can wait for others: reports, and the ends of connections.
const FAR: Duration = Duration::from_millis(500);
/// They are due at multiples of this: a thousand peers wake the thread 20 times a second for their reports.
const FAR_GRID: Duration = Duration::from_millis(50);

/// Moves a peer's timer if it must ring earlier than it would. One that rings too early finds nothing to do and is set
/// anew, which is cheaper than moving it at each packet.
pub(crate) fn reschedule(timers: &mut TimerWheel<usize>, now: Instant, peer: u32, deadline: Instant) {
    // Never at once: a pass that made the deadline has just looked at the peer.
    let mut deadline = deadline.max(now + Duration::from_millis(1));
    if deadline > now + FAR {
        deadline = timers.next_multiple(deadline, FAR_GRID);
    }
    let key = peer as usize;
    if timers.deadline(key).is_none_or(|scheduled| deadline < scheduled) {
        timers.schedule(key, deadline);
    }
}
