//! The sockets of this gateway, and what is delivered to them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bus::Address;
use bus::control::{Deliverable, Delivery};
use model::ConnectionId;
use store::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::error::Elapsed;

use super::outbox::{Inlet, Outbox, Outgoing, outbox};
use crate::app::App;
use crate::metrics::Metrics;

/// Sockets of one gateway. Each costs some 100 KiB with what may wait for it; one core signals for far fewer.
const SOCKETS_MAX: usize = 20_000;

/// How long sockets may take to close once they are told: the closing handshake, and some.
const CLOSED_WITHIN: Duration = Duration::from_secs(3);

/// Sockets that have not proven yet who they are. Each may send one message of half a MiB.
const UNAUTHENTICATED_MAX: usize = 1_000;

/// All sockets of a gateway.
#[derive(Debug)]
pub(crate) struct Connections {
    next_id: AtomicU64,
    inlet_by_id: Mutex<HashMap<ConnectionId, Inlet>>,
    open: Arc<Semaphore>,
    unauthenticated: Arc<Semaphore>,
    /// Becomes true when the gateway closes.
    closing: watch::Sender<bool>,
    metrics: Metrics,
}

/// The right to be an open socket, until dropped.
#[derive(Debug)]
pub(crate) struct Place {
    _open: OwnedSemaphorePermit,
    pub(crate) unauthenticated: Option<OwnedSemaphorePermit>,
    metrics: Metrics,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.metrics.sockets.dec();
    }
}

impl Connections {
    pub(crate) fn new(metrics: Metrics) -> Self {
        // Ids start with the time, so that a socket of before a restart is never taken for one of after it.
        let start = u64::try_from(Timestamp::now().as_millis()).unwrap_or_default() << 16;
        Self {
            next_id: AtomicU64::new(start),
            inlet_by_id: Mutex::default(),
            open: Arc::new(Semaphore::new(SOCKETS_MAX)),
            unauthenticated: Arc::new(Semaphore::new(UNAUTHENTICATED_MAX)),
            closing: watch::Sender::new(false),
            metrics,
        }
    }

    /// A place for one more socket, if there is one.
    pub(crate) fn place(&self) -> Option<Place> {
        let open = self.open.clone().try_acquire_owned().ok()?;
        let unauthenticated = self.unauthenticated.clone().try_acquire_owned().ok()?;
        self.metrics.sockets.inc();
        self.metrics.sockets_opened.inc();
        Some(Place { _open: open, unauthenticated: Some(unauthenticated), metrics: self.metrics.clone() })
    }

    /// Makes a connection that things can be delivered to.
    pub(crate) fn add(&self) -> (ConnectionId, Outbox) {
        let id = ConnectionId(self.next_id.fetch_add(1, Ordering::Relaxed));
        let (inlet, outbox) = outbox();
        self.lock().insert(id, inlet);
        (id, outbox)
    }

    pub(crate) fn remove(&self, id: ConnectionId) {
        self.lock().remove(&id);
    }

    /// Returns when the gateway closes.
    pub(crate) fn closing(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut closing = self.closing.subscribe();
        async move {
            let _ = closing.wait_for(|closing| *closing).await;
        }
    }

    /// Waits until all sockets are gone, at most this long, then closes the others; says how many were left after that.
    pub(crate) async fn close_all(&self, patience: Duration) -> usize {
        if self.wait_empty(patience).await.is_err() {
            self.closing.send_replace(true);
            let _ = self.wait_empty(CLOSED_WITHIN).await;
        }
        SOCKETS_MAX - self.open.available_permits()
    }

    async fn wait_empty(&self, patience: Duration) -> Result<(), Elapsed> {
        let all = u32::try_from(SOCKETS_MAX).unwrap_or(u32::MAX);
        // All places are free when all can be taken.
        tokio::time::timeout(patience, self.open.acquire_many(all)).await.map(drop)
    }

    fn deliver(&self, delivery: Delivery) {
        let outgoing = match delivery.what {
            Deliverable::Message(envelope) => match serde_json::to_string(&envelope) {
                Ok(text) => Outgoing::Message(text.into()),
                Err(error) => return tracing::error!(%error, "a message cannot be written as JSON"),
            },
            Deliverable::Close(code, reason) => Outgoing::Close(code, reason),
        };
        let mut inlets = self.lock();
        for id in delivery.connections {
            let Some(inlet) = inlets.get(&id) else { continue };
            if inlet.put(outgoing.clone()).is_err() {
                // The socket hears of it and closes; nothing more is kept for it.
                inlets.remove(&id);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ConnectionId, Inlet>> {
        self.inlet_by_id.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Hands out deliveries, from this call on, for as long as nobody else consumes this gateway's.
pub(crate) fn deliver(app: App) -> impl Future<Output = ()> {
    let mut deliveries = app.bus.consume::<Delivery>(Address::Gateway(app.config.node));
    async move {
        while let Some(delivery) = deliveries.next().await {
            app.connections.deliver(delivery);
        }
    }
}
