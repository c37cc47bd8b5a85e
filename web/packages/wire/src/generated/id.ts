// Generated from the Rust types by `cargo xtask codegen`. Do not edit.

/** A meeting of the platform. */
export type MeetingId = string;

/** A participant, made for one meeting and linked to nothing else. */
export type ParticipantId = string;

/** A stream that a participant publishes; unique in its meeting, free of `-`, the same across reconnections. */
export type StreamId = string;
