use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, http::StatusCode};
use bus::Bus;
use prometheus_client::registry::Registry;
use store::Store;
use tokio::task::JoinSet;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;

use crate::app::{App, Config, Shared};
use crate::base_url::Scheme;
use crate::metrics::Metrics;
use crate::origin::Caller;
use crate::{health, housekeeping, observe, platform, rest, web, ws};

/// A running gateway. What it runs in the background stops when this is dropped.
#[derive(Debug)]
pub struct Gateway {
    app: App,
    _background: JoinSet<()>,
}

impl Gateway {
    /// Starts what runs in the background: deliveries to sockets, the platform's requests from the bus, clean-up. What
    /// it counts goes into the registry.
    pub fn start(config: Config, store: Store, bus: Bus, registry: &mut Registry) -> Self {
        let metrics = Metrics::register(registry);
        let app = Arc::new(Shared::new(config, store, bus, metrics));
        let mut background = JoinSet::new();
        background.spawn(ws::deliver(app.clone()));
        background.spawn(platform::serve(app.clone()));
        background.spawn(health::listen(app.clone()));
        background.spawn(housekeeping::run(app.clone()));
        Self { app, _background: background }
    }

    /// What answers requests that come over a listener of this scheme. `first_party` are routes of other roles that
    /// are served at the same door; `exposition` is shown at `/metrics`, or nothing there without one.
    pub fn router(&self, scheme: Scheme, exposition: Option<Arc<Registry>>, first_party: Router) -> Router {
        router(&self.app, scheme, exposition, first_party)
    }

    /// Reads who asks, for first-party routes.
    pub fn caller(&self) -> impl Fn(&Parts) -> Caller + Clone + Send + Sync + 'static {
        let app = self.app.clone();
        move |parts| app.config.caller(parts)
    }

    /// Lets nobody in any more. Sockets that are open stay.
    pub fn refuse_new(&self) {
        self.app.stop();
    }

    /// Lets nobody in any more and waits until all sockets are gone, at most this long: rooms that stop close theirs
    /// themselves, with words. What is then left is closed here so that clients come back (code 1012). Says how many
    /// clients did not even take that.
    pub async fn close(&self, patience: Duration) -> usize {
        self.app.stop();
        self.app.connections.close_all(patience).await
    }
}

pub(crate) fn router(
    app: &App,
    scheme: Scheme,
    exposition: Option<Arc<Registry>>,
    first_party: Router,
) -> Router {
    let mut routes = Router::new()
        .merge(rest::router())
        .merge(ws::router())
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .with_state(app.clone())
        .merge(first_party);
    if let Some(registry) = exposition {
        routes = routes.route("/metrics", get(metrics).with_state(registry));
    }
    let files = Router::new().fallback(web::serve).layer(CompressionLayer::new());
    routes
        .fallback_service(files)
        .layer(CatchPanicLayer::custom(observe::panicked))
        .layer(map_response(observe::json_errors))
        .layer(map_response(web::security_headers))
        .layer(observe::cors())
        .layer(from_fn_with_state(app.clone(), observe::observe))
        .layer(Extension(scheme))
}

async fn metrics(State(registry): State<Arc<Registry>>) -> Response {
    let mut text = String::new();
    match prometheus_client::encoding::text::encode(&mut text, &registry) {
        Ok(()) => {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(CONTENT_TYPE, kind)], text).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "metrics cannot be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use tower::ServiceExt;

    use super::*;
    use crate::testing;

    #[tokio::test]
    async fn what_is_counted_can_be_read() {
        let mut registry = Registry::default();
        let store = Store::in_memory().await.unwrap();
        let gateway = Gateway::start(testing::config(), store, Bus::new(), &mut registry);
        let router = gateway.router(Scheme::Http, Some(Arc::new(registry)), Router::new());
        let get = async |path: &str| {
            router.clone().oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap()
        };
        get("/v1/meetings").await;
        let response = get("/metrics").await;
        let text = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        let text = String::from_utf8(text.to_vec()).unwrap();
        let line = r#"althing_gateway_requests_total{method="GET",route="/v1/meetings",status="401"} 1"#;
        assert!(text.contains(line), "{text}");
        let closed = gateway.router(Scheme::Https, None, Router::new());
        let response = closed.oneshot(Request::get("/metrics").body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
    }

    #[tokio::test]
    async fn a_handler_that_panics_is_a_500_with_a_body() {
        let harness = testing::Harness::new().await;
        async fn broken() -> &'static str {
            panic!("a test's panic")
        }
        let first_party = Router::new().route("/broken", get(broken));
        let router = router(&harness.app, Scheme::Http, None, first_party);
        let response = router.oneshot(Request::get("/broken").body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(response.headers()["access-control-allow-origin"], "*");
        assert_eq!(testing::body_json(response).await["reason"], "internal error");
    }
}
