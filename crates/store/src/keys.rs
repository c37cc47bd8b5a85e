use model::{KeyId, ProjectId};
use sqlx::sqlite::SqlitePool;

use crate::{StoreError, Timestamp, row};

/// A public key of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Its id.
    pub id: KeyId,
    /// Whose.
    pub project: ProjectId,
    /// SubjectPublicKeyInfo as PEM.
    pub public_key: String,
    /// When it was added.
    pub created_at: Timestamp,
}

/// Public keys of projects.
#[derive(Debug, Clone, Copy)]
pub struct Keys<'a> {
    pub(crate) pool: &'a SqlitePool,
}

type Row = (String, String, String, i64);

impl Keys<'_> {
    /// Adds a key, or puts another public key under this id. The caller has checked that it is one.
    ///
    /// # Errors
    /// The database fails, or there is no such project.
    pub async fn put(
        &self,
        project: ProjectId,
        id: KeyId,
        public_key: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO project_keys (id, project_id, public_key, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $4)
             ON CONFLICT (id) DO UPDATE SET public_key = excluded.public_key, updated_at = excluded.updated_at",
        )
        .bind(id.to_string())
        .bind(project.to_string())
        .bind(public_key)
        .bind(now.as_millis())
        .execute(self.pool)
        .await?;
        Ok(())
    }

    /// One key.
    ///
    /// # Errors
    /// The database fails.
    pub async fn get(&self, id: KeyId) -> Result<Option<Key>, StoreError> {
        let row: Option<Row> =
            sqlx::query_as("SELECT id, project_id, public_key, created_at FROM project_keys WHERE id = $1")
                .bind(id.to_string())
                .fetch_optional(self.pool)
                .await?;
        row.map(key).transpose()
    }

    /// All keys of a project, oldest first.
    ///
    /// # Errors
    /// The database fails.
    pub async fn of_project(&self, project: ProjectId) -> Result<Vec<Key>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT id, project_id, public_key, created_at FROM project_keys
             WHERE project_id = $1 ORDER BY created_at, id",
        )
        .bind(project.to_string())
        .fetch_all(self.pool)
        .await?;
        rows.into_iter().map(key).collect()
    }

    /// Takes a key away; false: there was none.
    ///
    /// # Errors
    /// The database fails.
    pub async fn remove(&self, id: KeyId) -> Result<bool, StoreError> {
        let done = sqlx::query("DELETE FROM project_keys WHERE id = $1")
            .bind(id.to_string())
            .execute(self.pool)
            .await?;
        Ok(done.rows_affected() > 0)
    }
}

fn key((id, project, public_key, created_at): Row) -> Result<Key, StoreError> {
    Ok(Key {
        id: row::id("key id", &id)?,
        project: row::id("project id", &project)?,
        public_key,
        created_at: Timestamp::from_millis(created_at),
    })
}
