//! Runs room engines and places their people on media units.
//!
//! One task per meeting that is running (`live`): a large meeting that computes for a moment does not hold up the others,
//! rooms use all cores, and a room that panics takes down only itself. One task in front of them (`router`) hands on
//! what comes over the bus; it knows which meeting a media peer belongs to, and which units are up.
//!
//! Nobody waits in a circle: the router waits for rooms whose queue is full, rooms wait for gateways and units whose
//! queue is full, for a bounded time, and nobody of these waits for the router, except gateways, which wait for nothing
//! that they consume from.
#![expect(clippy::disallowed_methods, reason = "a shell: it reads the clock for its engines")]

mod admission;
mod clock;
mod live;
mod outbox;
mod peers;
mod records;
mod router;
mod saver;
mod units;

use bus::Bus;
use store::Store;
use tokio_util::sync::CancellationToken;

/// How the control role is set up.
#[derive(Debug, Clone)]
pub struct Config {
    /// Program and version, as clients are told ("althing 0.1.0").
    pub server: String,
    /// So many people of one room are put on one unit before the room goes to a further one, though the first has place
    /// for more. People of one room are best together; but a unit is one core, and what a room costs grows faster than
    /// the room, so a large one is better off with two.
    pub room_peers_per_unit: u32,
}

/// Serves the control role from this call on, until `shutdown` or [`bus::control::RoomCommand::Stop`]: then everybody is
/// told to come back, rooms are written down, and the future is done. Rooms that an earlier run wrote down shortly
/// before go on when it is polled first.
pub fn run(
    bus: Bus,
    store: Store,
    config: Config,
    shutdown: CancellationToken,
) -> impl Future<Output = ()> + Send {
    router::Router::new(bus, store, config).run(shutdown)
}
