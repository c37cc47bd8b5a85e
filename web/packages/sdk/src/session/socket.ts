/** The signalling link: credentials, WebSocket, authentication, liveness, reconnection, the end. */
import type { ServerMessage } from '@althing/wire';
import { AlthingError } from '../errors';
import type { SessionEnd } from '../types';
import { backoffMs } from './backoff';
import { failPendingChat } from './chat';
import type { SocketLink, Work } from './model';
import { emit, log, send } from './model';
import { abandonOffer, closePeer, onSocketUp } from './peer';

/** Opening and authenticating take at most this long. */
const UP_MS_MAX = 10_000;
/** Silence after which a `ping` is sent. Servers and their proxies keep silent sockets for at least 30 s. */
const QUIET_MS = 10_000;
/** How long an answer to a `ping` may take. */
const PONG_MS = 6_000;
/** The same when there is reason to think that the socket is dead (the network has changed). */
const PONG_SUSPECT_MS = 2_500;
/** Final close code of the server: removed, ended, replaced, refused. */
const CLOSE_FINAL = 4999;

export function set(w: Work, change: Partial<SocketLink>): void {
  w.s.socket = { ...w.s.socket, ...change };
}

/** Begins: gets credentials by REST. */
export function start(w: Work): void {
  set(w, { phase: 'resolving', attempt: 0 });
  w.effects.push({ do: 'resolve' });
}

export function onResolveFailed(w: Work, error: AlthingError, retry: boolean): void {
  if (w.s.socket.phase !== 'resolving') return;
  if (!retry) {
    finish(w, { reason: 'failed', error });
    return;
  }
  if (w.s.socket.attempt === 0) emit(w, 'error', { error });
  wait(w);
}

/** Opens a WebSocket with the credentials there are. */
export function open(w: Work): void {
  const { credentials, socket } = w.s;
  if (credentials === null) {
    set(w, { phase: 'resolving', retryAt: null });
    w.effects.push({ do: 'resolve' });
    return;
  }
  const id = socket.id + 1;
  set(w, { phase: 'opening', id, retryAt: null, upBy: w.now + UP_MS_MAX, authId: null, pongBy: null, goodbye: null });
  w.effects.push({ do: 'open_socket', id, url: credentials.location });
}

export function onOpen(w: Work): void {
  const { credentials } = w.s;
  if (w.s.socket.phase !== 'opening' || credentials === null) return;
  const authId = send(w, {
    type: 'authenticate',
    token: credentials.token,
    participant_id: credentials.participantId,
  });
  set(w, { phase: 'authenticating', authId, heardAt: w.now });
}

/** The answer to `authenticate` was `success`. */
export function onAuthenticated(w: Work, atMs: number): void {
  const again = w.s.socket.everUp;
  set(w, { phase: 'up', attempt: 0, upBy: null, authId: null, everUp: true, heardAt: w.now });
  w.s.joinedAtMs ??= atMs;
  send(w, { type: 'hello', client: w.s.client, profile: jsonObject(w.s.profile) });
  log(w, again ? 'socket: back' : 'socket: joined');
  if (!again) w.effects.push({ do: 'settle_join', error: null });
  onSocketUp(w, again);
}

/** The answer to `authenticate` was an error. */
export function onRefused(w: Work, message: Extract<ServerMessage, { type: 'error' }>): void {
  const text = message.error_message ?? message.error_type;
  switch (message.error_type) {
    case 'resource_unavailable':
      // Whoever was in already has a place; it is free again when the server has noticed that the old socket is dead.
      if (w.s.socket.everUp) drop(w);
      else finish(w, { reason: 'failed', error: new AlthingError('full', 'the meeting is full', text) });
      return;
    case 'server_error':
      drop(w);
      return;
    case 'authentication_failed':
    case 'unsupported_message':
    case 'invalid_json':
    case 'invalid_message':
    case 'sdp_offer_processing':
    case 'sdp_offer_update_processing':
    case 'invalid_parameter':
      finish(w, { reason: 'failed', error: new AlthingError('forbidden', 'the server refused to let us in', text) });
  }
}

