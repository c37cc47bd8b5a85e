use model::ProjectId;
use sqlx::sqlite::SqlitePool;

use crate::{StoreError, Timestamp, row};

/// What keys, meetings and limits belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// Its id, which is also the client id of its applications.
    pub id: ProjectId,
    /// For people who administer it.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

/// Projects.
#[derive(Debug, Clone, Copy)]
pub struct Projects<'a> {
    pub(crate) pool: &'a SqlitePool,
}

type Row = (String, String, i64, i64);

impl Projects<'_> {
    /// Makes a project. One that is there stays as it is.
    ///
    /// # Errors
    /// The database fails.
    pub async fn create(&self, id: ProjectId, name: &str, now: Timestamp) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO projects (id, name, created_at, updated_at) VALUES ($1, $2, $3, $3)
             ON CONFLICT (id) DO NOTHING",
        )
        .bind(id.to_string())
        .bind(name)
        .bind(now.as_millis())
        .execute(self.pool)
        .await?;
        Ok(())
    }

    /// One project.
    ///
    /// # Errors
    /// The database fails.
    pub async fn get(&self, id: ProjectId) -> Result<Option<Project>, StoreError> {
        let row: Option<Row> =
            sqlx::query_as("SELECT id, name, created_at, updated_at FROM projects WHERE id = $1")
                .bind(id.to_string())
                .fetch_optional(self.pool)
                .await?;
        row.map(project).transpose()
    }
}

fn project((id, name, created_at, updated_at): Row) -> Result<Project, StoreError> {
    Ok(Project {
        id: row::id("project id", &id)?,
        name,
        created_at: Timestamp::from_millis(created_at),
        updated_at: Timestamp::from_millis(updated_at),
    })
}
