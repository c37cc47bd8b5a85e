/** First wait of a series, in milliseconds: a restarted server on the same machine is back in about a second. */
const FIRST_MS = 500;
/** Longest wait: a laptop that was closed for an hour is back within this. */
const LONGEST_MS = 10_000;

/**
 * Wait before attempt number `attempt` (0: the first), in milliseconds: doubles up to a limit, and half of it is random,
 * so that a thousand clients of a restarted server do not come at the same moment.
 */
export function backoffMs(attempt: number, random: number): number {
  const full = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt, 20));
  return Math.round(full / 2 + (full / 2) * random);
}
