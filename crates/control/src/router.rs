//! Hands on what comes over the bus to the rooms.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bus::control::{Connect, ConnectError, RoomCommand};
use bus::media::UnitReport;
use bus::{Address, Bus, Commands, Incoming, Requests, Subscription};
use model::unit::UnitFact;
use model::{MeetingId, PeerId};
use room::NoPlace;
use store::Store;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::Config;
use crate::clock::unix_ms;
use crate::live::{self, Input, Note, Shared};
use crate::peers::PeerIds;
use crate::records::Records;
use crate::saver::is_fresh;
use crate::units::Units;

/// Inputs that wait for one room. A thousand clients that say a few things at once; a room that is further behind slows
/// down whoever feeds it.
const INPUTS_WAITING_MAX: usize = 4_096;

/// Participants who come while no unit is up. After a restart everybody of a few large rooms.
const CONNECTS_WAITING_MAX: usize = 4_096;

/// How long whoever comes waits for a unit to be up. Units report each second.
const UNIT_WAIT_MAX: Duration = Duration::from_secs(3);

/// How often silent units are looked for.
const UNIT_CHECK_INTERVAL: Duration = Duration::from_millis(250);

/// How long rooms may take to stop: one message to each socket, one write to the store.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

/// The task in front of the rooms.
pub(crate) struct Router {
    shared: Shared,
    connects: Requests<Connect>,
    commands: Commands<RoomCommand>,
    facts: Subscription<UnitFact>,
    reports: Subscription<UnitReport>,
    notes: mpsc::UnboundedReceiver<Note>,
    rooms: HashMap<MeetingId, Handle>,
    meeting_by_peer: HashMap<PeerId, MeetingId>,
    /// Who waits for a unit to be up, and until when.
    waiting: VecDeque<(Incoming<Connect>, Instant)>,
    tasks: JoinSet<()>,
    writing: JoinSet<()>,
    stopping: Option<Instant>,
}

/// A room's task.
#[derive(Debug)]
struct Handle {
    inbox: mpsc::Sender<Input>,
    /// Inputs sent so far.
    sent: u64,
}

impl Router {
    pub(crate) fn new(bus: Bus, store: Store, config: Config) -> Self {
        let (notes_out, notes) = mpsc::unbounded_channel();
        let (records, writing_records) = Records::new(store.clone());
        let mut writing = JoinSet::new();
        writing.spawn(writing_records);
        Self {
            connects: bus.serve(Address::Control),
            commands: bus.consume(Address::Control),
            facts: bus.subscribe(Address::Units),
            reports: bus.subscribe(Address::Units),
            shared: Shared {
                bus,
                store,
                records,
                peers: Arc::new(PeerIds::since(unix_ms())),
                units: Units::new(config.room_peers_per_unit),
                notes: notes_out,
                server: config.server,
            },
            notes,
            rooms: HashMap::new(),
            meeting_by_peer: HashMap::new(),
            waiting: VecDeque::new(),
            tasks: JoinSet::new(),
            writing,
            stopping: None,
        }
    }

    /// Works until everything has stopped.
    pub(crate) async fn run(mut self, shutdown: CancellationToken) {
        self.go_on().await;
        let mut checks = interval(UNIT_CHECK_INTERVAL);
        checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !self.has_stopped() {
            // In this order: a peer is known before its facts come, a unit's reports are taken before it is called lost.
            tokio::select! {
                biased;
                () = shutdown.cancelled(), if self.stopping.is_none() => self.stop().await,
                Some(note) = self.notes.recv() => self.note(note),
                Some(done) = self.tasks.join_next() => self.task_done(&done),
                Some(report) = self.reports.next() => self.report(report).await,
                Some(fact) = self.facts.next() => self.fact(fact).await,
                _ = checks.tick() => self.check_units().await,
                Some(command) = self.commands.next() => self.command(command).await,
                Some(asked) = self.connects.next() => self.connect(asked).await,
            }
        }
        self.finish().await;
    }

