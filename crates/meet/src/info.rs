//! `GET /meet/v1/info`: what the web client needs to know of this server. Answers 200.

use axum::Json;
use axum::extract::State;
use wire::meet::Info;

use crate::App;

pub(crate) async fn handle(State(app): State<App>) -> Json<Info> {
    let lan_addresses = (app.config.lan_addresses)();
    Json(Info { version: app.config.version.to_owned(), lan_addresses })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Harness;

    #[tokio::test]
    async fn says_how_other_devices_get_here() {
        let harness = Harness::new().await;
        let (_, body) = harness.get("/meet/v1/info").await;
        assert_eq!(body, json!({"version": "1.2.3", "lan_addresses": ["https://192.0.2.7:8443"]}));
    }
}
