import { describe, expect, it } from 'vitest';
import { EMPTY_FLOOR, FLOOR_HOLD_MS, stepFloor } from './floor';

const HERE = new Set(['ana', 'bo', 'cy']);
const speaks = (id: string) => [{ participantId: id, level: 50 }];
const anaHolds = stepFloor(EMPTY_FLOOR, speaks('ana'), HERE, 0);

describe('the floor', () => {
  it('goes to the first who speaks at once', () => {
    expect(anaHolds.holderId).toBe('ana');
  });

  it('is not lost to a cough (S3-36)', () => {
    const cough = stepFloor(anaHolds, speaks('bo'), HERE, 1_000);
    const after = stepFloor(cough, [], HERE, 1_000 + FLOOR_HOLD_MS - 1);
    const late = stepFloor(after, [], HERE, 5_000);
    expect([cough.holderId, after.holderId, late.holderId]).toEqual(['ana', 'ana', 'ana']);
  });

  it('goes to somebody who keeps speaking, when the time that it asked to be woken at has come', () => {
    const begins = stepFloor(anaHolds, speaks('bo'), HERE, 1_000);
    expect(begins.wakeAtMs).toBe(1_000 + FLOOR_HOLD_MS);
    expect(stepFloor(begins, speaks('bo'), HERE, begins.wakeAtMs ?? 0).holderId).toBe('bo');
  });

  it('begins to wait anew for another challenger', () => {
    const bo = stepFloor(anaHolds, speaks('bo'), HERE, 1_000);
    const cy = stepFloor(bo, speaks('cy'), HERE, 1_500);
    expect(cy.challenger).toEqual({ id: 'cy', sinceMs: 1_500 });
    expect(stepFloor(cy, speaks('cy'), HERE, 1_000 + FLOOR_HOLD_MS).holderId).toBe('ana');
  });

  it('stays with the previous speaker while one speaks oneself (S3-35)', () => {
    expect(stepFloor(anaHolds, speaks('me'), HERE, 9_000).holderId).toBe('ana');
  });

  it('is free when its holder leaves', () => {
    expect(stepFloor(anaHolds, [], new Set(['bo']), 9_000).holderId).toBeNull();
    expect(stepFloor(anaHolds, speaks('bo'), new Set(['bo']), 9_000).holderId).toBe('bo');
  });

  it('is the same object when nothing changed', () => {
    expect(stepFloor(anaHolds, speaks('ana'), HERE, 100)).toBe(anaHolds);
  });
});
