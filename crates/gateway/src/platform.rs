//! The platform's API for customers inside the program, over the bus. It does what REST does and nothing else.

use bus::Address;
use bus::platform::{CreateMeeting, CreateParticipant, NewParticipant, PlatformError};
use store::Timestamp;

use crate::app::{App, Shared};

/// Serves, from this call on, until another gateway takes over.
pub(crate) fn serve(app: App) -> impl Future<Output = ()> {
    let mut meetings = app.bus.serve::<CreateMeeting>(Address::Platform);
    let mut participants = app.bus.serve::<CreateParticipant>(Address::Platform);
    async move {
        loop {
            tokio::select! {
                Some(asked) = meetings.next() => {
                    let (request, reply) = asked.into_parts();
                    reply(app.serve_meeting(request).await);
                }
                Some(asked) = participants.next() => {
                    let (request, reply) = asked.into_parts();
                    reply(app.serve_participant(request).await);
                }
                else => return,
            }
        }
    }
}

impl Shared {
    async fn serve_meeting(&self, request: CreateMeeting) -> Result<model::MeetingId, PlatformError> {
        self.create_meeting(request.project).await.map(|m| m.id).map_err(|error| internal(&error))
    }

    async fn serve_participant(&self, request: CreateParticipant) -> Result<NewParticipant, PlatformError> {
        let meeting = self.store.meetings().get(request.meeting).await.map_err(|error| internal(&error))?;
        let meeting = meeting.filter(|m| m.project == request.project).ok_or(PlatformError::NotFound)?;
        if meeting.is_over(Timestamp::now()) {
            return Err(PlatformError::Ended);
        }
        match self.create_participant(&meeting).await {
            Ok((participant, secret)) => Ok(NewParticipant { participant: participant.id, secret }),
            Err(crate::rest::CreateParticipantError::Ended) => Err(PlatformError::Ended),
            Err(error) => Err(internal(&error)),
        }
    }
}

fn internal(error: &dyn std::error::Error) -> PlatformError {
    tracing::error!(%error, "a request of the platform failed");
    PlatformError::Internal
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use model::{MeetingId, ProjectId};

    use super::*;
    use crate::testing::{Harness, PROJECT};

    #[tokio::test]
    async fn does_what_rest_does() {
        let harness = Harness::new().await;
        let serving = tokio::spawn(serve(harness.app.clone()));
        let bus = &harness.bus;
        let meeting =
            bus.request(Address::Platform, CreateMeeting { project: PROJECT }).await.unwrap().unwrap();
        let create = CreateParticipant { project: PROJECT, meeting };
        let made = bus.request(Address::Platform, create).await.unwrap().unwrap();
        let joined = harness.join(&meeting.to_string(), &made.participant.to_string(), &made.secret).await;
        assert_eq!(joined.0, StatusCode::OK);

        let stranger = CreateParticipant { project: ProjectId::from_bytes([7; 16]), ..create };
        let unknown = CreateParticipant { meeting: MeetingId::from_bytes([7; 16]), ..create };
        for request in [stranger, unknown] {
            let answer = bus.request(Address::Platform, request).await.unwrap();
            assert_eq!(answer, Err(PlatformError::NotFound));
        }
        harness.call("DELETE", &format!("/v1/meetings/{meeting}"), None).await;
        assert_eq!(bus.request(Address::Platform, create).await.unwrap(), Err(PlatformError::Ended));
        serving.abort();
    }
}
