/**
 * The order of tiles as it was shown before, brought up to date: who left is taken out, who came is added at the end,
 * nobody else moves. Gives back the same array when nothing changed.
 */
export function stepOrder(before: readonly string[], present: readonly string[]): readonly string[] {
  const isHere = new Set(present);
  const stayed = before.filter((key) => isHere.has(key));
  const wasHere = new Set(stayed);
  const next = [...stayed, ...present.filter((key) => !wasHere.has(key))];
  return sameKeys(before, next) ? before : next;
}

/**
 * Brings somebody who speaks on a later page to the first one, in exchange for the one of the first page who has been
 * silent longest, so that exactly two tiles move. `recent` lists who spoke, newest first. `fixed` tiles never move.
 */
export function promoteSpeakers(
  order: readonly string[],
  perPage: number,
  recent: readonly string[],
  fixed: ReadonlySet<string>,
): readonly string[] {
  if (order.length <= perPage) {
    return order;
  }
  const next = [...order];
  const rank = new Map(recent.map((key, index) => [key, index]));
  const rankOf = (key: string) => rank.get(key) ?? Number.POSITIVE_INFINITY;
  for (const speaker of recent.slice(0, perPage)) {
    const from = next.indexOf(speaker);
    if (from < perPage) {
      continue;
    }
    const to = quietest(next.slice(0, perPage), rankOf, fixed);
    const displaced = to === null ? undefined : next[to];
    if (to === null || displaced === undefined || rankOf(displaced) < rankOf(speaker)) {
      continue;
    }
    next[to] = speaker;
    next[from] = displaced;
  }
  return sameKeys(order, next) ? order : next;
}

/** Position of the tile that has been silent longest; the last one of those that never spoke. */
function quietest(page: readonly string[], rankOf: (key: string) => number, fixed: ReadonlySet<string>): number | null {
  let found: number | null = null;
  let worst = -1;
  page.forEach((key, index) => {
    const rank = rankOf(key);
    if (!fixed.has(key) && rank >= worst) {
      worst = rank;
      found = index;
    }
  });
  return found;
}

function sameKeys(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((key, index) => key === other[index]);
}
