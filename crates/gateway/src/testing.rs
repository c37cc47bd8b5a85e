//! The harness of this crate's tests: the real router over a real database, called without a socket, and WebSockets
//! over pipes in memory.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use axum::http::{Request, StatusCode};
use axum::response::Response;
use bus::Bus;
use model::{KeyId, MeetingId, NodeId, ParticipantId, ProjectId};
use prometheus_client::registry::Registry;
use serde_json::{Value, json};
use store::{Store, Timestamp};
use tower::ServiceExt;

use crate::app::{App, Config, ServerSecret, Shared};
use crate::base_url::Scheme;
use crate::metrics::Metrics;
use crate::random;
use crate::secret::Randomness;
use crate::tokens::{AccessToken, Scopes};

pub(crate) const PROJECT: ProjectId = ProjectId::from_bytes([1; 16]);
const OTHER_PROJECT: ProjectId = ProjectId::from_bytes([2; 16]);

pub(crate) fn config() -> Config {
    Config {
        node: NodeId(1),
        public_url: None,
        own_addresses: vec!["http://althing.test:8080".parse().unwrap()],
        trust_forwarded: false,
        server_secret: ServerSecret([7; 32]),
    }
}

pub(crate) struct Harness {
    pub(crate) app: App,
    pub(crate) bus: Bus,
    pub(crate) router: Router,
}

impl Harness {
    pub(crate) async fn new() -> Self {
        let store = Store::in_memory().await.unwrap();
        store.projects().create(PROJECT, "test", Timestamp::now()).await.unwrap();
        store.projects().create(OTHER_PROJECT, "other", Timestamp::now()).await.unwrap();
        let bus = Bus::new();
        let metrics = Metrics::register(&mut Registry::default());
        let app = Arc::new(Shared::new(config(), store, bus.clone(), metrics));
        let router = crate::gateway::router(&app, Scheme::Http, None, Router::new());
        Self { app, bus, router }
    }

    pub(crate) async fn send(&self, mut request: Request<Body>) -> Response {
        request.headers_mut().entry(HOST).or_insert("althing.test:8080".parse().unwrap());
        self.router.clone().oneshot(request).await.unwrap()
    }

    pub(crate) fn token(&self) -> String {
        self.token_for(PROJECT, Scopes::all())
    }

    pub(crate) fn other_project(&self) -> String {
        self.token_for(OTHER_PROJECT, Scopes::all())
    }

    fn token_for(&self, project: ProjectId, scopes: Scopes) -> String {
        let expires_at = Timestamp::now().after(Duration::from_secs(60));
        self.app.tokens.sign_access(&AccessToken { project, scopes, expires_at })
    }

    pub(crate) async fn call_as(
        &self,
        token: &str,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> (StatusCode, Value) {
        let request =
            Request::builder().method(method).uri(path).header(AUTHORIZATION, format!("Bearer {token}"));
        let request = match body {
            Some(body) => request.header(CONTENT_TYPE, "application/json").body(Body::from(body.to_string())),
            None => request.body(Body::empty()),
        };
        let response = self.send(request.unwrap()).await;
        (response.status(), body_json(response).await)
    }

    pub(crate) async fn call(&self, method: &str, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        self.call_as(&self.token(), method, path, body).await
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.call("GET", path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        self.call("POST", path, Some(body)).await
    }

    pub(crate) async fn post_raw(
        &self,
        path: &str,
        content_type: Option<&str>,
        body: &str,
    ) -> (StatusCode, Value) {
        let mut request = Request::post(path).header(AUTHORIZATION, format!("Bearer {}", self.token()));
        if let Some(content_type) = content_type {
            request = request.header(CONTENT_TYPE, content_type);
        }
        let response = self.send(request.body(Body::from(body.to_owned())).unwrap()).await;
        (response.status(), body_json(response).await)
    }

    /// Makes a meeting and says its id.
    pub(crate) async fn meeting(&self) -> String {
        let (status, body) = self.post("/v1/meetings", json!({})).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        body["id"].as_str().unwrap().to_owned()
    }

    /// Makes a participant and says its id and secret.
    pub(crate) async fn participant(&self, meeting: &str) -> (String, String) {
        let (status, body) = self.post(&format!("/v1/meetings/{meeting}/participants"), json!({})).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        let text = |field: &str| body[field].as_str().unwrap().to_owned();
        (text("id"), text("participant_secret"))
    }

    /// A meeting whose time is over and that nobody marked so yet; with a participant and its secret.
    pub(crate) async fn expired_meeting(&self) -> (String, String, String) {
        let now = Timestamp::now();
        let made = now.before(Duration::from_secs(100));
        let meeting = MeetingId::from_bytes(random::bytes().unwrap());
        let until = now.before(Duration::from_secs(1));
        self.app.store.meetings().create(PROJECT, meeting, made, until).await.unwrap();
        let randomness = Randomness::new().unwrap();
        let id = ParticipantId::from_bytes(random::bytes().unwrap());
        let participants = self.app.store.participants();
        participants.create(meeting, id, randomness.hash(), made).await.unwrap().unwrap();
        (meeting.to_string(), id.to_string(), randomness.secret(id, 1))
    }

    pub(crate) async fn join(&self, meeting: &str, id: &str, secret: &str) -> (StatusCode, Value) {
        let body = json!({"participant_id": id, "participant_secret": secret});
        // No access token: the secret is the proof.
        let request = Request::post(format!("/v1/meetings/{meeting}/join"))
            .header(CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string()));
        let response = self.send(request.unwrap()).await;
        (response.status(), body_json(response).await)
    }

    /// Checks that this needs an access token, and one with this scope.
    pub(crate) async fn needs_scope(&self, method: &str, path: &str, scope: &str) {
        let all_but = Scopes::all().text().replace(scope, "");
        let lacking = self.token_for(PROJECT, Scopes::parse(&all_but));
        let (status, body) = self.call_as(&lacking, method, path, None).await;
        assert_eq!((status, &body["reason"]), (StatusCode::FORBIDDEN, &json!("access token lacks a scope")));
        assert!(body["description"].as_str().unwrap().contains(scope));

        let past = Timestamp::now().before(Duration::from_secs(1));
        let expired = AccessToken { project: PROJECT, scopes: Scopes::all(), expires_at: past };
        let expired = self.app.tokens.sign_access(&expired);
        let token = self.token();
        let tampered = token.replace(token.chars().nth(20).unwrap(), "");
        for (token, reason) in [
            (expired.as_str(), "access token has expired"),
            (tampered.as_str(), "invalid access token"),
            ("", "invalid access token"),
        ] {
            let (status, body) = self.call_as(token, method, path, None).await;
            assert_eq!((status, &body["reason"]), (StatusCode::UNAUTHORIZED, &json!(reason)));
        }
        let bare = self.send(Request::builder().method(method).uri(path).body(Body::empty()).unwrap()).await;
        assert_eq!(bare.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(bare.headers()["www-authenticate"], "Bearer");
        assert_eq!(body_json(bare).await["reason"], "missing access token");
    }

    /// Gives the project one more public key.
    pub(crate) async fn add_key(&self, pem: &str) -> KeyId {
        let id = KeyId::from_bytes(random::bytes().unwrap());
        self.app.store.keys().put(PROJECT, id, pem, Timestamp::now()).await.unwrap();
        id
    }
}

/// The body as JSON; an empty one is null.
pub(crate) async fn body_json(response: Response) -> Value {
    let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() }
}
