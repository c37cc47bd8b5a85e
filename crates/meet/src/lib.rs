//! Meet's backend: names of rooms, and a participant for every guest who opens one. A customer of the platform that
//! uses what any other customer can: it makes meetings and participants, and knows nothing else about them.

mod create_guest;
mod create_room;
mod error;
mod info;
mod name;
mod one_at_a_time;
mod rate;
mod rooms;
#[cfg(test)]
mod testing;

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::http::request::Parts;
use axum::routing::{get, post};
use bus::Bus;
use model::ProjectId;
use store::Store;

use crate::one_at_a_time::OneAtATime;
use crate::rate::Rates;

/// How Meet is set up.
#[derive(Clone)]
pub struct Config {
    /// The project whose meetings these are.
    pub project: ProjectId,
    /// Program version.
    pub version: &'static str,
    /// Addresses under which other devices reach this server, best first; asked whenever a client wants to know.
    pub lan_addresses: Arc<dyn Fn() -> Vec<String> + Send + Sync>,
    /// Reads who asks from the head of a request.
    pub caller: Arc<dyn Fn(&Parts) -> Caller + Send + Sync>,
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config").field("project", &self.project).finish_non_exhaustive()
    }
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The address of the platform as the caller reaches it: scheme, host, port.
    pub base_url: String,
    /// The caller's own address; `None`: not known.
    pub address: Option<IpAddr>,
}

/// What handlers share.
struct Shared {
    config: Config,
    store: Store,
    bus: Bus,
    opening: OneAtATime,
    rates: Rates,
}

type App = Arc<Shared>;

/// Meet's endpoints, under `/meet/v1`.
pub fn router(config: Config, store: Store, bus: Bus) -> Router {
    let app = Shared { config, store, bus, opening: OneAtATime::default(), rates: Rates::default() };
    Router::new()
        .route("/meet/v1/info", get(info::handle))
        .route("/meet/v1/rooms", post(create_room::handle))
        .route("/meet/v1/rooms/{name}/participants", post(create_guest::handle))
        .with_state(Arc::new(app))
}

/// Forgets the names of rooms that nobody opened for a long time, for as long as it is let.
pub async fn housekeeping(store: Store) {
    rooms::forget_unused(store).await;
}
