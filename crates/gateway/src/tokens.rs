//! Tokens that we sign and read again: at any gateway of the deployment and after a restart, because nothing about
//! them is kept. Opaque to everybody else: base64url of a version, a purpose, fields, and an HMAC-SHA-256 over them.

use aws_lc_rs::hmac;
use data_encoding::BASE64URL_NOPAD;
use model::{MeetingId, ParticipantId, ProjectId};
use store::Timestamp;

/// Of this layout.
const VERSION: u8 = 1;
const TAG_BYTES: usize = 32;
/// Characters of the longest token: version, purpose, 36 bytes of fields, tag; with room for growth.
const TOKEN_CHARS_MAX: usize = 256;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Purpose {
    Access = b'a',
    Join = b'j',
}

/// What the bearer of an access token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    MeetingCreate,
    MeetingRead,
    MeetingWrite,
    ParticipantCreate,
    ParticipantRead,
    ParticipantWrite,
}

impl Scope {
    const ALL: [Scope; 6] = [
        Scope::MeetingCreate,
        Scope::MeetingRead,
        Scope::MeetingWrite,
        Scope::ParticipantCreate,
        Scope::ParticipantRead,
        Scope::ParticipantWrite,
    ];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Scope::MeetingCreate => "meeting:create",
            Scope::MeetingRead => "meeting:read",
            Scope::MeetingWrite => "meeting:write",
            Scope::ParticipantCreate => "participant:create",
            Scope::ParticipantRead => "participant:read",
            Scope::ParticipantWrite => "participant:write",
        }
    }
}

/// A set of scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scopes(u8);

impl Scopes {
    /// All that there are.
    pub(crate) fn all() -> Self {
        Self(Scope::ALL.into_iter().fold(0, |bits, scope| bits | 1 << scope as u8))
    }

    /// Those of this text, separated by spaces, that we know.
    pub(crate) fn parse(text: &str) -> Self {
        let known = |word: &str| Scope::ALL.into_iter().find(|s| s.as_str() == word);
        Self(text.split_ascii_whitespace().filter_map(known).fold(0, |bits, scope| bits | 1 << scope as u8))
    }

    pub(crate) const fn has(self, scope: Scope) -> bool {
        self.0 & (1 << scope as u8) != 0
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The text that [`Scopes::parse`] reads.
    pub(crate) fn text(self) -> String {
        let words: Vec<_> = Scope::ALL.into_iter().filter(|s| self.has(*s)).map(Scope::as_str).collect();
        words.join(" ")
    }
}

/// Who may call the REST API, and for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AccessToken {
    pub(crate) project: ProjectId,
    pub(crate) scopes: Scopes,
    pub(crate) expires_at: Timestamp,
}

/// Who may open a socket. Holds for the whole participation: it dies with the participant's secret, its removal, or
/// the meeting, all of which the store knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct JoinToken {
    pub(crate) meeting: MeetingId,
    pub(crate) participant: ParticipantId,
    pub(crate) generation: u32,
}

/// Why a token is worth nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TokenError {
    #[error("invalid token")]
    Invalid,
    #[error("token is for another purpose")]
    WrongPurpose,
    #[error("token has expired")]
    Expired,
}

/// Signs and reads tokens.
#[derive(Debug)]
pub(crate) struct Tokens {
    key: hmac::Key,
}

