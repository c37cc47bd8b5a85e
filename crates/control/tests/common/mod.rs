//! The control role between a gateway and units that are scripts on the same bus, with a real database.
#![allow(dead_code, reason = "each test file uses its part of the harness")]
#![allow(unreachable_pub, reason = "a module of a test")]

use std::collections::HashMap;
use std::time::Duration;

use bus::control::{Connect, ConnectError, Deliverable, Delivery, RoomCommand};
use bus::media::UnitReport;
use bus::{Address, Bus, Commands};
use control::Config;
use model::unit::{Answer, Offer, OfferError, PublishedMedia, ReceiveSlot, UnitCommand, UnitFact};
use model::{
    Codec, ConnectionId, MediaKind, MeetingId, Mid, NodeId, ParticipantId, PeerId, ProjectId, Semantic,
    StreamId, UnitId,
};
use store::{Store, Timestamp};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use wire::{ClientMessage, CloseCode, Envelope, ServerMessage};

pub const GATEWAY: NodeId = NodeId(1);
pub const MEETING: MeetingId = MeetingId::from_bytes([1; 16]);
const PROJECT: ProjectId = ProjectId::from_bytes([2; 16]);
/// Longer than anything here takes on the slowest machine; reached only by a test that fails.
const PATIENCE: Duration = Duration::from_secs(30);

pub fn person(n: u8) -> ParticipantId {
    ParticipantId::from_bytes([n; 16])
}

pub fn mid(text: &str) -> Mid {
    text.parse().unwrap()
}

/// A database with a meeting and participants 1 to 9.
pub async fn store() -> Store {
    let store = Store::in_memory().await.unwrap();
    let now = Timestamp::now();
    store.projects().create(PROJECT, "test", now).await.unwrap();
    store.meetings().create(PROJECT, MEETING, now, now.after(Duration::from_secs(3600))).await.unwrap();
    for n in 1..10 {
        store.participants().create(MEETING, person(n), [0; 32], now).await.unwrap();
    }
    store
}

/// A running control role with a gateway.
pub struct World {
    pub bus: Bus,
    pub store: Store,
    shutdown: CancellationToken,
    control: JoinHandle<()>,
    deliveries: Option<Commands<Delivery>>,
    /// What came for sockets and was not asked for yet.
    inbox: HashMap<ConnectionId, Vec<Deliverable>>,
    next_connection: u64,
    next_id: u64,
}

impl World {
    pub async fn new() -> Self {
        Self::with(store().await)
    }

    pub fn with(store: Store) -> Self {
        Self::with_room_peers_per_unit(store, 100)
    }

    pub fn with_room_peers_per_unit(store: Store, room_peers_per_unit: u32) -> Self {
        let bus = Bus::new();
        let shutdown = CancellationToken::new();
        let config = Config { server: "althing test".to_owned(), room_peers_per_unit };
        let deliveries = Some(bus.consume(Address::Gateway(GATEWAY)));
        let running = control::run(bus.clone(), store.clone(), config, shutdown.clone());
        let control = tokio::spawn(running);
        let inbox = HashMap::new();
        Self { bus, store, shutdown, control, deliveries, inbox, next_connection: 0, next_id: 0 }
    }

    /// Stops the control role; gives the database.
    pub async fn stop(self) -> Store {
        self.shutdown.cancel();
        timeout(PATIENCE, self.control).await.expect("control stops").unwrap();
        self.store
    }

    /// As `kill -9`.
    pub fn kill(self) -> Store {
        self.control.abort();
        self.store
    }

    pub async fn connect(&mut self, who: ParticipantId) -> Result<Client, ConnectError> {
        self.next_connection += 1;
        let connection = ConnectionId(self.next_connection);
        let connect = Connect { meeting: MEETING, participant: who, connection, gateway: GATEWAY };
        let asked = timeout(PATIENCE, self.bus.request(Address::Control, connect)).await.unwrap();
        asked.unwrap().map(|()| Client { who, connection })
    }

    pub async fn say(&mut self, client: Client, message: ClientMessage) -> String {
        self.next_id += 1;
        let id = format!("m{}", self.next_id);
        let Client { who: participant, connection } = client;
        let envelope = Envelope { id: Some(id.clone()), ..Envelope::new(message) };
        let intent = RoomCommand::Intent { meeting: MEETING, participant, connection, envelope };
        self.tell(intent).await;
        id
    }

    pub async fn tell(&self, command: RoomCommand) {
        self.bus.send(Address::Control, command).await.unwrap();
    }

    pub async fn hello(&mut self, client: Client) {
        let hello = ClientMessage::Hello { client: "test".to_owned(), profile: serde_json::Value::Null };
        self.say(client, hello).await;
        self.until(client, |m| matches!(m, ServerMessage::Welcome { .. })).await;
    }

    pub async fn offer(&mut self, client: Client) {
        let id = self.say(client, ClientMessage::MediaOffer { sdp: "offer".to_owned() }).await;
        let reply = self.reply(client, &id).await;
        assert!(matches!(reply, ServerMessage::MediaOffer { .. }), "{reply:?}");
    }

    pub async fn reply(&mut self, client: Client, id: &str) -> ServerMessage {
        self.find(client, |d| match d {
            Deliverable::Message(e) if e.reference.as_deref() == Some(id) => Some(e.message.clone()),
            _ => None,
        })
        .await
    }

    pub async fn until(&mut self, client: Client, wanted: impl Fn(&ServerMessage) -> bool) -> ServerMessage {
        self.find(client, |d| match d {
            Deliverable::Message(e) if wanted(&e.message) => Some(e.message.clone()),
            _ => None,
        })
        .await
    }

