// Generated from the Rust types by `cargo xtask codegen`. Do not edit.

import type { ErrorType } from './error.js';
import type { ParticipantId, StreamId } from './id.js';
import type { Codec, Layer, LayerReason, MediaKind, Semantic } from './media.js';
import type { Mid, Rid } from './text.js';
import type { JsonValue } from './value.js';

/** A chat message. */
export type ChatMessage = {
  /** Order in this meeting, from 1. */
  number: number;
  /** Who wrote it. */
  from: ParticipantId;
  /** Name of the author at that time, from its profile (`profile.name`), for those who come when it has left. */
  name: string | null;
  /** To one participant; null: to everybody. */
  to: ParticipantId | null;
  /** Plain text. */
  text: string;
  /** Milliseconds since 1970, UTC. */
  at_ms: number;
};

/** Why the server closes a socket. */
export type GoodbyeReason =
  | 'restart'
  | 'replaced'
  | 'removed'
  | 'ended';

/** What is known of a participant beside the streams. */
export type Member = {
  /** What the participant's client said of it; null for clients that said nothing. */
  profile: JsonValue;
  /** Whether it is here. */
  connection: MemberConnection;
  /** Order of arrival in this meeting: grows by each who comes. */
  order: number;
  /** Muted streams. */
  muted: Array<StreamId>;
};

/** Whether a participant is here. */
export type MemberConnection =
  | 'connected'
  | 'connecting'
  | 'reconnecting';

/** One participant's streams. */
export type RosterEntry = {
  /** By stream id. */
  streams: { [key in StreamId]: RosterStream };
};

/** A published stream. */
export type RosterStream =
  | {
    type: 'video';
    /** What it is sent in. */
    codec: Codec;
    /** What it is to the meeting. */
    semantic: Semantic;
    /** Simulcast encodings; empty without simulcast. */
    layers: Array<Layer>;
  }
  | {
    type: 'audio';
    /** What it is sent in. */
    codec: Codec;
    /** What it is to the meeting. */
    semantic: Semantic;
  };

/** A message to a client. Those marked *added* go only to clients that said `hello`. */
export type ServerMessage =
  | {
    type: 'success';
    /** What was done, in words. */
    reason: string;
  }
  | {
    type: 'error';
    /** Stable code. */
    error_type: ErrorType;
    /** What is wrong, where, and what to do. */
    error_message: string | null;
    /** More, for programs; always an object. */
    detail: { [key in string]: JsonValue };
  }
  | {
    type: 'server_error';
    /** In words. */
    error_message: string;
  }
  | {
    type: 'media_offer';
    /** RFC 8866. */
    sdp: string;
  }
  | {
    type: 'roster_update';
    /** By participant id. */
    participants: { [key in ParticipantId]: RosterEntry };
  }
  | {
    type: 'request_stream_response';
    /** The m-line. */
    receive_mid: Mid;
  }
  | {
    type: 'ping';
  }
  | {
    type: 'pong';
  }
  | {
    type: 'welcome';
    /** Program and version. */
    server: string;
    /** The receiver's own id. */
    participant_id: ParticipantId;
    /** How long the server keeps a participant whose socket is lost, in milliseconds. */
    grace_ms: number;
    /** Streams that the server composes by choosing, by producer id and stream id: they are asked for as any other, and are in no roster. `@speakers` has `audio-1` to `audio-3`, the loudest, and `video-1` to `video-8`, the current speaker and those who spoke before; nobody gets themselves. What is on them says `slots`. */
    virtual_producers: { [key in string]: { [key in string]: MediaKind } };
    /** Chat so far, oldest first. */
    chat: Array<ChatMessage>;
  }
  | {
    type: 'published';
    /** Stream by m-line. */
    streams: { [key in Mid]: StreamId };
  }
  | {
    type: 'members';
    /** By participant id. */
    members: { [key in ParticipantId]: Member };
  }
  | {
    type: 'slots';
    /** By receiving m-line; free slots are not listed. */
    slots: { [key in Mid]: Slot };
  }
  | {
    type: 'demand';
    /** By the receiver's own sending m-line. A line that is not listed is to be sent whole. */
    streams: { [key in Mid]: StreamDemand };
  }
  | {
    type: 'speakers';
    /** Participants. */
    speakers: Array<Speaker>;
  }
  | {
    type: 'stage';
    /** Who speaks or spoke last; who spoke before, newest first; then who has not spoken, with a camera before without, in the order of arrival. At most nine. */
    people: Array<ParticipantId>;
  }
  | {
    type: 'chat_message';
    /** The message. */
    message: ChatMessage;
  }
  | {
    type: 'reoffer';
    /** In words. */
    reason: string;
  }
  | {
    type: 'goodbye';
    /** Why. */
    reason: GoodbyeReason;
  };

/** What one receive slot shows. */
export type Slot = {
  /** Whose stream. */
  producer_id: ParticipantId;
  /** Which stream. */
  stream_id: StreamId;
  /** The encoding sent now; null for nothing or a stream without encodings. */
  rid: Rid | null;
  /** Of an encoding with several spatial layers: the highest that is sent, from 0 for the smallest picture, or will be in a moment. Absent: it has one. */
  spatial?: number;
  /** Whether packets flow. */
  active: boolean;
  /** Why it is this encoding and not a better one. */
  reason: LayerReason;
  /** The stream of `@speakers` that was asked for, if it was: the producer changes by itself. */
  seat?: string;
};

/** Somebody who speaks. */
export type Speaker = {
  /** Who. */
  participant_id: ParticipantId;
  /** How loud, 0 (silence) to 100. */
  level: number;
};

/** What of one video stream is looked at. */
export type StreamDemand = {
  /** Whether anybody looks at it at all. */
  watched: boolean;
  /** The encodings that are looked at; empty for a stream without encodings. */
  rids: Array<Rid>;
  /** Where some receiver cannot decode the codec that the answer names first: those that all of them can, to be sent instead. Else empty: any of the answer's. */
  codecs: Array<Codec>;
};
