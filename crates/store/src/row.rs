//! From columns to values.

use std::str::FromStr;

use crate::{MeetingStatus, ParticipantStatus, StoreError};

/// Reads an id column.
pub(crate) fn id<T: FromStr>(what: &'static str, text: &str) -> Result<T, StoreError> {
    text.parse().map_err(|_| StoreError::Corrupt { what, value: text.to_owned() })
}

pub(crate) const fn meeting_status_text(status: MeetingStatus) -> &'static str {
    match status {
        MeetingStatus::Ready => "ready",
        MeetingStatus::Running => "running",
        MeetingStatus::Ended => "ended",
    }
}

pub(crate) fn meeting_status(text: &str) -> Result<MeetingStatus, StoreError> {
    [MeetingStatus::Ready, MeetingStatus::Running, MeetingStatus::Ended]
        .into_iter()
        .find(|s| meeting_status_text(*s) == text)
        .ok_or_else(|| StoreError::Corrupt { what: "meeting status", value: text.to_owned() })
}

pub(crate) const fn participant_status_text(status: ParticipantStatus) -> &'static str {
    match status {
        ParticipantStatus::Ready => "ready",
        ParticipantStatus::Joined => "joined",
        ParticipantStatus::Left => "left",
        ParticipantStatus::Removed => "removed",
    }
}

pub(crate) fn participant_status(text: &str) -> Result<ParticipantStatus, StoreError> {
    [ParticipantStatus::Ready, ParticipantStatus::Joined, ParticipantStatus::Left, ParticipantStatus::Removed]
        .into_iter()
        .find(|s| participant_status_text(*s) == text)
        .ok_or_else(|| StoreError::Corrupt { what: "participant status", value: text.to_owned() })
}
