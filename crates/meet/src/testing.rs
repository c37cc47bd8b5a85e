//! The harness of this crate's tests: the real router over a real database, and a platform of a few lines on the bus.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use bus::platform::{CreateMeeting, CreateParticipant, NewParticipant, PlatformError};
use bus::{Address, Bus};
use model::{MeetingId, ParticipantId, ProjectId};
use serde_json::Value;
use store::Store;
use tower::ServiceExt;

use crate::{Caller, Config};

const PROJECT: ProjectId = ProjectId::from_bytes([1; 16]);

#[derive(Clone)]
pub(crate) struct Harness {
    router: Router,
    platform: Arc<Mutex<Platform>>,
}

/// What the platform was asked for.
#[derive(Default)]
struct Platform {
    meetings: u8,
    participants: u8,
    ended: HashSet<MeetingId>,
}

impl Harness {
    pub(crate) async fn new() -> Self {
        let bus = Bus::new();
        let platform = Arc::new(Mutex::new(Platform::default()));
        let mut meetings = bus.serve::<CreateMeeting>(Address::Platform);
        let mut participants = bus.serve::<CreateParticipant>(Address::Platform);
        let (for_meetings, for_participants) = (platform.clone(), platform.clone());
        tokio::spawn(async move {
            while let Some(asked) = meetings.next().await {
                assert_eq!(asked.request.project, PROJECT);
                // Others get their turn between question and answer.
                tokio::task::yield_now().await;
                let reply = Ok(for_meetings.lock().unwrap().create_meeting());
                asked.reply(reply);
            }
        });
        tokio::spawn(async move {
            while let Some(asked) = participants.next().await {
                let reply = for_participants.lock().unwrap().create_participant(&asked.request);
                asked.reply(reply);
            }
        });
        Self { router: router(bus).await, platform }
    }

    pub(crate) async fn without_platform() -> Self {
        Self { router: router(Bus::new()).await, platform: Arc::default() }
    }

    pub(crate) async fn post(&self, path: &str) -> (StatusCode, Value) {
        self.send(Request::post(path)).await
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.send(Request::get(path)).await
    }

    async fn send(&self, request: axum::http::request::Builder) -> (StatusCode, Value) {
        let response = self.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let status = response.status();
        let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap())
    }

    pub(crate) fn end(&self, meeting: &str) {
        self.platform.lock().unwrap().ended.insert(meeting.parse().unwrap());
    }

    pub(crate) fn meetings_made(&self) -> u8 {
        self.platform.lock().unwrap().meetings
    }
}

impl Platform {
    fn create_meeting(&mut self) -> MeetingId {
        self.meetings += 1;
        MeetingId::from_bytes([self.meetings; 16])
    }

    fn create_participant(&mut self, asked: &CreateParticipant) -> Result<NewParticipant, PlatformError> {
        if self.ended.contains(&asked.meeting) {
            return Err(PlatformError::Ended);
        }
        self.participants += 1;
        let participant = ParticipantId::from_bytes([self.participants; 16]);
        Ok(NewParticipant { participant, secret: format!("secret {}", self.participants) })
    }
}

async fn router(bus: Bus) -> Router {
    let config = Config {
        project: PROJECT,
        version: "1.2.3",
        lan_addresses: Arc::new(|| vec!["https://192.0.2.7:8443".to_owned()]),
        caller: Arc::new(|_| Caller {
            base_url: "http://althing.test".to_owned(),
            address: Some(IpAddr::from([192, 0, 2, 1])),
        }),
    };
    crate::router(config, Store::in_memory().await.unwrap(), bus)
}
