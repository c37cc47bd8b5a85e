//! When a packet was sent, written at the end of its payload, which everything on the way leaves as it is.

use std::time::Duration;

/// Tells a stamp from noise.
const MARK: [u8; 4] = *b"sent";
/// Bytes of a stamp.
const LEN: usize = 12;

/// Writes a time since 1970 at the end of a payload, if there is room behind its head.
pub fn write(payload: &mut [u8], at: Duration) {
    let nanos = u64::try_from(at.as_nanos()).unwrap_or(0);
    if payload.len() >= 2 * LEN
        && let Some(end) = payload.last_chunk_mut::<LEN>()
    {
        end[..4].copy_from_slice(&MARK);
        end[4..].copy_from_slice(&nanos.to_be_bytes());
    }
}

/// The time at the end of a payload, if it holds one.
pub fn read(payload: &[u8]) -> Option<Duration> {
    let (mark, nanos) = payload.last_chunk::<LEN>()?.split_first_chunk::<4>()?;
    (*mark == MARK).then(|| nanos.first_chunk().map(|n| Duration::from_nanos(u64::from_be_bytes(*n))))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_noise_is_not() {
        let at = Duration::from_nanos(1_763_731_200_123_456_789);
        let mut payload = vec![1; 100];
        assert_eq!(read(&payload), None);
        write(&mut payload, at);
        assert_eq!(read(&payload), Some(at));
        assert!(payload[..88].iter().all(|&byte| byte == 1));
        let mut short = vec![1; 20];
        write(&mut short, at);
        assert_eq!((read(&short), read(&[])), (None, None));
    }
}
