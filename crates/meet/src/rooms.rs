//! A room is a name and the meeting that is behind it now.

use std::time::Duration;

use bus::platform::{CreateMeeting, CreateParticipant, NewParticipant, PlatformError};
use bus::{Address, BusError};
use model::MeetingId;
use store::{Store, StoreError, Timestamp};

use crate::Shared;
use crate::name::RoomName;
use crate::rate::TooMany;

/// How long a name is remembered that nobody opens. Afterwards it works as before, with another meeting behind it.
const UNUSED_KEPT: Duration = Duration::from_secs(90 * 24 * 3600);

const HOUSEKEEPING_INTERVAL: Duration = Duration::from_secs(3600);

/// Why nobody gets in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    #[error(transparent)]
    TooMany(#[from] TooMany),
    #[error("the platform is not ready: {0}")]
    Bus(#[from] BusError),
    #[error("the platform failed: {0}")]
    Platform(#[from] PlatformError),
    #[error("the room changes too quickly")]
    Contended,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A guest of a room.
#[derive(Debug)]
pub(crate) struct Guest {
    pub(crate) meeting: MeetingId,
    pub(crate) participant: NewParticipant,
}

/// Times that another Meet may put a meeting behind the name between our look and our own, which takes milliseconds.
const ATTEMPTS_MAX: u32 = 8;

impl Shared {
    /// Makes a participant of the room's meeting, and that meeting if there is none or it is over. `may_create` is
    /// asked before a meeting is made.
    pub(crate) async fn open(
        &self,
        name: &RoomName,
        may_create: impl Fn() -> Result<(), TooMany>,
    ) -> Result<Guest, OpenError> {
        let _turn = self.opening.turn(name).await;
        for _ in 0..ATTEMPTS_MAX {
            let room = self.store.meet_rooms().open(name.as_str(), Timestamp::now()).await?;
            if let Some(meeting) = room.meeting
                && let Some(participant) = self.participant(meeting).await?
            {
                return Ok(Guest { meeting, participant });
            }
            may_create()?;
            let create = CreateMeeting { project: self.config.project };
            let meeting = self.bus.request(Address::Platform, create).await??;
            // Another Meet may have been faster: then its meeting is taken, and ours, which nobody knows, expires.
            self.store.meet_rooms().replace_meeting(name.as_str(), room.meeting, meeting).await?;
        }
        Err(OpenError::Contended)
    }

    /// A participant of this meeting; `None`: the meeting is over or forgotten.
    async fn participant(&self, meeting: MeetingId) -> Result<Option<NewParticipant>, OpenError> {
        let create = CreateParticipant { project: self.config.project, meeting };
        match self.bus.request(Address::Platform, create).await? {
            Ok(participant) => Ok(Some(participant)),
            Err(PlatformError::Ended | PlatformError::NotFound) => Ok(None),
            Err(error @ PlatformError::Internal) => Err(error.into()),
        }
    }
}

pub(crate) async fn forget_unused(store: Store) {
    let mut ticks = tokio::time::interval(HOUSEKEEPING_INTERVAL);
    loop {
        ticks.tick().await;
        match store.meet_rooms().forget_unused(Timestamp::now().before(UNUSED_KEPT)).await {
            Ok(0) => {}
            Ok(forgotten) => tracing::info!(forgotten, "names of rooms that nobody opened were forgotten"),
            Err(error) => tracing::warn!(%error, "old names of rooms were not cleaned up"),
        }
    }
}
