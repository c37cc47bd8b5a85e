//! Lists in pages. A page starts after the last object of the one before, by (time of creation, id): objects that come
//! or go meanwhile make none of the others appear twice or not at all.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE32_NOPAD;

use crate::Timestamp;

/// Objects of one page.
pub const PAGE_LEN: usize = 100;

/// Bytes of a cursor: time and id.
const CURSOR_BYTES: usize = 8 + 16;

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The objects, oldest first.
    pub objects: Vec<T>,
    /// Where the next page starts; `None`: this is the last.
    pub next: Option<Cursor>,
}

/// Where a page starts: after this object. Opaque to clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    pub(crate) created_at: Timestamp,
    pub(crate) id: [u8; 16],
}

/// A text that is no cursor of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor of an earlier answer")]
pub struct ParseCursorError;

impl Cursor {
    /// Before everything there is.
    pub(crate) const START: Self = Self { created_at: Timestamp::from_millis(i64::MIN), id: [0; 16] };
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = [0u8; CURSOR_BYTES];
        let (time, id) = bytes.split_at_mut(8);
        time.copy_from_slice(&self.created_at.as_millis().to_be_bytes());
        id.copy_from_slice(&self.id);
        f.write_str(&BASE32_NOPAD.encode(&bytes).to_ascii_lowercase())
    }
}

impl FromStr for Cursor {
    type Err = ParseCursorError;

    fn from_str(text: &str) -> Result<Self, ParseCursorError> {
        if text.len() != BASE32_NOPAD.encode_len(CURSOR_BYTES) {
            return Err(ParseCursorError);
        }
        let upper = text.to_ascii_uppercase();
        let bytes = BASE32_NOPAD.decode(upper.as_bytes()).map_err(|_| ParseCursorError)?;
        let (time, id) = bytes.split_at_checked(8).ok_or(ParseCursorError)?;
        let time: [u8; 8] = time.try_into().map_err(|_| ParseCursorError)?;
        let id: [u8; 16] = id.try_into().map_err(|_| ParseCursorError)?;
        Ok(Self { created_at: Timestamp::from_millis(i64::from_be_bytes(time)), id })
    }
}

/// Cuts the one object too many that a query asked for, which shows that there is a next page.
pub(crate) fn cut<T>(mut objects: Vec<T>, cursor_of: impl Fn(&T) -> Cursor) -> Page<T> {
    let more = objects.len() > PAGE_LEN;
    objects.truncate(PAGE_LEN);
    let next = if more { objects.last().map(cursor_of) } else { None };
    Page { objects, next }
}

/// What a query for one page asks for: one more than a page has.
pub(crate) const QUERY_LEN: i64 = PAGE_LEN as i64 + 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_from_its_text() {
        let cursor = Cursor { created_at: Timestamp::from_millis(1_777_777_777_123), id: [7; 16] };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for text in ["", "x", "gaytemzugu3doobzmfrggzdfmy", &"1".repeat(39), &"é".repeat(20)] {
            assert_eq!(text.parse::<Cursor>(), Err(ParseCursorError), "{text}");
        }
    }
}
