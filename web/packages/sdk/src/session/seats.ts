/**
 * Seats of the stage for pictures. In a crowd a view of the few who matter is not served stream by stream, which would have
 * every client ask for another one whenever somebody else speaks: it asks for the seats once, and the server changes who
 * is on them. A stream that is wanted and happens to be on a seat is taken from there.
 */
import type { Slot as ServerSlot } from '@althing/wire';
import { splitKey, streamKey } from '../keys';
import type { StreamKey } from '../types';
import type { CoreState, ReceiveSlot, SeatHolder, Work } from './model';

/** The server's choice of speakers. */
export const STAGE = '@speakers';

/**
 * With more cameras than the first number seats are used, with fewer than the second no more. Up to a full grid of 49
 * single streams serve better: who was small goes on being seen while the large picture comes, where a seat stands still
 * until the key frame of its new holder.
 */
const CROWD_CAMERAS = { from: 49, below: 40 };

/** Cameras that a view of the stage shows at most: one large, seven small, one pinned. More is a grid of everybody. */
const STAGE_TILES_MAX = 9;

/** A layout is made tile by tile: what it is for so long is what it is. */
const LASTING_MS = 1_000;

/** A view follows who is where with its next layout; until then what comes onto a seat is as large as what was there. */
const LAYOUT_MS = 300;

/** So long the server's word of who is on a seat is waited for before its people are asked for one by one. */
const HOLDER_MS_MAX = 1_000;

/** Decides whether pictures come by seats, and for how long what is on them is waited for. */
export function settleSeats(w: Work): void {
  const { betterSince, awaitedBy, holders } = w.s.seats;
  const since = areBetter(w.s) ? (betterSince ?? w.now) : null;
  w.s.seesStage = since !== null && w.now >= since + LASTING_MS;
  const by = w.s.seesStage && !isKnown(w.s) ? (awaitedBy ?? w.now + HOLDER_MS_MAX) : null;
  const next = by !== null && w.now >= by ? -Infinity : by;
  const isOver = (holder: SeatHolder): boolean => holder.since > -Infinity && w.now >= holder.since + LAYOUT_MS;
  const settled = [...holders.values()].some(isOver);
  if (since === betterSince && next === awaitedBy && !settled) return;
  const after = [...holders].map(([line, holder]): [number, SeatHolder] => [
    line,
    isOver(holder) ? { ...holder, since: -Infinity } : holder,
  ]);
  w.s.seats = { betterSince: since, awaitedBy: next, holders: settled ? new Map(after) : holders };
}

/** Whether a view of few looks at a crowd. */
function areBetter(s: CoreState): boolean {
  if (videoSeats(s).length === 0) return false;
  let cameras = 0;
  for (const { streams } of Object.values(s.roster)) {
    for (const stream of Object.values(streams)) {
      if (stream.type === 'video' && stream.semantic === 'main') cameras += 1;
    }
  }
  if (cameras <= (s.seesStage ? CROWD_CAMERAS.below : CROWD_CAMERAS.from)) return false;
  const seen = [...s.wishes].filter(([key, wish]) => isVisible(wish.size) && isCamera(s, key));
  return seen.length > 0 && seen.length <= STAGE_TILES_MAX;
}

/** What to ask for where pictures come by seats, given what views want to see. */
export function withSeats(s: CoreState, wanted: readonly StreamKey[]): readonly StreamKey[] {
  const carried = carriedStreams(s);
  const own = new Set(s.slots.map((slot) => slot.key));
  // Who has just lost a seat is about to be shown no more.
  const left = new Set([...s.seats.holders.values()].map(({ former, since }) => (since > -Infinity ? former : null)));
  const mayCome = s.seats.awaitedBy !== null && s.seats.awaitedBy > -Infinity;
  const stage = new Set(s.stage);
  const single = wanted.filter((key) => {
    const seat = carried.get(key);
    // What is seen already goes on until the seat's first picture.
    if (seat !== undefined) return own.has(key) && !flows(s, seat);
    return own.has(key) || !(left.has(key) || (mayCome && isCamera(s, key) && stage.has(splitKey(key).participantId)));
  });
  return [...videoSeats(s), ...single];
}