    /// Rooms of an earlier run go on; their people are awaited.
    async fn go_on(&mut self) {
        let snapshots = match self.shared.store.snapshots().all().await {
            Ok(snapshots) => snapshots,
            Err(error) => return error!(%error, "rooms of an earlier run cannot be loaded"),
        };
        for snapshot in snapshots {
            if is_fresh(snapshot.updated_at) {
                self.start_room(snapshot.meeting);
            } else if let Err(error) = self.shared.store.snapshots().delete(snapshot.meeting).await {
                warn!(meeting = %snapshot.meeting, %error, "an old snapshot is not deleted");
            }
        }
    }

    // ---- what comes

    async fn connect(&mut self, asked: Incoming<Connect>) {
        if self.stopping.is_some() {
            return asked.reply(Err(ConnectError::Unavailable));
        }
        let meeting = asked.request.meeting;
        let is_running = self.rooms.contains_key(&meeting);
        // The room places its people itself; this is whether there is a place at all.
        match self.shared.units.place(&[]) {
            Ok(_) => self.let_in(meeting, asked).await,
            // Whoever is in the room comes back.
            Err(NoPlace::Full) if is_running => self.send(meeting, Input::Connect(asked)).await,
            Err(NoPlace::Full) => {
                warn!(%meeting, "nobody comes in: all media units are full");
                asked.reply(Err(ConnectError::Full));
            }
            Err(NoPlace::NoUnit) if self.waiting.len() < CONNECTS_WAITING_MAX => {
                self.waiting.push_back((asked, Instant::now() + UNIT_WAIT_MAX));
            }
            Err(NoPlace::NoUnit) => asked.reply(Err(ConnectError::Unavailable)),
        }
    }

    async fn let_in(&mut self, meeting: MeetingId, asked: Incoming<Connect>) {
        if !self.rooms.contains_key(&meeting) {
            info!(%meeting, "room begins");
            self.start_room(meeting);
        }
        self.send(meeting, Input::Connect(asked)).await;
    }

    async fn command(&mut self, command: RoomCommand) {
        match command {
            RoomCommand::Intent { meeting, participant, connection, envelope } => {
                self.send(meeting, Input::Intent(participant, connection, envelope)).await;
            }
            RoomCommand::Disconnected { meeting, participant, connection, on_purpose } => {
                self.send(meeting, Input::Disconnected(participant, connection, on_purpose)).await;
            }
            RoomCommand::End { meeting } => self.send(meeting, Input::End).await,
            RoomCommand::Remove { meeting, participant } => {
                self.send(meeting, Input::Remove(participant)).await;
            }
            RoomCommand::Stop => self.stop().await,
        }
    }

    async fn fact(&mut self, fact: Result<UnitFact, u64>) {
        let fact = match fact {
            Ok(fact) => fact,
            Err(missed) => return warn!(missed, "facts of media units were missed"),
        };
        match fact {
            UnitFact::PeersLost { peers } => self.peers_lost(peers).await,
            UnitFact::Speakers { meeting, .. } => self.send(meeting, Input::Fact(fact)).await,
            UnitFact::Connected { peer, .. }
            | UnitFact::PathLost { peer }
            | UnitFact::PathRestored { peer }
            | UnitFact::Failed { peer, .. }
            | UnitFact::SlotLayer { peer, .. } => self.peer_fact(peer, fact).await,
            UnitFact::SourceChanged { source, .. } | UnitFact::Demand { source, .. } => {
                self.peer_fact(source.peer, fact).await;
            }
        }
    }

    async fn peer_fact(&mut self, peer: PeerId, fact: UnitFact) {
        if let Some(meeting) = self.meeting_by_peer.get(&peer) {
            self.send(*meeting, Input::Fact(fact)).await;
        }
    }

    async fn peers_lost(&mut self, peers: Vec<PeerId>) {
        let mut peers_by_meeting: BTreeMap<MeetingId, Vec<PeerId>> = BTreeMap::new();
        for peer in peers {
            if let Some(meeting) = self.meeting_by_peer.get(&peer) {
                peers_by_meeting.entry(*meeting).or_default().push(peer);
            }
        }
        for (meeting, peers) in peers_by_meeting {
            self.send(meeting, Input::Fact(UnitFact::PeersLost { peers })).await;
        }
    }

