//! Names of rooms, as in the link `/m/{name}`.

use std::fmt;
use std::str::FromStr;

/// Letters of made-up names: without i, l and o, which are taken for one another when somebody reads a link aloud.
const LETTERS: &[u8; 23] = b"abcdefghjkmnpqrstuvwxyz";
/// Three groups of four: 54 bits. Whoever guesses a thousand names a second finds one of a thousand rooms after 280
/// years.
const GROUPS: usize = 3;
const GROUP_LEN: usize = 4;

const LEN_MIN: usize = 3;
const LEN_MAX: usize = 64;

/// The name of a room: letters, digits and hyphens in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct RoomName(String);

/// Why a text is no name of a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NameError {
    #[error("a room's name has {LEN_MIN} to {LEN_MAX} characters")]
    Length,
    #[error("a room's name has letters a to z, digits and hyphens only")]
    Character,
    #[error("a room's name begins and ends with a letter or digit")]
    Hyphen,
}

impl RoomName {
    /// A name that nobody guesses.
    pub(crate) fn random() -> Result<Self, getrandom::Error> {
        let mut name = String::with_capacity(GROUPS * (GROUP_LEN + 1));
        for group in 0..GROUPS {
            if group > 0 {
                name.push('-');
            }
            for _ in 0..GROUP_LEN {
                name.push(random_letter()?);
            }
        }
        Ok(Self(name))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

fn random_letter() -> Result<char, getrandom::Error> {
    loop {
        let mut byte = [0; 1];
        getrandom::fill(&mut byte)?;
        // Five bits; those beyond the letters are drawn anew, so that each letter is as likely as any other.
        if let Some(letter) = LETTERS.get(usize::from(byte[0] & 31)) {
            return Ok(char::from(*letter));
        }
    }
}

impl FromStr for RoomName {
    type Err = NameError;

    /// Upper-case letters, as a phone's keyboard makes them, count as lower-case ones.
    fn from_str(text: &str) -> Result<Self, NameError> {
        let name = text.trim().to_ascii_lowercase();
        if !name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-') {
            return Err(NameError::Character);
        }
        if !(LEN_MIN..=LEN_MAX).contains(&name.len()) {
            return Err(NameError::Length);
        }
        if name.starts_with('-') || name.ends_with('-') {
            return Err(NameError::Hyphen);
        }
        Ok(Self(name))
    }
}

impl fmt::Display for RoomName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn made_up_names_are_names_and_differ() {
        let names: HashSet<_> = (0..1000).map(|_| RoomName::random().unwrap()).collect();
        assert_eq!(names.len(), 1000);
        for name in &names {
            assert_eq!(name.as_str().parse().as_ref(), Ok(name));
            assert_eq!(name.as_str().split('-').map(str::len).collect::<Vec<_>>(), [4, 4, 4]);
        }
        let letters: HashSet<_> = names.iter().flat_map(|n| n.as_str().bytes()).collect();
        assert_eq!(letters.len(), LETTERS.len() + 1, "every letter is drawn");
    }

    #[test]
    fn what_is_no_name_says_why() {
        let error = |text: &str| text.parse::<RoomName>().unwrap_err();
        assert_eq!(error("ab"), NameError::Length);
        assert_eq!(error(&"a".repeat(65)), NameError::Length);
        for text in ["a b c", "höhle", "a/b", "a_b", "../x", "a.b"] {
            assert_eq!(error(text), NameError::Character, "{text}");
        }
        assert_eq!(error("-abc"), NameError::Hyphen);
        assert_eq!(" Weekly-7 ".parse::<RoomName>().unwrap().as_str(), "weekly-7");
    }
}