    pub async fn closed(&mut self, client: Client) -> CloseCode {
        self.find(client, |d| match d {
            Deliverable::Close(code, _) => Some(*code),
            Deliverable::Message(_) => None,
        })
        .await
    }

    /// What came for this client and was not asked for.
    pub fn got(&self, client: Client) -> Vec<ServerMessage> {
        let got = self.inbox.get(&client.connection).into_iter().flatten();
        let message = |d: &Deliverable| match d {
            Deliverable::Message(envelope) => Some(envelope.message.clone()),
            Deliverable::Close(..) => None,
        };
        got.filter_map(message).collect()
    }

    /// The stream of that participant that this client is shown first.
    pub async fn stream_of(&mut self, client: Client, producer: ParticipantId) -> StreamId {
        let first = |m: &ServerMessage| match m {
            ServerMessage::RosterUpdate { participants } => {
                participants.get(&producer).and_then(|e| e.streams.keys().next().copied())
            }
            _ => None,
        };
        self.find(client, |d| match d {
            Deliverable::Message(e) => first(&e.message),
            Deliverable::Close(..) => None,
        })
        .await
    }

    /// The gateway is gone.
    pub fn lose_gateway(&mut self) {
        self.deliveries = None;
    }

    /// It is back.
    pub fn find_gateway(&mut self) {
        self.deliveries = Some(self.bus.consume(Address::Gateway(GATEWAY)));
    }

    /// Waits for the first delivery to this socket that is what is looked for; what came before is dropped.
    async fn find<T>(&mut self, client: Client, wanted: impl Fn(&Deliverable) -> Option<T>) -> T {
        loop {
            let inbox = self.inbox.entry(client.connection).or_default();
            while !inbox.is_empty() {
                if let Some(found) = wanted(&inbox.remove(0)) {
                    return found;
                }
            }
            let deliveries = self.deliveries.as_mut().expect("a gateway");
            let delivery = timeout(PATIENCE, deliveries.next()).await.expect("a delivery").unwrap();
            for connection in delivery.connections {
                self.inbox.entry(connection).or_default().push(delivery.what.clone());
            }
        }
    }
}

/// A client behind the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Client {
    pub who: ParticipantId,
    pub connection: ConnectionId,
}

/// A unit: answers offers by a script, notes commands, reports.
pub struct Unit {
    bus: Bus,
    commands: Commands<UnitCommand>,
    /// The peers that offered, in order.
    pub offered: mpsc::UnboundedReceiver<PeerId>,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for Unit {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Unit {
    pub fn start(bus: &Bus, unit: UnitId) -> Self {
        Self::start_with(bus, unit, 100, |_| Some(Ok(answer())))
    }

    /// `None` of the script leaves the offer unanswered.
    pub fn start_with(
        bus: &Bus,
        unit: UnitId,
        peers_max: u32,
        script: impl Fn(&Offer) -> Option<Result<Answer, OfferError>> + Send + 'static,
    ) -> Self {
        let (said, offered) = mpsc::unbounded_channel();
        let mut offers = bus.serve::<Offer>(Address::Unit(unit));
        let answering = tokio::spawn(async move {
            let mut unanswered = Vec::new();
            while let Some(asked) = offers.next().await {
                said.send(asked.request.peer).ok();
                match script(&asked.request) {
                    Some(result) => asked.reply(result),
                    None => unanswered.push(asked),
                }
            }
        });
        let report = UnitReport { unit, peers: 0, peers_max, load: 0.0 };
        bus.publish(Address::Units, report);
        let reporting_bus = bus.clone();
        let reporting = tokio::spawn(async move {
            let mut ticks = tokio::time::interval(Duration::from_millis(200));
            loop {
                ticks.tick().await;
                reporting_bus.publish(Address::Units, report);
            }
        });
        let commands = bus.consume(Address::Unit(unit));
        Self { bus: bus.clone(), commands, offered, tasks: vec![answering, reporting] }
    }

    pub fn say(&self, fact: UnitFact) {
        self.bus.publish(Address::Units, fact);
    }

    /// The next command that is looked for.
    pub async fn until(&mut self, wanted: impl Fn(&UnitCommand) -> bool) -> UnitCommand {
        loop {
            let command = timeout(PATIENCE, self.commands.next()).await.expect("a command").unwrap();
            if wanted(&command) {
                return command;
            }
        }
    }

    pub async fn next_peer(&mut self) -> PeerId {
        timeout(PATIENCE, self.offered.recv()).await.expect("an offer").unwrap()
    }
}

/// A camera on `0`, a video slot on `1`.
pub fn answer() -> Answer {
    let camera = PublishedMedia {
        mid: mid("0"),
        kind: MediaKind::Video,
        codec: Codec::Vp8,
        semantic: Semantic::Main,
        layers: Vec::new(),
    };
    let slot = ReceiveSlot { mid: mid("1"), kind: MediaKind::Video, semantic: Semantic::Main };
    Answer { sdp: "answer".to_owned(), replaced: false, published: vec![camera], slots: vec![slot] }
}

pub fn request(producer: ParticipantId, stream: StreamId) -> ClientMessage {
    ClientMessage::RequestStream {
        producer_id: producer.to_string(),
        stream_id: stream.to_string(),
        rid: None,
        receive_mid: None,
    }
}

pub fn is_bind(command: &UnitCommand) -> bool {
    matches!(command, UnitCommand::Bind { source: Some(_), .. })
}
