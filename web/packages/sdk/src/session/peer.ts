/**
 * The media link: offers one at a time, the state of the path, ICE restart, a new peer connection.
 *
 * A lost path is mended in two steps: first an ICE restart on the same peer connection, which is quick and keeps DTLS;
 * when that does not bring the path back, or the server's end is a new one, a new peer connection with the same lines
 * in the same order, so that every line has the mid that it had and the server restores what was on it.
 */
import { AlthingError } from '../errors';
import { backoffMs } from './backoff';
import type { AnswerIdentity, Demand, Line, MediaLink, PathState, Work } from './model';
import { emit, log, send } from './model';
import { answerIdentity, rejectedMids } from './sdp';
import { onSlotsLost, resetSlots } from './slots';
import { drop } from './socket';

/** `disconnected` heals by itself when a few packets were lost; after this it does not. */
const DISCONNECTED_MS_MAX = 2_000;
/** From the answer to an ICE restart until the path must be up. */
const RESTART_MS_MAX = 5_000;
/** From the answer to a first offer until the path must be up. Checks over TCP through a slow proxy take seconds. */
const CONNECT_MS_MAX = 12_000;
/** From an offer until the answer must be here. The server promises two seconds. */
const ANSWER_MS_MAX = 10_000;
/** ICE restarts for changes of the network: not more often than this. */
const RESTART_MS_MIN = 3_000;
/** Rebuilds without success after which the user is told that media cannot be set up. */
const REBUILDS_BEFORE_ERROR = 2;

export function set(w: Work, change: Partial<MediaLink>): void {
  w.s.media = { ...w.s.media, ...change };
}

/** Authenticated. The first time media begins; later the server is asked by an offer whether it still knows us. */
export function onSocketUp(w: Work, again: boolean): void {
  w.s.mutedSent = new Map();
  // A restarted server knows no line before it has answered an offer that has it.
  w.s.lines = w.s.lines.map((line) => ({ ...line, answered: false }));
  onSlotsLost(w);
  abandonOffer(w);
  if (!again) build(w);
  else if (w.s.media.path === 'connected') set(w, { dirty: true });
  else if (w.s.media.peerWasUp) restartIce(w, 'the path was lost together with the socket');
  else if (w.s.media.rebuildAt === null) rebuild(w, 'the socket was lost before the path was up');
}

/** Makes the next offer, when there is need, a socket, and no offer on its way. */
export function pump(w: Work): void {
  const { media } = w.s;
  if (!media.dirty && !media.wantRestart) return;
  if (w.s.socket.phase !== 'up' || media.offer !== null || media.peer === 0 || media.rebuildAt !== null) return;
  const iceRestart = media.wantRestart;
  const seq = w.s.nextId;
  w.s.nextId += 1;
  set(w, {
    dirty: false,
    wantRestart: false,
    offer: { phase: 'making', seq, id: null, iceRestart, lineCount: w.s.lines.length, answerBy: null },
  });
  w.effects.push({ do: 'make_offer', peer: media.peer, seq, iceRestart, lines: w.s.lines });
}

export function onOfferMade(w: Work, seq: number, sdp: string, mids: readonly (string | null)[]): void {
  const { offer } = w.s.media;
  if (offer?.phase !== 'making' || offer.seq !== seq) return;
  adoptMids(w, mids);
  if (w.s.socket.phase !== 'up') {
    abandonOffer(w);
    return;
  }
  const id = send(w, { type: 'media_offer', sdp });
  set(w, {
    offer: { ...offer, phase: 'sent', id, answerBy: w.now + ANSWER_MS_MAX },
    unanswered: [...w.s.media.unanswered, id],
  });
}

