import { describe, expect, it } from 'vitest';
import { promoteSpeakers, stepOrder } from './order';
import { between, randomNumbers } from './testing';

const NOBODY = new Set<string>();

describe('the order of tiles', () => {
  it('adds who comes at the end and moves nobody', () => {
    expect(stepOrder(['a', 'b'], ['c', 'a', 'b'])).toEqual(['a', 'b', 'c']);
  });

  it('takes out who left', () => {
    expect(stepOrder(['a', 'b', 'c'], ['a', 'c'])).toEqual(['a', 'c']);
  });

  it('is the same object when nobody came or left', () => {
    const before = ['a', 'b'];
    expect(stepOrder(before, ['b', 'a'])).toBe(before);
  });
});

describe('speakers on later pages', () => {
  it('take the place of who was silent longest, and nobody else moves', () => {
    expect(promoteSpeakers(['a', 'b', 'c', 'd', 'e'], 3, ['e', 'c', 'a'], NOBODY)).toEqual(['a', 'e', 'c', 'd', 'b']);
  });

  it('never take the place of a fixed tile', () => {
    expect(promoteSpeakers(['me', 'b', 'c'], 2, ['c'], new Set(['me']))).toEqual(['me', 'c', 'b']);
    expect(promoteSpeakers(['me', 'c'], 1, ['c'], new Set(['me']))).toEqual(['me', 'c']);
  });

  it('stay where they are on the first page', () => {
    const order = ['a', 'b', 'c'];
    expect(promoteSpeakers(order, 2, ['b', 'a'], NOBODY)).toBe(order);
  });

  it('are on the first page afterwards, and a second time changes nothing, over many meetings', () => {
    for (let seed = 0; seed < 500; seed += 1) {
      const random = randomNumbers(seed);
      const order = Array.from({ length: between(random, 1, 60) }, (_, index) => `p${index}`);
      const perPage = between(random, 1, 20);
      const recent = order.filter(() => random() < 0.2).slice(0, 16);
      const next = promoteSpeakers(order, perPage, recent, NOBODY);
      expect([...next].sort()).toEqual([...order].sort());
      for (const speaker of recent.slice(0, perPage)) {
        expect(next.indexOf(speaker), `seed ${seed}`).toBeLessThan(perPage);
      }
      expect(promoteSpeakers(next, perPage, recent, NOBODY)).toBe(next);
    }
  });
});
