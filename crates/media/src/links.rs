//! The links between the units of one machine: batches from thread to thread.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use model::UnitId;
use net::Waker;

/// Batches that wait for one unit. A unit makes one for each other unit with a pass, so this is a quarter of a second;
/// what comes beyond is lost, and repaired as on any link.
pub const BATCHES_MAX: usize = 512;

/// What one unit says to another, in the form that `sfu` gives it.
#[derive(Debug)]
pub struct Batch {
    /// Who says it.
    pub from: UnitId,
    /// What.
    pub bytes: Vec<u8>,
}

/// Where batches for a unit go.
#[derive(Debug, Clone)]
pub struct Port {
    unit: UnitId,
    batches: SyncSender<Batch>,
    waker: Waker,
}

impl Port {
    /// A port of a unit, and its other end.
    pub fn new(unit: UnitId, waker: Waker) -> (Self, Receiver<Batch>) {
        let (batches, receiver) = sync_channel(BATCHES_MAX);
        (Self { unit, batches, waker }, receiver)
    }
}

/// The units that one unit can reach, itself among them.
#[derive(Debug, Default)]
pub struct Links {
    ports: Vec<Port>,
}

impl Links {
    /// Links to these units.
    pub fn new(ports: Vec<Port>) -> Self {
        Self { ports }
    }

    /// False: it does not arrive, for the unit is behind, or there is none of that name.
    pub fn send(&self, to: UnitId, batch: Batch) -> bool {
        let Some(port) = self.ports.iter().find(|p| p.unit == to) else { return false };
        let sent = port.batches.try_send(batch).is_ok();
        port.waker.wake();
        sent
    }
}

#[cfg(test)]
mod tests {
    use net::{NetConfig, Poller};

    use super::*;

    #[test]
    fn a_unit_that_is_behind_loses_batches_and_holds_up_nobody() {
        let poller = Poller::new(&NetConfig::default()).unwrap();
        let (port, arriving) = Port::new(UnitId(2), poller.waker());
        let links = Links::new(vec![port]);
        let batch = || Batch { from: UnitId(1), bytes: vec![1] };
        assert!(!links.send(UnitId(3), batch()), "there is no such unit");
        let arrived = (0..BATCHES_MAX + 100).filter(|_| links.send(UnitId(2), batch())).count();
        assert_eq!(arrived, BATCHES_MAX);
        assert_eq!(arriving.try_iter().count(), BATCHES_MAX);
        assert!(links.send(UnitId(2), batch()));
    }
}
