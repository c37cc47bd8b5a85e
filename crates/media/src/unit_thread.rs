//! The loop of one unit: wait, take in, decide, send.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bus::media::UnitReport;
use bus::{Address, Bus};
use model::datagram::Outbox;
use model::unit::{Answer, Offer, OfferError, UnitCommand, UnitFact};
use model::{PeerId, UnitId};
use net::clock::{self, WallClock};
use net::{Poller, RecvBatch, TcpPort, UdpSocket, Waker};
use rtc::{Identity, NtpClock};
use sfu::Unit;
use tokio::sync::mpsc;
use tracing::error;

use crate::links::{self, Batch, Links, Port};
use crate::probe::DelayProbe;
use crate::stats::UnitStats;
use crate::{Config, Sockets, StartError};

/// Passes are at least so far apart, so that under load several packets of a stream go out with one call. An idle unit
/// passes on a packet at once.
const GATHER: Duration = Duration::from_micros(500);
/// Batches taken in with one pass; what is left waits in the kernel for the next.
const BATCHES_PER_PASS: usize = 8;
/// How often the unit reports itself.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);

/// What reaches a unit from the bus.
pub(crate) enum Input {
    Offer(Box<Offer>, Box<dyn FnOnce(Result<Answer, OfferError>) + Send>),
    Command(UnitCommand),
    /// Panic: how a fault is tested.
    #[cfg(debug_assertions)]
    Fail,
    Stop,
}

impl std::fmt::Debug for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Input::Offer(..) => "Offer",
            Input::Command(_) => "Command",
            #[cfg(debug_assertions)]
            Input::Fail => "Fail",
            Input::Stop => "Stop",
        })
    }
}

pub(crate) struct UnitThread {
    id: UnitId,
    peers_max: usize,
    sockets: Sockets,
    identity: Identity,
    wall: WallClock,
    poller: Poller,
    batch: RecvBatch,
    bus: Bus,
    inputs: mpsc::Receiver<Input>,
    batches: Receiver<Batch>,
    links: Links,
    batches_dropped: u64,
    stats: Arc<Mutex<UnitStats>>,
    probe: Option<DelayProbe>,
    last_pass: Instant,
    next_report: Instant,
    busy: Duration,
    dropped: u64,
    panics: u64,
}

impl UnitThread {
    pub(crate) fn new(
        config: &Config,
        id: UnitId,
        sockets: Sockets,
        bus: Bus,
        inputs: mpsc::Receiver<Input>,
        stats: Arc<Mutex<UnitStats>>,
    ) -> Result<(Self, Waker, Port), StartError> {
        let mut poller = Poller::new(&config.net)?;
        for (token, socket) in sockets.udp.iter().enumerate() {
            poller.add_udp(socket, token)?;
        }
        if let Some(tcp) = &sockets.tcp {
            poller.add_tcp(tcp)?;
        }
        let waker = poller.waker();
        let (port, batches) = Port::new(id, waker.clone());
        let now = clock::now();
        let probe = sockets.udp.first().map(|socket| {
            let mut secret = [0; 16];
            fill_random(&mut secret);
            DelayProbe::new(now, socket, secret)
        });
        let thread = Self {
            id,
            peers_max: config.peers_max,
            sockets,
            identity: Identity::generate()?,
            wall: WallClock::read(),
            poller,
            batch: RecvBatch::new(&config.net),
            bus,
            inputs,
            batches,
            links: Links::default(),
            batches_dropped: 0,
            stats,
            probe,
            last_pass: now,
            next_report: now,
            busy: Duration::ZERO,
            dropped: 0,
            panics: 0,
        };
        Ok((thread, waker, port))
    }

