//! Bodies of the platform's REST API.

use std::collections::BTreeMap;

use model::{MeetingId, ParticipantId};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Body of every error answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ErrorBody {
    /// The HTTP status.
    pub status: u16,
    /// What is wrong, short and stable.
    pub reason: String,
    /// More words: where, and what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub description: Option<String>,
    /// Problems by field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub details: Option<BTreeMap<String, Vec<String>>>,
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Page<T> {
    /// The objects of this page.
    pub objects: Vec<T>,
    /// Give this as `?cursor=` for the next page; empty: there is none.
    pub cursor: String,
}

/// Answer of `POST /oauth/token`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct AccessToken {
    /// Seconds from now.
    pub expires_in: u32,
    /// Always `Bearer`.
    pub token_type: String,
    /// Granted scopes, separated by spaces.
    pub scope: String,
    /// The token.
    pub access_token: String,
}

/// State of a meeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum MeetingStatus {
    /// Made, nobody has come.
    Ready,
    /// Somebody is or was there.
    Running,
    /// Over; nobody can join.
    Ended,
}

/// A meeting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Meeting {
    /// Its id.
    pub id: MeetingId,
    /// Its state.
    pub status: MeetingStatus,
    /// RFC 3339, UTC.
    pub created_at: String,
    /// RFC 3339, UTC.
    pub updated_at: String,
}

/// State of a participant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum ParticipantStatus {
    /// Made, has not come.
    Ready,
    /// In the meeting.
    Joined,
    /// Was in the meeting; may come again.
    Left,
    /// May not come again.
    Removed,
}

/// A participant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Participant {
    /// Its id.
    pub id: ParticipantId,
    /// Its meeting.
    pub meeting_id: MeetingId,
    /// Its state.
    pub status: ParticipantStatus,
    /// RFC 3339, UTC.
    pub created_at: String,
    /// RFC 3339, UTC.
    pub updated_at: String,
}

/// A participant as it is answered once, when made or when its secret is made anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct ParticipantWithSecret {
    /// The participant.
    #[serde(flatten)]
    pub participant: Participant,
    /// Shown only here; the server keeps a hash.
    pub participant_secret: String,
}

/// Body of `POST /v1/meetings/{id}/join`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct JoinRequest {
    /// Who.
    pub participant_id: String,
    /// From the participant's creation.
    pub participant_secret: String,
}

/// Answer of `POST /v1/meetings/{id}/join`. Both hold for the whole participation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct JoinDetails {
    /// WebSocket URL.
    pub location: String,
    /// For `authenticate`.
    pub token: String,
}