    async fn report(&mut self, report: Result<UnitReport, u64>) {
        let Ok(report) = report else {
            // Missed reports are followed by newer ones.
            return;
        };
        if self.shared.units.heard(report, Instant::now()) {
            info!(unit = %report.unit, peers_max = report.peers_max, "media unit is up");
        }
        for (asked, _) in std::mem::take(&mut self.waiting) {
            self.connect(asked).await;
        }
    }

    async fn check_units(&mut self) {
        let now = Instant::now();
        for unit in self.shared.units.take_lost(now) {
            error!(%unit, "media unit is silent: its people move");
            // Each room knows whether it has anybody there; one that is placing somebody there just now hears it after.
            let meetings: Vec<MeetingId> = self.rooms.keys().copied().collect();
            for meeting in meetings {
                self.send(meeting, Input::UnitLost(unit)).await;
            }
        }
        while let Some((asked, _)) = self.waiting.pop_front_if(|(_, until)| *until <= now) {
            warn!(meeting = %asked.request.meeting, "nobody comes in: no media unit is up");
            asked.reply(Err(ConnectError::Unavailable));
        }
    }

    fn note(&mut self, note: Note) {
        match note {
            Note::PeerAdded(peer, meeting) => {
                self.meeting_by_peer.insert(peer, meeting);
            }
            Note::PeerRemoved(peer) => {
                self.meeting_by_peer.remove(&peer);
            }
            Note::Over(meeting, handled) => {
                // If anything is on its way to the room, it is not over, or will say so again.
                if self.rooms.get(&meeting).is_some_and(|room| room.sent == handled) {
                    self.rooms.remove(&meeting);
                }
            }
        }
    }

    fn task_done(&mut self, done: &Result<(), tokio::task::JoinError>) {
        if let Err(error) = done {
            error!(%error, "a room's task ended badly");
        }
        self.rooms.retain(|_, room| !room.inbox.is_closed());
    }

    // ---- rooms

    fn start_room(&mut self, meeting: MeetingId) {
        let (inbox, inputs) = mpsc::channel(INPUTS_WAITING_MAX);
        self.tasks.spawn(live::run(self.shared.clone(), meeting, inputs));
        self.rooms.insert(meeting, Handle { inbox, sent: 0 });
    }

    /// Waits while the room's queue is full. What is for a room that is not there is dropped: its people are gone, or
    /// were told to come back.
    async fn send(&mut self, meeting: MeetingId, input: Input) {
        let Some(room) = self.rooms.get_mut(&meeting) else {
            return;
        };
        room.sent += 1;
        if room.inbox.send(input).await.is_err() {
            self.rooms.remove(&meeting);
        }
    }

    // ---- the end

    async fn stop(&mut self) {
        if self.stopping.is_some() {
            return;
        }
        info!(rooms = self.rooms.len(), "stopping");
        self.stopping = Some(Instant::now() + STOP_TIMEOUT);
        for (asked, _) in self.waiting.drain(..) {
            asked.reply(Err(ConnectError::Unavailable));
        }
        let meetings: Vec<MeetingId> = self.rooms.keys().copied().collect();
        for meeting in meetings {
            self.send(meeting, Input::Stop).await;
        }
    }

    fn has_stopped(&self) -> bool {
        self.stopping.is_some_and(|until| self.tasks.is_empty() || Instant::now() >= until)
    }

    async fn finish(self) {
        let Self { shared, tasks, mut writing, .. } = self;
        if !tasks.is_empty() {
            error!(rooms = tasks.len(), "rooms did not stop in time");
        }
        // The last rooms end here, and with them the last who have something to record.
        drop((shared, tasks));
        if timeout(STOP_TIMEOUT, writing.join_next()).await.is_err() {
            error!("not everything was recorded in time");
        }
        info!("stopped");
    }
}
