//! Error types and close codes of the WebSocket.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// `error_type` of an `error` message. The set is the public packages'; details say more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum ErrorType {
    /// The token of `authenticate` is wrong, expired or somebody else's; or the first message was another.
    AuthenticationFailed,
    /// A message type that this server does not know. The socket stays.
    UnsupportedMessage,
    /// Not a JSON object.
    InvalidJson,
    /// Fields missing or of the wrong type.
    InvalidMessage,
    /// The first offer of a peer connection cannot be used.
    SdpOfferProcessing,
    /// A later offer cannot be used.
    SdpOfferUpdateProcessing,
    /// Something failed here.
    ServerError,
    /// A value is out of bounds or names something that does not exist.
    InvalidParameter,
    /// A full meeting, no free slot, too many messages: what is asked for is not to be had now.
    ResourceUnavailable,
}

/// Codes with which we close a WebSocket. The public package reconnects on 1001–1016 and takes everything else as
/// final.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CloseCode {
    /// 1012, service restart: come back.
    Restart,
    /// 1013, try again later: this server cannot serve the socket now.
    TryAgainLater,
    /// 4999, final: removed, ended, replaced by a newer socket, authentication failed.
    Final,
}

impl CloseCode {
    /// The code on the wire.
    pub const fn code(self) -> u16 {
        match self {
            CloseCode::Restart => 1012,
            CloseCode::TryAgainLater => 1013,
            CloseCode::Final => 4999,
        }
    }
}
