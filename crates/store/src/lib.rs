//! What must last: projects, keys, meetings, participants, snapshots of rooms, and Meet's room names. SQL lives here
//! only; one repository per aggregate.
//!
//! Today the database is SQLite. The suite in `tests/conformance.rs` says what any other must do, too; statements use
//! `$1` and standard SQL so that they stay the same.
//!
//! What is asked for and cannot be is an ordinary answer (`Option`, [`Change`]); [`StoreError`] is for a database that
//! fails.
#![expect(clippy::disallowed_methods, reason = "a port: `Timestamp::now` reads the clock for its callers")]

mod keys;
mod meet_rooms;
mod meetings;
mod page;
mod participants;
mod projects;
mod row;
mod snapshots;
mod timestamp;

use std::path::Path;
use std::time::Duration;

use sqlx::ConnectOptions as _;
use sqlx::Connection as _;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

pub use keys::{Key, Keys};
pub use meet_rooms::{MeetRoom, MeetRooms};
pub use meetings::{Meeting, Meetings};
pub use page::{Cursor, PAGE_LEN, Page, ParseCursorError};
pub use participants::{Participant, Participants, SecretHash};
pub use projects::{Project, Projects};
pub use snapshots::{Snapshot, Snapshots};
pub use timestamp::Timestamp;
pub use wire::rest::{MeetingStatus, ParticipantStatus};

/// How long a statement waits for another writer. SQLite has one writer at a time; ours take milliseconds.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Connections to a database file. Readers do not wait for each other; more than a few only cost memory.
const CONNECTIONS_MAX: u32 = 8;

/// A database that fails.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file cannot be opened or made.
    #[error("the database {path} cannot be opened: {source}")]
    Open {
        /// Which.
        path: String,
        /// Why.
        source: sqlx::Error,
    },
    /// The tables cannot be brought up to date; the program may be older than the database.
    #[error("the database's tables cannot be brought up to date: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// A statement failed.
    #[error("the database failed: {0}")]
    Sql(#[from] sqlx::Error),
    /// What was read is not what this program writes.
    #[error("the database holds {value:?}, which is no {what}")]
    Corrupt {
        /// What was expected.
        what: &'static str,
        /// What was found.
        value: String,
    },
}

/// What came of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change<T> {
    /// Done; this is how it is now.
    Done(T),
    /// It was so before.
    Already(T),
    /// No such thing.
    Unknown,
}

/// The database. Clones share its connections.
#[derive(Debug, Clone)]
pub struct Store {
    pool: SqlitePool,
}

impl Store {
    /// Opens the database of this file, makes it when there is none, and brings its tables up to date.
    ///
    /// # Errors
    /// [`StoreError::Open`] and [`StoreError::Migrate`].
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // With a write-ahead log this loses at most the last transactions of a power cut and never corrupts.
            .synchronous(SqliteSynchronous::Normal);
        let shown = path.display().to_string();
        // A new file becomes one with a write-ahead log under a lock that nobody can wait for. The pool opens more than one
        // connection at once, so one does it before.
        let open_error = |source| StoreError::Open { path: shown.clone(), source };
        let first = options.clone().busy_timeout(BUSY_TIMEOUT).connect().await.map_err(open_error)?;
        let store = Self::connect(options, CONNECTIONS_MAX, &shown).await;
        first.close().await?;
        store
    }

    /// A database that goes when the last clone of the handle goes.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub async fn in_memory() -> Result<Self, StoreError> {
        // Each connection to a memory database is a database of its own: exactly one, kept for good.
        Self::connect(SqliteConnectOptions::new().in_memory(true), 1, "in memory").await
    }

    async fn connect(
        options: SqliteConnectOptions,
        connections: u32,
        path: &str,
    ) -> Result<Self, StoreError> {
        let options = options.foreign_keys(true).busy_timeout(BUSY_TIMEOUT);
        let pool = SqlitePoolOptions::new()
            .min_connections(1)
            .max_connections(connections)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(options)
            .await
            .map_err(|source| StoreError::Open { path: path.to_owned(), source })?;
        sqlx::migrate!("./migrations/sqlite").run(&pool).await?;
        Ok(Self { pool })
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// It does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&self.pool).await?;
        Ok(())
    }

    /// Waits for running statements and closes the files. Later calls fail.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// Projects.
    pub fn projects(&self) -> Projects<'_> {
        Projects { pool: &self.pool }
    }

    /// Public keys of projects.
    pub fn keys(&self) -> Keys<'_> {
        Keys { pool: &self.pool }
    }

    /// Meetings.
    pub fn meetings(&self) -> Meetings<'_> {
        Meetings { pool: &self.pool }
    }

    /// Participants of meetings.
    pub fn participants(&self) -> Participants<'_> {
        Participants { pool: &self.pool }
    }

    /// Snapshots of running rooms.
    pub fn snapshots(&self) -> Snapshots<'_> {
        Snapshots { pool: &self.pool }
    }

    /// Meet's names of rooms.
    pub fn meet_rooms(&self) -> MeetRooms<'_> {
        MeetRooms { pool: &self.pool }
    }
}
