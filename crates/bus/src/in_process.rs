//! The bus of a single program: queues between tasks.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{broadcast, mpsc, oneshot};

use crate::{Address, BusError, Command, Fact, Message, Request};

/// Requests or commands that wait for one server. Far above what a healthy server has waiting; at this depth it is
/// stuck, and senders must hear of it.
const QUEUE_LEN_MAX: usize = 4096;

/// Facts that a subscriber may lag behind before the oldest are dropped for it: a room of a thousand can have a
/// thousand slots change at once, several times over.
const FACTS_LAG_MAX: usize = 16_384;

type Key = (Address, TypeId);

/// A handle to the bus; clones are the same bus.
#[derive(Debug, Clone, Default)]
pub struct Bus {
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug, Default)]
struct Shared {
    /// `mpsc::Sender<(R, oneshot::Sender<R::Reply>)>` by address and `R`.
    servers: HashMap<Key, Box<dyn Any + Send>>,
    /// `mpsc::Sender<C>` by address and `C`.
    consumers: HashMap<Key, Box<dyn Any + Send>>,
    /// `broadcast::Sender<F>` by address and `F`.
    topics: HashMap<Key, Box<dyn Any + Send>>,
}

impl Bus {
    /// A bus that nobody is on yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the requests of this type that are sent to this address. A later call takes them over.
    pub fn serve<R: Request>(&self, at: Address) -> Requests<R> {
        let (sender, receiver) = mpsc::channel::<Incoming<R>>(QUEUE_LEN_MAX);
        self.lock().servers.insert(key::<R>(at), Box::new(sender));
        Requests { receiver }
    }

    /// Whether somebody takes the requests of this type that are sent to this address.
    pub fn is_served<R: Request>(&self, at: Address) -> bool {
        self.find::<R, mpsc::Sender<Incoming<R>>>(at, |s| &s.servers).is_ok_and(|s| !s.is_closed())
    }

    /// Asks, and waits for the reply. There is no deadline here: who waits for a person sets one.
    ///
    /// # Errors
    /// Nobody serves the address, its queue is full, or it stopped before it replied.
    pub async fn request<R: Request>(&self, to: Address, request: R) -> Result<R::Reply, BusError> {
        let server = self.find::<R, mpsc::Sender<Incoming<R>>>(to, |s| &s.servers)?;
        let (reply, answer) = oneshot::channel();
        server.try_send(Incoming { request, reply }).map_err(|e| match e {
            mpsc::error::TrySendError::Full(_) => BusError::Overloaded(to),
            mpsc::error::TrySendError::Closed(_) => BusError::Nobody(to),
        })?;
        answer.await.map_err(|_| BusError::NoReply(to))
    }

    /// Takes the commands of this type that are sent to this address. A later call takes them over.
    pub fn consume<C: Command>(&self, at: Address) -> Commands<C> {
        let (sender, receiver) = mpsc::channel::<C>(QUEUE_LEN_MAX);
        self.lock().consumers.insert(key::<C>(at), Box::new(sender));
        Commands { receiver }
    }

    /// Sends a command; waits while the consumer's queue is full, which slows down whoever floods it.
    ///
    /// # Errors
    /// Nobody consumes there.
    pub async fn send<C: Command>(&self, to: Address, command: C) -> Result<(), BusError> {
        let consumer = self.find::<C, mpsc::Sender<C>>(to, |s| &s.consumers)?;
        consumer.send(command).await.map_err(|_| BusError::Nobody(to))
    }

    /// Sends a command without waiting.
    ///
    /// # Errors
    /// Nobody consumes there, or the queue is full.
    pub fn try_send<C: Command>(&self, to: Address, command: C) -> Result<(), BusError> {
        let consumer = self.find::<C, mpsc::Sender<C>>(to, |s| &s.consumers)?;
        consumer.try_send(command).map_err(|e| match e {
            mpsc::error::TrySendError::Full(_) => BusError::Overloaded(to),
            mpsc::error::TrySendError::Closed(_) => BusError::Nobody(to),
        })
    }

    /// Tells all who subscribed. Nobody there is no error.
    pub fn publish<F: Fact>(&self, from: Address, fact: F) {
        // The receivers' count is in the error; a fact that nobody wants is dropped.
        let _ = self.topic::<F>(from).send(fact);
    }

    /// Hears the facts of this type of that address from now on.
    pub fn subscribe<F: Fact>(&self, of: Address) -> Subscription<F> {
        Subscription { receiver: self.topic::<F>(of).subscribe() }
    }

    fn topic<F: Fact>(&self, at: Address) -> broadcast::Sender<F> {
        let mut shared = self.lock();
        let topic = shared.topics.entry(key::<F>(at)).or_insert_with(|| {
            let (sender, _) = broadcast::channel::<F>(FACTS_LAG_MAX);
            Box::new(sender)
        });
        // The key holds the type, so the cast cannot fail; a fresh channel keeps even that from being a panic.
        topic.downcast_ref::<broadcast::Sender<F>>().cloned().unwrap_or_else(|| broadcast::channel(1).0)
    }

