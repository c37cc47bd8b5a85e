//! `POST /oauth/token`: exchanges a client assertion for an access token (RFC 6749 §4.4 with RFC 7523 §2.2). A form
//! with `grant_type=client_credentials`, `client_assertion_type` and `client_assertion`.
//!
//! Whatever is wrong with the request is a 400 with a `reason`: the public package knows nothing else here. Only a
//! failure of ours is a 500.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, HeaderName};
use store::Timestamp;
use wire::rest;

use super::common::answered_as_api_error;
use crate::api_error::ApiError;
use crate::app::App;
use crate::assertion::{self, AssertionError};
use crate::body::{BodyError, Form};
use crate::tokens::AccessToken;

/// How long an access token is good.
const LIFETIME: std::time::Duration = std::time::Duration::from_secs(3600);

const GRANT_TYPE: &str = "client_credentials";
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Body(#[from] BodyError),
    #[error("unsupported grant type")]
    GrantType,
    #[error("unsupported client assertion type")]
    AssertionType,
    #[error("client assertion is missing")]
    NoAssertion,
    #[error(transparent)]
    Assertion(#[from] AssertionError),
    #[error("none of the scopes asked for exists")]
    NoScope,
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        let bad = ApiError::new(StatusCode::BAD_REQUEST, error.to_string());
        match error {
            Error::Body(error) => ApiError::from(error).with_status(StatusCode::BAD_REQUEST),
            Error::GrantType => bad.detail("grant_type", format!("must be {GRANT_TYPE}")),
            Error::AssertionType => bad.detail("client_assertion_type", format!("must be {ASSERTION_TYPE}")),
            Error::NoAssertion => bad.detail("client_assertion", "is missing"),
            Error::NoScope => bad.describe("leave out the claim `scope` for all"),
            Error::Assertion(error) => match &error {
                AssertionError::Store(source) => ApiError::internal(source),
                AssertionError::Claims(source) => bad.detail("client_assertion", source.to_string()),
                AssertionError::Algorithm => {
                    bad.detail("client_assertion", "use RS256, RS384, RS512, ES256, ES384 or EdDSA")
                }
                AssertionError::Audience { expected } => {
                    bad.detail("client_assertion", format!("`aud` must be {expected}"))
                }
                AssertionError::TooLong => {
                    bad.detail("client_assertion", "`exp` must be at most five minutes ahead")
                }
                _ => bad,
            },
        }
    }
}
answered_as_api_error!(Error);

