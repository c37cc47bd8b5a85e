/**
 * The session core's words: its state, what it hears (events) and what it wants done (effects). The core is pure; time
 * and randomness come in with each event, tracks and sockets stay outside and are named by numbers and ids.
 */
import type { ClientMessage, Guest, MediaKind, Member, RosterEntry, ServerMessage } from '@althing/wire';
import type { Slot as ServerSlot, StreamDemand } from '@althing/wire';
import type { AlthingError } from '../errors';
import type { ActiveSpeaker, ChatEntry, LocalSource, PoorLink, Profile, Quality, SessionEnd } from '../types';
import type { ReceiveQuality, SessionEvents, SessionState, StreamKey } from '../types';

/** What `/join` gave; used again at every reconnect. */
export interface Credentials {
  readonly location: string;
  readonly token: string;
  readonly participantId: string;
}

/** An own stream, as far as the core cares. */
export interface LocalDesc {
  readonly id: string;
  readonly source: LocalSource;
  readonly kind: MediaKind;
  /** Captured and not muted: others are to get it. */
  readonly sending: boolean;
}

/** The signalling link. `since` and the deadlines are in the milliseconds of `Env.now`. */
export interface SocketLink {
  /** `resolving`: getting credentials by REST. `waiting`: until `retryAt`. */
  readonly phase: 'off' | 'resolving' | 'opening' | 'authenticating' | 'up' | 'waiting';
  /** Names the present WebSocket, so that events of a former one are told apart. */
  readonly id: number;
  /** Attempts since it was up for the last time. */
  readonly attempt: number;
  readonly retryAt: number | null;
  /** Opening and authenticating end here. */
  readonly upBy: number | null;
  readonly authId: string | null;
  readonly heardAt: number;
  /** A `ping` was sent; something must be heard by then. */
  readonly pongBy: number | null;
  /** It has been up at least once. */
  readonly everUp: boolean;
  /** The last `goodbye`. */
  readonly goodbye: Extract<ServerMessage, { type: 'goodbye' }>['reason'] | null;
}

/** One m-line, in the order of the session description. Lines are never removed, so a new peer connection gets the same mids. */
export interface Line {
  readonly use: 'send' | 'receive';
  readonly kind: MediaKind;
  /** Sending: what may be put on it; encodings are fixed when it is made. */
  readonly source: LocalSource | null;
  /** Sending: the stream on it now; null: inactive until the next stream of that source. */
  readonly localId: string | null;
  readonly mid: string | null;
  /** The server has answered an offer of the present peer connection that had this line. */
  readonly answered: boolean;
}

/** An offer on its way. */
export interface OfferInFlight {
  readonly phase: 'making' | 'sent' | 'applying';
  /** Tells the making of this offer from that of an abandoned one. */
  readonly seq: number;
  readonly id: string | null;
  readonly iceRestart: boolean;
  /** How many lines it has. */
  readonly lineCount: number;
  readonly answerBy: number | null;
}

/** Who answered: a change means that the server's end is a new one. */
export interface AnswerIdentity {
  /** `sess-id` of the origin line (RFC 8866 §5.2): the same for the life of one end. */
  readonly session: string | null;
  readonly fingerprint: string | null;
  readonly ufrag: string | null;
}

/** State of the path as the shell reads it off the peer connection. */
export type PathState = 'new' | 'connecting' | 'connected' | 'disconnected' | 'failed';

export interface MediaLink {
  /** Names the present peer connection; 0: none yet. */
  readonly peer: number;
  readonly path: PathState;
  /** The path was up on the present peer connection. */
  readonly peerWasUp: boolean;
  /** The path was up at least once in this session. */
  readonly everUp: boolean;
  readonly recovery: 'none' | 'restarting' | 'rebuilding';
  /** Rebuilds since the path was up. */
  readonly attempt: number;
  readonly offer: OfferInFlight | null;
  /** Ids of offers on this socket that have not been answered, oldest first; those of former peers too. */
  readonly unanswered: readonly string[];
  /** The lines have changed since the last offer. */
  readonly dirty: boolean;
  readonly wantRestart: boolean;
  readonly identity: AnswerIdentity | null;
  /** The path is `disconnected` since a while: restart ICE then. */
  readonly lostAt: number | null;
  /** The path must be up by then. */
  readonly connectBy: number | null;
  readonly rebuildAt: number | null;
  readonly restartedAt: number;
}

/** One receive slot: a receiving line and what is on it. */
export interface ReceiveSlot {
  readonly line: number;
  readonly kind: MediaKind;
  readonly key: StreamKey | null;
  /** `idle`: still bound, but nobody looks; kept for a while for a quick return. */
  readonly state: 'free' | 'requested' | 'bound' | 'idle';
  readonly requestId: string | null;
  /** The server has put this stream here at least once: what arrives is it and not its predecessor. */
  readonly confirmed: boolean;
  /** When `state` changed. */
  readonly since: number;
}

