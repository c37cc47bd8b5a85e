// Generated from the Rust types by `cargo xtask codegen`. Do not edit.

import type { MeetingId, ParticipantId } from './id.js';

/** Answer of `POST /meet/v1/rooms/{name}/participants`: everything a guest needs to join. Makes the room's meeting if there is none now. */
export type Guest = {
  /** The platform's address (scheme, host, port), without a path. */
  api_address: string;
  /** The meeting. */
  meeting_id: MeetingId;
  /** The participant made for this guest. */
  participant_id: ParticipantId;
  /** For `/join`. */
  participant_secret: string;
};

/** Answer of `GET /meet/v1/info`: what the web client needs to know of this server. */
export type Info = {
  /** Program version. */
  version: string;
  /** Addresses under which other devices reach this server (`https://192.0.2.7:8443`), best first. */
  lan_addresses: Array<string>;
};

/** Answer of `POST /meet/v1/rooms`: a new room with an unguessable name. */
export type NewRoom = {
  /** The name, as in the link `/m/{name}`. */
  name: string;
};
