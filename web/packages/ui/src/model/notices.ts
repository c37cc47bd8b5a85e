/** Short messages in the corner, each for a few seconds, read out politely. */

/** A message to show. */
export interface Notice {
  readonly id: number;
  readonly text: string;
  readonly tone: 'info' | 'warn';
  /** When it goes away by itself, on the caller's clock. */
  readonly untilMs: number;
}

/** The messages shown now, oldest first. */
export interface Notices {
  readonly nextId: number;
  readonly list: readonly Notice[];
}

/** No messages. */
export const NO_NOTICES: Notices = { nextId: 1, list: [] };

/** How long a message stays: long enough to read two short lines. */
export const NOTICE_MS = 5_000;

/** More than this at once is a wall; the oldest go. */
const NOTICES_MAX = 3;

/** Adds a message. The same text again only lives longer. */
export function addNotice(notices: Notices, text: string, tone: Notice['tone'], nowMs: number): Notices {
  const untilMs = nowMs + NOTICE_MS;
  const same = notices.list.find((notice) => notice.text === text);
  if (same !== undefined) {
    return { ...notices, list: notices.list.map((notice) => (notice === same ? { ...notice, untilMs } : notice)) };
  }
  const list = [...notices.list, { id: notices.nextId, text, tone, untilMs }].slice(-NOTICES_MAX);
  return { nextId: notices.nextId + 1, list };
}

/** Takes out messages whose time is over. Gives back the same object when there are none. */
export function expireNotices(notices: Notices, nowMs: number): Notices {
  const list = notices.list.filter((notice) => notice.untilMs > nowMs);
  return list.length === notices.list.length ? notices : { ...notices, list };
}

/** "Ana joined", "Ana and Bo joined", "Ana, Bo and 3 others joined". */
export function peopleSentence(names: readonly string[], verb: string): string {
  const [first, second, third] = names;
  if (first === undefined) {
    return '';
  }
  if (second === undefined) {
    return `${first} ${verb}`;
  }
  if (third === undefined) {
    return `${first} and ${second} ${verb}`;
  }
  return `${first}, ${second} and ${names.length - 2} ${names.length === 3 ? 'other' : 'others'} ${verb}`;
}
