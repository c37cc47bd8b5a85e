use model::MeetingId;
use sqlx::sqlite::SqlitePool;

use crate::{StoreError, Timestamp, row};

/// A name that people open, and the meeting behind it now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeetRoom {
    /// As in the link.
    pub name: String,
    /// The latest meeting, which may be over.
    pub meeting: Option<MeetingId>,
    /// When the name was used first.
    pub created_at: Timestamp,
    /// When the name was used last.
    pub used_at: Timestamp,
}

/// Meet's names of rooms.
#[derive(Debug, Clone, Copy)]
pub struct MeetRooms<'a> {
    pub(crate) pool: &'a SqlitePool,
}

type Row = (String, Option<String>, i64, i64);

impl MeetRooms<'_> {
    /// Makes a room without a meeting; false: the name is taken.
    ///
    /// # Errors
    /// The database fails.
    pub async fn create(&self, name: &str, now: Timestamp) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "INSERT INTO meet_rooms (name, meeting_id, created_at, used_at) VALUES ($1, NULL, $2, $2)
             ON CONFLICT (name) DO NOTHING",
        )
        .bind(name)
        .bind(now.as_millis())
        .execute(self.pool)
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// The room of this name, made when there is none.
    ///
    /// # Errors
    /// The database fails.
    pub async fn open(&self, name: &str, now: Timestamp) -> Result<MeetRoom, StoreError> {
        let row: Row = sqlx::query_as(
            "INSERT INTO meet_rooms (name, meeting_id, created_at, used_at) VALUES ($1, NULL, $2, $2)
             ON CONFLICT (name) DO UPDATE SET used_at = excluded.used_at
             RETURNING name, meeting_id, created_at, used_at",
        )
        .bind(name)
        .bind(now.as_millis())
        .fetch_one(self.pool)
        .await?;
        room(row)
    }

    /// Puts another meeting behind the name if the former one is still there; false: somebody else was faster.
    ///
    /// # Errors
    /// The database fails.
    pub async fn replace_meeting(
        &self,
        name: &str,
        former: Option<MeetingId>,
        meeting: MeetingId,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE meet_rooms SET meeting_id = $3 WHERE name = $1 AND meeting_id IS NOT DISTINCT FROM $2",
        )
        .bind(name)
        .bind(former.map(|m| m.to_string()))
        .bind(meeting.to_string())
        .execute(self.pool)
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Forgets names that nobody used since then; says how many.
    ///
    /// # Errors
    /// The database fails.
    pub async fn forget_unused(&self, since: Timestamp) -> Result<u64, StoreError> {
        let done = sqlx::query("DELETE FROM meet_rooms WHERE used_at < $1")
            .bind(since.as_millis())
            .execute(self.pool)
            .await?;
        Ok(done.rows_affected())
    }
}

fn room((name, meeting, created_at, used_at): Row) -> Result<MeetRoom, StoreError> {
    Ok(MeetRoom {
        name,
        meeting: meeting.as_deref().map(|m| row::id("meeting id", m)).transpose()?,
        created_at: Timestamp::from_millis(created_at),
        used_at: Timestamp::from_millis(used_at),
    })
}
