/** Receive slots: which stream is on which receiving line. The client chooses the line, so both ends agree by mid. */
import type { MediaKind, RosterStream } from '@althing/wire';
import { splitKey, streamKey } from '../keys';
import type { StreamKey } from '../types';
import { growReceiveLines, places, POOL } from './lines';
import type { CoreState, ReceiveSlot, Work } from './model';
import { send } from './model';
import { settleSeats, STAGE, withSeats } from './seats';

/** A slot that nobody looks at any more stays bound for a while, so that scrolling back or a changed layout is quick. */
const IDLE_MS_MAX = 10_000;
/** A request that was not answered for so long is made again. Requests wait for an answer to an offer before them. */
const ANSWER_MS_MAX = 5_000;
/** After a refusal the same stream is not asked for again before this. */
const REFUSED_MS = 3_000;
/** A slot of which the server's snapshot knows nothing is asked for again, but not more often than this. */
const REPAIR_MS_MIN = 3_000;

/**
 * With more microphones than the first number only the loudest are received, by the server's choice; with fewer than
 * the second all are again. Up to here every voice is there from its first syllable.
 */
const STAGE_MICROPHONES = { from: 12, below: 9 };

/** Brings the slots in line with what is wanted and what there is. */
export function settleSlots(w: Work): void {
  if (w.s.media.peer === 0) return;
  if ([...w.s.refused.values()].some((until) => w.now >= until)) {
    w.s.refused = new Map([...w.s.refused].filter(([, until]) => w.now < until));
  }
  w.s.hearsStage = hearsStage(w.s);
  settleSeats(w);
  for (const kind of ['audio', 'video'] as const) {
    const desired = desiredKeys(w.s, kind);
    release(w, kind, new Set(desired));
    assign(w, kind, desired);
  }
}

/** `request_stream` was answered. */
export function onRequestAnswered(w: Work, ref: string | null): void {
  update(w, (slot) => {
    if (ref === null || slot.requestId !== ref) return slot;
    return { ...(slot.state === 'requested' ? at(w, slot, 'bound') : slot), confirmed: true };
  });
}

/** An `error` for the request with this id. Gives whether it was one. */
export function onRequestRefused(w: Work, ref: string): boolean {
  const slot = w.s.slots.find((s) => s.requestId === ref);
  if (slot?.key == null) return false;
  w.s.refused = new Map(w.s.refused).set(slot.key, w.now + REFUSED_MS);
  update(w, (s) => (s === slot ? freed(w, s) : s));
  return true;
}

/** The server's snapshot of the slots: what differs from what was asked for is repaired. */
export function onServerSlots(w: Work): void {
  update(w, (slot) => {
    const mid = w.s.lines[slot.line]?.mid ?? null;
    const shown = mid === null ? undefined : w.s.serverSlots[mid];
    if (slot.state === 'free' && shown !== undefined) return disconnected(w, slot);
    if (slot.state !== 'bound' || slot.key === null || w.now < slot.since + REPAIR_MS_MIN) return slot;
    if (isVirtual(slot.key) && (shown === undefined || streamKey(STAGE, shown.seat ?? '') === slot.key)) return slot;
    if (shown !== undefined && streamKey(shown.producer_id, shown.stream_id) === slot.key) return slot;
    return { ...at(w, slot, 'requested'), requestId: null };
  });
}

/** What was asked for may be forgotten at the other end: everything is asked for again, on the same lines. */
export function onSlotsLost(w: Work): void {
  update(w, (slot) => (slot.key === null ? slot : { ...at(w, slot, 'requested'), requestId: null }));
  w.s.tiles = { ...w.s.tiles, sent: new Map() };
  w.s.refused = new Map();
}

/** Nothing is on any slot. */
export function resetSlots(w: Work): void {
  update(w, (slot) => freed(w, slot));
}

/** When `settleSlots` has something to do, as candidates for the earliest. */
export function deadlines(s: CoreState): (number | null)[] {
  const own = s.slots.map((slot) => {
    if (slot.state === 'idle') return slot.since + IDLE_MS_MAX;
    const waits = slot.state === 'requested' && slot.requestId !== null && isUsable(s, slot);
    return waits && canAsk(s) ? slot.since + ANSWER_MS_MAX : null;
  });
  return [...own, ...s.refused.values()];
}

