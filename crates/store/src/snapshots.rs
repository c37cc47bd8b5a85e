use model::MeetingId;
use sqlx::sqlite::SqlitePool;

use crate::{StoreError, Timestamp, row};

/// What a running room needs to go on after the program was started again; opaque here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Of which meeting.
    pub meeting: MeetingId,
    /// As the room wrote it.
    pub json: String,
    /// When it was written.
    pub updated_at: Timestamp,
}

/// Snapshots of running rooms.
#[derive(Debug, Clone, Copy)]
pub struct Snapshots<'a> {
    pub(crate) pool: &'a SqlitePool,
}

type Row = (String, String, i64);

impl Snapshots<'_> {
    /// Writes a snapshot over the former one.
    ///
    /// # Errors
    /// The database fails, or there is no such meeting.
    pub async fn save(&self, meeting: MeetingId, json: &str, now: Timestamp) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO room_snapshots (meeting_id, snapshot, updated_at) VALUES ($1, $2, $3)
             ON CONFLICT (meeting_id) DO UPDATE
             SET snapshot = excluded.snapshot, updated_at = excluded.updated_at",
        )
        .bind(meeting.to_string())
        .bind(json)
        .bind(now.as_millis())
        .execute(self.pool)
        .await?;
        Ok(())
    }

    /// One room's snapshot.
    ///
    /// # Errors
    /// The database fails.
    pub async fn load(&self, meeting: MeetingId) -> Result<Option<Snapshot>, StoreError> {
        let row: Option<Row> = sqlx::query_as(
            "SELECT meeting_id, snapshot, updated_at FROM room_snapshots WHERE meeting_id = $1",
        )
        .bind(meeting.to_string())
        .fetch_optional(self.pool)
        .await?;
        row.map(snapshot).transpose()
    }

    /// All rooms' snapshots, newest first.
    ///
    /// # Errors
    /// The database fails.
    pub async fn all(&self) -> Result<Vec<Snapshot>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT meeting_id, snapshot, updated_at FROM room_snapshots ORDER BY updated_at DESC, meeting_id",
        )
        .fetch_all(self.pool)
        .await?;
        rows.into_iter().map(snapshot).collect()
    }

    /// Forgets a room's snapshot. None there is no error.
    ///
    /// # Errors
    /// The database fails.
    pub async fn delete(&self, meeting: MeetingId) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM room_snapshots WHERE meeting_id = $1")
            .bind(meeting.to_string())
            .execute(self.pool)
            .await?;
        Ok(())
    }
}

fn snapshot((meeting, json, updated_at): Row) -> Result<Snapshot, StoreError> {
    Ok(Snapshot {
        meeting: row::id("meeting id", &meeting)?,
        json,
        updated_at: Timestamp::from_millis(updated_at),
    })
}
