//! The REST API: one endpoint, one file.

mod access;
mod common;
mod create_meeting;
mod create_participant;
mod delete_meeting;
mod delete_participant;
mod get_meeting;
mod get_participant;
mod join;
mod list_meetings;
mod list_participants;
mod patch_meeting;
mod regenerate_secret;
mod token;

use axum::Router;
use axum::routing::{get, post};

pub(crate) use access::bearer;
pub(crate) use create_participant::Error as CreateParticipantError;

use crate::app::App;

/// How long a meeting lives after it was made or somebody joined it last.
pub(crate) const MEETING_LIFETIME: std::time::Duration = std::time::Duration::from_secs(30 * 24 * 3600);

pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/oauth/token", post(token::handle))
        .route("/v1/meetings", get(list_meetings::handle).post(create_meeting::handle))
        .route(
            "/v1/meetings/{meeting}",
            get(get_meeting::handle).delete(delete_meeting::handle).patch(patch_meeting::handle),
        )
        .route("/v1/meetings/{meeting}/join", post(join::handle))
        .route(
            "/v1/meetings/{meeting}/participants",
            get(list_participants::handle).post(create_participant::handle),
        )
        .route(
            "/v1/meetings/{meeting}/participants/{participant}",
            get(get_participant::handle).delete(delete_participant::handle),
        )
        .route(
            "/v1/meetings/{meeting}/participants/{participant}/regenerate_secret",
            post(regenerate_secret::handle),
        )
}