/** The stream as the roster has it. */
export function rosterStream(s: CoreState, key: StreamKey): RosterStream | undefined {
  const { participantId, streamId } = splitKey(key);
  if (!isVirtual(key)) return s.roster[participantId]?.streams[streamId];
  const kind = s.virtualStreams[participantId]?.[streamId];
  // What is on it has the codec and the layers of whoever is chosen.
  if (kind === 'audio') return { type: kind, codec: 'opus', semantic: 'main' };
  return kind === 'video' ? { type: kind, codec: 'vp8', semantic: 'main', layers: [] } : undefined;
}

/** What is to be received, most important first, at most as many as the pool can hold. */
function desiredKeys(s: CoreState, kind: MediaKind): readonly StreamKey[] {
  const keys = (kind === 'audio' ? desiredAudio(s) : desiredVideo(s)).filter((key) => !s.refused.has(key));
  return keys.slice(0, POOL[kind].max);
}

function isVirtual(key: StreamKey): boolean {
  return key.startsWith('@');
}

function hearsStage(s: CoreState): boolean {
  const seats = s.virtualStreams[STAGE] ?? {};
  if (!Object.values(seats).includes('audio')) return false;
  let microphones = 0;
  for (const { streams } of Object.values(s.roster)) {
    for (const stream of Object.values(streams)) {
      if (stream.type === 'audio' && stream.semantic === 'main') microphones += 1;
    }
  }
  return microphones > (s.hearsStage ? STAGE_MICROPHONES.below : STAGE_MICROPHONES.from);
}

/**
 * All sound; in a large meeting shares and the loudest. Where the server does not choose: shares first, then who spoke
 * lately, then who is not muted, then by arrival.
 */
function desiredAudio(s: CoreState): readonly StreamKey[] {
  const ranked: { readonly key: StreamKey; readonly rank: number }[] = [];
  for (const [participantId, entry] of Object.entries(s.roster)) {
    if (participantId === s.credentials?.participantId) continue;
    const spoke = s.recentSpeakers.indexOf(participantId);
    for (const [streamId, stream] of Object.entries(entry.streams)) {
      if (stream.type !== 'audio' || (s.hearsStage && stream.semantic === 'main')) continue;
      const muted = s.members?.[participantId]?.muted.includes(streamId) === true;
      const order = s.members?.[participantId]?.order ?? 0;
      const group = stream.semantic === 'presentation' ? 0 : spoke >= 0 ? 1 : muted ? 3 : 2;
      ranked.push({ key: streamKey(participantId, streamId), rank: group * 1e9 + (group === 1 ? spoke : order) });
    }
  }
  const seats = s.hearsStage ? Object.entries(s.virtualStreams[STAGE] ?? {}) : [];
  const stage = seats.filter(([, kind]) => kind === 'audio').map(([streamId]) => streamKey(STAGE, streamId));
  const single = ranked.sort((a, b) => a.rank - b.rank).map((r) => r.key);
  return [...stage, ...single].slice(0, s.audioStreamsMax);
}

/** What views show. A hidden one (0 × 0) takes no slot from another and gives its own up after a while. */
function desiredVideo(s: CoreState): readonly StreamKey[] {
  const keys: StreamKey[] = [];
  for (const [key, wish] of s.wishes) {
    const hidden = wish.size !== null && (wish.size.width === 0 || wish.size.height === 0);
    if (!hidden && rosterStream(s, key)?.type === 'video') keys.push(key);
  }
  return s.seesStage ? withSeats(s, keys) : keys;
}

/** Frees what is gone, lays aside what nobody looks at, gives up what has been aside for long. */
function release(w: Work, kind: MediaKind, desired: ReadonlySet<StreamKey>): void {
  update(w, (slot) => {
    if (slot.kind !== kind || slot.key === null) return slot;
    // The server frees a slot by itself when its stream ends.
    if (w.s.rosterFresh && rosterStream(w.s, slot.key) === undefined) return freed(w, slot);
    if (desired.has(slot.key)) return slot.state === 'idle' ? at(w, slot, 'bound') : slot;
    if (slot.state === 'requested' && slot.requestId === null) return freed(w, slot);
    if (slot.state !== 'idle' && kind === 'video') return at(w, slot, 'idle');
    if (kind === 'video' && w.now < slot.since + IDLE_MS_MAX) return slot;
    return disconnected(w, slot);
  });
}

