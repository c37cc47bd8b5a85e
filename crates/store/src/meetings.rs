use model::{MeetingId, ProjectId};
use sqlx::sqlite::SqlitePool;

use crate::page::{self, QUERY_LEN};
use crate::{Change, Cursor, MeetingStatus, Page, StoreError, Timestamp, row};

/// A meeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meeting {
    /// Its id.
    pub id: MeetingId,
    /// Whose.
    pub project: ProjectId,
    /// Its state as it was written; see [`Meeting::is_over`].
    pub status: MeetingStatus,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
    /// When it is over by itself, unless somebody joins before.
    pub expires_at: Timestamp,
}

impl Meeting {
    /// Nobody can join: it was ended, or nobody came in time.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.status == MeetingStatus::Ended || self.expires_at <= now
    }
}

/// Meetings.
#[derive(Debug, Clone, Copy)]
pub struct Meetings<'a> {
    pub(crate) pool: &'a SqlitePool,
}

type Row = (String, String, String, i64, i64, i64);

impl Meetings<'_> {
    /// Makes a meeting.
    ///
    /// # Errors
    /// The database fails, the id is taken, or there is no such project.
    pub async fn create(
        &self,
        project: ProjectId,
        id: MeetingId,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<Meeting, StoreError> {
        let row: Row = sqlx::query_as(
            "INSERT INTO meetings (id, project_id, status, created_at, updated_at, expires_at)
             VALUES ($1, $2, 'ready', $3, $3, $4)
             RETURNING id, project_id, status, created_at, updated_at, expires_at",
        )
        .bind(id.to_string())
        .bind(project.to_string())
        .bind(now.as_millis())
        .bind(expires_at.as_millis())
        .fetch_one(self.pool)
        .await?;
        meeting(row)
    }

    /// One meeting.
    ///
    /// # Errors
    /// The database fails.
    pub async fn get(&self, id: MeetingId) -> Result<Option<Meeting>, StoreError> {
        let row: Option<Row> = sqlx::query_as(
            "SELECT id, project_id, status, created_at, updated_at, expires_at FROM meetings WHERE id = $1",
        )
        .bind(id.to_string())
        .fetch_optional(self.pool)
        .await?;
        row.map(meeting).transpose()
    }

    /// A project's meetings, oldest first; `None` is the first page.
    ///
    /// # Errors
    /// The database fails.
    pub async fn list(&self, project: ProjectId, after: Option<Cursor>) -> Result<Page<Meeting>, StoreError> {
        let after = after.unwrap_or(Cursor::START);
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT id, project_id, status, created_at, updated_at, expires_at FROM meetings
             WHERE project_id = $1 AND (created_at, id) > ($2, $3) ORDER BY created_at, id LIMIT $4",
        )
        .bind(project.to_string())
        .bind(after.created_at.as_millis())
        .bind(MeetingId::from_bytes(after.id).to_string())
        .bind(QUERY_LEN)
        .fetch_all(self.pool)
        .await?;
        let meetings = rows.into_iter().map(meeting).collect::<Result<Vec<_>, _>>()?;
        Ok(page::cut(meetings, |m| Cursor { created_at: m.created_at, id: *m.id.as_bytes() }))
    }

    /// Somebody came: the meeting runs from now on. `Already`: it ran, or it is over.
    ///
    /// # Errors
    /// The database fails.
    pub async fn start(&self, id: MeetingId, now: Timestamp) -> Result<Change<Meeting>, StoreError> {
        let row = sqlx::query_as(
            "UPDATE meetings SET status = 'running', updated_at = $2 WHERE id = $1 AND status = 'ready'
             RETURNING id, project_id, status, created_at, updated_at, expires_at",
        )
        .bind(id.to_string())
        .bind(now.as_millis())
        .fetch_optional(self.pool)
        .await?;
        self.changed(id, row).await
    }

    /// Ends the meeting for good. `Already`: it was over.
    ///
    /// # Errors
    /// The database fails.
    pub async fn end(&self, id: MeetingId, now: Timestamp) -> Result<Change<Meeting>, StoreError> {
        let row = sqlx::query_as(
            "UPDATE meetings SET status = 'ended', updated_at = $2 WHERE id = $1 AND status <> 'ended'
             RETURNING id, project_id, status, created_at, updated_at, expires_at",
        )
        .bind(id.to_string())
        .bind(now.as_millis())
        .fetch_optional(self.pool)
        .await?;
        self.changed(id, row).await
    }

    /// Lets the meeting live at least until then. Meetings that are over stay so.
    ///
    /// # Errors
    /// The database fails.
    pub async fn keep_until(
        &self,
        id: MeetingId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE meetings SET expires_at = $3
             WHERE id = $1 AND status <> 'ended' AND expires_at > $2 AND expires_at < $3",
        )
        .bind(id.to_string())
        .bind(now.as_millis())
        .bind(until.as_millis())
        .execute(self.pool)
        .await?;
        Ok(())
    }

    /// Ends the meetings whose time is over and says which they were.
    ///
    /// # Errors
    /// The database fails.
    pub async fn end_expired(&self, now: Timestamp) -> Result<Vec<MeetingId>, StoreError> {
        let rows: Vec<(String,)> = sqlx::query_as(
            "UPDATE meetings SET status = 'ended', updated_at = $1
             WHERE status <> 'ended' AND expires_at <= $1 RETURNING id",
        )
        .bind(now.as_millis())
        .fetch_all(self.pool)
        .await?;
        rows.iter().map(|(id,)| row::id("meeting id", id)).collect()
    }

    /// Forgets meetings, with their participants, that ended before then; says how many.
    ///
    /// # Errors
    /// The database fails.
    pub async fn forget_ended(&self, before: Timestamp) -> Result<u64, StoreError> {
        let done = sqlx::query("DELETE FROM meetings WHERE status = 'ended' AND updated_at < $1")
            .bind(before.as_millis())
            .execute(self.pool)
            .await?;
        Ok(done.rows_affected())
    }

    async fn changed(&self, id: MeetingId, row: Option<Row>) -> Result<Change<Meeting>, StoreError> {
        match row {
            Some(row) => Ok(Change::Done(meeting(row)?)),
            None => Ok(self.get(id).await?.map_or(Change::Unknown, Change::Already)),
        }
    }
}

fn meeting((id, project, status, created_at, updated_at, expires_at): Row) -> Result<Meeting, StoreError> {
    Ok(Meeting {
        id: row::id("meeting id", &id)?,
        project: row::id("project id", &project)?,
        status: row::meeting_status(&status)?,
        created_at: Timestamp::from_millis(created_at),
        updated_at: Timestamp::from_millis(updated_at),
        expires_at: Timestamp::from_millis(expires_at),
    })
}
