//! One running meeting: its room engine, and the I/O that the engine asks for.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use bus::control::{Connect, ConnectError, Deliverable, MeetingFact};
use bus::{Address, Bus, Incoming};
use model::unit::{Answer, Offer, OfferError, UnitCommand, UnitFact};
use model::{ConnectionId, MeetingId, ParticipantId, PeerId, UnitId};
use room::{
    Config, Effect, Home, Join, JoinError, NoPlace, Now, OfferFailure, OfferToken, Placement,
    PlacementReason, Recipient, Room, RoomFact,
};
use store::Store;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};
use tracing::{debug, error, info, warn};
use wire::{ClientMessage, CloseCode, Envelope};

use crate::admission;
use crate::clock::now;
use crate::outbox::Outbox;
use crate::peers::PeerIds;
use crate::records::Records;
use crate::saver::Saver;
use crate::units::{Share, Units};

/// How long a unit may take to answer an offer: what the public package's users are promised.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// How soon a unit is looked for again for those who have none: all units were full, or none was up.
const LOOK_AGAIN_INTERVAL: Duration = Duration::from_millis(250);

/// What comes for a room, in the order in which the router got it.
#[derive(Debug)]
pub(crate) enum Input {
    /// A participant opened a socket.
    Connect(Incoming<Connect>),
    /// A client said something.
    Intent(ParticipantId, ConnectionId, Envelope<ClientMessage>),
    /// A socket is gone; whether on purpose.
    Disconnected(ParticipantId, ConnectionId, bool),
    /// A participant may not be there any more.
    Remove(ParticipantId),
    /// A unit said something of this room's peers.
    Fact(UnitFact),
    /// A unit is gone, with whatever this room had on it.
    UnitLost(UnitId),
    /// The meeting is over.
    End,
    /// The program stops.
    Stop,
}

/// What a room tells the router.
#[derive(Debug)]
pub(crate) enum Note {
    /// Facts of this peer are for this meeting from now on; said before a unit hears of the peer.
    PeerAdded(PeerId, MeetingId),
    /// The peer is gone.
    PeerRemoved(PeerId),
    /// The room has nothing more to do, after so many inputs. It goes on until the router closes its inbox.
    Over(MeetingId, u64),
}

/// What all rooms share.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    pub(crate) bus: Bus,
    pub(crate) store: Store,
    pub(crate) records: Records,
    pub(crate) peers: Arc<PeerIds>,
    pub(crate) units: Units,
    /// Without a bound, as the router must never be waited for. Holds two notes per participation at most, and one for
    /// each time a room falls idle.
    pub(crate) notes: mpsc::UnboundedSender<Note>,
    /// Program and version.
    pub(crate) server: String,
}

/// A running meeting.
pub(crate) struct Live {
    shared: Shared,
    meeting: MeetingId,
    room: Room,
    inbox: mpsc::Receiver<Input>,
    /// Inputs taken so far.
    handled: u64,
    /// The count at which the router was told that the room is over.
    over_said_at: Option<u64>,
    outbox: Outbox,
    saver: Saver,
    offers: JoinSet<(OfferToken, Result<Answer, OfferFailure>)>,
    participant_by_socket: HashMap<Recipient, ParticipantId>,
    /// Peers that a unit knows, and which.
    peers: HashMap<PeerId, UnitId>,
    /// What the room has on units.
    share: Share,
    /// Somebody has no unit: when to look for one again.
    look_again_at: Option<Instant>,
    /// The engine panicked: its state is worth nothing.
    broken: bool,
}

/// Runs a meeting until the router closes its inbox, or its engine panics.
pub(crate) async fn run(shared: Shared, meeting: MeetingId, inbox: mpsc::Receiver<Input>) {
    let saver = Saver::new(shared.store.clone(), meeting);
    let snapshot = saver.load().await;
    if !snapshot.is_empty() {
        info!(%meeting, participants = snapshot.participants.len(), "goes on after a restart");
    }
    let config = Config { meeting, server: shared.server.clone() };
    let room = Room::restore(now(), config, Box::new(entropy), &snapshot);
    let live = Live {
        outbox: Outbox::new(shared.bus.clone()),
        share: shared.units.share(),
        look_again_at: None,
        shared,
        meeting,
        room,
        inbox,
        handled: 0,
        over_said_at: None,
        saver,
        offers: JoinSet::new(),
        participant_by_socket: HashMap::new(),
        peers: HashMap::new(),
        broken: false,
    };
    live.run().await;
}

