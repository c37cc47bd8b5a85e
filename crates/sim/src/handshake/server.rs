//! Our side: what a unit's endpoints run instead of DTLS.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use rtc::Identity;
use rtc::dtls::{Handshake, HandshakeError, KeyingMaterial, Output};
use rtc::srtp::Profile;

use super::{Flight, Kind, material};
use crate::random::Random;

const CERTIFICATE: &[u8] = b"a unit's certificate";

/// The identity of a unit whose handshakes are these.
pub fn identity(random: &Random) -> Identity {
    let random = random.part("handshake", 0);
    let count = AtomicU64::new(0);
    Identity::with_handshake(CERTIFICATE, move |_| {
        let number = random.part("server", count.fetch_add(1, Ordering::Relaxed)).draw();
        Box::new(Server { number, client: None, done: false, due: VecDeque::new() })
    })
}

/// The server's side of one connection. It answers and never begins: the client's retransmissions do for both.
#[derive(Debug)]
struct Server {
    number: u64,
    /// The client's number, from its first flight.
    client: Option<u64>,
    done: bool,
    due: VecDeque<Due>,
}

#[derive(Debug)]
enum Due {
    Flight(Kind),
    Certificate(Vec<u8>),
    Keys,
    Connected,
    Closed,
}

impl Handshake for Server {
    fn handle_packet(&mut self, _: Instant, datagram: &[u8]) -> Result<(), HandshakeError> {
        // As DTLS does (RFC 6347 §4.1.2.7): what cannot be read is dropped.
        let Some(flight) = Flight::parse(datagram) else { return Ok(()) };
        match flight.kind {
            Kind::ClientHello => {
                let first = *self.client.get_or_insert(flight.number);
                if first == flight.number {
                    self.due.push_back(Due::Flight(Kind::ServerHello));
                }
            }
            Kind::ClientFinished if self.client == Some(flight.number) => {
                if !std::mem::replace(&mut self.done, true) {
                    self.due.extend([
                        Due::Certificate(flight.certificate.to_vec()),
                        Due::Keys,
                        Due::Connected,
                    ]);
                }
                self.due.push_back(Due::Flight(Kind::ServerFinished));
            }
            Kind::Close if self.client == Some(flight.number) => self.due.push_back(Due::Closed),
            _ => {}
        }
        Ok(())
    }

    fn handle_timeout(&mut self, _: Instant) -> Result<(), HandshakeError> {
        Ok(())
    }

    fn poll<'a>(&mut self, buffer: &'a mut Vec<u8>) -> Output<'a> {
        match self.due.pop_front() {
            Some(Due::Flight(kind)) => {
                *buffer = Flight { kind, number: self.number, certificate: CERTIFICATE }.write();
                Output::Packet(buffer)
            }
            Some(Due::Certificate(certificate)) => {
                *buffer = certificate;
                Output::PeerCertificate(buffer)
            }
            Some(Due::Keys) => {
                let material = material(self.client.unwrap_or_default(), self.number);
                Output::Keys(Profile::AeadAes256Gcm, KeyingMaterial::new(material))
            }
            Some(Due::Connected) => Output::Connected,
            Some(Due::Closed) => Output::Closed,
            None => Output::Idle,
        }
    }

    fn close(&mut self) {
        self.due.push_back(Due::Flight(Kind::Close));
    }
}
