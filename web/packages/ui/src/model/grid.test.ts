import { describe, expect, it } from 'vitest';
import { type GridRules, layoutGrid, layoutPages, shapeOf } from './grid';
import type { Rect } from './rect';
import { between, randomNumbers } from './testing';

const RULES: GridRules = {
  gap: 10,
  aspect: { min: 4 / 3, max: 16 / 9 },
  tileMin: { width: 160, height: 90 },
  tilesMax: 49,
  pagerHeight: 48,
};

function inside(tile: Rect, area: Rect): boolean {
  return (
    tile.x >= area.x &&
    tile.y >= area.y &&
    tile.x + tile.width <= area.x + area.width &&
    tile.y + tile.height <= area.y + area.height
  );
}

function overlap(one: Rect, other: Rect): boolean {
  return (
    one.x < other.x + other.width &&
    other.x < one.x + one.width &&
    one.y < other.y + other.height &&
    other.y < one.y + one.height
  );
}

/** A count, an area and rules as they occur, and some that hardly do. */
function randomCase(seed: number) {
  const random = randomNumbers(seed);
  const area = {
    x: between(random, 0, 40),
    y: between(random, 0, 40),
    width: between(random, 120, 3840),
    height: between(random, 120, 2160),
  };
  const min = 0.5 + random();
  const rules: GridRules = {
    ...RULES,
    gap: between(random, 0, 16),
    aspect: { min, max: min + random() },
    tileMin: { width: between(random, 40, 240), height: between(random, 40, 160) },
  };
  return { count: between(random, 1, 49), area, rules, random };
}

const SEEDS = Array.from({ length: 500 }, (_, seed) => seed);

describe('a grid, over many sizes', () => {
  it('puts no tile outside of the area or over another', () => {
    for (const seed of SEEDS) {
      const { count, area, rules } = randomCase(seed);
      const { tiles } = layoutGrid(count, area, rules);
      expect(tiles).toHaveLength(count);
      tiles.forEach((tile, index) => {
        expect(inside(tile, area), `seed ${seed}, tile ${index}`).toBe(true);
        expect(
          tiles.slice(index + 1).some((other) => overlap(tile, other)),
          `seed ${seed}, tile ${index}`,
        ).toBe(false);
      });
    }
  });

  it('makes tiles as large as any number of columns could', () => {
    for (const seed of SEEDS) {
      const { count, area, rules } = randomCase(seed);
      const { tile } = layoutGrid(count, area, rules);
      const best = Math.max(
        ...Array.from({ length: count }, (_, index) => {
          const other = shapeOf(index + 1, count, area, rules).tile;
          return other.width * other.height;
        }),
      );
      expect(tile.width * tile.height, `seed ${seed}`).toBeGreaterThanOrEqual(best - 1);
    }
  });

  it('keeps to the shapes that are allowed', () => {
    for (const seed of SEEDS) {
      const { count, area, rules } = randomCase(seed);
      const { tile } = layoutGrid(count, area, rules);
      if (tile.width > 0) {
        expect(tile.width / tile.height).toBeGreaterThanOrEqual(rules.aspect.min - 1e-6);
        expect(tile.width / tile.height).toBeLessThanOrEqual(rules.aspect.max + 1e-6);
      }
    }
  });

  it('centres the last row', () => {
    for (const seed of SEEDS) {
      const { count, area, rules } = randomCase(seed);
      const { tiles, columns } = layoutGrid(count, area, rules);
      const last = tiles.slice(Math.floor((count - 1) / columns) * columns);
      const first = last[0];
      const end = last.at(-1);
      if (first !== undefined && end !== undefined) {
        const left = first.x - area.x;
        const right = area.x + area.width - end.x - end.width;
        expect(Math.abs(left - right), `seed ${seed}`).toBeLessThanOrEqual(2);
      }
    }
  });

  it('has everybody on exactly one page, and tiles no smaller than the smallest', () => {
    for (const seed of SEEDS) {
      const { area, rules, random } = randomCase(seed);
      const count = between(random, 1, 120);
      const { pages, perPage } = layoutPages(count, area, rules, 0);
      const shown = Array.from({ length: pages }, (_, page) => layoutPages(count, area, rules, page).tiles.length);
      expect(
        shown.reduce((sum, one) => sum + one, 0),
        `seed ${seed}`,
      ).toBe(count);
      expect(perPage).toBeLessThanOrEqual(rules.tilesMax);
      const { tile } = layoutPages(count, area, rules, 0);
      if (pages > 1 && perPage > 1) {
        expect(tile.width, `seed ${seed}`).toBeGreaterThanOrEqual(rules.tileMin.width);
        expect(tile.height, `seed ${seed}`).toBeGreaterThanOrEqual(rules.tileMin.height);
      }
    }
  });
});

describe('a grid', () => {
  const desktop = { x: 0, y: 0, width: 1280, height: 720 };

  it('fills the area with one tile of its shape', () => {
    expect(layoutGrid(1, desktop, RULES).tiles).toEqual([desktop]);
  });

  it('shows four people of 640 × 360 on 1280 × 720 (S4-14)', () => {
    const { tiles } = layoutGrid(4, desktop, { ...RULES, gap: 0 });
    expect(tiles.map(({ width, height }) => [width, height])).toEqual(Array(4).fill([640, 360]));
  });

  it('stacks two people on an upright phone and puts them side by side on a wide screen', () => {
    const phone = { x: 0, y: 0, width: 374, height: 700 };
    expect(layoutGrid(2, phone, RULES).columns).toBe(1);
    expect(layoutGrid(2, desktop, RULES).columns).toBe(2);
  });

  it('stays on a page that exists when people leave', () => {
    const small = { x: 0, y: 0, width: 360, height: 400 };
    expect(layoutPages(60, small, RULES, 99).page).toBe(layoutPages(60, small, RULES, 0).pages - 1);
    expect(layoutPages(2, small, RULES, 5).page).toBe(0);
  });
});
