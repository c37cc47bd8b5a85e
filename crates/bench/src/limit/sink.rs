//! The other end: a socket for each destination, as each client of the generator has one.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Result;
use load::histogram::Histogram;
use load::media::stamp;
use net::{NetConfig, Poller, RecvBatch, UdpSocket, Waker, clock};
use rtc::rtp::Header;
use rtc::srtp::Inbound;

use super::Args;
use super::packets::keys;

/// What is on its way when the sender has stopped arrives within this time.
const DRAIN: Duration = Duration::from_millis(200);
/// Batches taken from one socket before others have their turn; as in the generator.
const BATCHES_PER_PASS_MAX: usize = 4;

/// What arrived, since the first packet.
#[derive(Debug, Default)]
pub(super) struct Arrivals {
    pub(super) packets: u64,
    pub(super) decrypted: u64,
    pub(super) undecryptable: u64,
    pub(super) delays: Histogram,
}

pub(super) struct Sink {
    addresses: Vec<SocketAddr>,
    stop: Arc<AtomicBool>,
    waker: Waker,
    thread: JoinHandle<io::Result<Arrivals>>,
}

struct Receiver {
    socket: UdpSocket,
    /// Of those that decrypt.
    keys: Option<Inbound>,
}

/// Starts to receive.
pub(super) fn start(args: &Args) -> Result<Sink> {
    let config = NetConfig {
        receive_buffer_bytes: 4 << 20,
        send_buffer_bytes: 4 << 20,
        timestamps: args.delay,
        ..NetConfig::default()
    };
    let mut poller = Poller::new(&config)?;
    let mut receivers = Vec::with_capacity(args.receivers);
    for index in 0..args.receivers {
        let socket = UdpSocket::bind(SocketAddr::from(([127, 0, 0, 1], 0)), &config)?;
        poller.add_udp(&socket, index)?;
        let decrypts = args.feed > 0 && index.is_multiple_of(args.feed);
        let keys = if decrypts { Some(keys(args.srtp.into(), index)?.1) } else { None };
        receivers.push(Receiver { socket, keys });
    }
    let addresses = receivers.iter().map(|receiver| receiver.socket.local_addr()).collect();
    let (stop, waker) = (Arc::new(AtomicBool::new(false)), poller.waker());
    let stopped = stop.clone();
    let batch = RecvBatch::new(&config);
    let thread =
        net::spawn_pinned("sink", args.sink_cpu, move || receive(receivers, poller, batch, &stopped))?;
    Ok(Sink { addresses, stop, waker, thread })
}

impl Sink {
    pub(super) fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Waits for what is on its way, and says what came.
    pub(super) fn stop(self) -> Result<Arrivals> {
        self.stop.store(true, Ordering::Relaxed);
        self.waker.wake();
        Ok(self.thread.join().map_err(|_| anyhow::anyhow!("the sink panicked"))??)
    }
}

fn receive(
    mut receivers: Vec<Receiver>,
    mut poller: Poller,
    mut batch: RecvBatch,
    stop: &AtomicBool,
) -> io::Result<Arrivals> {
    let mut arrivals = Arrivals::default();
    let mut end = None;
    loop {
        let ready = poller.wait(end)?;
        for &index in &ready.udp {
            let Some(receiver) = receivers.get_mut(index) else { continue };
            for _ in 0..BATCHES_PER_PASS_MAX {
                receiver.socket.recv_batch(&mut batch)?;
                arrivals.take(receiver, &mut batch);
                if !batch.is_full() {
                    break;
                }
            }
        }
        if end.is_none() && stop.load(Ordering::Relaxed) {
            end = Some(clock::now() + DRAIN);
        }
        if end.is_some_and(|end| clock::now() >= end) {
            return Ok(arrivals);
        }
    }
}

impl Arrivals {
    fn take(&mut self, receiver: &mut Receiver, batch: &mut RecvBatch) {
        let Some(keys) = &mut receiver.keys else {
            self.packets += batch.datagrams() as u64;
            return;
        };
        for (_, at, datagram) in batch.iter_arrived() {
            self.packets += 1;
            let header = Header::parse(datagram).ok();
            let opened =
                header.and_then(|header| Some((header, keys.unprotect_rtp(datagram, &header).ok()?)));
            let Some((header, opened)) = opened else {
                self.undecryptable += 1;
                continue;
            };
            self.decrypted += 1;
            let payload = datagram.get(header.header_len..header.header_len + opened.payload_len);
            if let (Some(at), Some(sent)) = (at, payload.and_then(stamp::read)) {
                self.delays.record(at.saturating_sub(sent));
            }
        }
    }
}
