import type { Guest } from '@althing/sdk';

/** A stay in a meeting that a reload of the page continues. Kept for this tab only, and forgotten on leaving. */
export interface Visit {
  readonly guest: Guest;
  readonly name: string;
}

function keyOf(room: string): string {
  return `althing.visit.${room}`;
}

/** The stay that this tab had in a room; null when there was none. */
export function readVisit(room: string): Visit | null {
  try {
    return parseVisit(sessionStorage.getItem(keyOf(room)));
  } catch {
    return null;
  }
}

/** Reads what was stored, whatever it is. */
export function parseVisit(stored: string | null): Visit | null {
  if (stored === null) {
    return null;
  }
  try {
    const value = JSON.parse(stored) as Partial<Visit> | null;
    const guest = value?.guest;
    const isWhole =
      typeof value?.name === 'string' &&
      typeof guest?.api_address === 'string' &&
      typeof guest.meeting_id === 'string' &&
      typeof guest.participant_id === 'string' &&
      typeof guest.participant_secret === 'string';
    return isWhole ? (value as Visit) : null;
  } catch {
    return null;
  }
}

/** Remembers a stay until `forgetVisit`. */
export function keepVisit(room: string, visit: Visit): void {
  try {
    sessionStorage.setItem(keyOf(room), JSON.stringify(visit));
  } catch {
    // Without storage a reload shows the pre-join screen again.
  }
}

/** The stay is over. */
export function forgetVisit(room: string): void {
  try {
    sessionStorage.removeItem(keyOf(room));
  } catch {
    // Nothing was stored.
  }
}
