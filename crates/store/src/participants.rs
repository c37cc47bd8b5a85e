use model::{MeetingId, ParticipantId};
use sqlx::sqlite::SqlitePool;

use crate::page::{self, QUERY_LEN};
use crate::{Change, Cursor, Page, ParticipantStatus, StoreError, Timestamp, row};

/// SHA-256 of a participant's secret. The secret itself is never stored.
pub type SecretHash = [u8; 32];

/// A participant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Participant {
    /// Its id.
    pub id: ParticipantId,
    /// Its meeting.
    pub meeting: MeetingId,
    /// Its state.
    pub status: ParticipantStatus,
    /// Of its present secret.
    pub secret_hash: SecretHash,
    /// Grows with each new secret; a token of an older one is worth nothing.
    pub generation: u32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

/// Participants of meetings.
#[derive(Debug, Clone, Copy)]
pub struct Participants<'a> {
    pub(crate) pool: &'a SqlitePool,
}

type Row = (String, String, String, Vec<u8>, i64, i64, i64);

impl Participants<'_> {
    /// Makes a participant. `None`: the meeting is over or not known.
    ///
    /// # Errors
    /// The database fails, or the id is taken.
    pub async fn create(
        &self,
        meeting: MeetingId,
        id: ParticipantId,
        secret_hash: SecretHash,
        now: Timestamp,
    ) -> Result<Option<Participant>, StoreError> {
        // One statement, so that no meeting ends between the question and the answer.
        let row: Option<Row> = sqlx::query_as(
            "INSERT INTO participants (id, meeting_id, status, secret_hash, generation, created_at, updated_at)
             SELECT $1, id, 'ready', $3, 1, $4, $4 FROM meetings
             WHERE id = $2 AND status <> 'ended' AND expires_at > $4
             RETURNING id, meeting_id, status, secret_hash, generation, created_at, updated_at",
        )
        .bind(id.to_string())
        .bind(meeting.to_string())
        .bind(&secret_hash[..])
        .bind(now.as_millis())
        .fetch_optional(self.pool)
        .await?;
        row.map(participant).transpose()
    }

    /// One participant of this meeting.
    ///
    /// # Errors
    /// The database fails.
    pub async fn get(
        &self,
        meeting: MeetingId,
        id: ParticipantId,
    ) -> Result<Option<Participant>, StoreError> {
        let row: Option<Row> = sqlx::query_as(
            "SELECT id, meeting_id, status, secret_hash, generation, created_at, updated_at FROM participants
             WHERE id = $1 AND meeting_id = $2",
        )
        .bind(id.to_string())
        .bind(meeting.to_string())
        .fetch_optional(self.pool)
        .await?;
        row.map(participant).transpose()
    }

    /// A meeting's participants, oldest first; `None` is the first page.
    ///
    /// # Errors
    /// The database fails.
    pub async fn list(
        &self,
        meeting: MeetingId,
        after: Option<Cursor>,
    ) -> Result<Page<Participant>, StoreError> {
        let after = after.unwrap_or(Cursor::START);
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT id, meeting_id, status, secret_hash, generation, created_at, updated_at FROM participants
             WHERE meeting_id = $1 AND (created_at, id) > ($2, $3) ORDER BY created_at, id LIMIT $4",
        )
        .bind(meeting.to_string())
        .bind(after.created_at.as_millis())
        .bind(ParticipantId::from_bytes(after.id).to_string())
        .bind(QUERY_LEN)
        .fetch_all(self.pool)
        .await?;
        let participants = rows.into_iter().map(participant).collect::<Result<Vec<_>, _>>()?;
        Ok(page::cut(participants, |p| Cursor { created_at: p.created_at, id: *p.id.as_bytes() }))
    }

    /// Gives the participant another secret; tokens made with the former one are worth nothing from now on.
    /// `Already`: it was removed and gets none.
    ///
    /// # Errors
    /// The database fails.
    pub async fn regenerate(
        &self,
        meeting: MeetingId,
        id: ParticipantId,
        secret_hash: SecretHash,
        now: Timestamp,
    ) -> Result<Change<Participant>, StoreError> {
        let row = sqlx::query_as(
            "UPDATE participants SET secret_hash = $3, generation = generation + 1, updated_at = $4
             WHERE id = $1 AND meeting_id = $2 AND status <> 'removed'
             RETURNING id, meeting_id, status, secret_hash, generation, created_at, updated_at",
        )
        .bind(id.to_string())
        .bind(meeting.to_string())
        .bind(&secret_hash[..])
        .bind(now.as_millis())
        .fetch_optional(self.pool)
        .await?;
        self.changed(meeting, id, row).await
    }

    /// Removes the participant: it cannot come again. `Already`: it was removed.
    ///
    /// # Errors
    /// The database fails.
    pub async fn remove(
        &self,
        meeting: MeetingId,
        id: ParticipantId,
        now: Timestamp,
    ) -> Result<Change<Participant>, StoreError> {
        self.move_to(meeting, id, ParticipantStatus::Removed, now).await
    }

    /// The participant came. `Already`: it is there, or it was removed.
    ///
    /// # Errors
    /// The database fails.
    pub async fn joined(
        &self,
        meeting: MeetingId,
        id: ParticipantId,
        now: Timestamp,
    ) -> Result<Change<Participant>, StoreError> {
        self.move_to(meeting, id, ParticipantStatus::Joined, now).await
    }

    /// The participant left and may come again. `Already`: it had left, or it was removed.
    ///
    /// # Errors
    /// The database fails.
    pub async fn left(
        &self,
        meeting: MeetingId,
        id: ParticipantId,
        now: Timestamp,
    ) -> Result<Change<Participant>, StoreError> {
        self.move_to(meeting, id, ParticipantStatus::Left, now).await
    }

    async fn move_to(
        &self,
        meeting: MeetingId,
        id: ParticipantId,
        status: ParticipantStatus,
        now: Timestamp,
    ) -> Result<Change<Participant>, StoreError> {
        let row = sqlx::query_as(
            "UPDATE participants SET status = $3, updated_at = $4
             WHERE id = $1 AND meeting_id = $2 AND status <> $3 AND status <> 'removed'
             RETURNING id, meeting_id, status, secret_hash, generation, created_at, updated_at",
        )
        .bind(id.to_string())
        .bind(meeting.to_string())
        .bind(row::participant_status_text(status))
        .bind(now.as_millis())
        .fetch_optional(self.pool)
        .await?;
        self.changed(meeting, id, row).await
    }

    async fn changed(
        &self,
        meeting: MeetingId,
        id: ParticipantId,
        row: Option<Row>,
    ) -> Result<Change<Participant>, StoreError> {
        match row {
            Some(row) => Ok(Change::Done(participant(row)?)),
            None => Ok(self.get(meeting, id).await?.map_or(Change::Unknown, Change::Already)),
        }
    }
}

fn participant(row: Row) -> Result<Participant, StoreError> {
    let (id, meeting, status, secret_hash, generation, created_at, updated_at) = row;
    let corrupt = |what| StoreError::Corrupt { what, value: id.clone() };
    Ok(Participant {
        id: row::id("participant id", &id)?,
        meeting: row::id("meeting id", &meeting)?,
        status: row::participant_status(&status)?,
        secret_hash: secret_hash.try_into().map_err(|_| corrupt("participant with a secret's hash"))?,
        generation: u32::try_from(generation).map_err(|_| corrupt("participant with a generation"))?,
        created_at: Timestamp::from_millis(created_at),
        updated_at: Timestamp::from_millis(updated_at),
    })
}