    /// Runs until it is stopped. A fault in the unit costs its own peers their connection, and nobody else.
    pub(crate) fn run(mut self, links: Links) {
        self.links = links;
        loop {
            let mut unit = self.new_unit();
            let mut peers: Vec<PeerId> = Vec::new();
            let ended = catch_unwind(AssertUnwindSafe(|| {
                loop {
                    match self.pass(&mut unit) {
                        Ok(true) => {}
                        Ok(false) => return,
                        Err(error) => {
                            error!(unit = %self.id, %error, "a media socket failed");
                            return;
                        }
                    }
                    if peers.len() != unit.peer_count() {
                        peers.clear();
                        peers.extend(unit.peer_ids());
                    }
                }
            }));
            if ended.is_ok() {
                return;
            }
            self.panics += 1;
            error!(unit = %self.id, peers = peers.len(), "a media unit failed; its peers have to connect again");
            self.bus.publish(Address::Units, UnitFact::PeersLost { peers });
        }
    }

    fn new_unit(&self) -> Unit {
        let now = clock::now();
        let config = sfu::Config {
            unit: self.id,
            peers_max: self.peers_max,
            candidates: self.sockets.candidates.clone(),
            identity: self.identity.clone(),
            clock: NtpClock::new(now, self.wall.unix(now)),
        };
        Unit::new(now, config, Box::new(fill_random))
    }

    /// One pass. False: it was stopped.
    fn pass(&mut self, unit: &mut Unit) -> io::Result<bool> {
        let tcp_deadline = self.sockets.tcp.as_ref().and_then(TcpPort::next_deadline);
        let probe_deadline = self.probe.as_ref().filter(|_| unit.peer_count() > 0).map(DelayProbe::deadline);
        let deadlines = [unit.poll_timeout(), tcp_deadline, Some(self.next_report), probe_deadline];
        let deadline = deadlines.into_iter().flatten().min();
        let ready = self.poller.wait(deadline)?;
        let (udp, tcp, woken) = (ready.udp.len(), ready.tcp, ready.woken);
        let mut now = clock::now();
        let since = now.saturating_duration_since(self.last_pass);
        if udp > 0 && since < GATHER {
            pause(GATHER - since);
            now = clock::now();
        }
        self.last_pass = now;

        if woken && !self.take_inputs(unit, now) {
            return Ok(false);
        }
        if woken {
            self.take_batches(unit, now);
        }
        if udp > 0 {
            self.take_datagrams(unit, now)?;
        }
        if let Some(port) = self.sockets.tcp.as_mut() {
            if tcp {
                port.receive(now, |transport, datagram| unit.handle_datagram(now, transport, datagram))?;
            }
            if port.next_deadline().is_some_and(|at| at <= now) {
                port.handle_timeout(now);
            }
            while port.poll_closed().is_some() {}
        }
        if unit.poll_timeout().is_some_and(|at| at <= now) {
            unit.handle_timeout(now);
        }
        let Self { sockets, dropped, .. } = self;
        unit.forward(now, |outbox| *dropped += flush(sockets, now, outbox));
        self.dropped += flush(&mut self.sockets, now, unit.outbox());
        self.send_batches(unit);
        while let Some(fact) = unit.poll_fact() {
            self.bus.publish(Address::Units, fact);
        }
        let end = clock::now();
        self.probe(unit, end);
        self.busy += end.saturating_duration_since(now);
        if self.next_report <= end {
            self.report(unit, end);
        }
        Ok(true)
    }

