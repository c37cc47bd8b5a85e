import { expect, it } from 'vitest';
import { combine, Demand } from './demand';

const small = { size: { width: 320, height: 180 }, quality: null };
const large = { size: { width: 1280, height: 720 }, quality: null };
const hidden = { size: { width: 0, height: 0 }, quality: 'high' } as const;

it('the largest view decides, one without a size outdoes it', () => {
  expect(combine([small, large, hidden])).toEqual(large);
  expect(combine([small, { size: null, quality: null }, large]).size).toBeNull();
  expect(combine([]).size).toEqual({ width: 0, height: 0 });
});

it('a choice counts only where it is seen, and the best one wins', () => {
  expect(combine([small, hidden]).quality).toBeNull();
  expect(
    combine([
      { ...small, quality: 'low' },
      { ...large, quality: 'medium' },
    ]).quality,
  ).toBe('medium');
});

it('the last view to go ends it', () => {
  const told: string[] = [];
  const demand = new Demand(
    (key, wish) => told.push(`${key} ${wish.size?.width ?? 'best'}`),
    (key) => told.push(`${key} over`),
  );
  const one = demand.add('a/1', small);
  const two = demand.add('a/1', large);
  one.resize(320, 180);
  two.release();
  two.release();
  two.resize(5, 5);
  one.resize(100, 100);
  one.release();
  expect(told).toEqual(['a/1 320', 'a/1 1280', 'a/1 320', 'a/1 100', 'a/1 over']);
});
