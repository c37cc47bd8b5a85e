import type { ChatEntry } from '@althing/sdk';
import { avatarColour, displayName } from './person';

/** Messages of one person that follow each other closely: one heading for all. */
export interface ChatGroup {
  readonly key: string;
  readonly from: string;
  readonly name: string;
  readonly colour: number;
  readonly own: boolean;
  readonly atMs: number;
  readonly entries: readonly ChatEntry[];
}

/** Messages within this time of the one before share a heading. */
const GROUP_WITHIN_MS = 120_000;

/** Puts the messages of one person that follow each other under one heading. */
export function chatGroups(entries: readonly ChatEntry[]): ChatGroup[] {
  const groups: (ChatGroup & { entries: ChatEntry[] })[] = [];
  for (const entry of entries) {
    const last = groups.at(-1);
    const before = last?.entries.at(-1);
    if (
      last !== undefined &&
      before !== undefined &&
      last.from === entry.from &&
      entry.atMs - before.atMs < GROUP_WITHIN_MS
    ) {
      last.entries.push(entry);
      continue;
    }
    groups.push({
      key: entry.key,
      from: entry.from,
      name: entry.own ? 'You' : displayName(entry.name ?? undefined),
      colour: avatarColour(entry.from),
      own: entry.own,
      atMs: entry.atMs,
      entries: [entry],
    });
  }
  return groups;
}

/** How many messages of others came since the panel was last seen with `seenKeys` messages in it. */
export function unreadCount(entries: readonly ChatEntry[], seenKey: string | null): number {
  const seen = seenKey === null ? -1 : entries.findIndex((entry) => entry.key === seenKey);
  return entries.slice(seen + 1).filter((entry) => !entry.own).length;
}

/** For a badge: nothing, the number, or `9+`. */
export function badgeText(count: number): string {
  return count <= 0 ? '' : count > 9 ? '9+' : `${count}`;
}