export function onClosed(w: Work, code: number): void {
  const { goodbye, phase } = w.s.socket;
  log(w, `socket: closed with ${code}${goodbye === null ? '' : `, ${goodbye}`}`);
  if (goodbye === 'removed' || goodbye === 'ended' || goodbye === 'replaced') {
    finish(w, { reason: goodbye, error: null });
  } else if (code === CLOSE_FINAL) {
    const error = new AlthingError('forbidden', 'the server closed the connection for good', phase);
    finish(w, { reason: 'failed', error });
  } else {
    lost(w);
  }
}

/** Not 1000: the server takes that for leaving on purpose, and would forget what we receive. */
const CLOSE_GIVEN_UP = 4001;

/** Gives the present socket up and comes back later. */
export function drop(w: Work): void {
  w.effects.push({ do: 'close_socket', id: w.s.socket.id, code: CLOSE_GIVEN_UP });
  lost(w);
}

/** Something was received. */
export function onHeard(w: Work): void {
  const { heardAt, pongBy } = w.s.socket;
  if (heardAt !== w.now || pongBy !== null) set(w, { heardAt: w.now, pongBy: null });
}

/** The network has changed or the user asks: find out quickly whether the socket lives, or connect at once. */
export function probe(w: Work): void {
  const { phase, pongBy } = w.s.socket;
  if (phase === 'waiting') {
    set(w, { attempt: 0 });
    open(w);
  } else if (phase === 'up') {
    const by = w.now + PONG_SUSPECT_MS;
    if (pongBy === null) send(w, { type: 'ping' });
    set(w, { pongBy: pongBy === null ? by : Math.min(pongBy, by) });
  }
}

export function onTick(w: Work): void {
  const { phase, retryAt, upBy, pongBy, heardAt } = w.s.socket;
  if (phase === 'waiting' && due(w, retryAt)) {
    open(w);
  } else if ((phase === 'opening' || phase === 'authenticating') && due(w, upBy)) {
    log(w, 'socket: not up in time');
    drop(w);
  } else if (phase === 'up' && due(w, pongBy)) {
    log(w, 'socket: silent');
    drop(w);
  } else if (phase === 'up' && pongBy === null && w.now >= heardAt + QUIET_MS) {
    send(w, { type: 'ping' });
    set(w, { pongBy: w.now + PONG_MS });
  }
}

/** When `onTick` has something to do. */
export function deadline(s: SocketLink): number | null {
  switch (s.phase) {
    case 'waiting':
      return s.retryAt;
    case 'opening':
    case 'authenticating':
      return s.upBy;
    case 'up':
      return s.pongBy ?? s.heardAt + QUIET_MS;
    case 'off':
    case 'resolving':
      return null;
  }
}

/** The session is over. */
export function finish(w: Work, end: SessionEnd): void {
  if (w.s.end !== null) return;
  w.s.end = end;
  log(w, `session: over, ${end.reason}`);
  if (w.s.socket.phase !== 'off') w.effects.push({ do: 'close_socket', id: w.s.socket.id, code: 1000 });
  set(w, { phase: 'off', retryAt: null, upBy: null, pongBy: null });
  closePeer(w);
  failPendingChat(w);
  if (!w.s.socket.everUp) {
    const error = end.error ?? new AlthingError('cancelled', `the session is over: ${end.reason}`);
    w.effects.push({ do: 'settle_join', error });
  }
}

function lost(w: Work): void {
  // What is on its way may have arrived or not: `welcome` tells after the reconnect.
  w.s.media = { ...w.s.media, unanswered: [] };
  abandonOffer(w);
  wait(w);
}

function wait(w: Work): void {
  const { attempt } = w.s.socket;
  set(w, {
    phase: 'waiting',
    retryAt: w.now + backoffMs(attempt, w.random),
    attempt: attempt + 1,
    upBy: null,
    pongBy: null,
    authId: null,
  });
}

function due(w: Work, at: number | null): boolean {
  return at !== null && w.now >= at;
}

/** A profile is JSON by contract; `undefined` fields vanish on the wire. */
export function jsonObject(profile: object): Record<string, never> {
  return profile as Record<string, never>;
}
