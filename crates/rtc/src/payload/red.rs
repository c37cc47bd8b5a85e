//! Redundant audio (RFC 2198): one or more older packets of the same codec lie before the newest one, each with a header
//! of four bytes; the newest, the primary, comes last, with a header of one byte.

/// Blocks of one payload; receivers take no more (libwebrtc's jitter buffer has the same bound).
const BLOCKS_MAX: usize = 32;
/// RFC 2198 §3: another block follows.
const FOLLOWED: u8 = 0x80;

/// Where the primary block begins. `None`: the payload is damaged, has no primary, or has blocks of another payload type
/// than `codec`, the one that the description names for them.
pub fn primary_at(payload: &[u8], codec: u8) -> Option<usize> {
    let mut header = payload;
    let mut older = 0;
    for block in 0..BLOCKS_MAX {
        match header {
            [first, _, high, low, rest @ ..] if first & FOLLOWED != 0 && first & !FOLLOWED == codec => {
                older += usize::from(high & 0b11) << 8 | usize::from(*low);
                header = rest;
            }
            [last, ..] if *last == codec => {
                return Some(4 * block + 1 + older).filter(|at| *at < payload.len());
            }
            _ => return None,
        }
    }
    None
}

/// Gives all blocks another payload type. The payload has a [primary block](primary_at).
pub fn rename(payload: &mut [u8], codec: u8) {
    let mut header = payload;
    for _ in 0..BLOCKS_MAX {
        let Some((first, rest)) = header.split_first_mut() else { return };
        let followed = *first & FOLLOWED;
        *first = followed | codec & !FOLLOWED;
        if followed == 0 {
            return;
        }
        header = rest.get_mut(3..).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn payload(codec: u8, older: &[Vec<u8>], primary: &[u8]) -> Vec<u8> {
        let mut made = Vec::new();
        for block in older {
            let length = block.len() as u16;
            made.extend([FOLLOWED | codec, 0x0f, 0xf0 | (length >> 8) as u8, length as u8]);
        }
        made.push(codec);
        older.iter().for_each(|block| made.extend(block));
        made.extend(primary);
        made
    }

    fn block() -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(any::<u8>(), 0..300)
    }

    #[test]
    fn what_browsers_send_is_read() {
        // The first packet of a stream has nothing older.
        assert_eq!(primary_at(&[111, 0xfc, 1, 2], 111), Some(1));
        let second = payload(111, &[vec![0xfc, 1, 2]], &[0xfc, 3]);
        assert_eq!(primary_at(&second, 111), Some(8));
        assert_eq!(second.get(8..), Some([0xfc, 3].as_slice()));
    }

    #[test]
    fn what_is_damaged_has_no_primary() {
        for damaged in
            [&[][..], &[111], &[0x80 | 111, 0, 0], &[0x80 | 111, 0, 0, 9, 111, 1], &[0x80 | 111; 200]]
        {
            assert_eq!(primary_at(damaged, 111), None, "{damaged:?}");
        }
        assert_eq!(primary_at(&[13, 1], 111), None, "comfort noise");
        assert_eq!(primary_at(&payload(0, &[vec![1]], &[2]), 111), None, "of another codec");
    }

    proptest! {
        #[test]
        fn the_primary_is_found_behind_any_blocks(older in prop::collection::vec(block(), 0..BLOCKS_MAX), mut primary in block(), codec in 0..128u8) {
            primary.push(1);
            let made = payload(codec, &older, &primary);
            let at = primary_at(&made, codec);
            prop_assert_eq!(at.and_then(|at| made.get(at..)), Some(primary.as_slice()));
        }

        #[test]
        fn another_payload_type_changes_nothing_else(older in prop::collection::vec(block(), 0..BLOCKS_MAX), codec in 0..128u8) {
            let mut made = payload(111, &older, &[7]);
            rename(&mut made, codec);
            prop_assert_eq!(made, payload(codec, &older, &[7]));
        }

        #[test]
        fn no_bytes_do_harm(mut bytes in prop::collection::vec(any::<u8>(), 0..200), codec in 0..128u8) {
            if let Some(at) = primary_at(&bytes, codec) {
                prop_assert!(at > 0 && at < bytes.len());
            }
            rename(&mut bytes, codec);
        }

        /// The same with bytes that look like headers more often.
        #[test]
        fn no_headers_do_harm(bytes in prop::collection::vec(prop_oneof![Just(0xefu8), Just(0x6f), any::<u8>(), Just(0)], 0..200)) {
            if let Some(at) = primary_at(&bytes, 111) {
                prop_assert!(at > 0 && at < bytes.len());
            }
        }
    }
}
