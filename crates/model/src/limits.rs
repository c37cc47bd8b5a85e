//! Bounds that several crates must agree on. Each says why it is what it is; a bound used by one crate lives there.

/// Bytes of one WebSocket message from a client. An offer of 100 m-lines with every codec is about 200 KiB.
pub const CLIENT_MESSAGE_BYTES_MAX: usize = 512 * 1024;

/// Bytes of one session description. Below the message bound, so that the envelope always fits around it.
pub const SDP_BYTES_MAX: usize = 480 * 1024;

/// m-lines of one session description. A client with 49 tiles, their sound, and every share of a large meeting needs
/// about 110; a thousand is an attack on everybody's memory.
pub const MEDIA_LINES_MAX: usize = 128;

/// Simulcast encodings of one m-line. Browsers send at most three.
pub const LAYERS_MAX: usize = 4;

/// Streams that one participant may publish at the same time: cameras, microphones, screens and their sound.
pub const PUBLISHED_STREAMS_MAX: usize = 16;

/// Participants of one meeting, on however many units. Everybody is told of everybody.
pub const PARTICIPANTS_MAX: usize = 1_000;

/// Bytes of a participant's opaque profile (name, colour, picture address) as JSON.
pub const PROFILE_BYTES_MAX: usize = 4 * 1024;

/// Characters of one chat message.
pub const CHAT_CHARS_MAX: usize = 4_000;

/// Chat messages that a meeting keeps in memory for late joiners; the oldest goes first.
pub const CHAT_HISTORY_MAX: usize = 200;

const _: () = assert!(SDP_BYTES_MAX < CLIENT_MESSAGE_BYTES_MAX);
