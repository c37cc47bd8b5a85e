//! What a client says.

use model::{Mid, ParticipantId, ReceiveQuality, Rid, StreamId, limits};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use ts_rs::TS;

/// A message from a client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientMessage {
    /// First message of a socket: who this is. Answered by `success`, or by `error` and a close.
    Authenticate {
        /// From `/join`.
        token: String,
        /// Who.
        participant_id: String,
    },
    /// The client's session description. Answered by exactly one `media_offer` with the answer, or by `error`.
    MediaOffer {
        /// RFC 8866.
        sdp: String,
    },
    /// A candidate found after the offer.
    AddNewCandidate {
        /// The `candidate:` line; empty: end of candidates.
        candidate: String,
        /// `sdpMid`.
        mid: String,
        /// Username fragment.
        ufrag: String,
        /// Not needed.
        #[serde(default)]
        pwd: String,
    },
    /// Receive a stream. Answered by `request_stream_response`.
    RequestStream {
        /// Participant id, or `@` and the name of a virtual producer.
        producer_id: String,
        /// Stream of that participant.
        stream_id: String,
        /// The encoding wanted; null: the best for this receiver.
        #[serde(default)]
        rid: Option<Rid>,
        /// The m-line to receive on; null: the server picks the one that has been free longest.
        #[serde(default)]
        receive_mid: Option<Mid>,
    },
    /// Stop receiving on an m-line. Answered by `success`.
    DisconnectStream {
        /// Which.
        receive_mid: Mid,
    },
    /// Answered by `pong`.
    Ping {},
    /// Answer to a `ping`.
    Pong {},

    /// Added: this client knows the added messages. Sent once after `authenticate`. Answered by `welcome`.
    Hello {
        /// Program and version, for statistics ("althing-web 0.1.0").
        client: String,
        /// What others may know of this participant (name, colour): opaque to the server, never stored or logged.
        #[serde(default)]
        profile: Value,
    },
    /// Added: the profile has changed.
    SetProfile {
        /// See `hello`.
        profile: Value,
    },
    /// Added: how large the client shows what it receives. Only slots that changed need be listed.
    TileSizes {
        /// Slot and size.
        tiles: Vec<TileSize>,
    },
    /// Added: which of the client's own streams are muted. A muted stream is not forwarded.
    MuteStream {
        /// The client's own sending m-line.
        mid: Mid,
        /// True: muted.
        muted: bool,
    },
    /// Added: a chat message.
    Chat {
        /// Plain text.
        text: String,
        /// To one participant; absent: to everybody.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        to: Option<ParticipantId>,
    },
    /// Added: the participant leaves now and does not come back by itself.
    Leave {},
}

/// How large a slot is shown, in physical pixels; 0 × 0 is hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct TileSize {
    /// The m-line received on.
    pub receive_mid: Mid,
    /// Width in pixels.
    pub width: u16,
    /// Height in pixels.
    pub height: u16,
    /// What the person chose for this slot; absent: what fits the size. Hidden is hidden all the same. Stays until the
    /// slot is listed again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub quality: Option<ReceiveQuality>,
}

impl ClientMessage {
    /// Every value of `type` that is known.
    pub const TYPES: &[&str] = &[
        "authenticate",
        "media_offer",
        "add_new_candidate",
        "request_stream",
        "disconnect_stream",
        "ping",
        "pong",
        "hello",
        "set_profile",
        "tile_sizes",
        "mute_stream",
        "chat",
        "leave",
    ];

    /// Checks what types cannot say.
    pub(crate) fn validate(&self) -> Result<(), String> {
        match self {
            ClientMessage::MediaOffer { sdp } => at_most("sdp", sdp.len(), limits::SDP_BYTES_MAX),
            ClientMessage::Authenticate { token, participant_id } => {
                at_most("token", token.len(), 4096)?;
                at_most("participant_id", participant_id.len(), ParticipantId::CHARS)
            }
            ClientMessage::AddNewCandidate { candidate, mid, ufrag, pwd } => {
                at_most("candidate", candidate.len(), 1024)?;
                at_most("mid", mid.len(), 64)?;
                at_most("ufrag", ufrag.len(), 256)?;
                at_most("pwd", pwd.len(), 256)
            }
            ClientMessage::RequestStream { producer_id, stream_id, .. } => {
                at_most("producer_id", producer_id.len(), ParticipantId::CHARS)?;
                at_most("stream_id", stream_id.len(), StreamId::CHARS)
            }
            ClientMessage::Hello { client, profile } => {
                at_most("client", client.len(), 200)?;
                profile_size(profile)
            }
            ClientMessage::SetProfile { profile } => profile_size(profile),
            ClientMessage::TileSizes { tiles } => at_most("tiles", tiles.len(), limits::MEDIA_LINES_MAX),
            ClientMessage::Chat { text, .. } => {
                if text.trim().is_empty() {
                    return Err("text is empty".to_owned());
                }
                at_most("text", text.chars().count(), limits::CHAT_CHARS_MAX)
            }
            ClientMessage::DisconnectStream { .. }
            | ClientMessage::Ping {}
            | ClientMessage::Pong {}
            | ClientMessage::MuteStream { .. }
            | ClientMessage::Leave {} => Ok(()),
        }
    }
}

fn at_most(what: &str, found: usize, most: usize) -> Result<(), String> {
    if found > most { Err(format!("{what} has {found}, at most {most}")) } else { Ok(()) }
}

fn profile_size(profile: &Value) -> Result<(), String> {
    match profile {
        Value::Null => Ok(()),
        Value::Object(_) => at_most("profile (bytes)", profile.to_string().len(), limits::PROFILE_BYTES_MAX),
        _ => Err("profile is a JSON object or null".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_types_is_the_enum() {
        // A message of each listed type is told apart from an unknown type by serde, whatever its fields.
        for kind in ClientMessage::TYPES {
            let error = serde_json::from_value::<ClientMessage>(serde_json::json!({ "type": kind })).err();
            let unknown = error.is_some_and(|e| e.to_string().contains("unknown variant"));
            assert!(!unknown, "{kind} is listed but not in the enum");
        }
        let error = serde_json::from_value::<ClientMessage>(serde_json::json!({ "type": "?" })).unwrap_err();
        let listed = error.to_string().matches('`').count() / 2 - 1;
        assert_eq!(listed, ClientMessage::TYPES.len(), "{error}");
    }
}