    fn find<M: Message, S: Clone + 'static>(
        &self,
        to: Address,
        map: impl Fn(&Shared) -> &HashMap<Key, Box<dyn Any + Send>>,
    ) -> Result<S, BusError> {
        let shared = self.lock();
        let found = map(&shared).get(&key::<M>(to)).and_then(|s| s.downcast_ref::<S>());
        found.cloned().ok_or(BusError::Nobody(to))
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        // Nothing panics while it holds the lock; if it did, the maps would still be whole.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key<M: Message>(address: Address) -> Key {
    (address, TypeId::of::<M>())
}

/// A request with the way back.
#[derive(Debug)]
pub struct Incoming<R: Request> {
    /// What is asked.
    pub request: R,
    reply: oneshot::Sender<R::Reply>,
}

impl<R: Request> Incoming<R> {
    /// Answers. That the asker has gone is no error.
    pub fn reply(self, reply: R::Reply) {
        let _ = self.reply.send(reply);
    }

    /// The request and the way back, apart.
    pub fn into_parts(self) -> (R, impl FnOnce(R::Reply) + Send) {
        let reply = self.reply;
        (self.request, move |answer| {
            let _ = reply.send(answer);
        })
    }
}

/// The server's end of requests.
#[derive(Debug)]
pub struct Requests<R: Request> {
    receiver: mpsc::Receiver<Incoming<R>>,
}

impl<R: Request> Requests<R> {
    /// The next request; `None` when another server took over.
    pub async fn next(&mut self) -> Option<Incoming<R>> {
        self.receiver.recv().await
    }
}

/// The consumer's end of commands.
#[derive(Debug)]
pub struct Commands<C: Command> {
    receiver: mpsc::Receiver<C>,
}

impl<C: Command> Commands<C> {
    /// The next command; `None` when another consumer took over.
    pub async fn next(&mut self) -> Option<C> {
        self.receiver.recv().await
    }
}

/// A subscriber's end of facts.
#[derive(Debug)]
pub struct Subscription<F: Fact> {
    receiver: broadcast::Receiver<F>,
}

impl<F: Fact> Subscription<F> {
    /// The next fact, or how many were missed because this subscriber was too slow. `None` is the end of the bus.
    pub async fn next(&mut self) -> Option<Result<F, u64>> {
        match self.receiver.recv().await {
            Ok(fact) => Some(Ok(fact)),
            Err(broadcast::error::RecvError::Lagged(missed)) => Some(Err(missed)),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Add(u32, u32);
    impl Request for Add {
        type Reply = u32;
    }
    impl Command for Add {}
    impl Fact for Add {}

    #[tokio::test]
    async fn a_request_is_answered_by_whoever_serves() {
        let bus = Bus::new();
        assert_eq!(bus.request(Address::Control, Add(1, 2)).await, Err(BusError::Nobody(Address::Control)));
        assert!(!bus.is_served::<Add>(Address::Control));
        let mut requests = bus.serve::<Add>(Address::Control);
        assert!(bus.is_served::<Add>(Address::Control));
        let server = async {
            let incoming = requests.next().await.unwrap();
            let sum = incoming.request.0 + incoming.request.1;
            incoming.reply(sum);
        };
        let (reply, ()) = tokio::join!(bus.request(Address::Control, Add(1, 2)), server);
        assert_eq!(reply, Ok(3));
        drop(requests);
        assert!(!bus.is_served::<Add>(Address::Control));
        assert_eq!(bus.request(Address::Control, Add(1, 2)).await, Err(BusError::Nobody(Address::Control)));
    }

    #[tokio::test]
    async fn a_dropped_request_is_an_error_not_a_hang() {
        let bus = Bus::new();
        let mut requests = bus.serve::<Add>(Address::Control);
        let server = async { drop(requests.next().await) };
        let (reply, ()) = tokio::join!(bus.request(Address::Control, Add(1, 2)), server);
        assert_eq!(reply, Err(BusError::NoReply(Address::Control)));
    }

    #[tokio::test]
    async fn commands_keep_their_order_and_a_full_queue_is_said() {
        let bus = Bus::new();
        let mut commands = bus.consume::<Add>(Address::Units);
        for n in 0..QUEUE_LEN_MAX as u32 {
            bus.try_send(Address::Units, Add(n, 0)).unwrap();
        }
        assert_eq!(bus.try_send(Address::Units, Add(0, 0)), Err(BusError::Overloaded(Address::Units)));
        assert_eq!(commands.next().await, Some(Add(0, 0)));
        assert_eq!(commands.next().await, Some(Add(1, 0)));
    }

    #[tokio::test]
    async fn a_slow_subscriber_is_told_what_it_missed() {
        let bus = Bus::new();
        let mut facts = bus.subscribe::<Add>(Address::Control);
        for n in 0..FACTS_LAG_MAX as u32 + 3 {
            bus.publish(Address::Control, Add(n, 0));
        }
        assert_eq!(facts.next().await, Some(Err(3)));
        assert_eq!(facts.next().await, Some(Ok(Add(3, 0))));
    }
}
