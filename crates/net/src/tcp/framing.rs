//! Frames on a stream: two bytes of length, most significant first, then as many bytes (RFC 4571 §2).

use crate::DATAGRAM_BYTES_MAX;

/// Bytes of the length before each frame.
pub(super) const LENGTH_BYTES: usize = 2;

/// A frame longer than anything we serve: the stream is none of ours, and where its next frame begins does not matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FrameTooLong;

/// Hands every whole frame at the beginning of `bytes` to `take`, and returns how many bytes they had with their
/// lengths. Empty frames are legal and carry nothing: they are left out.
pub(super) fn split(bytes: &mut [u8], mut take: impl FnMut(&mut [u8])) -> Result<usize, FrameTooLong> {
    let mut used = 0;
    while let Some(rest) = bytes.get_mut(used..)
        && let Some((length, rest)) = rest.split_first_chunk_mut::<LENGTH_BYTES>()
    {
        let len = usize::from(u16::from_be_bytes(*length));
        if len > DATAGRAM_BYTES_MAX {
            return Err(FrameTooLong);
        }
        let Some(frame) = rest.get_mut(..len) else { break };
        if !frame.is_empty() {
            take(frame);
        }
        used += LENGTH_BYTES + len;
    }
    Ok(used)
}

/// Appends a frame. False, and nothing is appended, if no length can say it.
pub(super) fn append(queue: &mut Vec<u8>, frame: &[u8]) -> bool {
    let Ok(len) = u16::try_from(frame.len()) else { return false };
    queue.extend_from_slice(&len.to_be_bytes());
    queue.extend_from_slice(frame);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream() -> (Vec<Vec<u8>>, Vec<u8>) {
        let frames: Vec<Vec<u8>> = [1usize, 20, 0, 300, 2, DATAGRAM_BYTES_MAX]
            .iter()
            .map(|&len| (0..len).map(|i| (i * 7 + len) as u8).collect())
            .collect();
        let mut bytes = Vec::new();
        frames.iter().for_each(|frame| assert!(append(&mut bytes, frame)));
        (frames.into_iter().filter(|f| !f.is_empty()).collect(), bytes)
    }

    #[test]
    fn frames_come_back_wherever_the_stream_is_cut() {
        let (frames, bytes) = stream();
        for cut in 0..=bytes.len() {
            let mut out = Vec::new();
            let mut first = bytes[..cut].to_vec();
            let used = split(&mut first, |frame| out.push(frame.to_vec())).unwrap();
            let mut second = [&first[used..], &bytes[cut..]].concat();
            assert_eq!(split(&mut second, |frame| out.push(frame.to_vec())), Ok(second.len()));
            assert_eq!(out, frames, "cut at {cut}");
        }
    }

    #[test]
    fn what_is_no_stream_of_ours_is_refused_at_its_first_length() {
        let mut bytes = *b"GET / HTTP/1.1\r\n\r\n";
        assert_eq!(split(&mut bytes, |_| panic!("no frame")), Err(FrameTooLong));
        assert!(!append(&mut Vec::new(), &[0; 65_536]));
    }
}
