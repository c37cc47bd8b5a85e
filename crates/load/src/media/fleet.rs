//! The thread that carries the packets of many clients.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Instant;

use model::datagram::Outbox;
use net::{NetConfig, Poller, RecvBatch, Waker, clock};
use tokio::sync::oneshot;

use super::Publisher;
use super::client::{Client, Role};
use super::totals::Totals;

/// How sockets of clients are made. Buffers are what a browser has, more or less. `timestamps`: datagrams come with the
/// time at which the kernel had them, so that our own queue is no part of a delay.
pub(crate) fn socket_config(timestamps: bool) -> NetConfig {
    NetConfig {
        timestamps,
        receive_buffer_bytes: 4 << 20,
        send_buffer_bytes: 4 << 20,
        ..NetConfig::default()
    }
}

enum Command {
    Add(Box<Client>),
    SetPps(f64),
    SetPaused(bool),
    Report(oneshot::Sender<Totals>),
    Stop,
}

/// A running fleet.
pub struct FleetHandle {
    commands: mpsc::Sender<Command>,
    waker: Waker,
    thread: Option<JoinHandle<()>>,
}

impl FleetHandle {
    /// Takes a client in.
    pub fn add(&self, client: Client) {
        self.command(Command::Add(Box::new(client)));
    }

    /// Changes the rate of all steady sources.
    pub fn set_pps(&self, pps: f64) {
        self.command(Command::SetPps(pps));
    }

    /// Stops all sources, or lets them go on.
    pub fn set_paused(&self, paused: bool) {
        self.command(Command::SetPaused(paused));
    }

    /// What its clients have counted. None: the thread is gone.
    pub async fn totals(&self) -> Option<Totals> {
        let (reply, totals) = oneshot::channel();
        self.command(Command::Report(reply));
        totals.await.ok()
    }

    fn command(&self, command: Command) {
        // A thread that is gone answers no question; that is noticed there.
        let _ = self.commands.send(command);
        self.waker.wake();
    }
}

impl Drop for FleetHandle {
    fn drop(&mut self) {
        self.command(Command::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Clients of one thread.
pub struct Fleet {
    clients: Vec<Client>,
    /// Clients that publish, by index.
    publishers: Vec<usize>,
    wakes: Wakes,
    poller: Poller,
    batch: RecvBatch,
    outbox: Outbox,
    commands: mpsc::Receiver<Command>,
}

impl Fleet {
    /// Starts a thread without clients.
    ///
    /// # Errors
    /// No thread or descriptor is left.
    pub fn spawn(index: usize) -> io::Result<FleetHandle> {
        let config = socket_config(false);
        let poller = Poller::new(&config)?;
        let waker = poller.waker();
        let (commands, inbox) = mpsc::channel();
        let fleet = Self {
            clients: Vec::new(),
            publishers: Vec::new(),
            wakes: Wakes::default(),
            poller,
            batch: RecvBatch::new(&config),
            outbox: Outbox::default(),
            commands: inbox,
        };
        // The whole program is pinned, if at all; a thread inherits that.
        let thread = net::spawn_pinned(&format!("packets-{index}"), None, move || fleet.run())?;
        Ok(FleetHandle { commands, waker, thread: Some(thread) })
    }

    fn run(mut self) {
        loop {
            let deadline = [self.next_frame(), self.wakes.next()].into_iter().flatten().min();
            let ready = match self.poller.wait(deadline) {
                Ok(ready) => ready,
                Err(error) => return tracing::error!(%error, "cannot wait for packets"),
            };
            let woken = ready.woken;
            let now = clock::now();
            for &index in &ready.udp {
                let Some(client) = self.clients.get_mut(index) else { continue };
                client.receive(now, &mut self.batch, &mut self.outbox);
                self.wakes.note(index, client);
            }
            for &index in &self.publishers {
                let Some(client) = self.clients.get_mut(index) else { continue };
                if client.next_frame().is_some_and(|due| due <= now) {
                    client.publish(now, &mut self.outbox);
                    self.wakes.note(index, client);
                }
            }
            self.wake_due(now);
            if woken && !self.handle_commands() {
                return;
            }
        }
    }

    fn next_frame(&self) -> Option<Instant> {
        self.publishers.iter().filter_map(|&index| self.clients.get(index)?.next_frame()).min()
    }

    fn wake_due(&mut self, now: Instant) {
        while let Some(index) = self.wakes.poll(now) {
            let Some(client) = self.clients.get_mut(index) else { continue };
            client.queued_at = None;
            if client.wake_at <= now {
                client.handle_timeout(now, &mut self.outbox);
            }
            if !client.failed {
                self.wakes.note(index, client);
            }
        }
    }

    /// Returns whether to go on.
    fn handle_commands(&mut self) -> bool {
        while let Ok(command) = self.commands.try_recv() {
            match command {
                Command::Add(client) => self.add(*client),
                Command::SetPps(pps) => self.publishers_do(|publisher| publisher.set_pps(pps)),
                Command::SetPaused(paused) => {
                    let now = clock::now();
                    self.publishers_do(|publisher| publisher.set_paused(paused, now));
                    for client in &mut self.clients {
                        if let Role::Receiver(receiver) = &mut client.role {
                            receiver.forgive_gap(now);
                        }
                    }
                }
                Command::Report(reply) => {
                    let now = clock::now();
                    let mut totals = Totals::default();
                    self.clients.iter().for_each(|client| totals.add(client, now));
                    let _ = reply.send(totals);
                }
                Command::Stop => return false,
            }
        }
        true
    }

    fn publishers_do(&mut self, mut change: impl FnMut(&mut Publisher)) {
        for client in &mut self.clients {
            if let Role::Publisher(publisher) = &mut client.role {
                change(publisher);
            }
        }
    }

    fn add(&mut self, mut client: Client) {
        let index = self.clients.len();
        if let Err(error) = self.poller.add_udp(&client.socket, index) {
            return tracing::error!(%error, "cannot wait for a client's socket");
        }
        if matches!(client.role, Role::Publisher(_)) {
            self.publishers.push(index);
        }
        // Due at once: the first checks are sent.
        client.wake_at = client.joined;
        self.wakes.note(index, &mut client);
        self.clients.push(client);
    }
}

/// When clients want to be called. `str0m` changes its mind at every packet, so a later wish is not queued while an
/// earlier one is; it is looked at when that comes.
#[derive(Default)]
struct Wakes(BinaryHeap<Reverse<(Instant, usize)>>);

impl Wakes {
    fn note(&mut self, index: usize, client: &mut Client) {
        if client.queued_at.is_none_or(|queued| client.wake_at < queued) {
            client.queued_at = Some(client.wake_at);
            self.0.push(Reverse((client.wake_at, index)));
        }
    }

    fn next(&self) -> Option<Instant> {
        self.0.peek().map(|Reverse((at, _))| *at)
    }

    fn poll(&mut self, now: Instant) -> Option<usize> {
        self.next().filter(|at| *at <= now)?;
        self.0.pop().map(|Reverse((_, index))| index)
    }
}
