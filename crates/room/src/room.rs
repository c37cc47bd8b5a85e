use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt;
use std::time::{Duration, Instant};

use model::unit::UnitCommand;
use model::{MeetingId, ParticipantId, PeerId, StreamId, UnitId, limits};
use tracing::info;
use wire::server::{GoodbyeReason, Speaker};
use wire::{CloseCode, Envelope, ServerMessage};

use crate::chat::Chat;
use crate::coalesce::Coalesce;
use crate::homes::Units;
use crate::line_up::LineUp;
use crate::offers::Asked;
use crate::participant::{Participant, Path};
use crate::slots::Slots;
use crate::speakers::Voices;
use crate::stage::Stage;
use crate::streams::Streams;
use crate::{Effect, OfferToken, Recipient, RoomFact, SavedParticipant, Snapshot};

/// How long a room is kept when the last participant has left. Its chat goes with it, so it outlives a page reload.
pub const EMPTY_ROOM_TIME: Duration = Duration::from_secs(60);

/// Removed participants that a room itself remembers. The platform's records know all of them; this is for those whose
/// removal and coming cross.
pub(crate) const REMOVED_MAX: usize = 1_000;

/// How often a room with people in it is written down though nothing has changed, so that the age of a snapshot says
/// how long the room has not been running.
const PERSIST_ALIVE_INTERVAL: Duration = Duration::from_secs(60);

/// Draws bytes from a cryptographic source, for stream ids.
pub type Entropy = Box<dyn FnMut() -> [u8; 10] + Send>;

/// The time, as a room is told it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// For everything that lasts or is due.
    pub at: Instant,
    /// Milliseconds since 1970, UTC: for what people read.
    pub unix_ms: u64,
}

/// What a room is made with.
#[derive(Debug, Clone)]
pub struct Config {
    /// Which meeting this is.
    pub meeting: MeetingId,
    /// Program and version, as clients are told.
    pub server: String,
}

/// The state machine of one meeting.
pub struct Room {
    pub(crate) config: Config,
    pub(crate) entropy: Entropy,
    pub(crate) participants: BTreeMap<ParticipantId, Participant>,
    pub(crate) participant_by_peer: HashMap<PeerId, ParticipantId>,
    /// The units that its people are on.
    pub(crate) units: Units,
    pub(crate) removed: VecDeque<ParticipantId>,
    pub(crate) last_order: u32,
    pub(crate) chat: Chat,
    pub(crate) speakers: Vec<Speaker>,
    pub(crate) voices: Voices,
    pub(crate) stage: Stage,
    pub(crate) line_up: LineUp,
    /// Somebody who could be on stage came, went, spoke or was muted, or a slot follows it newly.
    pub(crate) stage_changed: bool,
    /// Offers that the unit has, by token.
    pub(crate) asked: BTreeMap<OfferToken, Asked>,
    pub(crate) last_token: u64,
    /// Grows with each change of the roster, from 1.
    pub(crate) roster_version: u64,
    pub(crate) roster: Coalesce,
    pub(crate) members: Coalesce,
    pub(crate) slots: Coalesce,
    pub(crate) persist: Coalesce,
    pub(crate) phase: Phase,
    pub(crate) started: bool,
    pub(crate) empty_since: Option<Instant>,
    pub(crate) effects: VecDeque<Effect>,
}

/// Whether anybody can be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Open,
    Ended,
    Stopped,
}

impl fmt::Debug for Room {
    /// Without what people wrote.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { config, participants, phase, .. } = self;
        write!(f, "Room {{ {config:?}, {phase:?}, participants: {participants:?} }}")
    }
}

impl Room {
    /// A room that nobody has come to yet.
    pub fn new(now: Now, config: Config, entropy: Entropy) -> Self {
        Self::restore(now, config, entropy, &Snapshot::default())
    }