    fn take_datagrams(&mut self, unit: &mut Unit, now: Instant) -> io::Result<()> {
        for socket in &mut self.sockets.udp {
            for _ in 0..BATCHES_PER_PASS {
                if socket.recv_batch(&mut self.batch)? == 0 {
                    break;
                }
                for (transport, datagram) in self.batch.iter_mut() {
                    if self.probe.as_mut().is_some_and(|probe| probe.takes(&transport, datagram)) {
                        continue;
                    }
                    unit.handle_datagram(now, transport, datagram);
                }
                if !self.batch.is_full() {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Measures how long packets stay here, while there are some.
    fn probe(&mut self, unit: &Unit, end: Instant) {
        let (Some(probe), Some(socket)) = (&mut self.probe, self.sockets.udp.first_mut()) else { return };
        probe.passed(end);
        if unit.peer_count() > 0 {
            probe.send(end, socket);
        }
    }

    fn take_inputs(&mut self, unit: &mut Unit, now: Instant) -> bool {
        loop {
            match self.inputs.try_recv() {
                Ok(Input::Offer(offer, reply)) => reply(unit.handle_offer(now, &offer)),
                Ok(Input::Command(command)) => unit.handle_command(now, command),
                #[cfg(debug_assertions)]
                Ok(Input::Fail) => panic!("a test asks this unit to fail"),
                Ok(Input::Stop) | Err(mpsc::error::TryRecvError::Disconnected) => return false,
                Err(mpsc::error::TryRecvError::Empty) => return true,
            }
        }
    }

    /// Takes what other units said. What comes meanwhile wakes the next pass.
    fn take_batches(&mut self, unit: &mut Unit, now: Instant) {
        for Batch { from, bytes } in self.batches.try_iter().take(links::BATCHES_MAX) {
            unit.handle_relay(now, from, &bytes);
        }
    }

    fn send_batches(&mut self, unit: &mut Unit) {
        while let Some((to, bytes)) = unit.poll_relay() {
            let sent = self.links.send(to, Batch { from: self.id, bytes });
            self.batches_dropped += u64::from(!sent);
        }
    }

    fn report(&mut self, unit: &Unit, now: Instant) {
        let passed = now.saturating_duration_since(self.next_report) + REPORT_INTERVAL;
        self.next_report = now + REPORT_INTERVAL;
        let load = (self.busy.as_secs_f32() / passed.as_secs_f32()).min(1.0);
        self.busy = Duration::ZERO;
        let stats = UnitStats {
            unit: self.id,
            peers: unit.peer_count(),
            load,
            forwarding: *unit.counters(),
            datagrams_dropped: self.dropped,
            batches_dropped: self.batches_dropped,
            panics: self.panics,
            delays: self.probe.as_ref().map(DelayProbe::delays).unwrap_or_default(),
        };
        *self.stats.lock().unwrap_or_else(PoisonError::into_inner) = stats;
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let report = UnitReport {
            unit: self.id,
            peers: count(unit.peer_count()),
            peers_max: count(self.peers_max),
            load,
        };
        self.bus.publish(Address::Units, report);
    }
}

/// Sends everything and clears it; returns how many datagrams could not be sent.
fn flush(sockets: &mut Sockets, now: Instant, outbox: &mut Outbox) -> u64 {
    let mut dropped = 0;
    let mut rest = outbox.runs();
    while let Some(first) = rest.first() {
        let owner = sockets.udp.iter_mut().find(|s| s.owns(&first.transport));
        let same = match &owner {
            Some(socket) => rest.iter().take_while(|r| socket.owns(&r.transport)).count(),
            None => 1,
        };
        let (group, after) = rest.split_at(same.max(1));
        dropped += match (owner, sockets.tcp.as_mut()) {
            (Some(socket), _) => send_udp(socket, outbox.data(), group),
            (None, Some(tcp)) => tcp.send(now, outbox.data(), group).dropped,
            (None, None) => 1,
        };
        rest = after;
    }
    outbox.clear();
    dropped
}

fn send_udp(socket: &mut UdpSocket, data: &[u8], runs: &[model::datagram::Run]) -> u64 {
    socket.send(data, runs).dropped
}

/// Sleeps for less than a millisecond, while packets gather in the kernel.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place where waiting by the clock is the point: see GATHER"
)]
fn pause(time: Duration) {
    std::thread::sleep(time);
}

fn fill_random(buffer: &mut [u8]) {
    // Without random numbers there are no secrets, and no connection may be made: end this unit.
    getrandom::fill(buffer).expect("the system has a random source");
}
