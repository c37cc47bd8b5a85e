// Generated from the Rust types by `cargo xtask codegen`. Do not edit.

import type { MeetingId, ParticipantId } from './id.js';

/** Answer of `POST /oauth/token`. */
export type AccessToken = {
  /** Seconds from now. */
  expires_in: number;
  /** Always `Bearer`. */
  token_type: string;
  /** Granted scopes, separated by spaces. */
  scope: string;
  /** The token. */
  access_token: string;
};

/** Body of every error answer. */
export type ErrorBody = {
  /** The HTTP status. */
  status: number;
  /** What is wrong, short and stable. */
  reason: string;
  /** More words: where, and what to do. */
  description?: string;
  /** Problems by field. */
  details?: { [key in string]: Array<string> };
};

/** Answer of `POST /v1/meetings/{id}/join`. Both hold for the whole participation. */
export type JoinDetails = {
  /** WebSocket URL. */
  location: string;
  /** For `authenticate`. */
  token: string;
};

/** Body of `POST /v1/meetings/{id}/join`. */
export type JoinRequest = {
  /** Who. */
  participant_id: string;
  /** From the participant's creation. */
  participant_secret: string;
};

/** A meeting. */
export type Meeting = {
  /** Its id. */
  id: MeetingId;
  /** Its state. */
  status: MeetingStatus;
  /** RFC 3339, UTC. */
  created_at: string;
  /** RFC 3339, UTC. */
  updated_at: string;
};

/** State of a meeting. */
export type MeetingStatus =
  | 'ready'
  | 'running'
  | 'ended';

/** One page of a list. */
export type Page<T> = {
  /** The objects of this page. */
  objects: Array<T>;
  /** Give this as `?cursor=` for the next page; empty: there is none. */
  cursor: string;
};

/** A participant. */
export type Participant = {
  /** Its id. */
  id: ParticipantId;
  /** Its meeting. */
  meeting_id: MeetingId;
  /** Its state. */
  status: ParticipantStatus;
  /** RFC 3339, UTC. */
  created_at: string;
  /** RFC 3339, UTC. */
  updated_at: string;
};

/** State of a participant. */
export type ParticipantStatus =
  | 'ready'
  | 'joined'
  | 'left'
  | 'removed';

/** A participant as it is answered once, when made or when its secret is made anew. */
export type ParticipantWithSecret = {
  /** Shown only here; the server keeps a hash. */
  participant_secret: string;
  /** Its id. */
  id: ParticipantId;
  /** Its meeting. */
  meeting_id: MeetingId;
  /** Its state. */
  status: ParticipantStatus;
  /** RFC 3339, UTC. */
  created_at: string;
  /** RFC 3339, UTC. */
  updated_at: string;
};
