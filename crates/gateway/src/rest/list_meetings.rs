//! `GET /v1/meetings?cursor=`: a project's meetings, oldest first, in pages. Scope `meeting:read`.
//! Answers 200 with `{objects, cursor}`; the last page's cursor is empty.

use axum::Json;
use axum::extract::{Query, State};
use store::StoreError;
use wire::rest::{Meeting, Page};

use super::access::{Access, Denied};
use super::common::{self, BadCursor, CursorQuery, answered_as_api_error};
use crate::api_error::ApiError;
use crate::app::App;
use crate::tokens::Scope;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Cursor(#[from] BadCursor),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        match error {
            Error::Denied(denied) => denied.into(),
            Error::Cursor(bad) => bad.into(),
            Error::Store(source) => ApiError::internal(&source),
        }
    }
}
answered_as_api_error!(Error);

pub(crate) async fn handle(
    State(app): State<App>,
    access: Access,
    Query(query): Query<CursorQuery>,
) -> Result<Json<Page<Meeting>>, Error> {
    let project = access.allows(Scope::MeetingRead)?;
    let page = app.store.meetings().list(project, query.read()?).await?;
    Ok(Json(common::page(page, common::meeting)))
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use crate::testing::Harness;

    #[tokio::test]
    async fn every_meeting_is_on_one_page() {
        let harness = Harness::new().await;
        let mut made = Vec::new();
        for _ in 0..store::PAGE_LEN + 1 {
            made.push(harness.meeting().await);
        }
        let (status, first) = harness.get("/v1/meetings").await;
        assert_eq!(status, StatusCode::OK);
        let cursor = first["cursor"].as_str().unwrap();
        let (_, last) = harness.get(&format!("/v1/meetings?cursor={cursor}")).await;
        assert_eq!(last["cursor"], "");
        let pages = [&first, &last].map(|p| p["objects"].as_array().unwrap().clone());
        assert_eq!((pages[0].len(), pages[1].len()), (store::PAGE_LEN, 1));
        let mut listed: Vec<_> =
            pages.concat().iter().map(|m| m["id"].as_str().unwrap().to_owned()).collect();
        listed.sort();
        made.sort();
        assert_eq!(listed, made);
    }

    #[tokio::test]
    async fn another_project_sees_nothing_of_it() {
        let harness = Harness::new().await;
        harness.meeting().await;
        let (_, body) = harness.call_as(&harness.other_project(), "GET", "/v1/meetings", None).await;
        assert_eq!(body, serde_json::json!({"objects": [], "cursor": ""}));
    }

    #[tokio::test]
    async fn a_cursor_of_nobody_is_refused() {
        let harness = Harness::new().await;
        assert_eq!(harness.get("/v1/meetings?cursor=").await.0, StatusCode::OK);
        let (status, body) = harness.get("/v1/meetings?cursor=x").await;
        assert_eq!((status, body["reason"].as_str().unwrap()), (StatusCode::BAD_REQUEST, "invalid cursor"));
        assert!(body["details"]["cursor"].is_array());
    }

    #[tokio::test]
    async fn needs_a_token_with_the_scope() {
        let harness = Harness::new().await;
        harness.needs_scope("GET", "/v1/meetings", "meeting:read").await;
    }
}
