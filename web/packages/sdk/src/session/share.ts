/**
 * `next`, with every part that equals its counterpart in `previous` replaced by that: what has not changed stays the
 * same object. For plain data; instances of classes are compared by identity.
 */
export function share<T>(previous: unknown, next: T): T {
  if (Object.is(previous, next)) return next;
  if (Array.isArray(next)) return shareArray(previous, next as readonly unknown[]) as T;
  if (isPlain(next)) return shareObject(previous, next) as T;
  return next;
}

function shareArray(previous: unknown, next: readonly unknown[]): readonly unknown[] {
  if (!Array.isArray(previous)) return next;
  const before = previous as readonly unknown[];
  const items = next.map((item, i) => share(before[i], item));
  return items.length === before.length && items.every((item, i) => Object.is(item, before[i])) ? before : items;
}

function shareObject(previous: unknown, next: Record<string, unknown>): Record<string, unknown> {
  if (!isPlain(previous)) return next;
  const keys = Object.keys(next);
  const result: Record<string, unknown> = {};
  let same = keys.length === Object.keys(previous).length;
  for (const key of keys) {
    result[key] = share(previous[key], next[key]);
    same &&= key in previous && Object.is(result[key], previous[key]);
  }
  return same ? previous : result;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
