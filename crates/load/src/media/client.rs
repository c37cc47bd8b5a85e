//! One client: its `str0m`, its socket, and what it is here for.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use model::datagram::{Outbox, Protocol, Transport};
use net::{RecvBatch, UdpSocket};
use str0m::net::{Protocol as RtcProtocol, Receive};
use str0m::{Event, Input, Output, Rtc};
use tokio::sync::oneshot;
use tracing::{debug, warn};

use super::{Publisher, Receiver, keys};

/// `str0m` may ask to be called at once again and again; this often is enough for everything but its pacer, which is off.
const WAKE_INTERVAL_MIN: Duration = Duration::from_millis(1);
/// Batches taken from one socket before others have their turn.
const BATCHES_PER_PASS_MAX: usize = 4;

/// What a client is here for.
pub enum Role {
    /// Sends.
    Publisher(Publisher),
    /// Counts what arrives.
    Receiver(Receiver),
}

/// A client whose answer is accepted.
pub struct Client {
    rtc: Rtc,
    pub(super) socket: UdpSocket,
    local: SocketAddr,
    pub(super) role: Role,
    /// When its join began.
    pub(super) joined: Instant,
    pub(super) connected: Option<Instant>,
    pub(super) failed: bool,
    /// When `str0m` wants to be called.
    pub(super) wake_at: Instant,
    /// The earliest call that is queued.
    pub(super) queued_at: Option<Instant>,
    /// Told when media can be sent or was received.
    ready: Option<oneshot::Sender<()>>,
    pub(super) datagrams_dropped: u64,
    /// Datagrams of RTCP sent.
    pub(super) reports_sent: u64,
}

impl Client {
    /// A client that began to join at that time.
    pub fn new(rtc: Rtc, socket: UdpSocket, role: Role, joined: Instant, ready: oneshot::Sender<()>) -> Self {
        let local = socket.local_addr();
        Self {
            rtc,
            socket,
            local,
            role,
            joined,
            connected: None,
            failed: false,
            wake_at: joined,
            queued_at: None,
            ready: Some(ready),
            datagrams_dropped: 0,
            reports_sent: 0,
        }
    }

    /// Takes in what waits at the socket.
    pub(super) fn receive(&mut self, now: Instant, batch: &mut RecvBatch, outbox: &mut Outbox) {
        for _ in 0..BATCHES_PER_PASS_MAX {
            if let Err(error) = self.socket.recv_batch(batch) {
                return self.fail(&format!("socket: {error}"));
            }
            let mut remote = None;
            for (transport, arrived, datagram) in batch.iter_arrived() {
                remote = Some(transport.remote);
                if let Role::Receiver(receiver) = &mut self.role
                    && !receiver.record(datagram, now, arrived)
                {
                    continue;
                }
                if let Ok(packet) = Receive::new(RtcProtocol::Udp, transport.remote, self.local, datagram) {
                    self.input(Input::Receive(now, packet), now, outbox);
                }
            }
            if let (Role::Receiver(receiver), Some(remote)) = (&mut self.role, remote) {
                let transport = Transport { protocol: Protocol::Udp, local: self.local, remote };
                receiver.report(now, |datagram| {
                    self.reports_sent += 1;
                    outbox.push(transport, datagram);
                });
            }
            if !batch.is_full() {
                break;
            }
        }
        if let Role::Receiver(receiver) = &self.role
            && receiver.first_media().is_some()
        {
            self.tell_ready();
        }
        self.flush(outbox);
    }

    /// Lets `str0m` do what is due.
    pub(super) fn handle_timeout(&mut self, now: Instant, outbox: &mut Outbox) {
        self.input(Input::Timeout(now), now, outbox);
        self.flush(outbox);
    }

    /// When this publisher has something to send.
    pub(super) fn next_frame(&self) -> Option<Instant> {
        match &self.role {
            Role::Publisher(publisher) if self.connected.is_some() && !self.failed => {
                publisher.next_deadline()
            }
            _ => None,
        }
    }

    /// Sends the frames that are due.
    pub(super) fn publish(&mut self, now: Instant, outbox: &mut Outbox) {
        while let Role::Publisher(publisher) = &mut self.role
            && publisher.write_due(&mut self.rtc, now)
        {
            self.input(Input::Timeout(now), now, outbox);
        }
        self.flush(outbox);
    }

    fn input(&mut self, input: Input<'_>, now: Instant, outbox: &mut Outbox) {
        if self.failed {
            return;
        }
        match self.rtc.handle_input(input) {
            Ok(()) => self.drain(now, outbox),
            Err(error) => self.fail(&error.to_string()),
        }
        // After every call, so that what is heard is never taken for another client's.
        if let Some(keys) = keys::take_outbound()
            && let Role::Receiver(receiver) = &mut self.role
            && let Some(light) = &mut receiver.light
        {
            light.set_keys(keys);
        }
    }

    /// Takes everything out of `str0m`, as it demands after each call.
    fn drain(&mut self, now: Instant, outbox: &mut Outbox) {
        let mut called_again = false;
        loop {
            match self.rtc.poll_output() {
                Ok(Output::Transmit(packet)) => {
                    let transport =
                        Transport { protocol: Protocol::Udp, local: self.local, remote: packet.destination };
                    self.reports_sent += u64::from(rtc::rtcp::is_rtcp(&packet.contents));
                    outbox.push(transport, &packet.contents);
                }
                Ok(Output::Event(event)) => self.handle_event(event, now),
                Ok(Output::Timeout(at)) if at <= now && !called_again => {
                    called_again = true;
                    if let Err(error) = self.rtc.handle_input(Input::Timeout(now)) {
                        return self.fail(&error.to_string());
                    }
                }
                Ok(Output::Timeout(at)) => {
                    self.wake_at = at.max(now + WAKE_INTERVAL_MIN);
                    return;
                }
                Err(error) => return self.fail(&error.to_string()),
            }
        }
    }

    fn flush(&mut self, outbox: &mut Outbox) {
        if !outbox.is_empty() {
            self.datagrams_dropped += self.socket.send(outbox.data(), outbox.runs()).dropped;
            outbox.clear();
        }
    }

    fn handle_event(&mut self, event: Event, now: Instant) {
        match (event, &mut self.role) {
            (Event::Connected, role) => {
                self.connected = Some(now);
                if let Role::Publisher(publisher) = role {
                    publisher.start(&mut self.rtc, now);
                    self.tell_ready();
                }
            }
            (Event::KeyframeRequest(request), Role::Publisher(publisher)) => {
                publisher.request_key_frame(&request)
            }
            (Event::RtpPacket(packet), Role::Receiver(receiver)) => receiver.count_decrypted(&packet.payload),
            (Event::IceConnectionStateChange(state), _) => debug!(?state, "ICE"),
            (Event::Closed, _) => self.fail("closed by the server"),
            _ => {}
        }
    }

    fn fail(&mut self, reason: &str) {
        if !self.failed {
            warn!(reason, "a client failed");
        }
        self.failed = true;
        self.ready = None;
    }

    fn tell_ready(&mut self) {
        if let Some(ready) = self.ready.take() {
            // Whoever waited has given up; nothing to do about that here.
            let _ = ready.send(());
        }
    }
}
