//! What every handler shares.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bus::Bus;
use model::NodeId;
use store::Store;

use crate::assertion::SeenAssertions;
use crate::base_url::BaseUrl;
use crate::health::Units;
use crate::metrics::Metrics;
use crate::tokens::Tokens;
use crate::ws::Connections;

/// How a gateway is set up.
#[derive(Debug, Clone)]
pub struct Config {
    /// Which node this is: gateways of a deployment differ.
    pub node: NodeId,
    /// The address that everybody is to use, where there is one. Without it, a client is told the address it came by.
    pub public_url: Option<BaseUrl>,
    /// Addresses under which this gateway is reached without a proxy, best first: audiences of assertions.
    pub own_addresses: Vec<BaseUrl>,
    /// Whether `X-Forwarded-*` headers are believed: only behind a proxy that sets them.
    pub trust_forwarded: bool,
    /// What tokens are signed with; the same at every gateway of a deployment.
    pub server_secret: ServerSecret,
}

/// What tokens are signed with: 256 random bits, made at first start.
#[derive(Clone)]
pub struct ServerSecret(pub [u8; 32]);

impl std::fmt::Debug for ServerSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ServerSecret(…)")
    }
}

/// What every handler shares.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) store: Store,
    pub(crate) bus: Bus,
    pub(crate) tokens: Tokens,
    pub(crate) seen_assertions: SeenAssertions,
    pub(crate) connections: Connections,
    pub(crate) units: Units,
    pub(crate) metrics: Metrics,
    stopping: AtomicBool,
}

pub(crate) type App = Arc<Shared>;

impl Shared {
    pub(crate) fn new(config: Config, store: Store, bus: Bus, metrics: Metrics) -> Self {
        Self {
            tokens: Tokens::new(&config.server_secret.0),
            config,
            store,
            bus,
            seen_assertions: SeenAssertions::default(),
            connections: Connections::new(metrics.clone()),
            units: Units::default(),
            metrics,
            stopping: AtomicBool::new(false),
        }
    }

    /// Nobody comes in any more.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
    }
}
