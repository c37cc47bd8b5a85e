//! `POST /meet/v1/rooms/{name}/participants`: makes a participant for a guest of this room; a room of that name, and a
//! meeting, where there is none now. Answers 200 with everything that a client needs to join; 400 for what is no name,
//! 429 for too many new meetings, 503 while the platform is not ready.

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use tokio::time::Instant;
use wire::meet::Guest;

use crate::App;
use crate::create_room::too_many;
use crate::error::Answer;
use crate::name::{NameError, RoomName};
use crate::rooms::OpenError;

/// Why the guest stays outside.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Name(#[from] NameError),
    #[error(transparent)]
    Open(#[from] OpenError),
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        match &self {
            Error::Name(error) => {
                Answer::new(StatusCode::BAD_REQUEST, "invalid room name").describe(error.to_string())
            }
            Error::Open(OpenError::TooMany(_)) => too_many(),
            Error::Open(OpenError::Bus(error)) => {
                tracing::warn!(%error, "a guest came while the platform is not ready");
                Answer::new(StatusCode::SERVICE_UNAVAILABLE, "not ready").describe("try again in a moment")
            }
            Error::Open(error) => Answer::internal(error),
        }
        .into_response()
    }
}

pub(crate) async fn handle(
    State(app): State<App>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Json<Guest>, Error> {
    let name: RoomName = name.parse()?;
    let caller = (app.config.caller)(&request.into_parts().0);
    let guest = app.open(&name, || app.rates.take(caller.address, Instant::now())).await?;
    Ok(Json(Guest {
        api_address: caller.base_url,
        meeting_id: guest.meeting,
        participant_id: guest.participant.participant,
        participant_secret: guest.participant.secret,
    }))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use axum::http::StatusCode;
    use serde_json::Value;

    use crate::testing::Harness;

    const PATH: &str = "/meet/v1/rooms/weekly/participants";

    fn id(body: &Value) -> String {
        body["meeting_id"].as_str().unwrap().to_owned()
    }

    #[tokio::test]
    async fn opening_a_new_name_makes_a_meeting_and_the_second_joins_it() {
        let harness = Harness::new().await;
        let (status, first) = harness.post(PATH).await;
        assert_eq!((status, first["api_address"].as_str().unwrap()), (StatusCode::OK, "http://althing.test"));
        assert_eq!(first["participant_secret"], "secret 1");
        let (_, second) = harness.post("/meet/v1/rooms/WEEKLY/participants").await;
        assert_eq!(id(&first), id(&second));
        assert_ne!(first["participant_id"], second["participant_id"]);
        let (_, other) = harness.post("/meet/v1/rooms/other/participants").await;
        assert_ne!(id(&first), id(&other));
    }

    #[tokio::test]
    async fn twenty_at_once_make_one_meeting() {
        let harness = Harness::new().await;
        let opens: Vec<_> = (0..20)
            .map(|_| {
                let harness = harness.clone();
                tokio::spawn(async move { id(&harness.post(PATH).await.1) })
            })
            .collect();
        let mut meetings = HashSet::new();
        for open in opens {
            meetings.insert(open.await.unwrap());
        }
        assert_eq!((meetings.len(), harness.meetings_made()), (1, 1));
    }

    #[tokio::test]
    async fn a_meeting_that_is_over_is_followed_by_another() {
        let harness = Harness::new().await;
        let (_, first) = harness.post(PATH).await;
        harness.end(&id(&first));
        let (_, second) = harness.post(PATH).await;
        assert_ne!(id(&first), id(&second));
        let (_, third) = harness.post(PATH).await;
        assert_eq!(id(&second), id(&third));
    }

    #[tokio::test]
    async fn what_is_no_name_is_refused_with_its_reason() {
        let harness = Harness::new().await;
        for (name, words) in [("ab", "3 to 64"), ("a%20b", "letters a to z"), ("-abc", "begins and ends")] {
            let (status, body) = harness.post(&format!("/meet/v1/rooms/{name}/participants")).await;
            assert_eq!(
                (status, body["reason"].as_str().unwrap()),
                (StatusCode::BAD_REQUEST, "invalid room name")
            );
            assert!(body["description"].as_str().unwrap().contains(words), "{body}");
        }
    }

    #[tokio::test]
    async fn without_a_platform_the_guest_is_asked_to_come_again() {
        let harness = Harness::without_platform().await;
        let (status, body) = harness.post(PATH).await;
        assert_eq!((status, body["status"].as_u64()), (StatusCode::SERVICE_UNAVAILABLE, Some(503)));
    }

    #[tokio::test]
    async fn new_names_cannot_be_opened_without_end() {
        let harness = Harness::new().await;
        let mut last = StatusCode::OK;
        for n in 0..200 {
            last = harness.post(&format!("/meet/v1/rooms/room-{n}/participants")).await.0;
        }
        assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
        let (status, _) = harness.post("/meet/v1/rooms/room-0/participants").await;
        assert_eq!(status, StatusCode::OK, "a room that is there is open to everybody");
    }
}
