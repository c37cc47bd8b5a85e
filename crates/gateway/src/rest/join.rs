//! `POST /v1/meetings/{meeting}/join`: exchanges a participant's secret for the address of a WebSocket and the token to
//! authenticate there. Both hold for the whole participation. No access token is needed: the secret is the proof.
//!
//! The public package knows 400, 404, 410, 500 and 503 here and takes anything else for an unknown failure.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use store::{MeetingStatus, ParticipantStatus, StoreError, Timestamp};
use wire::rest::JoinDetails;

use super::MEETING_LIFETIME;
use super::common::{FindError, answered_as_api_error};
use crate::api_error::ApiError;
use crate::app::{App, Shared};
use crate::body::{BodyError, FieldError, JsonObject};
use crate::origin::Caller;
use crate::secret::{self, WrongSecret};
use crate::tokens::JoinToken;
use crate::ws;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Body(#[from] BodyError),
    #[error(transparent)]
    Field(#[from] FieldError),
    #[error(transparent)]
    Find(#[from] FindError),
    #[error("meeting has ended")]
    Ended,
    #[error("meeting has expired")]
    Expired,
    #[error("participant was removed")]
    Removed,
    #[error(transparent)]
    Secret(#[from] WrongSecret),
    #[error("server is stopping")]
    Stopping,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        let reason = error.to_string();
        match error {
            Error::Body(error) => ApiError::from(error).with_status(StatusCode::BAD_REQUEST),
            Error::Field(error) => error.into(),
            Error::Find(error) => error.into(),
            Error::Ended | Error::Expired | Error::Removed => ApiError::new(StatusCode::GONE, reason),
            Error::Secret(_) => ApiError::new(StatusCode::BAD_REQUEST, reason),
            Error::Stopping => {
                ApiError::new(StatusCode::SERVICE_UNAVAILABLE, reason).describe("try again in a moment")
            }
            Error::Store(source) => ApiError::internal(&source),
        }
    }
}
answered_as_api_error!(Error);

pub(crate) async fn handle(
    State(app): State<App>,
    Path(meeting): Path<String>,
    caller: Caller,
    body: Result<JsonObject, BodyError>,
) -> Result<Json<JoinDetails>, Error> {
    let body = body?;
    let id = body.string("participant_id")?;
    let secret = body.string("participant_secret")?;
    if app.is_stopping() {
        return Err(Error::Stopping);
    }
    let token = app.admit(&meeting, id, secret).await?;
    let location = caller.base_url.web_socket(&ws::path(token.meeting));
    Ok(Json(JoinDetails { location, token: app.tokens.sign_join(&token) }))
}

impl Shared {
    async fn admit(&self, meeting: &str, id: &str, secret: &str) -> Result<JoinToken, Error> {
        let meeting = meeting.parse().map_err(|_| FindError::NoMeeting)?;
        let meeting = self.store.meetings().get(meeting).await?.ok_or(FindError::NoMeeting)?;
        let participant = self.find_participant(&meeting, id).await?;
        // Who does not know the secret learns nothing beyond that the ids exist.
        secret::check(secret, &participant)?;
        if participant.status == ParticipantStatus::Removed {
            return Err(Error::Removed);
        }
        let now = Timestamp::now();
        if meeting.status == MeetingStatus::Ended {
            return Err(Error::Ended);
        }
        if meeting.is_over(now) {
            return Err(Error::Expired);
        }
        self.store.meetings().keep_until(meeting.id, now, now.after(MEETING_LIFETIME)).await?;
        let generation = participant.generation;
        Ok(JoinToken { meeting: meeting.id, participant: participant.id, generation })
    }
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use serde_json::{Value, json};

    use crate::testing::Harness;

    fn reason((status, body): (StatusCode, Value)) -> (u16, String) {
        assert_eq!(body["status"], status.as_u16());
        (status.as_u16(), body["reason"].as_str().unwrap().to_owned())
    }

    #[tokio::test]
    async fn a_participant_gets_address_and_token() {
        let harness = Harness::new().await;
        let meeting = harness.meeting().await;
        let (id, secret) = harness.participant(&meeting).await;
        let (status, body) = harness.join(&meeting, &id, &secret).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(body["location"], format!("ws://althing.test:8080/v1/meetings/{meeting}/ws"));
        let token = harness.app.tokens.read_join(body["token"].as_str().unwrap()).unwrap();
        assert_eq!((token.participant.to_string(), token.generation), (id.clone(), 1));
        assert_eq!(harness.join(&meeting, &id, &secret).await.0, StatusCode::OK, "as often as it wants");
    }

    #[tokio::test]
    async fn each_wrong_credential_has_its_own_reason() {
        let harness = Harness::new().await;
        let meeting = harness.meeting().await;
        let (id, secret) = harness.participant(&meeting).await;
        let (_, foreign) = harness.participant(&meeting).await;
        let unknown = "aaaaaaaaaaaaaaaaaaaaaaaaaa";
        let join =
            async |meeting: &str, id: &str, secret: &str| reason(harness.join(meeting, id, secret).await);
        assert_eq!(join(&meeting, &id, "x").await, (400, "invalid participant secret".into()));
        assert_eq!(
            join(&meeting, &id, &foreign).await,
            (400, "participant secret belongs to another participant".into())
        );
        assert_eq!(join(&meeting, unknown, &secret).await, (404, "participant not found".into()));
        assert_eq!(join(&meeting, "x", &secret).await, (404, "participant not found".into()));
        assert_eq!(join(unknown, &id, &secret).await, (404, "meeting not found".into()));
        assert_eq!(join("x", &id, &secret).await, (404, "meeting not found".into()));
        let other = harness.meeting().await;
        assert_eq!(join(&other, &id, &secret).await, (404, "participant not found".into()));

        harness.call("DELETE", &format!("/v1/meetings/{meeting}/participants/{id}"), None).await;
        assert_eq!(join(&meeting, &id, &secret).await, (410, "participant was removed".into()));
        assert_eq!(join(&meeting, &id, "x").await, (400, "invalid participant secret".into()));
    }

    #[tokio::test]
    async fn a_meeting_that_is_over_says_how() {
        let harness = Harness::new().await;
        let meeting = harness.meeting().await;
        let (id, secret) = harness.participant(&meeting).await;
        harness.call("DELETE", &format!("/v1/meetings/{meeting}"), None).await;
        assert_eq!(reason(harness.join(&meeting, &id, &secret).await), (410, "meeting has ended".into()));
        let (meeting, id, secret) = harness.expired_meeting().await;
        assert_eq!(reason(harness.join(&meeting, &id, &secret).await), (410, "meeting has expired".into()));
    }

    #[tokio::test]
    async fn a_body_that_cannot_be_read_is_a_400_whatever_is_wrong_with_it() {
        let harness = Harness::new().await;
        let meeting = harness.meeting().await;
        let path = format!("/v1/meetings/{meeting}/join");
        let (status, body) = harness.post(&path, json!({"participant_id": 7})).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert_eq!(body["details"], json!({"participant_id": ["must be a string"]}));
        let (_, body) = harness.post(&path, json!({"participant_id": "x"})).await;
        assert_eq!(body["details"], json!({"participant_secret": ["is missing"]}));
        for (content_type, body) in [
            ("text/plain", "{}"),
            ("application/json", "{"),
            ("application/json", "7"),
            ("application/json", " ".repeat(crate::body::BODY_BYTES_MAX + 1).as_str()),
        ] {
            let answer = harness.post_raw(&path, Some(content_type), body).await;
            assert_eq!(reason(answer).0, 400, "{content_type} {}", body.len());
        }
    }

    #[tokio::test]
    async fn a_stopping_server_says_so() {
        let harness = Harness::new().await;
        let meeting = harness.meeting().await;
        let (id, secret) = harness.participant(&meeting).await;
        harness.app.stop();
        assert_eq!(reason(harness.join(&meeting, &id, &secret).await), (503, "server is stopping".into()));
    }
}
