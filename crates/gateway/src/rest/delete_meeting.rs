//! `DELETE /v1/meetings/{meeting}`: ends a meeting for good; whoever is in it is told and disconnected. Scope
//! `meeting:write`. Answers 200 with the meeting, 304 when it was over before, or 404.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use bus::Address;
use bus::control::RoomCommand;
use store::{Change, StoreError, Timestamp};

use super::access::{Access, Denied};
use super::common::{self, FindError, answered_as_api_error};
use crate::api_error::ApiError;
use crate::app::App;
use crate::tokens::Scope;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Find(#[from] FindError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        match error {
            Error::Denied(denied) => denied.into(),
            Error::Find(error) => error.into(),
            Error::Store(source) => ApiError::internal(&source),
        }
    }
}
answered_as_api_error!(Error);

pub(crate) async fn handle(
    State(app): State<App>,
    access: Access,
    Path(meeting): Path<String>,
) -> Result<Response, Error> {
    let project = access.allows(Scope::MeetingWrite)?;
    let meeting = app.find_meeting(project, &meeting).await?;
    match app.store.meetings().end(meeting.id, Timestamp::now()).await? {
        Change::Done(ended) => {
            tracing::info!(meeting = %ended.id, "meeting ended by its owner");
            // The store already says so; a control role that is down reads it there when it comes back.
            if let Err(error) = app.bus.send(Address::Control, RoomCommand::End { meeting: ended.id }).await {
                tracing::warn!(meeting = %ended.id, %error, "nobody told the meeting that it is over");
            }
            Ok(Json(common::meeting(ended)).into_response())
        }
        Change::Already(_) => Ok(common::not_modified()),
        Change::Unknown => Err(FindError::NoMeeting.into()),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use bus::Address;
    use bus::control::RoomCommand;

    use crate::testing::Harness;

    #[tokio::test]
    async fn a_meeting_ends_once_and_the_room_is_told() {
        let harness = Harness::new().await;
        let mut commands = harness.bus.consume::<RoomCommand>(Address::Control);
        let id = harness.meeting().await;
        let path = format!("/v1/meetings/{id}");
        let (status, body) = harness.call("DELETE", &path, None).await;
        assert_eq!((status, body["status"].as_str().unwrap()), (StatusCode::OK, "ended"));
        assert_eq!(commands.next().await, Some(RoomCommand::End { meeting: id.parse().unwrap() }));
        assert_eq!(harness.call("DELETE", &path, None).await.0, StatusCode::NOT_MODIFIED);
        assert_eq!(harness.get(&path).await.1["status"], "ended");
    }

    #[tokio::test]
    async fn it_ends_even_while_no_control_role_is_up() {
        let harness = Harness::new().await;
        let path = format!("/v1/meetings/{}", harness.meeting().await);
        assert_eq!(harness.call("DELETE", &path, None).await.0, StatusCode::OK);
    }

    #[tokio::test]
    async fn needs_a_token_with_the_scope() {
        let harness = Harness::new().await;
        let path = format!("/v1/meetings/{}", harness.meeting().await);
        harness.needs_scope("DELETE", &path, "meeting:write").await;
        let other = harness.other_project();
        assert_eq!(harness.call_as(&other, "DELETE", &path, None).await.0, StatusCode::NOT_FOUND);
    }
}
