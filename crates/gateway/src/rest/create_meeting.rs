//! `POST /v1/meetings`: makes a meeting. Scope `meeting:create`. The body is an object; no field is known yet.
//! Answers 200 with the meeting.

use axum::Json;
use axum::extract::State;
use store::{StoreError, Timestamp};
use wire::rest::Meeting;

use super::MEETING_LIFETIME;
use super::access::{Access, Denied};
use super::common::{self, answered_as_api_error};
use crate::api_error::ApiError;
use crate::app::{App, Shared};
use crate::body::JsonObject;
use crate::random::{self, NoRandomness};
use crate::tokens::Scope;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        match error {
            Error::Denied(denied) => denied.into(),
            Error::Store(source) => ApiError::internal(&source),
            Error::NoRandomness(source) => ApiError::internal(&source),
        }
    }
}
answered_as_api_error!(Error);

pub(crate) async fn handle(
    State(app): State<App>,
    access: Access,
    _: JsonObject,
) -> Result<Json<Meeting>, Error> {
    let project = access.allows(Scope::MeetingCreate)?;
    Ok(Json(common::meeting(app.create_meeting(project).await?)))
}

impl Shared {
    /// What this endpoint does, for customers in the program, too.
    pub(crate) async fn create_meeting(&self, project: model::ProjectId) -> Result<store::Meeting, Error> {
        let id = model::MeetingId::from_bytes(random::bytes()?);
        let now = Timestamp::now();
        let meeting = self.store.meetings().create(project, id, now, now.after(MEETING_LIFETIME)).await?;
        self.metrics.meetings_created.inc();
        tracing::info!(meeting = %id, "meeting made");
        Ok(meeting)
    }
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use serde_json::json;

    use crate::testing::Harness;

    #[tokio::test]
    async fn a_meeting_is_made() {
        let harness = Harness::new().await;
        let (status, body) = harness.post("/v1/meetings", json!({})).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(body["status"], "ready");
        assert_eq!(body["created_at"], body["updated_at"]);
        let id = body["id"].as_str().unwrap();
        let (status, found) = harness.get(&format!("/v1/meetings/{id}")).await;
        assert_eq!((status, &found), (StatusCode::OK, &body));
    }

    #[tokio::test]
    async fn unknown_fields_are_ignored_and_no_body_is_an_empty_one() {
        let harness = Harness::new().await;
        assert_eq!(harness.post("/v1/meetings", json!({"colour": "green"})).await.0, StatusCode::OK);
        assert_eq!(harness.post_raw("/v1/meetings", None, "").await.0, StatusCode::OK);
    }

    #[tokio::test]
    async fn a_body_that_is_no_object_is_refused() {
        let harness = Harness::new().await;
        let reason = async |content_type: Option<&str>, body: &str| {
            let (status, body) = harness.post_raw("/v1/meetings", content_type, body).await;
            assert_eq!(body["status"], status.as_u16());
            (status.as_u16(), body["reason"].as_str().unwrap().to_owned())
        };
        let json = Some("application/json; charset=utf-8");
        assert_eq!(reason(json, "{").await, (400, "body is not JSON".to_owned()));
        assert_eq!(reason(json, "[]").await, (400, "body is not a JSON object".to_owned()));
        assert_eq!(reason(Some("text/plain"), "{}").await, (415, "unsupported content type".to_owned()));
        let large = format!("{{\"a\":\"{}\"}}", "x".repeat(crate::body::BODY_BYTES_MAX));
        assert_eq!(reason(json, &large).await, (413, "body too large".to_owned()));
    }

    #[tokio::test]
    async fn needs_a_token_with_the_scope() {
        let harness = Harness::new().await;
        harness.needs_scope("POST", "/v1/meetings", "meeting:create").await;
    }
}