export function onAnswer(w: Work, ref: string | null, sdp: string): void {
  const { media } = w.s;
  const id = ref ?? media.unanswered[0];
  set(w, { unanswered: media.unanswered.filter((u) => u !== id) });
  const { offer } = media;
  if (offer?.phase !== 'sent' || offer.id !== id) return;
  const identity = answerIdentity(sdp);
  const known = media.identity;
  const sameEnd = known === null || isSameEnd(known, identity, offer.iceRestart);
  if (!sameEnd) {
    rebuild(w, 'the server has a new end');
    return;
  }
  set(w, { offer: { ...offer, phase: 'applying', answerBy: null }, identity });
  const rejected = rejectedMids(sdp);
  w.s.lines = w.s.lines.map((line, i) => (i < offer.lineCount ? { ...line, answered: !isIn(rejected, line) } : line));
  w.effects.push({ do: 'apply_answer', peer: media.peer, sdp });
  if (media.path !== 'connected' || offer.iceRestart) {
    set(w, { connectBy: w.now + (offer.iceRestart && media.peerWasUp ? RESTART_MS_MAX : CONNECT_MS_MAX) });
  }
}

export function onAnswerApplied(w: Work, peer: number): void {
  if (peer !== w.s.media.peer || w.s.media.offer?.phase !== 'applying') return;
  set(w, { offer: null });
}

/** An `error` for the offer with this id. Gives whether it was one. */
export function onOfferRefused(w: Work, id: string, text: string): boolean {
  const { media } = w.s;
  if (!media.unanswered.includes(id)) return false;
  set(w, { unanswered: media.unanswered.filter((u) => u !== id) });
  if (media.offer?.id === id) rebuild(w, `offer refused: ${text}`);
  return true;
}

export function onNegotiationFailed(w: Work, peer: number, text: string): void {
  if (peer !== w.s.media.peer) return;
  rebuild(w, `negotiation failed: ${text}`);
}

export function onPath(w: Work, peer: number, path: PathState): void {
  const { media } = w.s;
  if (peer !== media.peer || path === media.path) return;
  log(w, `media: ${path}`);
  set(w, { path });
  if (path === 'connected') {
    set(w, {
      peerWasUp: true,
      everUp: true,
      recovery: media.wantRestart || media.offer?.iceRestart === true ? media.recovery : 'none',
      attempt: 0,
      lostAt: null,
      connectBy: null,
    });
  } else if (path === 'disconnected') {
    set(w, { lostAt: w.now + DISCONNECTED_MS_MAX });
  } else if (path === 'failed') {
    if (media.peerWasUp && media.recovery === 'none') restartIce(w, 'the path failed');
    else if (media.connectBy !== null && media.offer?.phase !== 'applying') rebuild(w, 'the path failed');
  }
}

/** The network has changed: do not wait until the path is noticed dead. */
export function onNetworkChanged(w: Work): void {
  const { media } = w.s;
  if (!media.peerWasUp || media.recovery !== 'none' || w.now - media.restartedAt < RESTART_MS_MIN) return;
  restartIce(w, 'the network changed');
}

/** The server lost our media. */
export function onReoffer(w: Work, reason: string): void {
  const { peer, offer, peerWasUp, rebuildAt } = w.s.media;
  // A new peer connection that is being offered, or about to be made, is what is asked for.
  const underWay = rebuildAt !== null || (offer !== null && !peerWasUp);
  if (peer !== 0 && !underWay) rebuild(w, `asked by the server: ${reason}`);
}

/** What of the own streams anybody looks at has changed. */
export function onDemand(w: Work, demand: Demand): void {
  w.s.demand = demand;
  if (w.s.media.peer > 0) w.effects.push({ do: 'apply_demand', peer: w.s.media.peer, demand });
}

export function onTick(w: Work): void {
  const { media } = w.s;
  if (media.rebuildAt !== null && w.now >= media.rebuildAt) {
    build(w);
  } else if (media.lostAt !== null && w.now >= media.lostAt) {
    set(w, { lostAt: null });
    if (media.recovery === 'none') restartIce(w, 'disconnected for too long');
  } else if (media.connectBy !== null && w.now >= media.connectBy) {
    // A restart that found a better path, or the same again, may pass without any change of the state.
    if (media.path === 'connected') set(w, { connectBy: null, recovery: 'none' });
    else rebuild(w, 'the path did not come up in time');
  } else if (media.offer?.answerBy != null && w.now >= media.offer.answerBy) {
    log(w, 'media: no answer in time');
    abandonOffer(w);
    drop(w);
  }
}

