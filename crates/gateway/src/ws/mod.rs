//! The WebSocket: one per participant, which carries all of its signalling.
//!
//! Nothing secret is in the URL: the first message proves who the client is. From then on every message of the client
//! goes to the room as a command, and what the room has for the client comes back as a delivery.

mod admission;
mod budget;
mod connections;
mod outbox;
mod session;
mod socket;
#[cfg(test)]
mod tests;
mod upgrade;

use axum::Router;
use axum::routing::get;
use model::MeetingId;

use crate::app::App;

pub(crate) use connections::{Connections, deliver};

pub(crate) fn router() -> Router<App> {
    Router::new().route("/v1/meetings/{meeting}/ws", get(upgrade::handle))
}

/// Where the sockets of a meeting are opened.
pub(crate) fn path(meeting: MeetingId) -> String {
    format!("/v1/meetings/{meeting}/ws")
}
