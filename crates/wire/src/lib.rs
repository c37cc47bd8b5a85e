//! REST bodies and WebSocket messages of the platform API: the one source of the wire.
//!
//! The base is wire-compatible with what the public packages `@pexip/vpaas-api` and `@pexip/vpaas-sdk` 18.0.5 send and
//! expect; what we add are more message types in the same envelope, sent only to clients that said `hello`.
//! TypeScript types are generated from here (`cargo xtask codegen`).

pub mod client;
mod envelope;
pub mod error;
pub mod meet;
pub mod rest;
pub mod server;

pub use client::ClientMessage;
pub use envelope::{Envelope, MessageId, ParseError, Trace, parse_client_message};
pub use error::{CloseCode, ErrorType};
pub use server::ServerMessage;