impl Tokens {
    pub(crate) fn new(server_secret: &[u8; 32]) -> Self {
        // A key of its own, so that the secret can be used for something else some day.
        let root = hmac::Key::new(hmac::HMAC_SHA256, server_secret);
        let derived = hmac::sign(&root, b"althing tokens 1");
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref()) }
    }

    pub(crate) fn sign_access(&self, token: &AccessToken) -> String {
        let mut fields = token.project.as_bytes().to_vec();
        fields.push(token.scopes.0);
        fields.extend_from_slice(&token.expires_at.as_millis().to_be_bytes());
        self.sign(Purpose::Access, &fields)
    }

    pub(crate) fn read_access(&self, token: &str, now: Timestamp) -> Result<AccessToken, TokenError> {
        let mut fields = self.read(Purpose::Access, token)?;
        let project = ProjectId::from_bytes(fields.take()?);
        let [scopes] = fields.take()?;
        let expires_at = Timestamp::from_millis(i64::from_be_bytes(fields.take()?));
        fields.end()?;
        if expires_at <= now {
            return Err(TokenError::Expired);
        }
        Ok(AccessToken { project, scopes: Scopes(scopes), expires_at })
    }

    pub(crate) fn sign_join(&self, token: &JoinToken) -> String {
        let mut fields = token.meeting.as_bytes().to_vec();
        fields.extend_from_slice(token.participant.as_bytes());
        fields.extend_from_slice(&token.generation.to_be_bytes());
        self.sign(Purpose::Join, &fields)
    }

    pub(crate) fn read_join(&self, token: &str) -> Result<JoinToken, TokenError> {
        let mut fields = self.read(Purpose::Join, token)?;
        let meeting = MeetingId::from_bytes(fields.take()?);
        let participant = ParticipantId::from_bytes(fields.take()?);
        let generation = u32::from_be_bytes(fields.take()?);
        fields.end()?;
        Ok(JoinToken { meeting, participant, generation })
    }

    fn sign(&self, purpose: Purpose, fields: &[u8]) -> String {
        let mut bytes = vec![VERSION, purpose as u8];
        bytes.extend_from_slice(fields);
        let tag = hmac::sign(&self.key, &bytes);
        bytes.extend_from_slice(tag.as_ref());
        BASE64URL_NOPAD.encode(&bytes)
    }

    fn read(&self, purpose: Purpose, token: &str) -> Result<Fields, TokenError> {
        if token.len() > TOKEN_CHARS_MAX {
            return Err(TokenError::Invalid);
        }
        let bytes = BASE64URL_NOPAD.decode(token.as_bytes()).map_err(|_| TokenError::Invalid)?;
        let end = bytes.len().checked_sub(TAG_BYTES).ok_or(TokenError::Invalid)?;
        let (signed, tag) = bytes.split_at_checked(end).ok_or(TokenError::Invalid)?;
        hmac::verify(&self.key, signed, tag).map_err(|_| TokenError::Invalid)?;
        match signed {
            [VERSION, found, fields @ ..] if *found == purpose as u8 => {
                Ok(Fields { bytes: fields.to_vec(), at: 0 })
            }
            [VERSION, ..] => Err(TokenError::WrongPurpose),
            _ => Err(TokenError::Invalid),
        }
    }
}

/// The fields of a token whose signature was right, read from the front.
struct Fields {
    bytes: Vec<u8>,
    at: usize,
}

impl Fields {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], TokenError> {
        let taken = self.bytes.get(self.at..).and_then(|rest| rest.first_chunk::<N>());
        self.at += N;
        taken.copied().ok_or(TokenError::Invalid)
    }

    fn end(&self) -> Result<(), TokenError> {
        if self.at == self.bytes.len() { Ok(()) } else { Err(TokenError::Invalid) }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_777_777_777_000);

    fn access() -> AccessToken {
        AccessToken {
            project: ProjectId::from_bytes([1; 16]),
            scopes: Scopes::parse("meeting:read participant:write nonsense"),
            expires_at: NOW.after(Duration::from_secs(3600)),
        }
    }

    fn join() -> JoinToken {
        let meeting = MeetingId::from_bytes([2; 16]);
        JoinToken { meeting, participant: ParticipantId::from_bytes([3; 16]), generation: 7 }
    }

    #[test]
    fn what_was_signed_is_read_by_whoever_has_the_secret() {
        let text = Tokens::new(&[9; 32]).sign_access(&access());
        assert_eq!(Tokens::new(&[9; 32]).read_access(&text, NOW), Ok(access()));
        let text = Tokens::new(&[9; 32]).sign_join(&join());
        assert_eq!(Tokens::new(&[9; 32]).read_join(&text), Ok(join()));
        assert_eq!(Tokens::new(&[8; 32]).read_join(&text), Err(TokenError::Invalid));
    }

    #[test]
    fn a_changed_token_is_refused_wherever_it_was_changed() {
        let tokens = Tokens::new(&[9; 32]);
        let bytes = BASE64URL_NOPAD.decode(tokens.sign_join(&join()).as_bytes()).unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert_eq!(tokens.read_join(&BASE64URL_NOPAD.encode(&changed)), Err(TokenError::Invalid), "{at}");
        }
        for text in ["", "a", "ü", &"A".repeat(TOKEN_CHARS_MAX + 1)] {
            assert_eq!(tokens.read_join(text), Err(TokenError::Invalid), "{text}");
        }
    }

    #[test]
    fn a_token_serves_one_purpose_for_a_time() {
        let tokens = Tokens::new(&[9; 32]);
        assert_eq!(tokens.read_join(&tokens.sign_access(&access())), Err(TokenError::WrongPurpose));
        assert_eq!(tokens.read_access(&tokens.sign_join(&join()), NOW), Err(TokenError::WrongPurpose));
        let text = tokens.sign_access(&access());
        assert_eq!(tokens.read_access(&text, access().expires_at), Err(TokenError::Expired));
    }

    #[test]
    fn scopes_are_words() {
        assert_eq!(access().scopes.text(), "meeting:read participant:write");
        assert!(access().scopes.has(Scope::MeetingRead) && !access().scopes.has(Scope::MeetingWrite));
        assert_eq!(Scopes::parse(&Scopes::all().text()), Scopes::all());
        assert!(Scopes::parse("openid").is_empty());
    }
}
