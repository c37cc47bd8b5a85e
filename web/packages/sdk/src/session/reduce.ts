/** The session core: one event in, the next state and what is to be done out. */
import type { ServerMessage } from '@althing/wire';
import { AlthingError } from '../errors';
import type { PoorLink, SessionState } from '../types';
import * as chat from './chat';
import { settleMutes, settleSendLines } from './lines';
import type { CoreEvent, CoreState, Effect, Env, Work } from './model';
import { emit, log, NO_ROSTER, send } from './model';
import * as peer from './peer';
import * as roster from './roster';
import { noteHolders, deadlines as seatDeadlines } from './seats';
import * as slots from './slots';
import * as socket from './socket';
import { clampWish, settleTiles, deadline as tilesDeadline } from './tiles';
import { makeView } from './view';

export interface Step {
  readonly state: CoreState;
  readonly effects: readonly Effect[];
}

/** Handles one event. Events after the end change nothing. */
export function reduce(state: CoreState, event: CoreEvent, env: Env): Step {
  if (state.end !== null) return { state, effects: [] };
  const w: Work = { ...env, s: { ...state }, effects: [] };
  handle(w, event);
  settle(w);
  w.s.view = makeView(w.s, state);
  tellChanges(w, state.view, w.s.view, state.members === null || state.roster === NO_ROSTER);
  return { state: w.s, effects: w.effects };
}

/** The earliest time at which a `tick` has something to do, in the milliseconds of `Env.now`; null: none. */
export function nextDeadline(s: CoreState): number | null {
  if (s.end !== null) return null;
  const all = [
    socket.deadline(s.socket),
    ...peer.deadlines(s.media),
    ...slots.deadlines(s),
    ...seatDeadlines(s),
    tilesDeadline(s),
  ];
  return all.reduce((least, at) => (at === null ? least : Math.min(least ?? at, at)), null);
}

/** What follows from the state, whatever the event was. */
function settle(w: Work): void {
  if (w.s.end !== null || !w.s.socket.everUp) return;
  settleSendLines(w);
  slots.settleSlots(w);
  settleTiles(w);
  slots.requestPending(w);
  settleMutes(w);
  peer.pump(w);
}

function handle(w: Work, event: CoreEvent): void {
  switch (event.type) {
    case 'join':
      w.s.profile = event.profile;
      socket.start(w);
      break;
    case 'leave':
      if (w.s.socket.phase === 'up') send(w, { type: 'leave' });
      socket.finish(w, { reason: 'left', error: null });
      break;
    case 'retry_now':
      socket.probe(w);
      break;
    case 'set_profile':
      w.s.profile = event.profile;
      if (w.s.socket.phase === 'up') send(w, { type: 'set_profile', profile: socket.jsonObject(event.profile) });
      break;
    case 'send_chat':
      chat.onSend(w, event.text, event.to, event.atMs);
      break;
    case 'wish':
      w.s.wishes = new Map(w.s.wishes).set(event.key, clampWish(event.wish));
      break;
    case 'unwish':
      w.s.wishes = new Map([...w.s.wishes].filter(([key]) => key !== event.key));
      break;
    case 'limit_receive':
      w.s.receiveHeightMax = event.heightMax;
      break;
    case 'local':
      w.s.local = event.streams;
      break;
    case 'resolved':
      w.s.credentials = event.credentials;
      w.s.guest = event.guest;
      if (w.s.socket.phase === 'resolving') socket.open(w);
      break;
    case 'resolve_failed':
      socket.onResolveFailed(w, event.error, event.retry);
      break;
    case 'socket_open':
      if (event.id === w.s.socket.id) socket.onOpen(w);
      break;
    case 'socket_closed':
      if (event.id === w.s.socket.id && isOpen(w)) socket.onClosed(w, event.code);
      break;
    case 'message':
      if (event.id === w.s.socket.id && isOpen(w)) onMessage(w, event.ref, event.message, event.atMs);
      break;
    case 'offer_made':
      peer.onOfferMade(w, event.seq, event.sdp, event.mids);
      break;
    case 'answer_applied':
      peer.onAnswerApplied(w, event.peer);
      break;
    case 'negotiation_failed':
      peer.onNegotiationFailed(w, event.peer, event.text);
      break;
    case 'path':
      peer.onPath(w, event.peer, event.state);
      break;
    case 'network':
      onNetwork(w, event.online);
      break;
    case 'network_changed':
      socket.probe(w);
      peer.onNetworkChanged(w);
      break;
    case 'audio_blocked':
      w.s.audioBlocked = event.blocked;
      break;
    case 'quality':
      w.s.quality = event.quality;
      onPoorLink(w, event.poorLink);
      break;
    case 'tick':
      socket.onTick(w);
      peer.onTick(w);
      break;
  }
}

