//! The built-in project: its id and its key pair, made at the first start. An application's backend signs with the
//! private key what `/oauth/token` takes.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use model::{KeyId, ProjectId};
use rcgen::{KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use serde::{Deserialize, Serialize};
use store::{Store, StoreError, Timestamp};

/// Project and key, as in the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ProjectKey {
    /// The project, which is also the client id.
    pub(crate) project_id: ProjectId,
    /// The key.
    pub(crate) key_id: KeyId,
    /// PKCS #8, PEM.
    pub(crate) private_key: String,
    /// SubjectPublicKeyInfo, PEM.
    pub(crate) public_key: String,
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyError {
    #[error("there is no key at {path} yet; `althing serve` makes it at its first start")]
    Missing { path: PathBuf },
    #[error("the key {path} cannot be read: {source}")]
    Read { path: PathBuf, source: io::Error },
    #[error("the key {path} is damaged: {source}; restore it, or remove it to have a new one made")]
    Damaged { path: PathBuf, source: serde_json::Error },
    #[error("no key can be made: {0}")]
    Generate(#[from] rcgen::Error),
    #[error("the source of random bytes failed: {0}")]
    Random(#[from] getrandom::Error),
}

impl ProjectKey {
    /// A new project with a new key. RSA, because backends that were written for the public packages sign with it.
    pub(crate) fn generate() -> Result<Self, KeyError> {
        let pair = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?;
        let (mut project, mut key) = ([0; 16], [0; 16]);
        getrandom::fill(&mut project)?;
        getrandom::fill(&mut key)?;
        Ok(Self {
            project_id: ProjectId::from_bytes(project),
            key_id: KeyId::from_bytes(key),
            private_key: pair.serialize_pem(),
            public_key: pair.public_key_pem(),
        })
    }

    /// Reads the file.
    pub(crate) fn read(path: &Path) -> Result<Self, KeyError> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(KeyError::Missing { path: path.to_owned() });
            }
            Err(source) => return Err(KeyError::Read { path: path.to_owned(), source }),
        };
        serde_json::from_str(&text).map_err(|source| KeyError::Damaged { path: path.to_owned(), source })
    }

    /// The content of the file.
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// Makes the project known to the platform.
    pub(crate) async fn register(&self, store: &Store) -> Result<(), StoreError> {
        let now = Timestamp::now();
        store.projects().create(self.project_id, "built-in", now).await?;
        store.keys().put(self.project_id, self.key_id, &self.public_key, now).await
    }
}
