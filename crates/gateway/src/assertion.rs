//! Client assertions: JWTs with which a project's application proves who it is (RFC 7523 §3).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use model::{KeyId, ProjectId};
use serde::Deserialize;
use store::{Key, Store, StoreError, Timestamp};

use crate::base_url::BaseUrl;
use crate::tokens::Scopes;

/// How far ahead an assertion's end may lie. It is made for one request.
const LIFETIME_MAX: Duration = Duration::from_secs(5 * 60);

/// How far clocks may be apart.
const CLOCK_SKEW_MAX: Duration = Duration::from_secs(60);

/// Assertions remembered so that none is used twice. At this many unexpired ones, 300 tokens a second are asked for,
/// each of which lasts an hour: new ones are refused until some have expired.
const SEEN_MAX: usize = 100_000;

/// Characters of an assertion: one signed with RSA-4096 and some claims has 1,500.
const ASSERTION_CHARS_MAX: usize = 16 * 1024;

/// What an assertion may be signed with: nothing that a public key could be mistaken for a secret of.
const ALGORITHMS: [Algorithm; 6] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

/// Why an assertion proves nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AssertionError {
    #[error("client assertion is not a JWT")]
    Malformed,
    #[error("client assertion is signed with an algorithm that is not accepted")]
    Algorithm,
    #[error("client assertion lacks a claim or has one of the wrong type")]
    Claims(#[source] serde_json::Error),
    #[error("client assertion has different issuer and subject")]
    IssuerIsNotSubject,
    #[error("unknown client")]
    UnknownClient,
    #[error("client assertion is not signed with a key of this client")]
    Signature,
    #[error("client assertion is for another audience")]
    Audience { expected: String },
    #[error("client assertion has expired")]
    Expired,
    #[error("client assertion expires too late")]
    TooLong,
    #[error("client assertion is not valid yet")]
    NotYet,
    #[error("client assertion was used before")]
    Replayed,
    #[error("too many client assertions at the moment")]
    TooMany,
    #[error("internal error")]
    Store(#[from] StoreError),
}

/// Who proved to be itself, and what it asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Client {
    pub(crate) project: ProjectId,
    pub(crate) scopes: Scopes,
}

#[derive(Debug, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    exp: f64,
    #[serde(default)]
    iat: Option<f64>,
    #[serde(default)]
    nbf: Option<f64>,
    /// RFC 7523 leaves it to the client. With one, an assertion is good for once.
    #[serde(default)]
    jti: Option<String>,
    #[serde(default)]
    scope: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// Checks an assertion.
pub(crate) async fn check(
    assertion: &str,
    own_addresses: impl Iterator<Item = &BaseUrl>,
    store: &Store,
    seen: &SeenAssertions,
    now: Timestamp,
) -> Result<Client, AssertionError> {
    if assertion.len() > ASSERTION_CHARS_MAX {
        return Err(AssertionError::Malformed);
    }
    let header = jsonwebtoken::decode_header(assertion).map_err(|e| match e.kind() {
        // `none`, or a name that no standard knows: the header's JSON is fine but its `alg`.
        ErrorKind::InvalidAlgorithmName | ErrorKind::Json(_) => AssertionError::Algorithm,
        _ => AssertionError::Malformed,
    })?;
    if !ALGORITHMS.contains(&header.alg) {
        return Err(AssertionError::Algorithm);
    }
    // Not believed before the signature is checked: it only says whose keys to try.
    let unproven: serde_json::Value =
        jsonwebtoken::dangerous::insecure_decode(assertion).map_err(|_| AssertionError::Malformed)?.claims;
    let claims: Claims = serde_json::from_value(unproven).map_err(AssertionError::Claims)?;
    if claims.iss != claims.sub {
        return Err(AssertionError::IssuerIsNotSubject);
    }
    let keys = keys_of(&claims.iss, store).await?;
    let project = keys.first().map(|k| k.project).ok_or(AssertionError::UnknownClient)?;
    if !keys.iter().any(|key| is_signed_with(assertion, header.alg, key)) {
        return Err(AssertionError::Signature);
    }
    check_audience(&claims.aud, own_addresses)?;
    check_times(&claims, now)?;
    if let Some(jti) = &claims.jti {
        seen.first_time(&claims.iss, jti, seconds(claims.exp).after(CLOCK_SKEW_MAX), now)?;
    }
    let scopes = claims.scope.as_deref().map_or_else(Scopes::all, Scopes::parse);
    Ok(Client { project, scopes })
}

