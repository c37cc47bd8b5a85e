//! The thread of one unit: the phases of the `media` role's loop, between clients that are played.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use load::process;
use media::links::{BATCHES_MAX, Batch, Links};
use model::datagram::Outbox;
use model::{PeerId, UnitId};
use net::{Poller, UdpSocket, clock};
use sfu::Unit;

use super::players::{Publisher, Receiver};
use super::report::Share;

/// Bursts by which one unit's publishers may be ahead of another's: cameras of one room have one rate, and a unit that
/// is served less for a moment must not lose its place to the other for good.
const AHEAD_MAX: u64 = 32;
/// Whoever is ahead looks again so soon, unless it is woken.
const LOOK_INTERVAL: Duration = Duration::from_micros(500);

/// How far each unit's publishers are.
pub(super) struct Pace(Vec<AtomicU64>);

impl Pace {
    pub(super) fn new(units: usize) -> Self {
        Self((0..units).map(|_| AtomicU64::new(0)).collect())
    }

    /// Whether this unit's publishers may send: nobody is far behind.
    fn may_go_on(&self, unit: usize) -> bool {
        let bursts = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let last = self.0.iter().map(bursts).min().unwrap_or(0);
        self.0.get(unit).is_none_or(|own| bursts(own) < last + AHEAD_MAX)
    }

    fn went_on(&self, unit: usize) {
        if let Some(own) = self.0.get(unit) {
            own.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The machine's clock, ahead of it by what nobody had to wait for when clients connected.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Clock {
    ahead: Duration,
}

impl Clock {
    pub(super) fn now(self) -> Instant {
        clock::now() + self.ahead
    }

    /// Lets time go by that nothing happens in.
    pub(super) fn skip(&mut self, time: Duration) {
        self.ahead += time;
    }
}

/// One unit, its clients, and its links.
pub(super) struct Worker {
    pub(super) index: usize,
    pub(super) id: UnitId,
    pub(super) unit: Unit,
    pub(super) clock: Clock,
    pub(super) socket: UdpSocket,
    pub(super) poller: Poller,
    pub(super) batches: mpsc::Receiver<Batch>,
    pub(super) links: Links,
    pub(super) pace: Arc<Pace>,
    pub(super) publishers: Vec<Publisher>,
    pub(super) receivers: Vec<Receiver>,
    pub(super) peers: Vec<PeerId>,
    pub(super) by_address: HashMap<SocketAddr, usize>,
    pub(super) totals: Totals,
}

/// Since the thread began.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Totals {
    played: Duration,
    waited: Duration,
    batches_lost: u64,
    dropped: u64,
    /// Packets of this unit's own publishers.
    published: u64,
}

impl Worker {
    /// Works for both times; what it did in the second one is the result. The worker comes back, for others may still
    /// say something to it.
    pub(super) fn run(
        mut self,
        begin: Instant,
        [warm, measured]: [Duration; 2],
    ) -> io::Result<(Share, Self)> {
        let (from, until) = (begin + warm, begin + warm + measured);
        while clock::now() < from {
            self.pass()?;
        }
        let (share, at) = (self.so_far()?, clock::now());
        while clock::now() < until {
            self.pass()?;
        }
        let wall = clock::now().saturating_duration_since(at);
        let all = self.so_far()?;
        let since = |of: fn(&Share) -> u64| of(&all) - of(&share);
        let share = Share {
            packets: since(|s| s.packets),
            wall,
            cpu: all.cpu.saturating_sub(share.cpu),
            played: all.played.saturating_sub(share.played),
            waited: all.waited.saturating_sub(share.waited),
            relayed: since(|s| s.relayed),
            batches_lost: since(|s| s.batches_lost),
            paced: since(|s| s.paced),
            dropped: since(|s| s.dropped),
            due: since(|s| s.due),
            estimated_mbps: self.estimated_mbps(),
        };
        Ok((share, self))
    }