impl Live {
    async fn run(mut self) {
        while !self.broken {
            let due = self.due();
            tokio::select! {
                input = self.inbox.recv() => match input {
                    Some(input) => self.handle(input).await,
                    None => break,
                },
                Some(Ok((token, result))) = self.offers.join_next() => self.answer(token, result),
                () = self.saver.written() => {}
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    self.drive(|room, now| room.handle_timeout(now));
                    self.look_again();
                }
            }
            self.carry_out().await;
            self.share.set(self.room.units());
            self.say_if_over();
        }
        if self.broken {
            self.give_up().await;
        }
        self.saver.finish().await;
        for peer in self.peers.into_keys() {
            let _ = self.shared.notes.send(Note::PeerRemoved(peer));
        }
    }

    /// When the room wants to be called. A room that is over waits for nothing but its inbox.
    fn due(&self) -> Option<Instant> {
        let waits = self.over_said_at != Some(self.handled);
        let room = self.room.poll_timeout().map(Instant::from_std);
        room.into_iter().chain(self.look_again_at).min().filter(|_| waits)
    }

    async fn handle(&mut self, input: Input) {
        self.handled += 1;
        match input {
            Input::Connect(asked) => self.connect(asked).await,
            Input::Intent(participant, connection, envelope) => {
                self.drive(|room, now| room.handle_intent(now, participant, connection, envelope));
            }
            Input::Disconnected(participant, connection, on_purpose) => {
                self.participant_by_socket.retain(|socket, _| socket.connection != connection);
                self.drive(|room, now| room.handle_disconnected(now, participant, connection, on_purpose));
            }
            Input::Remove(participant) => self.drive(|room, now| room.handle_remove(now, participant)),
            Input::Fact(fact) => self.drive(|room, now| room.handle_unit_fact(now, fact)),
            Input::UnitLost(unit) => {
                self.drive(|room, now| room.handle_unit_lost(now, unit));
                self.find_homes();
            }
            Input::End => self.drive(|room, now| room.handle_end(now)),
            Input::Stop => self.drive(|room, now| room.handle_stop(now)),
        }
    }

    async fn connect(&mut self, asked: Incoming<Connect>) {
        let (Connect { meeting, participant, connection, gateway }, reply) = asked.into_parts();
        // Whoever is there was looked up when it came; the database may be down now, the call goes on.
        if !self.room.holds(participant)
            && let Err(refused) = admission::admit(&self.shared.store, meeting, participant).await
        {
            return reply(Err(refused));
        }
        let socket = Recipient { gateway, connection };
        let home = self.room.home_of(participant).map_or_else(|| self.find_home(participant), Ok);
        let join = Join { participant, socket, home };
        let result = self.step(|room, now| room.handle_connect(now, join));
        if result == Some(Ok(())) {
            self.participant_by_socket.insert(socket, participant);
            if home.is_err() {
                self.look_again_at = Some(Instant::now() + LOOK_AGAIN_INTERVAL);
            }
        }
        // At once, so that the next room that places somebody knows.
        self.share.set(self.room.units());
        reply(result.map_or(Err(ConnectError::Unavailable), |result| result.map_err(refusal)));
    }

    fn answer(&mut self, token: OfferToken, result: Result<Answer, OfferFailure>) {
        let has_no_place = result == Err(OfferFailure::Refused(OfferError::Full));
        self.drive(|room, now| room.handle_answer(now, token, result));
        if has_no_place {
            self.find_homes();
        }
    }

    /// Where a participant's media is to go.
    fn find_home(&self, participant: ParticipantId) -> Result<Home, NoPlace> {
        let meeting = self.meeting;
        let placement = self.shared.units.place(self.room.units());
        let placement = placement.inspect_err(|no_place| {
            debug!(%meeting, %participant, %no_place, "not placed");
        })?;
        let Placement { unit, reason, room_peers, share_used } = placement;
        match reason {
            PlacementReason::First | PlacementReason::Spill => {
                info!(%meeting, %participant, %unit, %reason, share_used, "room comes to a unit");
            }
            PlacementReason::Together | PlacementReason::Crowded => {
                debug!(%meeting, %participant, %unit, %reason, room_peers, share_used, "placed");
            }
        }
        Ok(Home { unit, peer: self.shared.peers.draw() })
    }

    /// Finds units for those who have none; looks again after a while where there is no place.
    fn find_homes(&mut self) {
        self.look_again_at = None;
        for participant in self.room.homeless() {
            if self.broken {
                return;
            }
            match self.find_home(participant) {
                Ok(home) => self.drive(|room, now| room.handle_placed(now, participant, home)),
                Err(_) => {
                    self.look_again_at = Some(Instant::now() + LOOK_AGAIN_INTERVAL);
                    break;
                }
            }
            self.share.set(self.room.units());
        }
    }

    fn look_again(&mut self) {
        if self.look_again_at.is_some_and(|at| at <= Instant::now()) {
            self.find_homes();
        }
    }

    /// Calls the engine where it has nothing to answer.
    fn drive(&mut self, call: impl FnOnce(&mut Room, Now)) {
        self.step(call);
    }

    /// Calls the engine. `None`: it panicked, which must not take down more than its own meeting.
    fn step<T>(&mut self, call: impl FnOnce(&mut Room, Now) -> T) -> Option<T> {
        let room = &mut self.room;
        let result = catch_unwind(AssertUnwindSafe(|| call(room, now())));
        self.broken |= result.is_err();
        result.ok()
    }

    /// Does what the engine wants done.
    async fn carry_out(&mut self) {
        loop {
            while let Some(effect) = self.room.poll_effect().filter(|_| !self.broken) {
                self.act(effect).await;
            }
            let lost = self.outbox.take_lost_gateways();
            let sockets = self.participant_by_socket.iter().filter(|(s, _)| lost.contains(&s.gateway));
            let sockets: Vec<_> = sockets.map(|(socket, who)| (*socket, *who)).collect();
            if sockets.is_empty() {
                return;
            }
            for (socket, who) in sockets {
                self.participant_by_socket.remove(&socket);
                self.drive(|room, now| room.handle_disconnected(now, who, socket.connection, false));
            }
        }
    }

    async fn act(&mut self, effect: Effect) {
        match effect {
            Effect::Deliver { to, envelope } => {
                self.outbox.deliver(to, Deliverable::Message(envelope)).await;
            }
            Effect::Close { to, code, text } => {
                self.participant_by_socket.remove(&to);
                self.outbox.deliver(vec![to], Deliverable::Close(code, text.to_owned())).await;
            }
            Effect::Offer { unit, offer, token } => self.ask(unit, offer, token),
            Effect::Command { unit, command } => {
                if let UnitCommand::Close { peer } = command {
                    self.forget(peer);
                }
                self.outbox.command(unit, command).await;
            }
            Effect::Persist(snapshot) => self.saver.save(snapshot),
            Effect::Fact(fact) => self.tell(fact),
        }
    }

    /// Asks the unit without holding up the room.
    fn ask(&mut self, unit: UnitId, offer: Offer, token: OfferToken) {
        let peer = offer.peer;
        if self.peers.insert(peer, unit).is_none() {
            let _ = self.shared.notes.send(Note::PeerAdded(peer, self.meeting));
        }
        let (bus, meeting) = (self.shared.bus.clone(), self.meeting);
        self.offers.spawn(async move {
            let asked = timeout(ANSWER_TIMEOUT, bus.request(Address::Unit(unit), offer)).await;
            let result = match asked {
                Ok(Ok(result)) => result.map_err(OfferFailure::from),
                Ok(Err(error)) => {
                    warn!(%meeting, %peer, %unit, %error, "an offer is not answered");
                    Err(OfferFailure::NoAnswer)
                }
                Err(_) => {
                    warn!(%meeting, %peer, %unit, "an offer is not answered in time");
                    Err(OfferFailure::NoAnswer)
                }
            };
            (token, result)
        });
    }

    fn forget(&mut self, peer: PeerId) {
        if self.peers.remove(&peer).is_some() {
            let _ = self.shared.notes.send(Note::PeerRemoved(peer));
        }
    }

    fn tell(&self, fact: RoomFact) {
        let fact = match fact {
            RoomFact::Started => MeetingFact::Started(self.meeting),
            RoomFact::Joined(who) => MeetingFact::Joined(self.meeting, who),
            RoomFact::Left(who) => MeetingFact::Left(self.meeting, who),
        };
        self.shared.records.record(fact.clone());
        self.shared.bus.publish(Address::Control, fact);
    }

    fn say_if_over(&mut self) {
        let is_over = self.room.is_over(now().at) && self.offers.is_empty();
        if is_over && self.over_said_at != Some(self.handled) {
            self.over_said_at = Some(self.handled);
            let _ = self.shared.notes.send(Note::Over(self.meeting, self.handled));
        }
    }

    /// Sends everybody back to a room that begins again with the last snapshot.
    async fn give_up(&mut self) {
        error!(meeting = %self.meeting, "the room panicked; the message is above. It begins again");
        let sockets: Vec<Recipient> = self.participant_by_socket.keys().copied().collect();
        let close = Deliverable::Close(CloseCode::Restart, "the meeting is restarting".to_owned());
        self.outbox.deliver(sockets, close).await;
        for (peer, unit) in &self.peers {
            self.outbox.command(*unit, UnitCommand::Close { peer: *peer }).await;
        }
    }
}

fn refusal(error: JoinError) -> ConnectError {
    match error {
        JoinError::Full => ConnectError::Full,
        JoinError::Ended => ConnectError::Ended,
        JoinError::Removed => ConnectError::Removed,
        JoinError::NoUnit | JoinError::Stopping => ConnectError::Unavailable,
    }
}

/// Bytes for stream ids.
fn entropy() -> [u8; 10] {
    let mut bytes = [0; 10];
    // A system without randomness cannot run anything of this program.
    getrandom::fill(&mut bytes).expect("the system gives random bytes");
    bytes
}
