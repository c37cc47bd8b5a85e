//! Certificates: one's own files, or a self-signed one made for the addresses of this machine. Both are looked at again
//! from time to time, and at SIGHUP, so that a renewed certificate needs no restart.

mod own;
mod self_signed;

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum_server::tls_rustls::RustlsConfig;
use rustls::ServerConfig;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

pub(crate) use own::{OwnFilesError, own_files};
use self_signed::SelfSignedError;

use crate::config::TlsFiles;
use crate::signals;

/// How often certificates are looked at. A renewed file counts after a minute.
const CHECK_INTERVAL: Duration = Duration::from_secs(60);

/// A certificate with its key.
#[derive(Debug)]
pub(crate) struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

/// Why there is no HTTPS.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    #[error(transparent)]
    Own(#[from] OwnFilesError),
    #[error(transparent)]
    SelfSigned(#[from] SelfSignedError),
    #[error("the certificate cannot be used: {0}")]
    Unusable(#[from] rustls::Error),
}

/// Where certificates come from.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// Files that somebody else keeps fresh.
    Own(TlsFiles),
    /// A folder where we keep our own.
    SelfSigned(PathBuf),
}

impl Source {
    fn identity(&self, addresses: &[IpAddr]) -> Result<Identity, TlsError> {
        match self {
            Source::Own(files) => Ok(own_files(files)?),
            Source::SelfSigned(folder) => Ok(self_signed::identity(folder, addresses)?),
        }
    }
}

/// What listeners use.
#[derive(Debug)]
pub(crate) struct Tls {
    /// For `axum-server`; follows changes.
    pub(crate) config: RustlsConfig,
    /// Renews the certificate until dropped.
    _watch: tokio::task::JoinSet<()>,
}

impl Tls {
    /// Reads or makes the certificate.
    pub(crate) fn start(source: Source, addresses: &[IpAddr]) -> Result<Self, TlsError> {
        let identity = source.identity(addresses)?;
        let first = identity.chain.clone();
        let config = RustlsConfig::from_config(server_config(identity)?);
        let mut watching = tokio::task::JoinSet::new();
        watching.spawn(watch(source, config.clone(), first));
        Ok(Self { config, _watch: watching })
    }
}

/// Looks at the certificate from time to time and when asked to.
async fn watch(source: Source, config: RustlsConfig, mut current: Vec<CertificateDer<'static>>) {
    let mut hangup = match signals::reload() {
        Ok(signal) => Some(signal),
        Err(error) => {
            tracing::warn!(%error, "SIGHUP cannot be heard; certificates are still looked at each minute");
            None
        }
    };
    loop {
        let asked = async {
            match &mut hangup {
                Some(signal) => signal.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = tokio::time::sleep(CHECK_INTERVAL) => {}
            _ = asked => tracing::info!("asked to read the certificate again"),
        }
        match renew(&source, &config, &current) {
            Ok(Some(chain)) => {
                tracing::info!("the certificate was renewed");
                current = chain;
            }
            Ok(None) => {}
            Err(error) => {
                tracing::error!(%error, "the certificate cannot be renewed; the former one stays in use")
            }
        }
    }
}

fn renew(
    source: &Source,
    config: &RustlsConfig,
    current: &[CertificateDer<'static>],
) -> Result<Option<Vec<CertificateDer<'static>>>, TlsError> {
    let identity = source.identity(&crate::addresses::of_interfaces())?;
    if identity.chain == current {
        return Ok(None);
    }
    let chain = identity.chain.clone();
    config.reload_from_config(server_config(identity)?);
    Ok(Some(chain))
}

fn server_config(identity: Identity) -> Result<Arc<ServerConfig>, rustls::Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let mut config = builder.with_no_client_auth().with_single_cert(identity.chain, identity.key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_renewed_file_is_taken_and_a_broken_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let files = TlsFiles { cert: folder.path().join("cert.pem"), key: folder.path().join("key.pem") };
        let write = || {
            let made = rcgen::generate_simple_self_signed(["meet.example.org".to_owned()]).unwrap();
            std::fs::write(&files.cert, made.cert.pem()).unwrap();
            std::fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
        };
        write();
        let source = Source::Own(files.clone());
        let first = source.identity(&[]).unwrap();
        let chain = first.chain.clone();
        let config = RustlsConfig::from_config(server_config(first).unwrap());
        assert!(renew(&source, &config, &chain).unwrap().is_none());
        write();
        let before = config.get_inner();
        assert_ne!(renew(&source, &config, &chain).unwrap().unwrap(), chain);
        assert!(!Arc::ptr_eq(&before, &config.get_inner()));
        std::fs::write(&files.cert, "nonsense").unwrap();
        renew(&source, &config, &chain).unwrap_err();
    }
}