/// The client id is the project's id, or that of one of its keys.
async fn keys_of(client: &str, store: &Store) -> Result<Vec<Key>, AssertionError> {
    if let Ok(project) = client.parse::<ProjectId>() {
        let keys = store.keys().of_project(project).await?;
        if !keys.is_empty() {
            return Ok(keys);
        }
    }
    let Ok(id) = client.parse::<KeyId>() else { return Ok(Vec::new()) };
    match store.keys().get(id).await? {
        Some(key) => Ok(store.keys().of_project(key.project).await?),
        None => Ok(Vec::new()),
    }
}

fn is_signed_with(assertion: &str, algorithm: Algorithm, key: &Key) -> bool {
    let pem = key.public_key.as_bytes();
    let key = match algorithm {
        Algorithm::RS256 | Algorithm::RS384 | Algorithm::RS512 => DecodingKey::from_rsa_pem(pem),
        Algorithm::ES256 | Algorithm::ES384 => DecodingKey::from_ec_pem(pem),
        _ => DecodingKey::from_ed_pem(pem),
    };
    // Only the signature: claims are checked here, where each problem gets its own words.
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    key.is_ok_and(|key| jsonwebtoken::decode::<serde_json::Value>(assertion, &key, &validation).is_ok())
}

fn check_audience<'a>(
    audience: &Audience,
    own_addresses: impl Iterator<Item = &'a BaseUrl>,
) -> Result<(), AssertionError> {
    let given = match audience {
        Audience::One(one) => std::slice::from_ref(one),
        Audience::Many(many) => many,
    };
    let expected: Vec<String> = own_addresses.map(|url| format!("{url}/oauth/token")).collect();
    if expected.iter().any(|e| given.contains(e)) {
        return Ok(());
    }
    Err(AssertionError::Audience { expected: expected.into_iter().next().unwrap_or_default() })
}

fn check_times(claims: &Claims, now: Timestamp) -> Result<(), AssertionError> {
    let latest = now.after(CLOCK_SKEW_MAX);
    if seconds(claims.exp) <= now.before(CLOCK_SKEW_MAX) {
        return Err(AssertionError::Expired);
    }
    if seconds(claims.exp) > latest.after(LIFETIME_MAX) {
        return Err(AssertionError::TooLong);
    }
    if claims.iat.is_some_and(|t| seconds(t) > latest) || claims.nbf.is_some_and(|t| seconds(t) > latest) {
        return Err(AssertionError::NotYet);
    }
    Ok(())
}

/// A NumericDate (RFC 7519 §2): seconds since 1970, maybe with a fraction. Nonsense becomes the end of time, or 1970.
fn seconds(numeric_date: f64) -> Timestamp {
    #[expect(clippy::cast_possible_truncation, reason = "the cast saturates, and NaN becomes 0")]
    Timestamp::from_millis((numeric_date * 1000.0) as i64)
}

/// Assertions that were used and have not expired: at this gateway, since it was started. Another gateway, or a
/// restart, would take one again within its five minutes.
#[derive(Debug, Default)]
pub(crate) struct SeenAssertions {
    /// When it may be forgotten, by hash of client and `jti`.
    expiry_by_hash: Mutex<HashMap<[u8; 32], Timestamp>>,
}

impl SeenAssertions {
    fn first_time(
        &self,
        client: &str,
        jti: &str,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), AssertionError> {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, format!("{client}\n{jti}").as_bytes()).as_ref());
        let mut seen = self.expiry_by_hash.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= SEEN_MAX {
            seen.retain(|_, expires_at| *expires_at > now);
        }
        if seen.get(&hash).is_some_and(|expires_at| *expires_at > now) {
            return Err(AssertionError::Replayed);
        }
        if seen.len() >= SEEN_MAX {
            return Err(AssertionError::TooMany);
        }
        seen.insert(hash, expires_at);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_of_used_assertions_is_bounded() {
        let seen = SeenAssertions::default();
        let now = Timestamp::from_millis(0);
        let later = now.after(Duration::from_secs(60));
        for n in 0..SEEN_MAX {
            seen.first_time("client", &n.to_string(), later, now).unwrap();
        }
        assert!(matches!(seen.first_time("client", "more", later, now), Err(AssertionError::TooMany)));
        assert!(matches!(seen.first_time("client", "7", later, now), Err(AssertionError::Replayed)));
        seen.first_time("client", "more", later.after(Duration::from_secs(60)), later).unwrap();
        seen.first_time("client", "7", later, later).unwrap();
    }
}