pub(crate) async fn handle(
    State(app): State<App>,
    form: Result<Form, BodyError>,
) -> Result<([(HeaderName, &'static str); 1], Json<rest::AccessToken>), Error> {
    let form = form?.0;
    if form.get("grant_type").is_none_or(|t| t != GRANT_TYPE) {
        return Err(Error::GrantType);
    }
    if form.get("client_assertion_type").is_none_or(|t| t != ASSERTION_TYPE) {
        return Err(Error::AssertionType);
    }
    let assertion = form.get("client_assertion").ok_or(Error::NoAssertion)?;
    let now = Timestamp::now();
    let audiences = app.config.public_url.iter().chain(&app.config.own_addresses);
    let client = assertion::check(assertion, audiences, &app.store, &app.seen_assertions, now).await?;
    if client.scopes.is_empty() {
        return Err(Error::NoScope);
    }
    let token =
        AccessToken { project: client.project, scopes: client.scopes, expires_at: now.after(LIFETIME) };
    let body = rest::AccessToken {
        expires_in: LIFETIME.as_secs().try_into().unwrap_or(u32::MAX),
        token_type: "Bearer".to_owned(),
        scope: client.scopes.text(),
        access_token: app.tokens.sign_access(&token),
    };
    Ok(([(CACHE_CONTROL, "no-store")], Json(body)))
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use jsonwebtoken::{Algorithm, EncodingKey, Header};
    use serde_json::{Value, json};
    use store::Timestamp;

    use super::*;
    use crate::testing::{Harness, PROJECT};

    struct Signer {
        algorithm: Algorithm,
        key: EncodingKey,
    }

    impl Signer {
        /// A signer whose public key the project has.
        async fn registered(harness: &Harness, algorithm: Algorithm) -> Self {
            let (signer, public_key) = Self::unknown(algorithm);
            harness.add_key(&public_key).await;
            signer
        }

        /// A signer whose key nobody has.
        fn unknown(algorithm: Algorithm) -> (Self, String) {
            let kind = match algorithm {
                Algorithm::ES256 => &rcgen::PKCS_ECDSA_P256_SHA256,
                Algorithm::ES384 => &rcgen::PKCS_ECDSA_P384_SHA384,
                Algorithm::EdDSA => &rcgen::PKCS_ED25519,
                _ => &rcgen::PKCS_RSA_SHA256,
            };
            let pair = rcgen::KeyPair::generate_for(kind).unwrap();
            let pem = pair.serialize_pem();
            let key = match algorithm {
                Algorithm::ES256 | Algorithm::ES384 => EncodingKey::from_ec_pem(pem.as_bytes()),
                Algorithm::EdDSA => EncodingKey::from_ed_pem(pem.as_bytes()),
                _ => EncodingKey::from_rsa_pem(pem.as_bytes()),
            };
            (Self { algorithm, key: key.unwrap() }, pair.public_key_pem())
        }

        fn sign(&self, claims: &Value) -> String {
            jsonwebtoken::encode(&Header::new(self.algorithm), claims, &self.key).unwrap()
        }
    }

    fn claims() -> Value {
        static NUMBER: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let now = Timestamp::now().as_secs();
        json!({
            "iss": PROJECT.to_string(), "sub": PROJECT.to_string(),
            "aud": "http://althing.test:8080/oauth/token",
            "iat": now, "exp": now + 60,
            "jti": NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed).to_string(),
        })
    }

    fn claims_with(field: &str, value: Value) -> Value {
        let mut claims = claims();
        claims[field] = value;
        claims
    }

    async fn ask(harness: &Harness, assertion: &str) -> (StatusCode, Value) {
        let body = format!(
            "grant_type={GRANT_TYPE}&client_assertion_type={ASSERTION_TYPE}&client_assertion={assertion}"
        );
        harness.post_raw("/oauth/token", Some("application/x-www-form-urlencoded;charset=UTF-8"), &body).await
    }

    async fn reason(harness: &Harness, assertion: &str) -> String {
        let (status, body) = ask(harness, assertion).await;
        assert_eq!((status, &body["status"]), (StatusCode::BAD_REQUEST, &json!(400)), "{body}");
        body["reason"].as_str().unwrap().to_owned()
    }

    #[tokio::test]
    async fn every_accepted_algorithm_gives_a_token_that_works() {
        let harness = Harness::new().await;
        for algorithm in [
            Algorithm::RS256,
            Algorithm::RS384,
            Algorithm::RS512,
            Algorithm::ES256,
            Algorithm::ES384,
            Algorithm::EdDSA,
        ] {
            // Each has one more key to find among the project's.
            let signer = Signer::registered(&harness, algorithm).await;
            let (status, body) = ask(&harness, &signer.sign(&claims())).await;
            assert_eq!(status, StatusCode::OK, "{algorithm:?} {body}");
            assert_eq!((&body["token_type"], &body["expires_in"]), (&json!("Bearer"), &json!(3600)));
            assert_eq!(body["scope"].as_str().unwrap().split(' ').count(), 6);
            let token = body["access_token"].as_str().unwrap();
            let (status, _) = harness.call_as(token, "POST", "/v1/meetings", Some(json!({}))).await;
            assert_eq!(status, StatusCode::OK, "{algorithm:?}");
        }
    }

    #[tokio::test]
    async fn a_keys_own_id_is_a_client_id_and_scopes_can_be_fewer() {
        let harness = Harness::new().await;
        let (signer, public_key) = Signer::unknown(Algorithm::ES256);
        let key = harness.add_key(&public_key).await.to_string();
        let mut claims = claims_with("scope", json!("meeting:read unknown:scope"));
        claims["iss"] = json!(key);
        claims["sub"] = json!(key);
        let (status, body) = ask(&harness, &signer.sign(&claims)).await;
        assert_eq!((status, body["scope"].as_str().unwrap()), (StatusCode::OK, "meeting:read"));
        let none = signer.sign(&claims_with("scope", json!("unknown:scope")));
        assert_eq!(reason(&harness, &none).await, "none of the scopes asked for exists");
    }

    #[tokio::test]
    async fn each_wrong_claim_has_its_own_reason() {
        let harness = Harness::new().await;
        let signer = Signer::registered(&harness, Algorithm::ES256).await;
        let now = Timestamp::now().as_secs();
        for (field, value, expected) in [
            (
                "aud",
                json!("https://elsewhere.example/oauth/token"),
                "client assertion is for another audience",
            ),
            ("exp", json!(now - 61), "client assertion has expired"),
            ("exp", json!(now + 3600), "client assertion expires too late"),
            ("exp", json!("soon"), "client assertion lacks a claim or has one of the wrong type"),
            ("aud", Value::Null, "client assertion lacks a claim or has one of the wrong type"),
            ("iat", json!(now + 120), "client assertion is not valid yet"),
            ("nbf", json!(now + 120), "client assertion is not valid yet"),
            ("sub", json!("somebody"), "client assertion has different issuer and subject"),
        ] {
            assert_eq!(reason(&harness, &signer.sign(&claims_with(field, value))).await, expected, "{field}");
        }
        for client in ["nobody", "aaaaaaaaaaaaaaaaaaaaaaaaaa"] {
            let mut claims = claims_with("iss", json!(client));
            claims["sub"] = json!(client);
            assert_eq!(reason(&harness, &signer.sign(&claims)).await, "unknown client");
        }
        let many = claims_with("aud", json!(["x", "http://althing.test:8080/oauth/token"]));
        assert_eq!(ask(&harness, &signer.sign(&many)).await.0, StatusCode::OK, "several audiences");
    }

    #[tokio::test]
    async fn an_assertion_is_good_for_once() {
        let harness = Harness::new().await;
        let signer = Signer::registered(&harness, Algorithm::ES256).await;
        let assertion = signer.sign(&claims());
        assert_eq!(ask(&harness, &assertion).await.0, StatusCode::OK);
        assert_eq!(reason(&harness, &assertion).await, "client assertion was used before");
        let without_id = signer.sign(&claims_with("jti", Value::Null));
        assert_eq!(ask(&harness, &without_id).await.0, StatusCode::OK);
    }

    #[tokio::test]
    async fn what_is_not_signed_with_the_projects_key_proves_nothing() {
        let harness = Harness::new().await;
        let signer = Signer::registered(&harness, Algorithm::ES256).await;
        let (stranger, _) = Signer::unknown(Algorithm::ES256);
        let wrong = "client assertion is not signed with a key of this client";
        assert_eq!(reason(&harness, &stranger.sign(&claims())).await, wrong);
        let (other_kind, _) = Signer::unknown(Algorithm::EdDSA);
        assert_eq!(reason(&harness, &other_kind.sign(&claims())).await, wrong);
        let good = signer.sign(&claims());
        let (head, signature) = good.rsplit_once('.').unwrap();
        let forged = claims_with("scope", json!("everything"));
        let payload = data_encoding::BASE64URL_NOPAD.encode(forged.to_string().as_bytes());
        let header = head.split('.').next().unwrap();
        assert_eq!(reason(&harness, &format!("{header}.{payload}.{signature}")).await, wrong);

        // A public key is no secret: neither `none` nor HMAC with it is taken.
        let payload = data_encoding::BASE64URL_NOPAD.encode(claims().to_string().as_bytes());
        for algorithm in ["none", "None", "HS256", "HS512", "PS256", "XX999"] {
            let header = json!({"alg": algorithm, "typ": "JWT"}).to_string();
            let header = data_encoding::BASE64URL_NOPAD.encode(header.as_bytes());
            for signature in ["", "AAAA"] {
                assert_eq!(
                    reason(&harness, &format!("{header}.{payload}.{signature}")).await,
                    "client assertion is signed with an algorithm that is not accepted",
                    "{algorithm}"
                );
            }
        }
    }

    #[tokio::test]
    async fn a_request_that_is_none_is_a_400_whatever_is_wrong_with_it() {
        let harness = Harness::new().await;
        let form = Some("application/x-www-form-urlencoded");
        let type_ = format!("grant_type={GRANT_TYPE}&client_assertion_type={ASSERTION_TYPE}");
        let large = "x".repeat(crate::body::BODY_BYTES_MAX + 1);
        for (content_type, body, expected) in [
            (form, "", "unsupported grant type"),
            (form, "grant_type=password", "unsupported grant type"),
            (form, "grant_type=client_credentials", "unsupported client assertion type"),
            (form, &type_, "client assertion is missing"),
            (form, &format!("{type_}&client_assertion=x"), "client assertion is not a JWT"),
            (form, &format!("{type_}&client_assertion=a.b.c"), "client assertion is not a JWT"),
            (form, &format!("{type_}&client_assertion=%FF"), "client assertion is not a JWT"),
            (form, &large, "body too large"),
            (Some("application/json"), "{}", "unsupported content type"),
            (None, "", "unsupported content type"),
        ] {
            let (status, answer) = harness.post_raw("/oauth/token", content_type, body).await;
            assert_eq!(status, StatusCode::BAD_REQUEST);
            assert_eq!(answer["reason"], expected, "{}", &body[..body.len().min(80)]);
        }
    }
}
