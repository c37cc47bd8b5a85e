//! The door: REST, WebSocket, tokens, and the web client's files.
//!
//! A library that listens nowhere: [`Gateway::start`] begins what runs in the background, [`Gateway::router`] is handed
//! to whoever listens. Everything about a meeting is asked of the store or said over the bus; the gateway itself keeps
//! only its open sockets.

mod api_error;
mod app;
mod assertion;
mod base_url;
mod body;
mod gateway;
mod health;
mod housekeeping;
mod metrics;
mod observe;
mod origin;
mod platform;
mod random;
mod rest;
mod secret;
#[cfg(test)]
mod testing;
mod tokens;
mod web;
mod ws;

pub use api_error::ApiError;
pub use app::{Config, ServerSecret};
pub use base_url::{BaseUrl, ParseBaseUrlError, Scheme};
pub use gateway::Gateway;
pub use origin::Caller;
