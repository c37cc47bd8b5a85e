//! A participant's secret. Its text says whose it is and which one, so that a wrong one can be told apart: somebody
//! else's, a former one, or garbage. Only the random part proves anything; the store keeps its hash.

use aws_lc_rs::constant_time;
use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::BASE64URL_NOPAD;
use model::ParticipantId;
use store::{Participant, SecretHash};

use crate::random::{self, NoRandomness};

const RANDOM_BYTES: usize = 32;
const BYTES: usize = 16 + 4 + RANDOM_BYTES;

/// The part of a secret that proves something.
pub(crate) struct Randomness([u8; RANDOM_BYTES]);

/// Why a secret is not this participant's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WrongSecret {
    #[error("invalid participant secret")]
    Invalid,
    #[error("participant secret belongs to another participant")]
    Foreign,
    #[error("participant secret was replaced by a newer one")]
    Replaced,
}

impl Randomness {
    pub(crate) fn new() -> Result<Self, NoRandomness> {
        random::bytes().map(Self)
    }

    /// What the store keeps.
    pub(crate) fn hash(&self) -> SecretHash {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, &self.0).as_ref());
        hash
    }

    /// The secret as the participant is given it, once.
    pub(crate) fn secret(&self, of: ParticipantId, generation: u32) -> String {
        let mut bytes = Vec::with_capacity(BYTES);
        bytes.extend_from_slice(of.as_bytes());
        bytes.extend_from_slice(&generation.to_be_bytes());
        bytes.extend_from_slice(&self.0);
        BASE64URL_NOPAD.encode(&bytes)
    }
}

/// Whether this is the participant's present secret.
pub(crate) fn check(secret: &str, participant: &Participant) -> Result<(), WrongSecret> {
    let bytes = BASE64URL_NOPAD.decode(secret.as_bytes()).map_err(|_| WrongSecret::Invalid)?;
    let bytes: [u8; BYTES] = bytes.try_into().map_err(|_| WrongSecret::Invalid)?;
    let (id, rest) = bytes.split_at(16);
    let (generation, random) = rest.split_at(4);
    if id != participant.id.as_bytes() {
        return Err(WrongSecret::Foreign);
    }
    let hash = digest(&SHA256, random);
    if constant_time::verify_slices_are_equal(hash.as_ref(), &participant.secret_hash).is_ok() {
        return Ok(());
    }
    if generation < &participant.generation.to_be_bytes()[..] {
        return Err(WrongSecret::Replaced);
    }
    Err(WrongSecret::Invalid)
}

#[cfg(test)]
mod tests {
    use model::MeetingId;
    use store::{ParticipantStatus, Timestamp};

    use super::*;

    fn participant(id: u8, generation: u32, randomness: &Randomness) -> Participant {
        Participant {
            id: ParticipantId::from_bytes([id; 16]),
            meeting: MeetingId::from_bytes([0; 16]),
            status: ParticipantStatus::Ready,
            secret_hash: randomness.hash(),
            generation,
            created_at: Timestamp::from_millis(0),
            updated_at: Timestamp::from_millis(0),
        }
    }

    #[test]
    fn each_wrong_secret_is_told_apart() {
        let (former, present) = (Randomness::new().unwrap(), Randomness::new().unwrap());
        let who = participant(1, 2, &present);
        assert_eq!(check(&present.secret(who.id, 2), &who), Ok(()));
        assert_eq!(check(&former.secret(who.id, 1), &who), Err(WrongSecret::Replaced));
        assert_eq!(check(&former.secret(who.id, 2), &who), Err(WrongSecret::Invalid));
        let other = participant(2, 1, &former);
        assert_eq!(check(&former.secret(other.id, 1), &who), Err(WrongSecret::Foreign));
        let secret = present.secret(who.id, 2);
        for text in ["", "x", "ü", &secret[1..], &format!("{secret}A")] {
            assert_eq!(check(text, &who), Err(WrongSecret::Invalid), "{text}");
        }
    }
}