function assign(w: Work, kind: MediaKind, desired: readonly StreamKey[]): void {
  const placed = new Set(w.s.slots.map((slot) => slot.key));
  const missing = desired.filter((key) => !placed.has(key));
  const { first, step, max } = POOL[kind];
  const have = w.s.slots.filter((slot) => slot.kind === kind).length;
  const steps = Math.ceil(Math.max(0, desired.length - first) / step);
  for (const line of growReceiveLines(w, kind, Math.max(have, Math.min(max, first + steps * step)))) {
    w.s.slots = [
      ...w.s.slots,
      { line, kind, key: null, state: 'free', requestId: null, confirmed: false, since: w.now },
    ];
  }
  for (const key of missing) {
    const slot = best(w.s, kind, splitKey(key).participantId);
    if (slot === undefined) return;
    if (slot.key !== null) disconnected(w, slot);
    update(w, (s) => (s === slot ? { ...at(w, s, 'requested'), key, requestId: null, confirmed: false } : s));
  }
}

/**
 * A free slot that can be used at once, else any free one, else the one that has been idle longest. Of equal ones the one
 * that is in sync with what else is received of this participant, else one that is in sync with nothing.
 */
function best(s: CoreState, kind: MediaKind, participantId: string): ReceiveSlot | undefined {
  const place = places(s.lines);
  const others = new Map(
    s.slots.filter((o) => o.kind !== kind && o.key !== null).map((o) => [place.get(o.line), o.key]),
  );
  const apart = (slot: ReceiveSlot): number => {
    const other = others.get(place.get(slot.line));
    if (other == null) return 1;
    return splitKey(other).participantId === participantId ? 0 : 2;
  };
  const rank = (slot: ReceiveSlot): number => {
    if (slot.state === 'free') return isUsable(s, slot) ? 0 : 1;
    return slot.state === 'idle' ? 2 : 3;
  };
  return s.slots
    .filter((slot) => slot.kind === kind && rank(slot) < 3)
    .sort((a, b) => rank(a) - rank(b) || apart(a) - apart(b) || a.since - b.since)[0];
}

/** Sends the requests whose line the server knows. Which encoding it is to be, the server chooses by size and quality. */
export function requestPending(w: Work): void {
  if (!canAsk(w.s)) return;
  update(w, (slot) => {
    const line = w.s.lines[slot.line];
    if (slot.key === null || slot.state === 'idle' || line?.mid == null || !isUsable(w.s, slot)) return slot;
    const overdue = slot.state === 'requested' && w.now >= slot.since + ANSWER_MS_MAX;
    if (slot.requestId !== null && !overdue) return slot;
    const { participantId, streamId } = splitKey(slot.key);
    const requestId = send(w, {
      type: 'request_stream',
      producer_id: participantId,
      stream_id: streamId,
      rid: null,
      receive_mid: line.mid,
    });
    return { ...slot, requestId, since: w.now };
  });
}

/** Requests make sense: there is a server, and it has said what there is. */
function canAsk(s: CoreState): boolean {
  return s.socket.phase === 'up' && s.rosterFresh;
}

function isUsable(s: CoreState, slot: ReceiveSlot): boolean {
  return s.lines[slot.line]?.answered === true;
}

function disconnected(w: Work, slot: ReceiveSlot): ReceiveSlot {
  const mid = w.s.lines[slot.line]?.mid ?? null;
  if (mid !== null && w.s.socket.phase === 'up') send(w, { type: 'disconnect_stream', receive_mid: mid });
  return freed(w, slot);
}

function freed(w: Work, slot: ReceiveSlot): ReceiveSlot {
  return { ...at(w, slot, 'free'), key: null, requestId: null, confirmed: false };
}

function at(w: Work, slot: ReceiveSlot, state: ReceiveSlot['state']): ReceiveSlot {
  return { ...slot, state, since: w.now };
}

function update(w: Work, change: (slot: ReceiveSlot) => ReceiveSlot): void {
  const slots = w.s.slots.map(change);
  if (slots.some((slot, i) => slot !== w.s.slots[i])) w.s.slots = slots;
}
