import { describe, expect, it } from 'vitest';
import { arrange, type Arrangement, nearestCorner, nextCorner, type StageInput } from './stage';
import { between, mediaWith, ownStream, randomNumbers, remoteStream, sessionWith, somebody } from './testing';
import { tilesOf } from './tiles';

const DESKTOP = { width: 1440, height: 780 };
const PHONE = { width: 390, height: 760 };

function stage(tiles: StageInput['tiles'], change: Partial<StageInput> = {}): Arrangement {
  return arrange({
    tiles,
    order: tiles.map((tile) => tile.key),
    mode: 'grid',
    pinnedKey: null,
    screenKey: null,
    stage: [],
    recentSpeakers: [],
    size: DESKTOP,
    page: 0,
    corner: 'bottom-right',
    ...change,
  });
}

function people(count: number) {
  return Array.from({ length: count }, (_, index) => somebody(`p${index}`));
}

function meeting(count: number, screensOf: readonly number[] = []) {
  const all = people(count).map((person, index) =>
    screensOf.includes(index)
      ? { ...person, screens: [remoteStream(person.id, 'screen', { semantic: 'presentation' })] }
      : person,
  );
  return tilesOf(sessionWith(all), mediaWith());
}

function roles(arrangement: Arrangement) {
  return Object.fromEntries(arrangement.tiles.map(({ tile, role }) => [tile.key, role]));
}

