//! A certificate that we sign ourselves, for a network without a name of its own. Browsers warn once; then cameras work.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};

use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use super::Identity;
use crate::addresses;
use crate::data_dir::write_secret;

/// Browsers take certificates of at most 398 days.
const LIFETIME: Duration = Duration::days(365);

/// A certificate with less than this left is made anew.
const RENEW_BEFORE: Duration = Duration::days(30);

/// Names that a certificate keeps of former networks, so that a machine that comes and goes between two keeps one
/// certificate. With more, the former ones are dropped.
const NAMES_MAX: usize = 40;

const FILE: &str = "self-signed.json";

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SelfSignedError {
    #[error("no certificate can be made: {0}")]
    Make(#[from] rcgen::Error),
    #[error("the certificate cannot be kept in {path}: {source}")]
    Write { path: PathBuf, source: io::Error },
    #[error("the certificate that was made cannot be read")]
    Read,
}

/// The certificate as it is kept.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    names: BTreeSet<String>,
    /// Seconds since 1970.
    expires_at: i64,
    certificate: String,
    private_key: String,
}

/// The certificate of this folder; made anew when there is none for these addresses, or it expires soon.
pub(super) fn identity(folder: &Path, addresses: &[IpAddr]) -> Result<Identity, SelfSignedError> {
    let now = OffsetDateTime::now_utc();
    let path = folder.join(FILE);
    let kept = std::fs::read_to_string(&path).ok().and_then(|t| serde_json::from_str::<Kept>(&t).ok());
    let wanted = names(addresses);
    if let Some(kept) = &kept
        && kept.names.is_superset(&wanted)
        && kept.expires_at > (now + RENEW_BEFORE).unix_timestamp()
        && let Some(identity) = parse(kept)
    {
        return Ok(identity);
    }
    let mut all = kept.map(|kept| kept.names).unwrap_or_default();
    all.extend(wanted.iter().cloned());
    let made = make(if all.len() > NAMES_MAX { wanted } else { all }, now)?;
    let unwritten = |source| SelfSignedError::Write { path: path.clone(), source };
    std::fs::create_dir_all(folder).map_err(unwritten)?;
    let json = serde_json::to_string_pretty(&made).map_err(|e| unwritten(e.into()))?;
    write_secret(&path, json.as_bytes()).map_err(unwritten)?;
    tracing::info!(names = made.names.len(), "a self-signed certificate was made");
    parse(&made).ok_or(SelfSignedError::Read)
}

fn names(addresses: &[IpAddr]) -> BTreeSet<String> {
    let local = [IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()];
    let addresses = addresses.iter().chain(&local).map(ToString::to_string);
    addresses.chain(["localhost".to_owned()]).chain(addresses::host_name()).collect()
}

fn make(names: BTreeSet<String>, now: OffsetDateTime) -> Result<Kept, rcgen::Error> {
    let mut params = CertificateParams::new(names.iter().cloned().collect::<Vec<_>>())?;
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, "Althing (self-signed)");
    params.distinguished_name = subject;
    // A clock that goes a little before ours must not take it for one of the future.
    params.not_before = now - Duration::days(1);
    params.not_after = now + LIFETIME;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?.pem();
    let expires_at = params.not_after.unix_timestamp();
    Ok(Kept { names, expires_at, certificate, private_key: key.serialize_pem() })
}

fn parse(kept: &Kept) -> Option<Identity> {
    let certificate = CertificateDer::from_pem_slice(kept.certificate.as_bytes()).ok()?;
    let key = PrivateKeyDer::from_pem_slice(kept.private_key.as_bytes()).ok()?;
    Some(Identity { chain: vec![certificate], key })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_kept_until_something_changes() {
        let folder = tempfile::tempdir().unwrap();
        let home = [IpAddr::from([192, 168, 1, 5])];
        let office = [IpAddr::from([10, 0, 0, 5])];
        let chain = |addresses: &[IpAddr]| identity(folder.path(), addresses).unwrap().chain;
        let first = chain(&home);
        assert_eq!(chain(&home), first);
        let second = chain(&office);
        assert_ne!(second, first, "another address");
        assert_eq!(chain(&home), second, "the former address is still in it");

        let path = folder.path().join(FILE);
        let mut kept: Kept = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        kept.expires_at = (OffsetDateTime::now_utc() + Duration::days(29)).unix_timestamp();
        std::fs::write(&path, serde_json::to_string(&kept).unwrap()).unwrap();
        assert_ne!(chain(&home), second, "it would expire soon");
        std::fs::write(&path, "damaged").unwrap();
        chain(&home);
    }

    #[test]
    fn former_addresses_do_not_pile_up() {
        let folder = tempfile::tempdir().unwrap();
        for n in 0..60 {
            identity(folder.path(), &[IpAddr::from([10, 0, 0, n])]).unwrap();
        }
        let kept = std::fs::read_to_string(folder.path().join(FILE)).unwrap();
        assert!(serde_json::from_str::<Kept>(&kept).unwrap().names.len() <= NAMES_MAX);
    }
}
