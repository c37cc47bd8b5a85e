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

/** What is told, after each task. */
function told(): { demand: Demand; words: string[] } {
  const words: string[] = [];
  const demand = new Demand(
    (key, { size, quality }) => words.push([key, size?.width ?? 'best', quality ?? ''].join(' ').trim()),
    (key) => words.push(`${key} over`),
  );
  return { demand, words };
}

const taskOver = (): Promise<void> => Promise.resolve();

it('the last view to go ends it', async () => {
  const { demand, words } = told();
  const one = demand.add('a/1', small);
  await taskOver();
  const two = demand.add('a/1', large);
  one.resize(320, 180);
  await taskOver();
  two.release();
  two.release();
  two.resize(5, 5);
  await taskOver();
  one.resize(100, 100);
  await taskOver();
  one.release();
  await taskOver();
  expect(words).toEqual(['a/1 320', 'a/1 1280', 'a/1 320', 'a/1 100', 'a/1 over']);
});

it('a view that is made anew has never been away', async () => {
  const { demand, words } = told();
  demand.add('b/1', small).release();
  const before = demand.add('a/1', small);
  await taskOver();
  before.release();
  const unsized = { size: { width: 0, height: 0 }, quality: 'high' } as const;
  demand.add('a/1', unsized).resize(320, 180);
  await taskOver();
  expect(words).toEqual(['a/1 320', 'a/1 320 high']);
});