describe('the stage', () => {
  it('shows oneself large while alone', () => {
    expect(roles(stage(meeting(0)))).toEqual({ self: 'small' });
  });

  it('shows the only other one large, and oneself in a corner', () => {
    expect(roles(stage(meeting(1)))).toEqual({ p0: 'small', self: 'floating' });
  });

  it('shows oneself as a tile among several, first, and everybody in the order of arrival', () => {
    expect(stage(meeting(3)).tiles.map(({ tile }) => tile.key)).toEqual(['self', 'p0', 'p1', 'p2']);
  });

  it('lets the self view float over two others on a phone, and not over a crowd', () => {
    expect(roles(stage(meeting(2), { size: PHONE }))['self']).toBe('floating');
    expect(roles(stage(meeting(5), { size: PHONE }))['self']).toBe('small');
  });

  it('makes a shared screen large without being asked, the chosen one of several', () => {
    const tiles = meeting(4, [1, 2]);
    expect(stage(tiles).largeKey).toBe('p2/screen');
    expect(stage(tiles, { screenKey: 'p1/screen' }).largeKey).toBe('p1/screen');
    expect(stage(tiles).screenTabs.map((tile) => tile.key)).toEqual(['p1/screen', 'p2/screen']);
  });

  it('shows the other screens live in the strip', () => {
    expect(roles(stage(meeting(4, [1, 2])))['p1/screen']).toBe('small');
  });

  it('prefers what is pinned to everything else', () => {
    expect(stage(meeting(4, [1]), { pinnedKey: 'p3', stage: ['p0'], mode: 'speaker' }).largeKey).toBe('p3');
  });

  it('forgets a pin of somebody who left', () => {
    expect(stage(meeting(3), { pinnedKey: 'gone' }).largeKey).toBeNull();
  });

  it('shows large whom the room puts first in the speaker layout, and never oneself (S3-35)', () => {
    expect(stage(meeting(4), { mode: 'speaker', stage: ['p2', 'p0'] }).largeKey).toBe('p2');
    expect(stage(meeting(4), { mode: 'speaker' }).largeKey).toBe('p0');
  });

  it('has the seven who spoke before on one page, and oneself over the large picture (S3-34)', () => {
    for (const size of [DESKTOP, PHONE, { width: 1280, height: 620 }, { width: 820, height: 1000 }]) {
      const shown = stage(meeting(24), { mode: 'speaker', size });
      expect(shown.pages, `${size.width}`).toBe(1);
      expect(
        shown.tiles.filter(({ role }) => role === 'small'),
        `${size.width}`,
      ).toHaveLength(7);
      const large = shown.tiles.find(({ role }) => role === 'large')?.rect;
      const self = shown.tiles.find(({ role }) => role === 'floating')?.rect;
      expect(self !== undefined && large !== undefined && self.y + self.height <= large.y + large.height).toBe(true);
    }
  });

  it('keeps oneself off a shared screen', () => {
    expect(roles(stage(meeting(4, [0]), { mode: 'speaker' }))['self']).toBe('small');
  });

  it('never makes the own screen large by itself', () => {
    const tiles = tilesOf(sessionWith(people(2)), mediaWith([ownStream('screen-1', 'screen')]));
    expect(stage(tiles).largeKey).toBeNull();
  });

  it('places every tile inside, on one page exactly once, at every size', () => {
    for (let seed = 0; seed < 300; seed += 1) {
      const random = randomNumbers(seed);
      const count = between(random, 0, 60);
      const tiles = meeting(count, seed % 3 === 0 && count > 0 ? [0] : []);
      const size = { width: between(random, 320, 2560), height: between(random, 300, 1440) };
      const mode = seed % 2 === 0 ? 'grid' : 'speaker';
      const first = stage(tiles, { size, mode });
      const seen = new Map<string, number>();
      for (let page = 0; page < first.pages; page += 1) {
        for (const { tile, rect, role } of stage(tiles, { size, mode, page }).tiles) {
          expect(rect.x, `seed ${seed}`).toBeGreaterThanOrEqual(0);
          expect(rect.y, `seed ${seed}`).toBeGreaterThanOrEqual(0);
          expect(rect.x + rect.width, `seed ${seed}`).toBeLessThanOrEqual(size.width);
          expect(rect.y + rect.height, `seed ${seed}`).toBeLessThanOrEqual(size.height);
          if (role === 'small') {
            seen.set(tile.key, (seen.get(tile.key) ?? 0) + 1);
          }
        }
      }
      expect(
        [...seen.values()].every((times) => times === 1),
        `seed ${seed}`,
      ).toBe(true);
      const always = first.tiles.filter(({ role }) => role !== 'small').length;
      // The speaker layout shows the screen or one person, seven more, and oneself.
      const shown = mode === 'grid' ? tiles.length : Math.min(tiles.length, 9);
      expect(seen.size + always, `seed ${seed}`).toBe(shown);
    }
  });

  it('keeps the strip off the large picture', () => {
    for (let seed = 0; seed < 200; seed += 1) {
      const random = randomNumbers(seed);
      const size = { width: between(random, 320, 2560), height: between(random, 300, 1440) };
      const { tiles } = stage(meeting(between(random, 1, 20), [0]), { size });
      const large = tiles.find(({ role }) => role === 'large')?.rect;
      for (const { rect, role } of tiles) {
        const apart =
          large === undefined ||
          role !== 'small' ||
          rect.x >= large.x + large.width ||
          rect.x + rect.width <= large.x ||
          rect.y >= large.y + large.height ||
          rect.y + rect.height <= large.y;
        expect(apart, `seed ${seed}`).toBe(true);
      }
    }
  });

  it('brings somebody who speaks on a later page to the first, and remembers it', () => {
    const tiles = meeting(30);
    const before = stage(tiles, { size: PHONE });
    const later = before.order.at(-1) ?? '';
    const after = stage(tiles, { size: PHONE, recentSpeakers: [later] });
    expect(after.tiles.map(({ tile }) => tile.key)).toContain(later);
    const silent = stage(tiles, { size: PHONE, order: after.order });
    expect(silent.tiles.map(({ tile }) => tile.key)).toEqual(after.tiles.map(({ tile }) => tile.key));
  });
});

describe('corners', () => {
  it('are found by the place where the self view was dropped', () => {
    expect(nearestCorner(10, 10, DESKTOP)).toBe('top-left');
    expect(nearestCorner(1400, 700, DESKTOP)).toBe('bottom-right');
  });

  it('are all visited in turn', () => {
    const seen = new Set(['bottom-right' as const]);
    let corner = nextCorner('bottom-right');
    while (corner !== 'bottom-right') {
      seen.add(corner as 'bottom-right');
      corner = nextCorner(corner);
    }
    expect(seen.size).toBe(4);
  });
});