/** Streams that are on seats now, as the server says. */
export function carriedStreams(s: CoreState): ReadonlyMap<StreamKey, ReceiveSlot> {
  const carried = new Map<StreamKey, ReceiveSlot>();
  for (const slot of seatSlots(s)) {
    const holder = holderOf(s, slot);
    if (holder !== null && slot.confirmed) carried.set(holder, slot);
  }
  return carried;
}

/** The slot on which a stream arrives, its own or a seat. */
export function slotOf(s: CoreState, key: StreamKey): ReceiveSlot | undefined {
  const own = s.slots.find((slot) => slot.key === key && slot.confirmed);
  if (own !== undefined && own.state !== 'idle') return own;
  return carriedStreams(s).get(key) ?? own;
}

/** The stream that a slot shows: what was asked for, or who is on the seat that was. */
export function shownOn(s: CoreState, slot: ReceiveSlot): StreamKey | null {
  return slot.key !== null && isSeat(slot.key) ? (holderOf(s, slot) ?? slot.key) : slot.key;
}

/** The server has said who is where. */
export function noteHolders(w: Work): void {
  const before = w.s.seats.holders;
  const after = new Map<number, SeatHolder>();
  for (const slot of seatSlots(w.s)) {
    const key = holderOf(w.s, slot);
    if (key === null) continue;
    const former = before.get(slot.line);
    const next = { key, former: former?.key ?? null, since: former === undefined ? -Infinity : w.now };
    after.set(slot.line, former?.key === key ? former : next);
  }
  if (after.size > 0 || before.size > 0) w.s.seats = { ...w.s.seats, holders: after };
}

/** Whose wish counts for a slot; null: nobody's. `undefined`: let it be as it is for a moment. */
export function wishedOn(s: CoreState, slot: ReceiveSlot): StreamKey | null | undefined {
  if (slot.key === null || !isSeat(slot.key)) return slot.key;
  const holder = s.seats.holders.get(slot.line);
  if (holder === undefined) return null;
  return holder.since > -Infinity ? undefined : holder.key;
}

/** When `settleSeats` has something to do, as candidates for the earliest. */
export function deadlines({ seats, seesStage }: CoreState): (number | null)[] {
  const begin = seats.betterSince === null || seesStage ? null : seats.betterSince + LASTING_MS;
  const layouts = [...seats.holders.values()].map(({ since }) => (since > -Infinity ? since + LAYOUT_MS : null));
  return [begin, seats.awaitedBy === -Infinity ? null : seats.awaitedBy, ...layouts];
}

export function isSeat(key: StreamKey): boolean {
  return key.startsWith(`${STAGE}/`);
}

function videoSeats(s: CoreState): readonly StreamKey[] {
  const seats = Object.entries(s.virtualStreams[STAGE] ?? {}).filter(([, kind]) => kind === 'video');
  return seats.map(([streamId]) => streamKey(STAGE, streamId)).sort();
}

function seatSlots(s: CoreState): readonly ReceiveSlot[] {
  return s.slots.filter((slot) => slot.kind === 'video' && slot.key !== null && isSeat(slot.key));
}

/** Every seat is asked for, and the server has said who is there. */
function isKnown(s: CoreState): boolean {
  const slots = seatSlots(s);
  return slots.length >= videoSeats(s).length && slots.every((slot) => holderOf(s, slot) !== null);
}

function flows(s: CoreState, slot: ReceiveSlot): boolean {
  const mid = s.lines[slot.line]?.mid ?? null;
  return mid !== null && s.serverSlots[mid]?.active === true;
}

function holderOf(s: CoreState, slot: ReceiveSlot): StreamKey | null {
  const mid = s.lines[slot.line]?.mid ?? null;
  const shown: ServerSlot | undefined = mid === null ? undefined : s.serverSlots[mid];
  if (shown?.seat === undefined || slot.key !== streamKey(STAGE, shown.seat)) return null;
  return streamKey(shown.producer_id, shown.stream_id);
}

function isCamera(s: CoreState, key: StreamKey): boolean {
  const { participantId, streamId } = splitKey(key);
  const stream = s.roster[participantId]?.streams[streamId];
  return stream?.type === 'video' && stream.semantic === 'main';
}

function isVisible(size: { readonly width: number; readonly height: number } | null): boolean {
  return size === null || (size.width > 0 && size.height > 0);
}
