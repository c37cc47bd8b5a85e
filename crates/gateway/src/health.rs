//! `/healthz`: the program runs. `/readyz`: meetings can be held: the store answers, a control role is there, and a
//! media unit was heard of lately.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bus::control::Connect;
use bus::media::UnitReport;
use bus::{Address, Bus};
use model::UnitId;
use serde_json::json;
use tokio::time::Instant;

use crate::app::App;

/// Units report each second; one that missed this many in a row is not counted on.
const UNIT_SILENT_AFTER: Duration = Duration::from_secs(5);

/// Units remembered. Far above what one deployment has.
const UNITS_MAX: usize = 10_000;

/// When each media unit was heard of last.
#[derive(Debug, Default)]
pub(crate) struct Units {
    heard_at_by_unit: Mutex<HashMap<UnitId, Instant>>,
}

impl Units {
    fn heard(&self, unit: UnitId) {
        let mut heard = self.heard_at_by_unit.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        heard.retain(|_, at| now.duration_since(*at) < UNIT_SILENT_AFTER);
        if heard.len() < UNITS_MAX {
            heard.insert(unit, now);
        }
    }

    fn is_any_alive(&self) -> bool {
        let heard = self.heard_at_by_unit.lock().unwrap_or_else(PoisonError::into_inner);
        heard.values().any(|at| at.elapsed() < UNIT_SILENT_AFTER)
    }
}

/// Listens to units, from this call on, for as long as the bus lives.
pub(crate) fn listen(app: App) -> impl Future<Output = ()> {
    let mut reports = app.bus.subscribe::<UnitReport>(Address::Units);
    async move {
        while let Some(report) = reports.next().await {
            if let Ok(report) = report {
                app.units.heard(report.unit);
            }
        }
    }
}

pub(crate) async fn healthz() -> Response {
    Json(json!({"status": "ok"})).into_response()
}

pub(crate) async fn readyz(State(app): State<App>) -> Response {
    let store = app.store.ping().await;
    if let Err(error) = &store {
        tracing::warn!(%error, "not ready: the store does not answer");
    }
    let checks = [
        ("store", store.is_ok()),
        ("control", is_control_up(&app.bus)),
        ("media", app.units.is_any_alive()),
        ("running", !app.is_stopping()),
    ];
    let ready = checks.iter().all(|(_, ok)| *ok);
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let checks: serde_json::Map<_, _> = checks.into_iter().map(|(k, v)| (k.to_owned(), v.into())).collect();
    let word = if ready { "ready" } else { "not ready" };
    (status, Json(json!({"status": word, "checks": checks}))).into_response()
}

fn is_control_up(bus: &Bus) -> bool {
    bus.is_served::<Connect>(Address::Control)
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use serde_json::json;

    use super::*;
    use crate::testing::Harness;

    #[tokio::test]
    async fn ready_is_when_everything_that_a_meeting_needs_is_there() {
        let harness = Harness::new().await;
        assert_eq!(harness.get("/healthz").await, (StatusCode::OK, json!({"status": "ok"})));
        let (status, body) = harness.get("/readyz").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(body["checks"], json!({"store": true, "control": false, "media": false, "running": true}));
        let control = harness.bus.serve::<Connect>(Address::Control);
        harness.app.units.heard(UnitId(1));
        assert_eq!(harness.get("/readyz").await.0, StatusCode::OK);
        harness.app.store.close().await;
        assert_eq!(harness.get("/readyz").await.1["checks"]["store"], json!(false));
        drop(control);
        assert_eq!(harness.get("/readyz").await.1["checks"]["control"], json!(false));
    }
}
