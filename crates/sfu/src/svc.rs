//! Scalable video: one encoding that holds several operating points, of which each receiver is sent one.
//!
//! What a stream is made of and where each packet stands in it ([`Ladder`], [`Mark`]) is the same for every source of
//! that knowledge: the dependency descriptor, else VP9's or VP8's payload descriptor, which are put in its terms: decode
//! targets, indications, chains. A slot's [`Selector`] goes by these alone.

mod ladder;
mod mark;
mod selector;
mod vp8;
mod vp9;

pub(crate) use ladder::{Incoming, Ladder};
pub(crate) use mark::Mark;
pub(crate) use selector::{Choice, Selector, Verdict};

#[cfg(test)]
mod tests;
