/** One mark for the own connection, from what a person notices: gaps in sound, late answers, coarse pictures. */
import type { Quality } from '../types';

export interface QualityInput {
  readonly rttMs: number | null;
  /** Worst of the received sounds and pictures, 0 to 100. */
  readonly receiveLossPct: number;
  /** As the server reports it, 0 to 100. */
  readonly sendLossPct: number;
  readonly jitterMs: number;
  /** The browser lowers what it sends because of the network. */
  readonly bandwidthLimited: boolean;
}

/** Each row: at or below all of these, the mark holds. Loss that Opus repairs without a trace, delay that is not felt… */
const MARKS: readonly (readonly [mark: Quality, rttMs: number, lossPct: number, jitterMs: number])[] = [
  [4, 200, 2, 30],
  [3, 350, 5, 60],
  [2, 600, 12, 120],
  [1, Number.POSITIVE_INFINITY, 40, Number.POSITIVE_INFINITY],
];

export function qualityOf(input: QualityInput): Quality {
  const loss = Math.max(input.receiveLossPct, input.sendLossPct);
  const found = MARKS.find(
    ([, rtt, lossMax, jitter]) => (input.rttMs ?? 0) <= rtt && loss <= lossMax && input.jitterMs <= jitter,
  );
  const mark = found?.[0] ?? 0;
  return mark === 4 && input.bandwidthLimited ? 3 : mark;
}

/** Follows a fall at once and a rise only when it has lasted, so that the mark does not flicker. */
export function smooth(previous: Quality | null, recent: readonly Quality[]): Quality | null {
  const newest = recent.at(-1);
  if (newest === undefined) return previous;
  if (previous === null || newest <= previous) return newest;
  return recent.slice(-3).length === 3 ? (Math.min(...recent.slice(-3)) as Quality) : previous;
}
