/** How large each slot is shown, and what the user chose for it, told to the server in batches. */
import type { TileSize } from '@althing/wire';
import type { StreamKey } from '../types';
import type { CoreState, ReceiveSlot, Wish, Work } from './model';
import { send } from './model';
import { isSeat, wishedOn } from './seats';
import { rosterStream } from './slots';

/** A resized window changes every tile at every frame; the server needs to know ten times a second at most. */
const FLUSH_MS_MIN = 100;
/** What a view that never said its size gets: the best layer. */
const UNSIZED = { width: 3840, height: 2160 };
const HIDDEN = { width: 0, height: 0 };
/** Beyond this no layer is any better, and sizes are 16-bit numbers on the wire. */
const SIDE_MAX = 8192;

interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * Sends what has changed, at once or when the last batch is old enough. The server keeps a slot's size whatever comes
 * onto it, so a size is told before the request: the first picture is of the right layer.
 */
export function settleTiles(w: Work): void {
  if (w.s.socket.phase !== 'up' || !w.s.rosterFresh) return;
  const changed = changes(w.s);
  const { flushedAt, flushAt, sent } = w.s.tiles;
  if (changed.length === 0) {
    if (flushAt !== null) w.s.tiles = { ...w.s.tiles, flushAt: null };
    return;
  }
  if (!changed.some((change) => change.urgent) && w.now < flushedAt + FLUSH_MS_MIN) {
    if (flushAt === null) w.s.tiles = { ...w.s.tiles, flushAt: flushedAt + FLUSH_MS_MIN };
    return;
  }
  const tiles = changed.map((change) => change.tile);
  send(w, { type: 'tile_sizes', tiles });
  const now = new Map(sent);
  for (const tile of tiles) now.set(tile.receive_mid, text(tile));
  w.s.tiles = { sent: now, flushAt: null, flushedAt: w.now };
}

/** When `settleTiles` has something to do. */
export function deadline(s: CoreState): number | null {
  return s.socket.phase === 'up' && s.rosterFresh ? s.tiles.flushAt : null;
}

/** A wish of a view, its size in physical pixels made whole, not negative, within 16 bits. */
export function clampWish(wish: Wish): Wish {
  const side = (n: number): number => (Number.isFinite(n) ? Math.min(SIDE_MAX, Math.max(0, Math.round(n))) : 0);
  return wish.size === null
    ? wish
    : { ...wish, size: { width: side(wish.size.width), height: side(wish.size.height) } };
}

interface Change {
  readonly tile: TileSize;
  /** Its stream is about to be asked for. */
  readonly urgent: boolean;
}

function changes(s: CoreState): Change[] {
  const found: Change[] = [];
  for (const slot of s.slots) {
    const line = s.lines[slot.line];
    if (slot.kind !== 'video' || slot.key === null || line?.answered !== true || line.mid === null) continue;
    const key = wishedOn(s, slot);
    const isTold = s.tiles.sent.has(line.mid);
    if (key === undefined && isTold) continue;
    const wish = key == null ? undefined : s.wishes.get(key);
    const tile: TileSize = { receive_mid: line.mid, ...size(s, slot, key ?? null, wish) };
    if (wish !== undefined && wish.quality !== null) tile.quality = wish.quality;
    if (s.tiles.sent.get(line.mid) !== text(tile)) found.push({ tile, urgent: slot.requestId === null });
  }
  return found;
}

function size(s: CoreState, slot: ReceiveSlot, key: StreamKey | null, wish: Wish | undefined): Size {
  if (key === null || slot.state === 'idle' || (wish === undefined && isSeat(slot.key ?? ''))) return HIDDEN;
  const shown = wish?.size ?? UNSIZED;
  const stream = rosterStream(s, key);
  // A screen of few lines could not be read.
  if (s.receiveHeightMax === null || stream?.type !== 'video' || stream.semantic === 'presentation') return shown;
  return limited(shown, s.receiveHeightMax, stream.layers);
}

/** Encoders round: 270 lines of 1080 are a quarter that may have 272. */
const ROUNDING = 1.05;

/**
 * The size to ask for, if nothing with more lines is wanted. The server gives the smallest picture with at least half of
 * the pixels that are asked for, so where the sizes that there are are known, one of them is asked for: the largest that
 * is allowed, or the smallest of all.
 */
export function limited(shown: Size, heightMax: number, layers: readonly Size[]): Size {
  const area = (one: Size): number => one.width * one.height;
  const known = layers.filter((layer) => area(layer) > 0).sort((a, b) => area(a) - area(b));
  const allowed = known.findLast((layer) => Math.min(layer.width, layer.height) <= heightMax * ROUNDING) ?? known[0];
  const most = Math.min((heightMax * heightMax * 16) / 9, allowed === undefined ? Infinity : area(allowed));
  if (area(shown) <= most) return shown;
  const scale = Math.sqrt(most / area(shown));
  return { width: Math.floor(shown.width * scale), height: Math.floor(shown.height * scale) };
}

function text(tile: TileSize): string {
  return `${tile.width}x${tile.height} ${tile.quality ?? ''}`;
}
