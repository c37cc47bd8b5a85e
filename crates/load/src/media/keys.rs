//! The keys of a client's session, as `str0m`'s handshake exports them: what [`super::LightReports`] needs to report
//! for a client whose packets `str0m` never sees.
//!
//! `str0m` hands them to nobody, but lets the handshake be replaced. Ours is its own with an ear at the door. A client
//! is driven by one thread, so what is heard during a call is of the client that the call was for.

use std::cell::RefCell;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use rtc::srtp::{KeyingMaterial, Outbound, Profile};
use str0m::config::CryptoProvider;
use str0m::crypto::CryptoError;
use str0m::crypto::dtls::{
    DtlsCert, DtlsImplError, DtlsInstance, DtlsOutput, DtlsProvider, DtlsVersion, ProtocolVersion,
    SrtpProfile,
};

thread_local! {
    static HEARD: RefCell<Option<Material>> = const { RefCell::new(None) };
}

struct Material {
    profile: Profile,
    exported: Vec<u8>,
    /// We are the DTLS client.
    active: bool,
}

/// What protects what we send, if a handshake has ended on this thread since the last call.
pub fn take_outbound() -> Option<Outbound> {
    let Material { profile, exported, active } = HEARD.take()?;
    let keys = KeyingMaterial::split(profile, &exported).ok()?;
    let (key, salt) =
        if active { (keys.client_key, keys.client_salt) } else { (keys.server_key, keys.server_salt) };
    Outbound::new(profile, key, salt).ok()
}

/// Crypto of `str0m` with the handshake that is listened to.
pub(super) fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    PROVIDER
        .get_or_init(|| {
            let own = str0m::crypto::from_feature_flags();
            let inner = own.dtls_provider;
            let listening: &'static Listening = Box::leak(Box::new(Listening(inner)));
            Arc::new(CryptoProvider { dtls_provider: listening, ..own })
        })
        .clone()
}

#[derive(Debug)]
struct Listening(&'static dyn DtlsProvider);

impl DtlsProvider for Listening {
    fn generate_certificate(&self) -> Option<DtlsCert> {
        self.0.generate_certificate()
    }

    fn new_dtls(
        &self,
        cert: &DtlsCert,
        now: Instant,
        version: DtlsVersion,
        mtu: Option<usize>,
    ) -> Result<Box<dyn DtlsInstance>, CryptoError> {
        Ok(Box::new(Heard(self.0.new_dtls(cert, now, version, mtu)?)))
    }
}

#[derive(Debug)]
struct Heard(Box<dyn DtlsInstance>);

impl DtlsInstance for Heard {
    fn set_active(&mut self, active: bool) {
        self.0.set_active(active);
    }

    fn handle_packet(&mut self, packet: &[u8]) -> Result<(), DtlsImplError> {
        self.0.handle_packet(packet)
    }

    fn poll_output<'a>(&mut self, buffer: &'a mut [u8]) -> DtlsOutput<'a> {
        let output = self.0.poll_output(buffer);
        if let DtlsOutput::KeyingMaterial(material, profile) = &output {
            let profile = match *profile {
                SrtpProfile::AEAD_AES_256_GCM => Some(Profile::AeadAes256Gcm),
                SrtpProfile::AEAD_AES_128_GCM => Some(Profile::AeadAes128Gcm),
                SrtpProfile::AES128_CM_SHA1_80 => Some(Profile::AesCm128HmacSha1_80),
                _ => None,
            };
            let active = self.0.is_active();
            HEARD.set(profile.map(|profile| Material { profile, exported: material.to_vec(), active }));
        }
        output
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), DtlsImplError> {
        self.0.handle_timeout(now)
    }

    fn send_application_data(&mut self, data: &[u8]) -> Result<usize, DtlsImplError> {
        self.0.send_application_data(data)
    }

    fn is_active(&self) -> bool {
        self.0.is_active()
    }

    fn protocol_version(&self) -> Option<ProtocolVersion> {
        self.0.protocol_version()
    }

    fn is_closing(&self) -> bool {
        self.0.is_closing()
    }

    fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    fn close(&mut self) -> Result<(), DtlsImplError> {
        self.0.close()
    }
}
