use std::path::PathBuf;

use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::Identity;
use crate::config::TlsFiles;

/// Why files cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OwnFilesError {
    #[error("the certificate {path} cannot be read: {source}")]
    Cert { path: PathBuf, source: pem::Error },
    #[error(
        "the certificate {path} holds no certificate; it must be PEM and begin with -----BEGIN CERTIFICATE-----"
    )]
    NoCert { path: PathBuf },
    #[error("the private key {path} cannot be read: {source}; it must be PEM, without a password")]
    Key { path: PathBuf, source: pem::Error },
    #[error(
        "the certificate {cert} and the key {key} do not belong together, or are of a kind that is not known: {source}"
    )]
    Pair { cert: PathBuf, key: PathBuf, source: rustls::Error },
}

/// Reads a certificate chain and its key, and whether they belong together.
pub(crate) fn own_files(files: &TlsFiles) -> Result<Identity, OwnFilesError> {
    let (cert, key) = (files.cert.clone(), files.key.clone());
    let of_cert = |source| OwnFilesError::Cert { path: cert.clone(), source };
    let chain: Vec<_> = CertificateDer::pem_file_iter(&files.cert)
        .map_err(of_cert)?
        .collect::<Result<_, _>>()
        .map_err(of_cert)?;
    if chain.is_empty() {
        return Err(OwnFilesError::NoCert { path: cert });
    }
    let private = PrivateKeyDer::from_pem_file(&files.key)
        .map_err(|source| OwnFilesError::Key { path: key.clone(), source })?;
    let identity = Identity { chain: chain.clone(), key: private.clone_key() };
    super::server_config(identity).map_err(|source| OwnFilesError::Pair { cert, key, source })?;
    Ok(Identity { chain, key: private })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_certificate_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let files = TlsFiles { cert: folder.path().join("cert.pem"), key: folder.path().join("key.pem") };
        let error = || own_files(&files).unwrap_err().to_string();
        assert!(error().contains("cert.pem cannot be read"), "{}", error());
        std::fs::write(&files.cert, "nonsense").unwrap();
        assert!(error().contains("cert.pem holds no certificate"), "{}", error());
        let made = rcgen::generate_simple_self_signed(["a.example".to_owned()]).unwrap();
        std::fs::write(&files.cert, made.cert.pem()).unwrap();
        assert!(error().contains("key.pem cannot be read"), "{}", error());
        let other = rcgen::KeyPair::generate().unwrap();
        std::fs::write(&files.key, other.serialize_pem()).unwrap();
        assert!(error().contains("do not belong together"), "{}", error());
        std::fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
        own_files(&files).unwrap();
    }
}