function onPoorLink(w: Work, link: PoorLink | null): void {
  const before = w.s.poorLink;
  if (link === before) return;
  w.s.poorLink = link;
  emit(w, 'poorLink', { link });
  log(w, link === null ? 'the connection is good again' : `the connection is poor: ${link}`);
  const spare = link === 'uplink' || link === 'both';
  if (spare !== (before === 'uplink' || before === 'both')) w.effects.push({ do: 'spare_uplink', spare });
}

function onNetwork(w: Work, online: boolean): void {
  if (w.s.offline === !online) return;
  w.s.offline = !online;
  if (!online) return;
  socket.probe(w);
  peer.onNetworkChanged(w);
}

function onMessage(w: Work, ref: string | null, message: ServerMessage, atMs: number): void {
  socket.onHeard(w);
  switch (message.type) {
    case 'success':
      if (w.s.socket.phase === 'authenticating' && isAuthReply(w, ref)) {
        w.s.rosterFresh = false;
        socket.onAuthenticated(w, atMs);
      }
      break;
    case 'error':
      onError(w, ref, message);
      break;
    case 'server_error':
      emit(w, 'error', { error: new AlthingError('server', 'the server failed', message.error_message) });
      break;
    case 'media_offer':
      peer.onAnswer(w, ref, message.sdp);
      break;
    case 'roster_update':
      roster.onRoster(w, message);
      break;
    case 'request_stream_response':
      slots.onRequestAnswered(w, ref);
      break;
    case 'ping':
      send(w, { type: 'pong' });
      break;
    case 'pong':
      break;
    case 'welcome':
      w.s.virtualStreams = message.virtual_producers;
      chat.onHistory(w, message.chat, w.s.members !== null);
      break;
    case 'published':
      roster.onPublished(w, message);
      break;
    case 'members':
      roster.onMembers(w, message);
      break;
    case 'slots':
      w.s.serverSlots = message.slots;
      slots.onServerSlots(w);
      noteHolders(w);
      break;
    case 'demand':
      peer.onDemand(w, message.streams);
      break;
    case 'speakers':
      roster.onSpeakers(w, message);
      break;
    case 'stage':
      w.s.stage = message.people;
      break;
    case 'chat_message':
      chat.onMessage(w, message.message, ref);
      break;
    case 'reoffer':
      peer.onReoffer(w, message.reason);
      break;
    case 'goodbye':
      socket.set(w, { goodbye: message.reason });
      break;
    // A newer server may say more.
    default:
      break;
  }
}

function onError(w: Work, ref: string | null, message: Extract<ServerMessage, { type: 'error' }>): void {
  if (w.s.socket.phase === 'authenticating') {
    if (isAuthReply(w, ref)) socket.onRefused(w, message);
    return;
  }
  const text = message.error_message ?? message.error_type;
  if (ref !== null && peer.onOfferRefused(w, ref, text)) return;
  if (ref !== null && slots.onRequestRefused(w, ref)) return;
  if (ref !== null && chat.onRefused(w, ref)) {
    const code = message.error_type === 'server_error' ? 'server' : 'bad_request';
    emit(w, 'error', { error: new AlthingError(code, 'the message was not accepted', text) });
    return;
  }
  log(w, `refused: ${message.error_type}, ${text}`, 'warn');
}

function isAuthReply(w: Work, ref: string | null): boolean {
  return ref === null || ref === w.s.socket.authId;
}

function isOpen(w: Work): boolean {
  const { phase } = w.s.socket;
  return phase === 'opening' || phase === 'authenticating' || phase === 'up';
}

/** Events for what differs between two views. Those who are there when one comes are not news. */
function tellChanges(w: Work, before: SessionState, after: SessionState, first: boolean): void {
  if (before.connection !== after.connection) {
    emit(w, 'connection', { state: after.connection, previous: before.connection });
  }
  if (before.participants === after.participants) return;
  const former = new Map(before.participants.map((p) => [p.id, p]));
  const present = new Map(after.participants.map((p) => [p.id, p]));
  for (const participant of after.participants) {
    if (first) continue;
    const was = former.get(participant.id);
    if (was === participant) continue;
    if (was === undefined) emit(w, 'participantJoined', { participant });
    const shown = new Set(was?.screens.map((s) => s.key));
    for (const stream of participant.screens) {
      if (!shown.has(stream.key)) emit(w, 'screenStarted', { participant, stream });
    }
  }
  for (const participant of before.participants) {
    const is = present.get(participant.id);
    if (is === participant) continue;
    const shown = new Set(is?.screens.map((s) => s.key));
    for (const stream of participant.screens) {
      if (!shown.has(stream.key)) emit(w, 'screenStopped', { participant, stream });
    }
    if (is === undefined) emit(w, 'participantLeft', { participant });
  }
}
