import { describe, expect, it } from 'vitest';
import type { Talk } from './level';
import { decibels, hear, meterLevel, SILENT } from './level';

/** Hears each level for so many milliseconds, twenty times a second. */
function listen(...parts: readonly (readonly [db: number, ms: number])[]): { talk: Talk; everTalked: boolean } {
  let talk = SILENT;
  let everTalked = false;
  let now = 0;
  for (const [db, ms] of parts) {
    for (const end = now + ms; now < end; now += 50) {
      talk = hear(talk, db, now);
      everTalked ||= talk.talking;
    }
  }
  return { talk, everTalked };
}

describe('talking', () => {
  it('is speech for a while', () => {
    expect(listen([-60, 1_000], [-25, 300]).everTalked).toBe(false);
    expect(listen([-60, 1_000], [-25, 600]).talk.talking).toBe(true);
  });

  it('goes on through pauses, and ends', () => {
    expect(listen([-25, 1_000], [-60, 2_000]).talk.talking).toBe(true);
    expect(listen([-25, 1_000], [-60, 2_800]).talk.talking).toBe(false);
  });

  it('is not a cough, a steady fan, or nothing at all', () => {
    expect(listen([-60, 1_000], [-20, 200], [-60, 2_000]).everTalked).toBe(false);
    expect(listen([-45, 20_000]).everTalked).toBe(false);
    expect(listen([Number.NEGATIVE_INFINITY, 5_000]).everTalked).toBe(false);
  });

  it('stands out of a loud room', () => {
    const room = [-38, 15_000] as const;
    expect(listen(room).talk.talking).toBe(false);
    expect(listen(room, [-20, 600]).talk.talking).toBe(true);
  });
});

describe('level', () => {
  it('is measured as root mean square', () => {
    expect(decibels(new Float32Array([1, -1, 1, -1]))).toBeCloseTo(0);
    expect(decibels(new Float32Array([0.1, -0.1]))).toBeCloseTo(-20);
    expect(decibels(new Float32Array(4))).toBe(Number.NEGATIVE_INFINITY);
    expect(decibels(new Float32Array())).toBe(Number.NEGATIVE_INFINITY);
  });

  it('is shown between nothing and full', () => {
    expect([-200, Number.NEGATIVE_INFINITY, -60, -30, 0, 6].map(meterLevel)).toEqual([0, 0, 0, 0.5, 1, 1]);
  });
});
