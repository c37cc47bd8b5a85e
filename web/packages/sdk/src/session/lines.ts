/** Which m-lines there are, and what is on the sending ones. */
import type { MediaKind } from '@althing/wire';
import { MEDIA_LINES_MAX, PUBLISHED_STREAMS_MAX } from '@althing/wire';
import type { Line, LocalDesc, Work } from './model';
import { send } from './model';

/**
 * Receive lines of each kind: at first, by how many more when they do not suffice, and at most. Growing costs one
 * offer, an unused line some kilobytes of it. 28 sounds cover the 25 that are heard at most; 64 pictures a full grid of
 * 49, every share, and some that are on their way out.
 */
export const POOL: Readonly<
  Record<MediaKind, { readonly first: number; readonly step: number; readonly max: number }>
> = {
  audio: { first: 4, step: 4, max: 28 },
  video: { first: 8, step: 8, max: 64 },
};

/**
 * The place of each receive line among those of its kind. A sound and a picture of one place are in sync, so that is
 * where those of one person belong.
 */
export function places(lines: readonly Line[]): ReadonlyMap<number, number> {
  const count = { audio: 0, video: 0 };
  const receiving = lines.flatMap((line, index) => (line.use === 'receive' ? [[index, line.kind] as const] : []));
  return new Map(receiving.map(([index, kind]) => [index, count[kind]++]));
}

/** Sending and receiving lines together stay below what the server takes. */
const SEND_LINES_MAX = MEDIA_LINES_MAX - POOL.audio.max - POOL.video.max;

/**
 * Gives each own stream a line when it is sent for the first time. Camera and microphone keep theirs while they are off,
 * so that on and off cost no offer; the line of a share that ended is inactive until the next share.
 */
export function settleSendLines(w: Work): void {
  const present = new Map(w.s.local.map((desc) => [desc.id, desc]));
  const lines: Line[] = w.s.lines.map((line) =>
    line.localId !== null && !present.has(line.localId) ? { ...line, localId: null } : line,
  );
  for (const desc of w.s.local) {
    if (desc.sending && !lines.some((line) => line.localId === desc.id)) place(lines, desc);
  }
  if (lines.length !== w.s.lines.length || lines.some((line, i) => line !== w.s.lines[i])) {
    w.s.lines = lines;
    w.s.media = { ...w.s.media, dirty: true };
  }
}

/** Adds receive lines until there are `count` of this kind. Gives the indices of the new ones. */
export function growReceiveLines(w: Work, kind: MediaKind, count: number): readonly number[] {
  const have = w.s.lines.filter((line) => line.use === 'receive' && line.kind === kind).length;
  const added = Array.from({ length: Math.max(0, count - have) }, (_, i) => w.s.lines.length + i);
  if (added.length > 0) {
    const line: Line = { use: 'receive', kind, source: null, localId: null, mid: null, answered: false };
    w.s.lines = [...w.s.lines, ...added.map(() => line)];
    w.s.media = { ...w.s.media, dirty: true };
  }
  return added;
}

/** Tells the server which own lines are muted, where that differs from what it was told. A new line is not muted. */
export function settleMutes(w: Work): void {
  if (w.s.socket.phase !== 'up') return;
  for (const line of w.s.lines) {
    if (line.use !== 'send' || line.mid === null || !line.answered || line.localId === null) continue;
    const desc = w.s.local.find((d) => d.id === line.localId);
    const muted = desc?.sending !== true;
    if (w.s.mutedSent.get(line.mid) === muted) continue;
    send(w, { type: 'mute_stream', mid: line.mid, muted });
    w.s.mutedSent = new Map(w.s.mutedSent).set(line.mid, muted);
  }
}

function place(lines: Line[], desc: LocalDesc): void {
  const free = lines.findIndex((line) => line.use === 'send' && line.localId === null && line.source === desc.source);
  const line = lines[free];
  if (line !== undefined) {
    lines[free] = { ...line, localId: desc.id };
    return;
  }
  const sending = lines.filter((l) => l.use === 'send').length;
  if (sending >= Math.min(SEND_LINES_MAX, PUBLISHED_STREAMS_MAX)) return;
  lines.push({ use: 'send', kind: desc.kind, source: desc.source, localId: desc.id, mid: null, answered: false });
}