/** When `onTick` has something to do, as candidates for the earliest. */
export function deadlines(media: MediaLink): (number | null)[] {
  return [media.rebuildAt, media.lostAt, media.connectBy, media.offer?.answerBy ?? null];
}

/** Frees the peer connection for good. */
export function closePeer(w: Work): void {
  if (w.s.media.peer > 0) w.effects.push({ do: 'close_peer', peer: w.s.media.peer });
  set(w, { peer: 0, offer: null, lostAt: null, connectBy: null, rebuildAt: null, dirty: false, wantRestart: false });
}

function restartIce(w: Work, reason: string): void {
  log(w, `media: ICE restart, ${reason}`);
  set(w, { recovery: 'restarting', wantRestart: true, restartedAt: w.now, lostAt: null });
}

/** A new peer connection, at once or, after failures, when a while has passed. */
function rebuild(w: Work, reason: string): void {
  const { media } = w.s;
  log(w, `media: new peer connection, ${reason}`, 'warn');
  const attempt = media.attempt + 1;
  if (attempt === REBUILDS_BEFORE_ERROR + 1) {
    const text = 'media cannot be set up: a firewall between this device and the server, most likely';
    emit(w, 'error', { error: new AlthingError('media_path', text, reason) });
  }
  const wait = media.attempt === 0 ? 0 : backoffMs(media.attempt, w.random);
  if (media.peer > 0) w.effects.push({ do: 'close_peer', peer: media.peer });
  set(w, {
    path: 'new',
    peerWasUp: false,
    recovery: 'rebuilding',
    attempt,
    offer: null,
    identity: null,
    lostAt: null,
    connectBy: null,
    rebuildAt: w.now + wait,
  });
  w.s.lines = w.s.lines.map((line) => ({ ...line, answered: false }));
  onSlotsLost(w);
  if (wait === 0) build(w);
}

function build(w: Work): void {
  const peer = w.s.media.peer + 1;
  set(w, { peer, path: 'new', peerWasUp: false, rebuildAt: null, dirty: true, wantRestart: false });
  w.effects.push({ do: 'create_peer', peer });
  w.s.mutedSent = new Map();
  // The server begins anew with a new peer connection, with everything; it says so when that is no longer so.
  w.s.demand = {};
}

/** The offer on its way will not be answered, or its answer does not count; its purpose is taken up by the next. */
export function abandonOffer(w: Work): void {
  const { offer } = w.s.media;
  if (offer === null || offer.phase === 'applying') return;
  set(w, { offer: null, dirty: true, wantRestart: w.s.media.wantRestart || offer.iceRestart });
}

/** A line's mid is what the browser gave it; where a new peer connection gave another, nothing is restored there. */
function adoptMids(w: Work, mids: readonly (string | null)[]): void {
  const moved = w.s.lines.some((line, i) => line.mid !== null && mids[i] !== undefined && mids[i] !== line.mid);
  w.s.lines = w.s.lines.map((line, i) => (mids[i] === undefined ? line : { ...line, mid: mids[i] }));
  if (moved) {
    log(w, 'media: the lines have new mids', 'warn');
    resetSlots(w);
  }
}

/** Other ICE credentials are of the same end only when a restart was asked for. */
function isSameEnd(known: AnswerIdentity, found: AnswerIdentity, iceRestart: boolean): boolean {
  const sameDtls = known.session === found.session && known.fingerprint === found.fingerprint;
  return sameDtls && (iceRestart || known.ufrag === found.ufrag);
}

function isIn(mids: ReadonlySet<string>, line: Line): boolean {
  return line.mid !== null && mids.has(line.mid);
}