/** Who is on a seat of the stage, and since when; −∞: for long. */
export interface SeatHolder {
  readonly key: StreamKey;
  /** Who was before. */
  readonly former: StreamKey | null;
  readonly since: number;
}

export interface Seats {
  /** Since when seats would serve better; null: they would not. */
  readonly betterSince: number | null;
  /** By line of the slot. */
  readonly holders: ReadonlyMap<number, SeatHolder>;
  /** The server is to say by then who is on the seats; null: it has. −∞: it has not, and is waited for no more. */
  readonly awaitedBy: number | null;
}

export type Demand = Readonly<Record<string, StreamDemand>>;

/** What a view wants to see. */
export interface Wish {
  /** Physical pixels; null: never sized, the best layer. */
  readonly size: { readonly width: number; readonly height: number } | null;
  /** The user's choice of an encoding; null: by size. */
  readonly quality: ReceiveQuality | null;
}

export interface Tiles {
  /** By mid, size and quality as last told to the server. */
  readonly sent: ReadonlyMap<string, string>;
  readonly flushAt: number | null;
  readonly flushedAt: number;
}

export interface CoreState {
  readonly client: string;
  readonly audioStreamsMax: number;
  readonly end: SessionEnd | null;
  readonly offline: boolean;
  readonly credentials: Credentials | null;
  readonly guest: Guest | null;
  readonly profile: Profile;
  /** Milliseconds since 1970. */
  readonly joinedAtMs: number | null;
  readonly nextId: number;
  readonly socket: SocketLink;
  readonly media: MediaLink;
  readonly lines: readonly Line[];
  readonly slots: readonly ReceiveSlot[];
  readonly local: readonly LocalDesc[];
  /** By mid: what was told to the server by `mute_stream`. */
  readonly mutedSent: ReadonlyMap<string, boolean>;
  readonly wishes: ReadonlyMap<StreamKey, Wish>;
  /** Largest height of people's pictures that is asked for; null: what the tiles need. */
  readonly receiveHeightMax: number | null;
  /** Keys that the server refused lately, and until when not to ask again. */
  readonly refused: ReadonlyMap<StreamKey, number>;
  readonly tiles: Tiles;
  /** By participant id. */
  readonly roster: Readonly<Record<string, RosterEntry>>;
  /** The roster of the present socket has come. */
  readonly rosterFresh: boolean;
  readonly members: Readonly<Record<string, Member>> | null;
  readonly serverSlots: Readonly<Record<string, ServerSlot>>;
  /** By producer id and stream id: streams that the server composes by choosing. */
  readonly virtualStreams: Readonly<Record<string, Readonly<Record<string, MediaKind>>>>;
  /** So many are here that only the loudest are received, as the server chooses them. */
  readonly hearsStage: boolean;
  /** So many are here that the few who are shown come by the seats of the stage. */
  readonly seesStage: boolean;
  readonly seats: Seats;
  readonly publishedByMid: Readonly<Record<string, string>>;
  /** By own sending mid: what of it anybody looks at. A line that is not in it is sent whole. */
  readonly demand: Demand;
  readonly speakers: readonly ActiveSpeaker[];
  readonly recentSpeakers: readonly string[];
  /** Whom the room shows, most important first; the own participant may be among them. */
  readonly stage: readonly string[];
  readonly chat: readonly ChatEntry[];
  /** Own messages without an echo yet, by entry key: the id they were sent under; null: not sent yet. */
  readonly chatPending: ReadonlyMap<string, string | null>;
  readonly audioBlocked: boolean;
  readonly quality: Quality | null;
  readonly poorLink: PoorLink | null;
  /** The last view made of all this; parts of it are re-used. */
  readonly view: SessionState;
}

/** What the core hears. */
export type CoreEvent =
  // From the user
  | { readonly type: 'join'; readonly profile: Profile }
  | { readonly type: 'leave' }
  | { readonly type: 'retry_now' }
  | { readonly type: 'set_profile'; readonly profile: Profile }
  | { readonly type: 'send_chat'; readonly text: string; readonly to: string | null; readonly atMs: number }
  | { readonly type: 'wish'; readonly key: StreamKey; readonly wish: Wish }
  | { readonly type: 'unwish'; readonly key: StreamKey }
  | { readonly type: 'limit_receive'; readonly heightMax: number | null }
  // From capture
  | { readonly type: 'local'; readonly streams: readonly LocalDesc[] }
  // From REST
  | { readonly type: 'resolved'; readonly credentials: Credentials; readonly guest: Guest | null }
  | { readonly type: 'resolve_failed'; readonly error: AlthingError; readonly retry: boolean }
  // From the socket named `id`
  | { readonly type: 'socket_open'; readonly id: number }
  | { readonly type: 'socket_closed'; readonly id: number; readonly code: number }
  | {
      readonly type: 'message';
      readonly id: number;
      readonly ref: string | null;
      readonly message: ServerMessage;
      readonly atMs: number;
    }
  // From the peer connection named `peer`
  | {
      readonly type: 'offer_made';
      readonly seq: number;
      readonly sdp: string;
      readonly mids: readonly (string | null)[];
    }
  | { readonly type: 'answer_applied'; readonly peer: number }
  | { readonly type: 'negotiation_failed'; readonly peer: number; readonly text: string }
  | { readonly type: 'path'; readonly peer: number; readonly state: PathState }
  // From the browser
  | { readonly type: 'network'; readonly online: boolean }
  | { readonly type: 'network_changed' }
  | { readonly type: 'audio_blocked'; readonly blocked: boolean }
  | { readonly type: 'quality'; readonly quality: Quality | null; readonly poorLink: PoorLink | null }
  /** A deadline may have passed. */
  | { readonly type: 'tick' };

