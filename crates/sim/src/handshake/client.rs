//! The clients' side: a provider of DTLS for `str0m`.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use str0m::crypto::dtls::{
    DtlsCert, DtlsImplError, DtlsInstance, DtlsOutput, DtlsProvider, DtlsVersion, KeyingMaterial,
    ProtocolVersion, SrtpProfile,
};
use str0m::crypto::{CryptoError, CryptoProvider};

use super::{Flight, Kind, RETRANSMIT_FIRST, RETRANSMIT_MAX, material};

/// Nothing is due.
const IDLE: Duration = Duration::from_secs(3600);

/// Real cryptography for everything but the handshake.
pub fn provider() -> Arc<CryptoProvider> {
    let real = str0m::crypto::from_feature_flags();
    Arc::new(CryptoProvider { dtls_provider: &Provider, ..real })
}

#[derive(Debug)]
struct Provider;

impl DtlsProvider for Provider {
    fn generate_certificate(&self) -> Option<DtlsCert> {
        // Drawn from the thread's sequence, which the world has seeded.
        let certificate = fastrand::u128(..).to_be_bytes().to_vec();
        Some(DtlsCert { certificate, private_key: Vec::new() })
    }

    fn new_dtls(
        &self,
        certificate: &DtlsCert,
        now: Instant,
        _: DtlsVersion,
        _: Option<usize>,
    ) -> Result<Box<dyn DtlsInstance>, CryptoError> {
        Ok(Box::new(Client {
            certificate: certificate.certificate.clone(),
            number: fastrand::u64(..),
            active: false,
            now,
            server: None,
            state: State::Idle,
            resend: None,
            fresh: false,
            due: VecDeque::new(),
        }))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Idle,
    /// Said hello.
    Hello,
    /// Said finished.
    Finished,
    Done,
    Closed,
}

/// The client's side of one connection.
#[derive(Debug)]
struct Client {
    certificate: Vec<u8>,
    number: u64,
    active: bool,
    now: Instant,
    server: Option<(u64, Vec<u8>)>,
    state: State,
    /// When the last flight goes again, and how long it was waited for this time.
    resend: Option<(Instant, Duration)>,
    /// A flight was made whose time is not known yet: `str0m` tells the time after it hands over a packet.
    fresh: bool,
    due: VecDeque<Due>,
}

#[derive(Debug)]
enum Due {
    Flight(Kind),
    Certificate,
    Keys,
    Connected,
    Closed,
}

impl Client {
    fn send(&mut self, kind: Kind) {
        self.due.push_back(Due::Flight(kind));
        self.fresh = true;
    }
}

impl DtlsInstance for Client {
    fn set_active(&mut self, active: bool) {
        self.active = active;
        if active && self.state == State::Idle {
            self.state = State::Hello;
            self.send(Kind::ClientHello);
        }
    }

    fn handle_packet(&mut self, datagram: &[u8]) -> Result<(), DtlsImplError> {
        let Some(flight) = Flight::parse(datagram) else { return Ok(()) };
        let known = self.server.as_ref().is_some_and(|(number, _)| *number == flight.number);
        match (self.state, flight.kind) {
            (State::Hello, Kind::ServerHello) => {
                self.server = Some((flight.number, flight.certificate.to_vec()));
                self.state = State::Finished;
                self.send(Kind::ClientFinished);
            }
            (State::Finished, Kind::ServerFinished) if known => {
                self.state = State::Done;
                (self.resend, self.fresh) = (None, false);
                self.due.extend([Due::Certificate, Due::Keys, Due::Connected]);
            }
            (State::Done, Kind::Close) if known => {
                self.state = State::Closed;
                self.due.push_back(Due::Closed);
            }
            _ => {}
        }
        Ok(())
    }

    fn poll_output<'a>(&mut self, buffer: &'a mut [u8]) -> DtlsOutput<'a> {
        match self.due.pop_front() {
            Some(Due::Flight(kind)) => {
                let flight = Flight { kind, number: self.number, certificate: &self.certificate }.write();
                match buffer.get_mut(..flight.len()) {
                    Some(place) => {
                        place.copy_from_slice(&flight);
                        DtlsOutput::Packet(place)
                    }
                    None => DtlsOutput::BufferTooSmall { needed: flight.len() },
                }
            }
            Some(Due::Certificate) => {
                let certificate = self.server.as_ref().map_or(&[][..], |(_, certificate)| certificate);
                match buffer.get_mut(..certificate.len()) {
                    Some(place) => {
                        place.copy_from_slice(certificate);
                        DtlsOutput::PeerCert(place)
                    }
                    None => DtlsOutput::BufferTooSmall { needed: certificate.len() },
                }
            }
            Some(Due::Keys) => {
                let server = self.server.as_ref().map_or(0, |(number, _)| *number);
                let material = KeyingMaterial::new(&material(self.number, server));
                DtlsOutput::KeyingMaterial(material, SrtpProfile::AEAD_AES_256_GCM)
            }
            Some(Due::Connected) => DtlsOutput::Connected,
            Some(Due::Closed) => DtlsOutput::CloseNotify,
            None if self.fresh => DtlsOutput::Timeout(self.now),
            None => DtlsOutput::Timeout(self.resend.map_or(self.now + IDLE, |(at, _)| at)),
        }
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), DtlsImplError> {
        self.now = now;
        if std::mem::take(&mut self.fresh) {
            self.resend = Some((now + RETRANSMIT_FIRST, RETRANSMIT_FIRST));
        }
        if let Some((at, waited)) = self.resend
            && at <= now
        {
            let kind = if self.state == State::Hello { Kind::ClientHello } else { Kind::ClientFinished };
            self.due.push_back(Due::Flight(kind));
            let wait = (waited * 2).min(RETRANSMIT_MAX);
            self.resend = Some((now + wait, wait));
        }
        Ok(())
    }

    fn send_application_data(&mut self, _: &[u8]) -> Result<usize, DtlsImplError> {
        // Nobody here has data channels.
        Ok(0)
    }

    fn is_active(&self) -> bool {
        self.active
    }

    fn protocol_version(&self) -> Option<ProtocolVersion> {
        (self.state == State::Done).then_some(ProtocolVersion::DTLS1_2)
    }

    fn is_closed(&self) -> bool {
        self.state == State::Closed
    }

    fn close(&mut self) -> Result<(), DtlsImplError> {
        if self.state == State::Done {
            self.due.push_back(Due::Flight(Kind::Close));
        }
        self.state = State::Closed;
        (self.resend, self.fresh) = (None, false);
        Ok(())
    }
}