    fn so_far(&mut self) -> io::Result<Share> {
        // The scheduler brings a thread's time up to date when it stops running, so it stops for a moment.
        self.poller.wait(Some(clock::now() + Duration::from_millis(1)))?;
        let (counters, totals) = (*self.unit.counters(), self.totals);
        let came = totals.published + counters.relay_packets_received;
        Ok(Share {
            packets: counters.packets_forwarded,
            wall: Duration::ZERO,
            cpu: process::own_thread_cpu()?,
            played: totals.played,
            waited: totals.waited,
            relayed: counters.relay_packets_received,
            batches_lost: totals.batches_lost,
            paced: counters.packets_waited,
            dropped: totals.dropped,
            due: came * self.receivers.len() as u64,
            estimated_mbps: 0.0,
        })
    }

    fn estimated_mbps(&self) -> f64 {
        let target = |peer: &PeerId| self.unit.bandwidth(*peer)?.target;
        let mut known: Vec<u64> = self.peers.iter().filter_map(target).map(|rate| rate.as_bps()).collect();
        known.sort_unstable();
        known.get(known.len() / 2).map_or(0.0, |bps| *bps as f64 / 1e6)
    }

    /// As a unit's thread does it; publishers and reports take the place of a socket that can be read.
    fn pass(&mut self) -> io::Result<()> {
        let plays = self.pace.may_go_on(self.index);
        let begin = clock::now();
        let woken = self.poller.wait(Some(if plays { begin } else { begin + LOOK_INTERVAL }))?.woken;
        if !plays {
            self.totals.waited += clock::now().saturating_duration_since(begin);
        }
        let now = self.clock.now();
        if woken {
            for Batch { from, bytes } in self.batches.try_iter().take(BATCHES_MAX) {
                self.unit.handle_relay(now, from, &bytes);
            }
        }
        if plays {
            self.publish(now);
            self.pace.went_on(self.index);
        }
        self.report(now);
        if self.unit.poll_timeout().is_some_and(|at| at <= now) {
            self.unit.handle_timeout(now);
        }
        let Self { unit, socket, receivers, by_address, totals, .. } = self;
        unit.forward(now, |outbox| totals.flush(now, socket, receivers, by_address, outbox));
        totals.flush(now, socket, receivers, by_address, unit.outbox());
        while let Some((to, bytes)) = unit.poll_relay() {
            let sent = self.links.send(to, Batch { from: self.id, bytes });
            totals.batches_lost += u64::from(!sent);
        }
        while unit.poll_fact().is_some() {}
        Ok(())
    }

    fn publish(&mut self, now: Instant) {
        for publisher in &mut self.publishers {
            let transport = publisher.transport;
            let begin = clock::now();
            let packets = publisher.next_frame(now);
            self.totals.played += clock::now().saturating_duration_since(begin);
            self.totals.published += packets.len() as u64;
            for packet in packets {
                self.unit.handle_datagram(now, transport, packet);
            }
        }
    }

    fn report(&mut self, now: Instant) {
        for receiver in self.receivers.iter_mut().filter(|receiver| receiver.is_due(now)) {
            let transport = receiver.transport;
            loop {
                let begin = clock::now();
                let feedback = receiver.next_feedback(now);
                self.totals.played += clock::now().saturating_duration_since(begin);
                let Some(feedback) = feedback else { break };
                self.unit.handle_datagram(now, transport, feedback);
            }
        }
    }
}

impl Totals {
    /// Tells the receivers, and sends.
    fn flush(
        &mut self,
        now: Instant,
        socket: &mut UdpSocket,
        receivers: &mut [Receiver],
        by_address: &HashMap<SocketAddr, usize>,
        outbox: &mut Outbox,
    ) {
        let begin = clock::now();
        for run in outbox.runs() {
            let receiver = by_address.get(&run.transport.remote).and_then(|place| receivers.get_mut(*place));
            let datagrams = outbox.data().get(run.start..run.start + run.len);
            if let (Some(receiver), Some(datagrams)) = (receiver, datagrams) {
                receiver.note(now, run, datagrams);
            }
        }
        self.played += clock::now().saturating_duration_since(begin);
        self.dropped += socket.send(outbox.data(), outbox.runs()).dropped;
        outbox.clear();
    }
}