/** An event for the application. */
export type PublicEvent = {
  [E in keyof SessionEvents]: { readonly name: E; readonly detail: SessionEvents[E] };
}[keyof SessionEvents];

/** What the core wants done. */
export type Effect =
  | { readonly do: 'resolve' }
  | { readonly do: 'open_socket'; readonly id: number; readonly url: string }
  | { readonly do: 'close_socket'; readonly id: number; readonly code: number }
  | { readonly do: 'send'; readonly id: string; readonly message: ClientMessage }
  | { readonly do: 'create_peer'; readonly peer: number }
  | { readonly do: 'close_peer'; readonly peer: number }
  | {
      readonly do: 'make_offer';
      readonly peer: number;
      readonly seq: number;
      readonly iceRestart: boolean;
      readonly lines: readonly Line[];
    }
  | { readonly do: 'apply_answer'; readonly peer: number; readonly sdp: string }
  /** Send speech so that more of it arrives, at the price of how it sounds, or as usual again. */
  | { readonly do: 'spare_uplink'; readonly spare: boolean }
  /** Send of the own streams what is looked at, and no more. */
  | { readonly do: 'apply_demand'; readonly peer: number; readonly demand: Demand }
  /** The join promise: done, or refused. */
  | { readonly do: 'settle_join'; readonly error: AlthingError | null }
  | { readonly do: 'emit'; readonly event: PublicEvent };

/** What each event is handled with. */
export interface Env {
  /** Milliseconds of a clock that only grows. */
  readonly now: number;
  /** 0 ≤ random < 1. */
  readonly random: number;
}

/** The work in progress on one event: handlers replace parts of `s` and push effects. Never leaves `reduce`. */
export interface Work extends Env {
  s: { -readonly [K in keyof CoreState]: CoreState[K] };
  readonly effects: Effect[];
}

/** Sends a message; gives the id under which it is answered. */
export function send(w: Work, message: ClientMessage): string {
  const id = `m${w.s.nextId}`;
  w.s.nextId += 1;
  w.effects.push({ do: 'send', id, message });
  return id;
}

/** Tells the application. */
export function emit<E extends keyof SessionEvents>(w: Work, name: E, detail: SessionEvents[E]): void {
  w.effects.push({ do: 'emit', event: { name, detail } as PublicEvent });
}

/** A line for logs and tests. */
export function log(w: Work, text: string, level: SessionEvents['log']['level'] = 'info'): void {
  emit(w, 'log', { level, text });
}

/** Before any roster was heard: whoever is in the first one is no news. */
export const NO_ROSTER: CoreState['roster'] = {};

export function initialState(client: string, audioStreamsMax: number, view: SessionState): CoreState {
  return {
    client,
    audioStreamsMax,
    end: null,
    offline: false,
    credentials: null,
    guest: null,
    profile: view.profile,
    joinedAtMs: null,
    nextId: 1,
    socket: {
      phase: 'off',
      id: 0,
      attempt: 0,
      retryAt: null,
      upBy: null,
      authId: null,
      heardAt: 0,
      pongBy: null,
      everUp: false,
      goodbye: null,
    },
    media: {
      peer: 0,
      path: 'new',
      peerWasUp: false,
      everUp: false,
      recovery: 'none',
      attempt: 0,
      offer: null,
      unanswered: [],
      dirty: false,
      wantRestart: false,
      identity: null,
      lostAt: null,
      connectBy: null,
      rebuildAt: null,
      restartedAt: Number.NEGATIVE_INFINITY,
    },
    lines: [],
    slots: [],
    local: [],
    mutedSent: new Map(),
    wishes: new Map(),
    receiveHeightMax: null,
    refused: new Map(),
    tiles: { sent: new Map(), flushAt: null, flushedAt: Number.NEGATIVE_INFINITY },
    roster: NO_ROSTER,
    rosterFresh: false,
    members: null,
    serverSlots: {},
    virtualStreams: {},
    hearsStage: false,
    seesStage: false,
    seats: { betterSince: null, holders: new Map(), awaitedBy: null },
    publishedByMid: {},
    demand: {},
    speakers: [],
    recentSpeakers: [],
    stage: [],
    chat: [],
    chatPending: new Map(),
    audioBlocked: false,
    quality: null,
    poorLink: null,
    view,
  };
}