    /// The room of a snapshot. Its participants are awaited for the grace time; their streams are back when their
    /// offers are answered, and with them what was bound.
    pub fn restore(now: Now, config: Config, entropy: Entropy, snapshot: &Snapshot) -> Self {
        let saved = snapshot.participants.iter().take(limits::PARTICIPANTS_MAX);
        let participants: BTreeMap<_, _> = saved.map(|p| (p.id, restored(now.at, p))).collect();
        let mut room = Self {
            config,
            entropy,
            participant_by_peer: HashMap::new(),
            units: Units::default(),
            removed: snapshot.removed.iter().rev().take(REMOVED_MAX).rev().copied().collect(),
            last_order: snapshot.last_order,
            chat: Chat::continued(snapshot.last_chat_number),
            speakers: Vec::new(),
            voices: Voices::default(),
            stage: Stage::default(),
            line_up: LineUp::default(),
            stage_changed: false,
            asked: BTreeMap::new(),
            last_token: 0,
            roster_version: 1,
            roster: Coalesce::default(),
            members: Coalesce::default(),
            slots: Coalesce::default(),
            persist: Coalesce::default(),
            phase: Phase::Open,
            started: !participants.is_empty(),
            empty_since: participants.is_empty().then_some(now.at),
            participants,
            effects: VecDeque::new(),
        };
        // Bindings to those who are not in the snapshot can never come to life.
        let ids: Vec<ParticipantId> = room.participants.keys().copied().collect();
        for participant in room.participants.values_mut() {
            participant.slots.free_where(|b| ids.binary_search(&b.producer).is_err());
        }
        room
    }

    /// Whether this participant is there or on its way back.
    pub fn holds(&self, participant: ParticipantId) -> bool {
        self.participants.contains_key(&participant)
    }

    /// The room will do nothing any more and can be dropped.
    pub fn is_over(&self, now: Instant) -> bool {
        self.phase != Phase::Open || self.empty_since.is_some_and(|since| since + EMPTY_ROOM_TIME <= now)
    }

