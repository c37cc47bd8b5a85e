//! The DTLS handshake behind a small trait, so that a simulator can put another in its place on both ends.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::srtp::Profile;

/// A handshake must be done in this time; browsers try for longer, but a person has given up.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(30);
/// The first retransmission of a lost flight. Below the one second of RFC 6347, as libwebrtc does: on a path of 50 ms a
/// lost packet must not cost a second of the join.
const FLIGHT_RTO: Duration = Duration::from_millis(200);
const FLIGHT_RETRIES: usize = 8;

/// What a handshake gives its endpoint.
#[derive(Debug)]
pub enum Output<'a> {
    /// Send this.
    Packet(&'a [u8]),
    /// The client's certificate, DER. The endpoint compares its fingerprint.
    PeerCertificate(&'a [u8]),
    /// The exported secret of RFC 5764 §4.2: both keys, then both salts.
    Keys(Profile, KeyingMaterial),
    /// Both sides are done.
    Connected,
    /// The client closed the connection.
    Closed,
    /// Nothing more now; call `handle_timeout` then.
    Timeout(Instant),
    /// Nothing more, ever.
    Idle,
}

/// Exported keying material. Has no `Debug` worth printing, on purpose.
pub struct KeyingMaterial(Vec<u8>);

impl KeyingMaterial {
    /// From the exporter's bytes.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for KeyingMaterial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyingMaterial")
    }
}

/// Why a handshake cannot go on. The connection is lost.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeError {
    /// The client's certificate has another key than ECDSA; RSA among them, which very old clients use.
    #[error("the client's certificate is not ECDSA (RSA certificates are not supported): {0}")]
    Certificate(String),
    /// No SRTP profile in common.
    #[error("no SRTP profile in common")]
    NoProfile,
    /// The client took too long.
    #[error("the DTLS handshake timed out")]
    Timeout,
    /// Anything else.
    #[error("DTLS: {0}")]
    Protocol(String),
}

/// A DTLS server's side of one connection.
pub trait Handshake: Send {
    /// Takes a datagram.
    ///
    /// # Errors
    /// The connection is lost.
    fn handle_packet(&mut self, now: Instant, datagram: &[u8]) -> Result<(), HandshakeError>;

    /// Time has come.
    ///
    /// # Errors
    /// The connection is lost.
    fn handle_timeout(&mut self, now: Instant) -> Result<(), HandshakeError>;

    /// What is to be done next. Call until `Timeout` or `Idle`.
    fn poll<'a>(&mut self, buffer: &'a mut Vec<u8>) -> Output<'a>;

    /// Says goodbye.
    fn close(&mut self);
}

/// Begins a server's side of a handshake.
type Accept = dyn Fn(Instant) -> Box<dyn Handshake> + Send + Sync;

/// Our certificate, one for each unit and its whole life, and how handshakes are run.
#[derive(Clone)]
pub struct Identity {
    accept: Arc<Accept>,
    fingerprint: [u8; 32],
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}

/// Why no certificate could be made.
#[derive(Debug, Clone, thiserror::Error)]
#[error("no DTLS certificate could be made: {0}")]
pub struct IdentityError(String);

impl Identity {
    /// A new ECDSA P-256 certificate. Draws from the system's random source, so shells call it, once.
    ///
    /// # Errors
    /// The cryptographic library failed.
    pub fn generate() -> Result<Self, IdentityError> {
        let error = |e: &dyn std::fmt::Display| IdentityError(e.to_string());
        let certificate = dimpl::certificate::generate_self_signed_certificate().map_err(|e| error(&e))?;
        let config = dimpl::Config::builder()
            .handshake_timeout(HANDSHAKE_TIMEOUT)
            .flight_start_rto(FLIGHT_RTO)
            .flight_retries(FLIGHT_RETRIES)
            .build()
            .map_err(|e| error(&e))?;
        let der = certificate.certificate.clone();
        let config = Arc::new(config);
        // DTLS 1.2, where the server's order of SRTP profiles holds: in 1.3 the library takes the client's first, and
        // browsers list the one that costs five times as much.
        Ok(Self::with_handshake(&der, move |now| {
            Box::new(Dimpl { dtls: dimpl::Dtls::new_12(config.clone(), certificate.clone(), now) })
        }))
    }

    /// An identity whose handshakes are others than DTLS: a simulator's, on both ends. `certificate` is what the
    /// fingerprint of answers is made of.
    pub fn with_handshake(
        certificate: &[u8],
        accept: impl Fn(Instant) -> Box<dyn Handshake> + Send + Sync + 'static,
    ) -> Self {
        let mut fingerprint = [0u8; 32];
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, certificate);
        fingerprint.copy_from_slice(digest.as_ref());
        Self { accept: Arc::new(accept), fingerprint }
    }

    /// SHA-256 of the certificate, for `a=fingerprint`.
    pub fn fingerprint(&self) -> &[u8; 32] {
        &self.fingerprint
    }

    /// A server's side of a new connection.
    pub fn accept(&self, now: Instant) -> Box<dyn Handshake> {
        (self.accept)(now)
    }
}

struct Dimpl {
    dtls: dimpl::Dtls,
}

impl Handshake for Dimpl {
    fn handle_packet(&mut self, now: Instant, datagram: &[u8]) -> Result<(), HandshakeError> {
        self.handle_timeout(now)?;
        self.dtls.handle_packet(datagram).map_err(to_error)
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), HandshakeError> {
        self.dtls.handle_timeout(now).map_err(to_error)
    }

    fn poll<'a>(&mut self, buffer: &'a mut Vec<u8>) -> Output<'a> {
        // A borrow that is returned on one path lives on all, so the size is found first and the buffer lent once.
        const OUTPUT_BYTES: usize = 4096;
        if buffer.len() < OUTPUT_BYTES {
            buffer.resize(OUTPUT_BYTES, 0);
        }
        match self.dtls.poll_output(buffer) {
            dimpl::Output::Packet(packet) => Output::Packet(packet),
            dimpl::Output::PeerCert(der) => Output::PeerCertificate(der),
            dimpl::Output::KeyingMaterial(material, profile) => match to_profile(profile) {
                Some(profile) => Output::Keys(profile, KeyingMaterial::new(material.to_vec())),
                None => Output::Closed,
            },
            dimpl::Output::Connected => Output::Connected,
            dimpl::Output::CloseNotify => Output::Closed,
            dimpl::Output::Timeout(at) => Output::Timeout(at),
            // Nothing that a DTLS-SRTP server makes is larger than the buffer; data channels are not negotiated.
            _ => Output::Idle,
        }
    }

    fn close(&mut self) {
        // Closing a connection that is already closed is what was wanted.
        let _ = self.dtls.close();
    }
}

fn to_profile(profile: dimpl::SrtpProfile) -> Option<Profile> {
    match profile {
        dimpl::SrtpProfile::AEAD_AES_256_GCM => Some(Profile::AeadAes256Gcm),
        dimpl::SrtpProfile::AEAD_AES_128_GCM => Some(Profile::AeadAes128Gcm),
        dimpl::SrtpProfile::AES128_CM_SHA1_80 => Some(Profile::AesCm128HmacSha1_80),
        _ => None,
    }
}

fn to_error(error: dimpl::Error) -> HandshakeError {
    match error {
        dimpl::Error::Timeout(_) => HandshakeError::Timeout,
        dimpl::Error::CertificateError(e) => HandshakeError::Certificate(e.to_string()),
        other => HandshakeError::Protocol(other.to_string()),
    }
}
