//! What is done now and then: meetings whose time is over end, and those that ended long ago are forgotten.

use std::time::Duration;

use bus::Address;
use bus::control::RoomCommand;
use store::{StoreError, Timestamp};

use crate::app::{App, Shared};

const INTERVAL: Duration = Duration::from_secs(10 * 60);

/// How long a meeting is remembered after its end, so that its owner can still read how it ended.
const ENDED_KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

/// Cleans up for as long as it is let.
pub(crate) async fn run(app: App) {
    let mut ticks = tokio::time::interval(INTERVAL);
    loop {
        ticks.tick().await;
        if let Err(error) = app.clean_up(Timestamp::now()).await {
            tracing::warn!(%error, "old meetings were not cleaned up; tried again in ten minutes");
        }
    }
}

impl Shared {
    pub(crate) async fn clean_up(&self, now: Timestamp) -> Result<(), StoreError> {
        for meeting in self.store.meetings().end_expired(now).await? {
            tracing::info!(%meeting, "meeting ended: nobody joined for a long time");
            if let Err(error) = self.bus.send(Address::Control, RoomCommand::End { meeting }).await {
                tracing::warn!(%meeting, %error, "nobody told the meeting that it is over");
            }
        }
        let forgotten = self.store.meetings().forget_ended(now.before(ENDED_KEPT)).await?;
        if forgotten > 0 {
            tracing::info!(forgotten, "meetings that ended long ago were forgotten");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use super::*;
    use crate::rest::MEETING_LIFETIME;
    use crate::testing::Harness;

    #[tokio::test]
    async fn meetings_end_and_are_forgotten_in_time() {
        let harness = Harness::new().await;
        let mut commands = harness.bus.consume::<RoomCommand>(Address::Control);
        let id = harness.meeting().await;
        let path = format!("/v1/meetings/{id}");
        let expiry = Timestamp::now().after(MEETING_LIFETIME);
        harness.app.clean_up(expiry.before(Duration::from_secs(60))).await.unwrap();
        assert_eq!(harness.get(&path).await.1["status"], "ready");
        harness.app.clean_up(expiry).await.unwrap();
        assert_eq!(harness.get(&path).await.1["status"], "ended");
        assert_eq!(commands.next().await, Some(RoomCommand::End { meeting: id.parse().unwrap() }));
        let later = expiry.after(ENDED_KEPT).after(Duration::from_secs(1));
        harness.app.clean_up(later).await.unwrap();
        assert_eq!(harness.get(&path).await.0, StatusCode::NOT_FOUND);
    }
}
