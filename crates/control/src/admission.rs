//! Whether the platform's records let a participant in. The gateway has looked, too, but a removal or an end may have
//! come in between, when there was no room to be told.

use std::time::Duration;

use bus::control::ConnectError;
use model::{MeetingId, ParticipantId};
use store::{ParticipantStatus, Store, StoreError, Timestamp};
use tokio::time::timeout;
use tracing::error;

/// How long the store may take. The room waits meanwhile, so it is short; the client comes again.
const STORE_TIMEOUT: Duration = Duration::from_secs(2);

/// Looks a participant up.
pub(crate) async fn admit(
    store: &Store,
    meeting: MeetingId,
    participant: ParticipantId,
) -> Result<(), ConnectError> {
    match timeout(STORE_TIMEOUT, look_up(store, meeting, participant)).await {
        Ok(Ok(result)) => result,
        Ok(Err(error)) => {
            error!(%meeting, %participant, %error, "nobody can be let in");
            Err(ConnectError::Unavailable)
        }
        Err(_) => {
            error!(%meeting, %participant, "nobody can be let in: the store is too slow");
            Err(ConnectError::Unavailable)
        }
    }
}

async fn look_up(
    store: &Store,
    meeting: MeetingId,
    participant: ParticipantId,
) -> Result<Result<(), ConnectError>, StoreError> {
    let Some(found) = store.meetings().get(meeting).await? else {
        return Ok(Err(ConnectError::Unknown));
    };
    if found.is_over(Timestamp::now()) {
        return Ok(Err(ConnectError::Ended));
    }
    let found = store.participants().get(meeting, participant).await?;
    Ok(match found.map(|p| p.status) {
        None => Err(ConnectError::Unknown),
        Some(ParticipantStatus::Removed) => Err(ConnectError::Removed),
        Some(ParticipantStatus::Ready | ParticipantStatus::Joined | ParticipantStatus::Left) => Ok(()),
    })
}
