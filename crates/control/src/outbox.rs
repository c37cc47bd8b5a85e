//! Hands messages to gateways and commands to units, in their order, and notices who does not take them any more.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bus::control::{Deliverable, Delivery};
use bus::{Address, Bus, BusError, Command};
use model::unit::UnitCommand;
use model::{ConnectionId, NodeId, UnitId};
use room::Recipient;
use tokio::time::timeout;
use tracing::{debug, warn};

/// How long a gateway or unit may have no place in its queue of thousands. One that takes nothing for this long is
/// stuck; waiting longer would only make our rooms stuck, too.
const SEND_TIMEOUT: Duration = Duration::from_secs(1);

/// The way out of one room.
#[derive(Debug)]
pub(crate) struct Outbox {
    bus: Bus,
    lost_gateways: BTreeSet<NodeId>,
    stuck_units: BTreeSet<UnitId>,
}

impl Outbox {
    pub(crate) fn new(bus: Bus) -> Self {
        Self { bus, lost_gateways: BTreeSet::new(), stuck_units: BTreeSet::new() }
    }

    /// Gives something to sockets: one delivery for each of their gateways.
    pub(crate) async fn deliver(&mut self, to: Vec<Recipient>, what: Deliverable) {
        let mut connections_by_gateway: BTreeMap<NodeId, Vec<ConnectionId>> = BTreeMap::new();
        for Recipient { gateway, connection } in to {
            connections_by_gateway.entry(gateway).or_default().push(connection);
        }
        for (gateway, connections) in connections_by_gateway {
            if self.lost_gateways.contains(&gateway) {
                continue;
            }
            let delivery = Delivery { connections, what: what.clone() };
            if let Err(error) = self.send(Address::Gateway(gateway), delivery).await {
                warn!(%gateway, %error, "a gateway takes no messages: its clients have to come back");
                self.lost_gateways.insert(gateway);
            }
        }
    }

    /// Tells a unit. A unit that is gone need not be told; that it is gone is noticed by its silence.
    pub(crate) async fn command(&mut self, unit: UnitId, command: UnitCommand) {
        if self.stuck_units.contains(&unit) {
            return;
        }
        match self.send(Address::Unit(unit), command).await {
            Ok(()) => {}
            Err(BusError::Nobody(_)) => debug!(%unit, "a command for a unit that is gone"),
            Err(error) => {
                warn!(%unit, %error, "a media unit takes no commands");
                self.stuck_units.insert(unit);
            }
        }
    }

    /// Ends one round of effects: gives the gateways that were lost in it. In the next round everybody gets a new chance.
    pub(crate) fn take_lost_gateways(&mut self) -> BTreeSet<NodeId> {
        self.stuck_units.clear();
        std::mem::take(&mut self.lost_gateways)
    }

    async fn send<C: Command>(&self, to: Address, command: C) -> Result<(), BusError> {
        timeout(SEND_TIMEOUT, self.bus.send(to, command)).await.unwrap_or(Err(BusError::Overloaded(to)))
    }
}
