//! `POST /meet/v1/rooms`: makes a room with a name that nobody guesses. Answers 200 with the name, or 429.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use store::{StoreError, Timestamp};
use tokio::time::Instant;
use wire::meet::NewRoom;

use crate::App;
use crate::error::Answer;
use crate::name::RoomName;
use crate::rate::TooMany;

/// Why no room was made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    TooMany(#[from] TooMany),
    #[error("no random name")]
    Random(#[from] getrandom::Error),
    #[error("no free name was found")]
    NoFreeName,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        match &self {
            Error::TooMany(_) => too_many(),
            Error::Random(_) | Error::NoFreeName | Error::Store(_) => Answer::internal(&self),
        }
        .into_response()
    }
}

/// The answer to an address that makes too many rooms.
pub(crate) fn too_many() -> Answer {
    Answer::new(StatusCode::TOO_MANY_REQUESTS, "too many rooms")
        .describe("too many rooms were made from this network; try again in a minute")
}

/// Names drawn until one is free. With 54 bits the second is never needed.
const ATTEMPTS_MAX: u32 = 4;

pub(crate) async fn handle(State(app): State<App>, request: Request) -> Result<Json<NewRoom>, Error> {
    let caller = (app.config.caller)(&request.into_parts().0);
    app.rates.take(caller.address, Instant::now())?;
    for _ in 0..ATTEMPTS_MAX {
        let name = RoomName::random()?;
        if app.store.meet_rooms().create(name.as_str(), Timestamp::now()).await? {
            return Ok(Json(NewRoom { name: name.to_string() }));
        }
    }
    Err(Error::NoFreeName)
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use crate::testing::Harness;

    #[tokio::test]
    async fn a_room_gets_a_name_that_can_be_opened() {
        let harness = Harness::new().await;
        let (status, body) = harness.post("/meet/v1/rooms").await;
        assert_eq!(status, StatusCode::OK);
        let name = body["name"].as_str().unwrap();
        assert_eq!(name.len(), 14);
        let (status, _) = harness.post(&format!("/meet/v1/rooms/{name}/participants")).await;
        assert_eq!(status, StatusCode::OK);
    }

    #[tokio::test]
    async fn one_network_makes_only_so_many() {
        let harness = Harness::new().await;
        let mut refused = None;
        for _ in 0..200 {
            let answer = harness.post("/meet/v1/rooms").await;
            if answer.0 != StatusCode::OK {
                refused = Some(answer);
                break;
            }
        }
        let (status, body) = refused.unwrap();
        assert_eq!(
            (status, body["reason"].as_str().unwrap()),
            (StatusCode::TOO_MANY_REQUESTS, "too many rooms")
        );
    }
}
