//! Why a description is refused as a whole.

use model::{MediaKind, Mid};

/// Why an offer gets no answer. The text says what is wrong and where, for the developer at the other end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SdpError {
    /// More bytes than [`model::limits::SDP_BYTES_MAX`]; nothing was read.
    #[error("the description has {bytes} bytes, and at most {bytes_max} are read")]
    TooLarge {
        /// How many it has.
        bytes: usize,
        /// How many it may have.
        bytes_max: usize,
    },
    /// More m-lines than [`model::limits::MEDIA_LINES_MAX`]; nothing else was read.
    #[error("the description has {count} m-lines, and at most {count_max} are answered")]
    TooManyMediaLines {
        /// How many it has.
        count: usize,
        /// How many it may have.
        count_max: usize,
    },
    /// A line that cannot be read.
    #[error("line {line}: {problem}")]
    Syntax {
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        problem: SyntaxProblem,
    },
    /// Without m-lines there is no transport and nothing to answer.
    #[error("the offer has no m-line")]
    NoMediaLines,
    /// RFC 8839 §5.3: two ICE-lite endpoints never start a connectivity check.
    #[error("the offer says a=ice-lite, and so does this server: one side must be a full ICE endpoint")]
    IceLite,
    /// An m-line without `a=mid` needs a name inside; the next free one, its index, is another m-line's.
    #[error("m-line {index} has no a=mid, and its index is the mid of another m-line")]
    MidMissing {
        /// Of the m-line, from 0.
        index: usize,
    },
    /// RFC 5888 §4: a mid names one m-line.
    #[error("a=mid:{mid} is on the m-lines {first} and {second}")]
    MidTwice {
        /// The mid.
        mid: Mid,
        /// The m-line that had it first, from 0.
        first: usize,
        /// The other one.
        second: usize,
    },
    /// A mid of `a=group:BUNDLE` that no m-line has.
    #[error("a=group:BUNDLE names the mid {mid}, which no m-line has")]
    BundleUnknownMid {
        /// The mid.
        mid: Mid,
    },
    /// RFC 3264 §8: m-lines are never taken away.
    #[error(
        "the offer has {count} m-lines, and the one before had {count_before}: m-lines are stopped, not removed"
    )]
    MediaLinesRemoved {
        /// How many it has.
        count: usize,
        /// How many there were.
        count_before: usize,
    },
    /// A mid stays at its place.
    #[error("a=mid:{mid} moved from m-line {before} to m-line {index}")]
    MidMoved {
        /// The mid.
        mid: Mid,
        /// Where it was, from 0.
        before: usize,
        /// Where it is.
        index: usize,
    },
    /// An m-line keeps its kind while it keeps its mid.
    #[error("m-line {index} (mid {mid}) was {before:?} and now is not")]
    KindChanged {
        /// Of the m-line, from 0.
        index: usize,
        /// Its mid.
        mid: Mid,
        /// What it was.
        before: MediaKind,
    },
    /// RFC 5761 §5.1.1: RTP and RTCP share one port here, always.
    #[error("m-line {index} (mid {mid}) carries the transport and lacks a=rtcp-mux, which is required")]
    RtcpMuxMissing {
        /// Of the m-line, from 0.
        index: usize,
        /// Its mid.
        mid: Mid,
    },
    /// Neither the m-line that carries the transport nor the session has both.
    #[error("m-line {index} has no a=ice-ufrag and a=ice-pwd, and neither has the session")]
    IceCredentialsMissing {
        /// Of the m-line, from 0.
        index: usize,
    },
    /// Neither the m-line that carries the transport nor the session has one.
    #[error("m-line {index} has no a=fingerprint, and neither has the session")]
    FingerprintMissing {
        /// Of the m-line, from 0.
        index: usize,
    },
    /// Only hashes that are broken or unknown.
    #[error("m-line {index} has no a=fingerprint of sha-256, sha-384 or sha-512; others are not trusted")]
    FingerprintUntrusted {
        /// Of the m-line, from 0.
        index: usize,
    },
    /// RFC 8842 §5.2: the server is the passive side, so the offerer must be able to be the active one.
    #[error("m-line {index} says a=setup:{setup}: this server answers passive, so offer actpass or active")]
    Setup {
        /// Of the m-line, from 0.
        index: usize,
        /// What it says.
        setup: super::Setup,
    },
    /// The source of SSRCs gave only taken ones: a fault at our side.
    #[error("no free SSRC was found")]
    SsrcsExhausted,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SyntaxProblem {
    /// More bytes than [`super::LINE_BYTES_MAX`].
    #[error("more than {bytes_max} bytes")]
    LineTooLong {
        /// How many it may have.
        bytes_max: usize,
    },
    /// Not `<letter>=<value>` with a letter of RFC 8866 §5.
    #[error("not a line of a session description")]
    NotALine,
    /// RFC 8866 §5.1: the first line is `v=0`.
    #[error("expected v=0")]
    Version,
    /// RFC 8866 §5.2.
    #[error("expected o=<username> <session id> <version> <net type> <address type> <address>")]
    Origin,
    /// RFC 8866 §5.14.
    #[error("expected m=<media> <port> <protocol> <formats>")]
    Media,
    /// A payload type above 127, or not a number.
    #[error("a payload type is a number from 0 to 127")]
    PayloadType,
    /// A known attribute with a value that its grammar has not.
    #[error("a={0} has a value that cannot be read")]
    Attribute(&'static str),
    /// An attribute that names something, given twice.
    #[error("a={0} is there twice")]
    Twice(&'static str),
    /// More than the bound of this attribute.
    #[error("more than {max} of {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there may be.
        max: usize,
    },
}
