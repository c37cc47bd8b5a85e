//! The measured half.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::Result;
use load::media::stamp;
use load::process;
use load::source::{Camera, Shape, Source};
use model::datagram::{Outbox, Protocol, Transport};
use net::clock::{self, WallClock};
use net::{NetConfig, Poller, SendOutcome, UdpSocket};
use rtc::srtp::Outbound;

use super::Args;
use super::packets::{Packets, SEQUENCE_AT, keys};

/// As a unit does (`media`, `sfu`): passes are at least so far apart, and so much is gathered before it is sent.
const GATHER: Duration = Duration::from_micros(500);
const OUTBOX_BYTES: usize = 2 << 20;

struct Destination {
    transport: Transport,
    keys: Outbound,
}

pub(super) struct Sender {
    socket: UdpSocket,
    poller: Poller,
    outbox: Outbox,
    packets: Packets,
    destinations: Vec<Destination>,
    source: Source,
    burst: Vec<usize>,
    /// Of the first packet of the pass, for all destinations.
    number: u64,
    wall: Option<WallClock>,
    last_pass: Instant,
    totals: SendOutcome,
    began: Option<(Instant, Duration)>,
}

/// What was measured.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sent {
    pub(super) outcome: SendOutcome,
    pub(super) length: Duration,
    pub(super) cpu: Duration,
    /// Packets since the first, before the measurement too.
    pub(super) all: u64,
    pub(super) gso: bool,
}

impl Sender {
    pub(super) fn new(args: &Args, addresses: &[SocketAddr]) -> Result<Self> {
        let config = NetConfig::default();
        let socket = UdpSocket::bind(SocketAddr::from(([127, 0, 0, 1], 0)), &config)?;
        let local = socket.local_addr();
        let destination = |(index, &remote): (usize, &SocketAddr)| -> Result<_> {
            let transport = Transport { protocol: Protocol::Udp, local, remote };
            Ok(Destination { transport, keys: keys(args.srtp.into(), index)?.0 })
        };
        let now = clock::now();
        let shape = match args.profile {
            Some(profile) => Shape::Camera(Camera::new(profile.kbps(), 1)),
            None => Shape::Steady { pps: args.pps, burst: args.burst, size: args.size },
        };
        Ok(Self {
            socket,
            poller: Poller::new(&config)?,
            outbox: Outbox::default(),
            packets: Packets::new(),
            destinations: addresses.iter().enumerate().map(destination).collect::<Result<_>>()?,
            source: Source::new(shape, now),
            burst: Vec::new(),
            number: 0,
            wall: args.delay.then(WallClock::read),
            last_pass: now,
            totals: SendOutcome::default(),
            began: None,
        })
    }

    /// Counts from here.
    pub(super) fn begin_measurement(&mut self) {
        self.totals = SendOutcome::default();
        self.began = self.own_cpu().ok().map(|cpu| (clock::now(), cpu));
    }

    /// CPU time so far. The scheduler brings it up to date when a thread stops running, so it stops for a moment.
    fn own_cpu(&mut self) -> io::Result<Duration> {
        self.poller.wait(Some(clock::now() + Duration::from_millis(1)))?;
        process::own_thread_cpu()
    }

    pub(super) fn measured(&mut self) -> io::Result<Sent> {
        let (at, before) = self.began.ok_or(io::ErrorKind::Unsupported)?;
        let length = clock::now().saturating_duration_since(at);
        Ok(Sent {
            outcome: self.totals,
            length,
            cpu: self.own_cpu()?.saturating_sub(before),
            all: self.number * self.destinations.len() as u64,
            gso: self.socket.facts().gso,
        })
    }

    /// Sends what is due for that long, or with `saturate` as much as it can.
    pub(super) fn send_for(&mut self, time: Duration, saturate: bool) -> io::Result<()> {
        let end = clock::now() + time;
        // What fell due before the first call is of no interest.
        self.source.skip(clock::now().saturating_duration_since(self.source.next_deadline()));
        loop {
            let now = clock::now();
            if now >= end {
                return Ok(());
            }
            if saturate {
                let due = self.source.next_deadline();
                self.take_frame(due, now);
                self.pass();
                continue;
            }
            let due = self.source.next_deadline().max(self.last_pass + GATHER);
            if due > now {
                self.poller.wait(Some(due.min(end)))?;
                continue;
            }
            self.last_pass = now;
            while self.take_frame(now, now) {}
            self.pass();
        }
    }

    /// Adds a frame that is due at `until` to the pass. False: there is none.
    fn take_frame(&mut self, until: Instant, now: Instant) -> bool {
        let due = self.source.next_deadline();
        let Some(frame) = self.source.poll_frame(until) else { return false };
        for &size in &frame.sizes {
            let number = self.number + self.burst.len() as u64;
            if let Some(wall) = &self.wall {
                // A server's packet comes in when it is due; ours is as old as that.
                stamp::write(self.packets.payload(number, size), wall.unix(due.min(now)));
            }
            self.burst.push(size);
        }
        true
    }

    fn pass(&mut self) {
        for destination in &self.destinations {
            for (index, &size) in self.burst.iter().enumerate() {
                let number = self.number + index as u64;
                let arena = self.outbox.arena();
                let start = arena.len();
                let header = self.packets.header();
                let header_len = header.len();
                arena.extend_from_slice(header);
                arena.extend_from_slice(self.packets.payload(number, size));
                if let Some(sequence) = arena.get_mut(start + SEQUENCE_AT..).and_then(|a| a.first_chunk_mut())
                {
                    *sequence = (number as u16).to_be_bytes();
                }
                destination.keys.protect_rtp(arena, start, header_len, number);
                self.outbox.commit(destination.transport, start);
            }
            if self.outbox.len_bytes() > OUTBOX_BYTES {
                self.totals += self.socket.send(self.outbox.data(), self.outbox.runs());
                self.outbox.clear();
            }
        }
        self.totals += self.socket.send(self.outbox.data(), self.outbox.runs());
        self.outbox.clear();
        self.number += self.burst.len() as u64;
        self.burst.clear();
    }
}
