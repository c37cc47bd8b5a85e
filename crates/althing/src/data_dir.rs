//! The folder of everything that must last. What is secret in it is made at the first start, readable by its owner
//! only, and never compiled in.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use gateway::ServerSecret;

use crate::project_key::{KeyError, ProjectKey};

const DATABASE: &str = "althing.sqlite";
const SERVER_SECRET: &str = "server-secret";
const PROJECT_KEY: &str = "project-key.json";
const LOCK: &str = "lock";
const TLS: &str = "tls";

/// Why the folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DataDirError {
    #[error("the data folder {path} cannot be written: {source}; choose another with --data-dir")]
    NotWritable { path: PathBuf, source: io::Error },
    #[error(
        "the data folder {path} is in use by another althing; stop it, or choose another with --data-dir"
    )]
    InUse { path: PathBuf },
    #[error("{path} is damaged: {why}; restore it, or remove it to have a new one made")]
    Damaged { path: PathBuf, why: &'static str },
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("the source of random bytes failed: {0}")]
    Random(#[from] getrandom::Error),
}

/// The open folder. No other program can open it meanwhile.
#[derive(Debug)]
pub(crate) struct DataDir {
    path: PathBuf,
    /// What tokens are signed with.
    pub(crate) server_secret: ServerSecret,
    /// The built-in project and its key.
    pub(crate) project_key: ProjectKey,
    _lock: File,
}

impl DataDir {
    /// Opens the folder, and makes it and what belongs into it where that is missing.
    pub(crate) fn open(path: &Path) -> Result<Self, DataDirError> {
        let not_writable = |source| DataDirError::NotWritable { path: path.to_owned(), source };
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(not_writable)?;
        let lock = lock(path)?;
        let project_key_path = Self::project_key_path(path);
        let project_key = match ProjectKey::read(&project_key_path) {
            Ok(key) => key,
            Err(KeyError::Missing { .. }) => {
                let key = ProjectKey::generate()?;
                write_secret(&project_key_path, key.to_json().as_bytes()).map_err(not_writable)?;
                key
            }
            Err(error) => return Err(error.into()),
        };
        let server_secret = server_secret(&path.join(SERVER_SECRET), not_writable)?;
        Ok(Self { path: path.to_owned(), server_secret, project_key, _lock: lock })
    }

    /// Whether the folder could be opened; makes nothing.
    pub(crate) fn check(path: &Path) -> Result<(), DataDirError> {
        let not_writable = |source| DataDirError::NotWritable { path: path.to_owned(), source };
        // The folder, or the nearest one above it that is there.
        let there = path.ancestors().find(|p| p.as_os_str().is_empty() || p.exists());
        let there = there.filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let probe = there.join(format!(".althing-check-{}", std::process::id()));
        File::create_new(&probe).and_then(|_| fs::remove_file(&probe)).map_err(not_writable)
    }

    /// Where the built-in project's key is.
    pub(crate) fn project_key_path(path: &Path) -> PathBuf {
        path.join(PROJECT_KEY)
    }

    /// The folder itself.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The database's file.
    pub(crate) fn database(&self) -> PathBuf {
        self.path.join(DATABASE)
    }

    /// The folder of the certificate that we make ourselves.
    pub(crate) fn tls(&self) -> PathBuf {
        self.path.join(TLS)
    }
}

fn lock(path: &Path) -> Result<File, DataDirError> {
    let not_writable = |source| DataDirError::NotWritable { path: path.to_owned(), source };
    let options =
        OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path.join(LOCK));
    let file = options.map_err(not_writable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(DataDirError::InUse { path: path.to_owned() }),
        Err(TryLockError::Error(source)) => Err(not_writable(source)),
    }
}

fn server_secret(
    path: &Path,
    not_writable: impl Fn(io::Error) -> DataDirError,
) -> Result<ServerSecret, DataDirError> {
    match fs::read_to_string(path) {
        Ok(text) => {
            let why = "it is not 64 hexadecimal digits";
            let damaged = || DataDirError::Damaged { path: path.to_owned(), why };
            let bytes = HEXLOWER.decode(text.trim().as_bytes()).map_err(|_| damaged())?;
            bytes.try_into().map(ServerSecret).map_err(|_| damaged())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mut secret = [0; 32];
            getrandom::fill(&mut secret)?;
            write_secret(path, HEXLOWER.encode(&secret).as_bytes()).map_err(not_writable)?;
            Ok(ServerSecret(secret))
        }
        Err(error) => Err(not_writable(error)),
    }
}

/// Writes a file that only its owner may read: whole or not at all, even if the power goes.
pub(crate) fn write_secret(path: &Path, content: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension("new");
    let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&temporary)?;
    file.write_all(content)?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    fs::rename(&temporary, path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_the_first_start_makes_the_second_finds() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b");
        let first = DataDir::open(&path).unwrap();
        let (secret, project) = (first.server_secret.0, first.project_key.project_id);
        let private_key = first.project_key.private_key.clone();
        drop(first);
        let second = DataDir::open(&path).unwrap();
        assert_eq!((second.server_secret.0, second.project_key.project_id), (secret, project));
        assert_eq!(second.project_key.private_key, private_key);
        assert_ne!(secret, [0; 32]);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o700);
        assert_eq!(mode(&path.join(SERVER_SECRET)), 0o600);
        assert_eq!(mode(&path.join(PROJECT_KEY)), 0o600);
    }

    #[test]
    fn two_programs_cannot_share_it() {
        let folder = tempfile::tempdir().unwrap();
        let _first = DataDir::open(folder.path()).unwrap();
        let error = DataDir::open(folder.path()).unwrap_err().to_string();
        assert!(error.contains("in use by another althing"), "{error}");
    }

    #[test]
    fn a_place_that_cannot_be_written_is_named_with_what_to_do() {
        for error in [
            DataDir::open(Path::new("/proc/none")).unwrap_err().to_string(),
            DataDir::check(Path::new("/proc/none/x")).unwrap_err().to_string(),
        ] {
            assert!(error.contains("/proc/none") && error.contains("--data-dir"), "{error}");
        }
        let folder = tempfile::tempdir().unwrap();
        DataDir::check(&folder.path().join("new/folder")).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "a check makes nothing");
    }

    #[test]
    fn damaged_secrets_are_not_replaced_silently() {
        let folder = tempfile::tempdir().unwrap();
        drop(DataDir::open(folder.path()).unwrap());
        fs::write(folder.path().join(SERVER_SECRET), "short").unwrap();
        let error = DataDir::open(folder.path()).unwrap_err().to_string();
        assert!(error.contains("server-secret is damaged"), "{error}");
        drop(fs::remove_file(folder.path().join(SERVER_SECRET)));
        fs::write(folder.path().join(PROJECT_KEY), "{}").unwrap();
        let error = DataDir::open(folder.path()).unwrap_err().to_string();
        assert!(error.contains("project-key.json"), "{error}");
    }
}
