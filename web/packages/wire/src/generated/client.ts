// Generated from the Rust types by `cargo xtask codegen`. Do not edit.

import type { ParticipantId } from './id.js';
import type { ReceiveQuality } from './media.js';
import type { Mid, Rid } from './text.js';
import type { JsonValue } from './value.js';

/** A message from a client. */
export type ClientMessage =
  | {
    type: 'authenticate';
    /** From `/join`. */
    token: string;
    /** Who. */
    participant_id: string;
  }
  | {
    type: 'media_offer';
    /** RFC 8866. */
    sdp: string;
  }
  | {
    type: 'add_new_candidate';
    /** The `candidate:` line; empty: end of candidates. */
    candidate: string;
    /** `sdpMid`. */
    mid: string;
    /** Username fragment. */
    ufrag: string;
    /** Not needed. */
    pwd: string;
  }
  | {
    type: 'request_stream';
    /** Participant id, or `@` and the name of a virtual producer. */
    producer_id: string;
    /** Stream of that participant. */
    stream_id: string;
    /** The encoding wanted; null: the best for this receiver. */
    rid: Rid | null;
    /** The m-line to receive on; null: the server picks the one that has been free longest. */
    receive_mid: Mid | null;
  }
  | {
    type: 'disconnect_stream';
    /** Which. */
    receive_mid: Mid;
  }
  | {
    type: 'ping';
  }
  | {
    type: 'pong';
  }
  | {
    type: 'hello';
    /** Program and version, for statistics ("althing-web 0.1.0"). */
    client: string;
    /** What others may know of this participant (name, colour): opaque to the server, never stored or logged. */
    profile: JsonValue;
  }
  | {
    type: 'set_profile';
    /** See `hello`. */
    profile: JsonValue;
  }
  | {
    type: 'tile_sizes';
    /** Slot and size. */
    tiles: Array<TileSize>;
  }
  | {
    type: 'mute_stream';
    /** The client's own sending m-line. */
    mid: Mid;
    /** True: muted. */
    muted: boolean;
  }
  | {
    type: 'chat';
    /** Plain text. */
    text: string;
    /** To one participant; absent: to everybody. */
    to?: ParticipantId;
  }
  | {
    type: 'leave';
  };

/** How large a slot is shown, in physical pixels; 0 × 0 is hidden. */
export type TileSize = {
  /** The m-line received on. */
  receive_mid: Mid;
  /** Width in pixels. */
  width: number;
  /** Height in pixels. */
  height: number;
  /** What the person chose for this slot; absent: what fits the size. Hidden is hidden all the same. Stays until the slot is listed again. */
  quality?: ReceiveQuality;
};
