import { describe, expect, it } from 'vitest';
import { randomOf } from '../session/world';
import type { PoorLink } from '../types';
import type { LinkSample, LinkState } from './link';
import { FRESH_LINK, poorLink, stepLink, typical } from './link';

const INTERVAL_S = 1.5;
const GOOD: LinkSample = {
  sendLossPct: 0,
  sendJitterMs: 4,
  availableSendBps: 3e6,
  sendLimited: false,
  receiveLossPcts: [0, 0, 0],
  receiveJitterMs: [5, 4],
  receiveBps: 2e6,
  pictures: 2,
  frozen: 0,
  receiveLimited: 0,
  rttMs: 40,
};

/** What is said after each sample of a series of (seconds, what differs from good). */
function said(...parts: readonly (readonly [number, Partial<LinkSample> | ((n: number) => Partial<LinkSample>)])[]) {
  let state: LinkState = FRESH_LINK;
  const words: { s: number; said: PoorLink | null }[] = [];
  let s = 0;
  for (const [seconds, change] of parts) {
    for (let n = 0; n < seconds / INTERVAL_S; n += 1) {
      state = stepLink(state, { ...GOOD, ...(typeof change === 'function' ? change(n) : change) });
      s += INTERVAL_S;
      words.push({ s, said: poorLink(state) });
    }
  }
  return words;
}

/** The changes of what is said. */
function changes(words: ReturnType<typeof said>): (PoorLink | null)[] {
  return words.map((w) => w.said).filter((word, i, all) => word !== (all[i - 1] ?? null));
}

describe('a poor link', () => {
  it.each([
    ['uplink', { sendLossPct: 8 }],
    ['uplink', { sendJitterMs: 120 }],
    ['uplink', { sendLimited: true, availableSendBps: 120_000 }],
    ['downlink', { receiveLossPcts: [8, 7, 9, 8] }],
    ['downlink', { receiveJitterMs: [130, 110] }],
    ['downlink', { receiveLimited: 2, receiveBps: 150_000 }],
    ['downlink', { frozen: 2, receiveLossPcts: [3, 4, 3] }],
    ['both', { sendLossPct: 9, receiveLossPcts: [9, 8] }],
    ['both', { rttMs: 1_500 }],
  ] as const)('is told as %s of %j, and taken back when it is good again (S5-3)', (link, change) => {
    const words = said([15, {}], [30, change], [30, {}]);
    expect(changes(words)).toEqual([link, null]);
    const told = words.find((w) => w.said === link)?.s ?? 0;
    expect(told).toBeLessThanOrEqual(15 + 9);
    const over = words.find((w) => w.s > told && w.said === null)?.s ?? 0;
    expect(over - 45).toBeGreaterThanOrEqual(8);
    expect(over - 45).toBeLessThanOrEqual(18);
  });

  it('is not told of what passes', () => {
    expect(changes(said([15, {}], [1.5, { sendLossPct: 40 }], [30, {}]))).toEqual([]);
    expect(changes(said([15, {}], [3, { receiveLossPcts: [9, 9] }], [30, {}]))).toEqual([]);
    expect(changes(said([60, { sendLossPct: 2, receiveLossPcts: [3, 3] }]))).toEqual([]);
    expect(changes(said([60, { rttMs: 350, sendJitterMs: 35 }]))).toEqual([]);
  });

  it('does not flicker between its two bounds', () => {
    const words = said([30, { sendLossPct: 8 }], [120, (n) => ({ sendLossPct: n % 2 === 0 ? 6 : 2 })]);
    expect(changes(words)).toEqual(['uplink']);
  });

  it('is told of 8 % of random loss, and stays told', () => {
    for (let seed = 1; seed <= 50; seed += 1) {
      const random = randomOf(seed);
      // Of 75 packets each: 50 a second for 1.5 s.
      const lossOf = (packets: number): number => {
        const lost = Array.from({ length: packets }, () => random() < 0.08).filter(Boolean).length;
        return (100 * lost) / packets;
      };
      const lossy = (): Partial<LinkSample> => ({ receiveLossPcts: Array.from({ length: 4 }, () => lossOf(75)) });
      const words = said([15, {}], [90, lossy]);
      expect(changes(words), `seed ${seed}`).toEqual(['downlink']);
      expect(words.find((w) => w.said !== null)?.s, `seed ${seed}`).toBeLessThanOrEqual(15 + 18);
    }
  });

  it('is not one sender’s path', () => {
    // The sound of one is torn; of two others nothing is missing.
    expect(changes(said([60, { receiveLossPcts: [20, 0, 0, 0, 0, 0] }]))).toEqual([]);
    // Of the only one the picture is repaired by the server.
    expect(changes(said([60, { receiveLossPcts: [12, 0.5] }]))).toEqual([]);
  });

  it('is not a browser that has just begun, nor one that has nothing to send', () => {
    expect(changes(said([9, { sendLimited: true, availableSendBps: 200_000 }], [30, {}]))).toEqual([]);
    const nothing = {
      sendLossPct: null,
      sendJitterMs: null,
      availableSendBps: null,
      receiveLossPcts: [],
      receiveJitterMs: [],
      receiveBps: 0,
      pictures: 0,
      rttMs: null,
    };
    expect(changes(said([60, nothing]))).toEqual([]);
    expect(changes(said([15, {}], [15, { sendLossPct: 9 }], [30, nothing]))).toEqual(['uplink', null]);
  });

  it('is what most streams have', () => {
    expect(typical([])).toBe(0);
    expect(typical([7])).toBe(7);
    expect(typical([9, 1])).toBe(1);
    expect(typical([1, 9, 8])).toBe(8);
  });
});
