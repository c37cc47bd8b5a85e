// Generated from the Rust types by `cargo xtask codegen`. Do not edit.

/** Bytes of one WebSocket message from a client. An offer of 100 m-lines with every codec is about 200 KiB. */
export const CLIENT_MESSAGE_BYTES_MAX = 524288;

/** Bytes of one session description. Below the message bound, so that the envelope always fits around it. */
export const SDP_BYTES_MAX = 491520;

/** m-lines of one session description. A client with 49 tiles, their sound, and every share of a large meeting needs about 110; a thousand is an attack on everybody's memory. */
export const MEDIA_LINES_MAX = 128;

/** Simulcast encodings of one m-line. Browsers send at most three. */
export const LAYERS_MAX = 4;

/** Streams that one participant may publish at the same time: cameras, microphones, screens and their sound. */
export const PUBLISHED_STREAMS_MAX = 16;

/** Participants of one meeting, on however many units. Everybody is told of everybody. */
export const PARTICIPANTS_MAX = 1000;

/** Bytes of a participant's opaque profile (name, colour, picture address) as JSON. */
export const PROFILE_BYTES_MAX = 4096;

/** Characters of one chat message. */
export const CHAT_CHARS_MAX = 4000;

/** Chat messages that a meeting keeps in memory for late joiners; the oldest goes first. */
export const CHAT_HISTORY_MAX = 200;
