import type { ActiveSpeaker } from '@althing/sdk';

/** Who has the large tile, with what is needed to decide when that changes. */
export interface Floor {
  /** The person in the large tile; null before anybody spoke. */
  readonly holderId: string | null;
  /** Somebody else who speaks now, and since when (milliseconds on the caller's clock). */
  readonly challenger: { readonly id: string; readonly sinceMs: number } | null;
  /** When to call `stepFloor` again even if nothing happens. */
  readonly wakeAtMs: number | null;
}

/** Nobody has spoken yet. */
export const EMPTY_FLOOR: Floor = { holderId: null, challenger: null, wakeAtMs: null };

/** Somebody must be the loudest for so long before the large tile changes: a cough is shorter (S3-36). */
export const FLOOR_HOLD_MS = 600;

/**
 * Moves the large tile to whoever speaks, not to whoever coughs. The own person never gets it (S3-35): while one
 * speaks oneself, the previous speaker stays. Gives back the same object when nothing changed.
 */
export function stepFloor(
  floor: Floor,
  speakers: readonly ActiveSpeaker[],
  presentIds: ReadonlySet<string>,
  nowMs: number,
): Floor {
  const loudest = speakers.find((speaker) => presentIds.has(speaker.participantId))?.participantId ?? null;
  const holderId = floor.holderId !== null && presentIds.has(floor.holderId) ? floor.holderId : null;
  if (loudest === null || loudest === holderId) {
    return same(floor, { holderId, challenger: null, wakeAtMs: null });
  }
  if (holderId === null) {
    return { holderId: loudest, challenger: null, wakeAtMs: null };
  }
  const challenger = floor.challenger?.id === loudest ? floor.challenger : { id: loudest, sinceMs: nowMs };
  if (nowMs - challenger.sinceMs >= FLOOR_HOLD_MS) {
    return { holderId: loudest, challenger: null, wakeAtMs: null };
  }
  return same(floor, { holderId, challenger, wakeAtMs: challenger.sinceMs + FLOOR_HOLD_MS });
}

function same(before: Floor, after: Floor): Floor {
  const isSame =
    before.holderId === after.holderId &&
    before.wakeAtMs === after.wakeAtMs &&
    before.challenger?.id === after.challenger?.id &&
    before.challenger?.sinceMs === after.challenger?.sinceMs;
  return isSame ? before : after;
}
