//! Whether a payload is as it was sent: a checksum at its end, over what everything on the way leaves as it is.

/// Bytes at the front that are left out: units rewrite counters in payload descriptors (RFC 7741 §4.2).
const HEAD: usize = 8;
/// Bytes of the checksum.
const LEN: usize = 8;
/// Shorter payloads are not sealed.
const SEALED_MIN: usize = HEAD + 2 * LEN;

/// Writes the checksum at the end of a payload, if there is room.
pub fn write(payload: &mut [u8]) {
    if payload.len() < SEALED_MIN {
        return;
    }
    let sum = sum(payload);
    if let Some(end) = payload.last_chunk_mut() {
        *end = sum.to_be_bytes();
    }
}

/// Whether the checksum fits. `None`: the payload is too short to have one.
pub fn check(payload: &[u8]) -> Option<bool> {
    let end = payload.last_chunk().filter(|_| payload.len() >= SEALED_MIN)?;
    Some(u64::from_be_bytes(*end) == sum(payload))
}

/// Not for enemies: it finds what a fault does.
fn sum(payload: &[u8]) -> u64 {
    let covered = payload.get(HEAD..payload.len().saturating_sub(LEN)).unwrap_or_default();
    let (words, rest) = covered.as_chunks::<8>();
    let step = |sum: u64, word: u64| (sum ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    let sum = words.iter().fold(covered.len() as u64, |sum, word| step(sum, u64::from_be_bytes(*word)));
    rest.iter().fold(sum, |sum, byte| step(sum, u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_byte_is_found_and_a_rewritten_counter_is_none() {
        let mut payload: Vec<u8> = (0..=255).collect();
        write(&mut payload);
        assert_eq!(check(&payload), Some(true));
        for at in 0..payload.len() {
            payload[at] ^= 4;
            assert_eq!(check(&payload), Some(at < HEAD), "byte {at}");
            payload[at] ^= 4;
        }
        payload.pop();
        assert_eq!(check(&payload), Some(false), "a byte is missing");
        let mut short = vec![1; SEALED_MIN - 1];
        write(&mut short);
        assert_eq!((check(&short), short), (None, vec![1; SEALED_MIN - 1]));
    }
}