    /// What is to be done next.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// When [`Room::handle_timeout`] is due, or, in an empty room, when [`Room::is_over`] turns true. Cost: one pass
    /// over the participants.
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.phase != Phase::Open {
            return None;
        }
        let people = self.participants.values().filter_map(Participant::timeout).min();
        let sendings = [&self.roster, &self.members, &self.slots, &self.persist, &self.line_up.sending];
        let sendings = sendings.map(Coalesce::due);
        let empty = self.empty_since.map(|since| since + EMPTY_ROOM_TIME);
        sendings.into_iter().chain([people, empty, self.stage.due()]).flatten().min()
    }

    /// Does what is due. Calling too early is harmless.
    pub fn handle_timeout(&mut self, now: Now) {
        if self.phase != Phase::Open {
            return;
        }
        let due = |at: Option<Instant>| at.is_some_and(|at| at <= now.at);
        let timed = self.participants.iter().filter(|(_, p)| due(p.timeout()));
        let timed: Vec<ParticipantId> = timed.map(|(id, _)| *id).collect();
        for id in timed {
            if self.participants.get(&id).is_some_and(|p| due(p.grace_until)) {
                info!(meeting = %self.config.meeting, participant = %id, "did not come back");
                self.leave(now, id);
            } else {
                self.ask_to_reoffer(now, id);
            }
        }
        if due(self.stage.due()) {
            self.stage.reconsider(now.at);
            self.stage_changed = true;
        }
        self.finish(now);
    }

    /// The meeting is over for good.
    pub fn handle_end(&mut self, now: Now) {
        if self.phase != Phase::Open {
            return;
        }
        info!(meeting = %self.config.meeting, "ended");
        let ids: Vec<ParticipantId> = self.participants.keys().copied().collect();
        for id in &ids {
            self.close(now, *id, CloseCode::Final, Some(GoodbyeReason::Ended), "the meeting has ended");
        }
        for id in ids {
            self.leave_unit(id);
            self.effects.push_back(Effect::Fact(RoomFact::Left(id)));
        }
        self.participants.clear();
        self.sync_speaking();
        self.phase = Phase::Ended;
        self.effects.push_back(Effect::Persist(Box::default()));
    }

    /// A participant may not be there any more, and may not come again.
    pub fn handle_remove(&mut self, now: Now, participant: ParticipantId) {
        if self.phase != Phase::Open || self.removed.contains(&participant) {
            return;
        }
        if self.removed.len() >= REMOVED_MAX {
            self.removed.pop_front();
        }
        self.removed.push_back(participant);
        let text = "removed from the meeting";
        self.close(now, participant, CloseCode::Final, Some(GoodbyeReason::Removed), text);
        self.leave(now, participant);
        self.mark_persist(now);
        self.finish(now);
    }

    /// The program stops: everybody is told to come back, what must last is written down. Media goes on as long as
    /// the unit runs.
    pub fn handle_stop(&mut self, now: Now) {
        if self.phase != Phase::Open {
            return;
        }
        let snapshot = self.snapshot();
        let ids: Vec<ParticipantId> = self.participants.keys().copied().collect();
        for id in ids {
            self.close(now, id, CloseCode::Restart, Some(GoodbyeReason::Restart), "the server is restarting");
        }
        self.phase = Phase::Stopped;
        self.effects.push_back(Effect::Persist(Box::new(snapshot)));
    }

    /// Everything of a participant that is going, or nothing if it is not there.
    pub(crate) fn leave(&mut self, now: Now, id: ParticipantId) {
        let home = self.leave_unit(id);
        if self.participants.remove(&id).is_none() {
            return;
        }
        let mut elsewhere = Vec::new();
        for (other_id, other) in &mut self.participants {
            if other.home.map(|h| h.unit) == home.map(|h| h.unit) {
                // The unit drops the source by itself, and its id never comes again: nothing to be told.
                other.slots.forget_sent_where(|b| b.producer == id);
            }
            if other.slots.free_where(|b| b.producer == id) {
                other.slots_changed = true;
                elsewhere.push(*other_id);
            }
        }
        // Other units are told to ask for it no more.
        elsewhere.into_iter().for_each(|id| self.sync_slots(id));
        self.mark_slots(now);
        self.set_speakers(self.speakers.iter().filter(|s| s.participant_id != id).copied().collect());
        if self.participants.is_empty() {
            self.empty_since = Some(now.at);
        }
        self.mark_roster(now);
        self.mark_persist(now);
        self.effects.push_back(Effect::Fact(RoomFact::Left(id)));
        info!(meeting = %self.config.meeting, participant = %id, "left");
    }

    /// Says goodbye to a participant's socket, if it has one, and closes it. The participant stays, for the grace time.
    pub(crate) fn close(
        &mut self,
        now: Now,
        id: ParticipantId,
        code: CloseCode,
        goodbye: Option<GoodbyeReason>,
        text: &'static str,
    ) {
        let Some(socket) = self.participants.get_mut(&id).and_then(|p| p.detach(now.at)) else {
            return;
        };
        if let Some(reason) = goodbye.filter(|_| socket.hello) {
            self.deliver(socket.to, Envelope::new(ServerMessage::Goodbye { reason }));
        }
        self.effects.push_back(Effect::Close { to: socket.to, code, text });
        self.mark_members(now);
    }

    pub(crate) fn deliver(&mut self, to: Recipient, envelope: Envelope<ServerMessage>) {
        self.effects.push_back(Effect::Deliver { to: vec![to], envelope: Box::new(envelope) });
    }

    /// One message to many.
    pub(crate) fn deliver_all(&mut self, to: Vec<Recipient>, message: ServerMessage) {
        if !to.is_empty() {
            self.effects.push_back(Effect::Deliver { to, envelope: Box::new(Envelope::new(message)) });
        }
    }

    pub(crate) fn command(&mut self, unit: UnitId, command: UnitCommand) {
        self.effects.push_back(Effect::Command { unit, command });
    }

    pub(crate) fn new_stream_id(entropy: &mut Entropy) -> StreamId {
        StreamId::from_bytes(entropy())
    }

    /// The last step of each input: sends what is due.
    pub(crate) fn finish(&mut self, now: Now) {
        if self.phase != Phase::Open {
            return;
        }
        self.sync_stage(now);
        self.flush(now);
        if self.persist.take(now.at) {
            let snapshot = self.snapshot();
            self.effects.push_back(Effect::Persist(Box::new(snapshot)));
            if !self.participants.is_empty() {
                self.persist.mark_by(now.at + PERSIST_ALIVE_INTERVAL);
            }
        }
    }

    pub(crate) fn mark_persist(&mut self, now: Now) {
        // A snapshot of many people takes a while to write, so it is written more rarely.
        let people = u64::try_from(self.participants.len()).unwrap_or(u64::MAX);
        self.persist.mark(now.at, Duration::from_millis((people * 5).max(1_000)));
    }

    fn snapshot(&self) -> Snapshot {
        let mut participants: Vec<SavedParticipant> = self
            .participants
            .iter()
            .map(|(id, p)| SavedParticipant {
                id: *id,
                order: p.order,
                streams: p.streams.saved(),
                slots: p.slots.saved(),
                seats: p.slots.saved_seats(),
            })
            .collect();
        participants.sort_by_key(|p| p.order);
        Snapshot {
            last_order: self.last_order,
            last_chat_number: self.chat.last_number(),
            participants,
            removed: self.removed.iter().copied().collect(),
        }
    }
}

fn restored(now: Instant, saved: &SavedParticipant) -> Participant {
    Participant {
        path: Path::Gone,
        streams: Streams::restored(&saved.streams),
        slots: Slots::restored(&saved.slots, &saved.seats),
        ..Participant::new(now, saved.order)
    }
}
