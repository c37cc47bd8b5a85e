import { describe, expect, it } from 'vitest';
import { Script } from './script';
import { limited } from './tiles';

const ladder = (height: number) => [4, 2, 1].map((by) => ({ width: (height * 16) / 9 / by, height: height / by }));

/** What the server gives for a tile (decision 12): the smallest picture with half of its pixels, else the largest. */
function given(tile: { width: number; height: number }, layers: ReturnType<typeof ladder>): number {
  const enough = layers.find((layer) => layer.width * layer.height * 2 >= tile.width * tile.height);
  return (enough ?? layers.at(-1))?.height ?? 0;
}

describe('a limit of what is received (S2-35)', () => {
  const large = { width: 3840, height: 2160 };

  it.each([
    [180, 720, 180],
    [360, 720, 360],
    [720, 720, 720],
    [1080, 720, 720],
    [180, 1080, 270],
    [360, 1080, 270],
    [720, 1080, 540],
    [1080, 1080, 1080],
    [2160, 1080, 1080],
  ])('of %i lines gives of a camera of %i lines %i', (heightMax, height, expected) => {
    expect(given(limited(large, heightMax, ladder(height)), ladder(height))).toBe(expected);
  });

  it('of 4K in unequal steps gives what is allowed', () => {
    const layers = [270, 810, 2160].map((height) => ({ width: (height * 16) / 9, height }));
    const heights = [180, 360, 720, 1080, 2160].map((most) => given(limited(large, most, layers), layers));
    expect(heights).toEqual([270, 270, 270, 810, 2160]);
  });

  it('counts lines of upright pictures across', () => {
    const upright = ladder(720).map(({ width, height }) => ({ width: height, height: width }));
    expect(given(limited({ width: 1080, height: 1920 }, 360, upright), upright)).toBe(640);
  });

  it('changes no smaller tile, and none that nobody sees', () => {
    expect(limited({ width: 300, height: 170 }, 360, ladder(720))).toEqual({ width: 300, height: 170 });
    expect(limited({ width: 0, height: 0 }, 180, ladder(720))).toEqual({ width: 0, height: 0 });
  });

  it('is of use where the sizes are not known', () => {
    const { width, height } = limited(large, 360, [{ width: 0, height: 0 }]);
    expect([width, height]).toEqual([640, 360]);
  });

  it('is told at once, and taken back; screens stay as they are', () => {
    const s = new Script().connect().present({ a: ['cam1', 'screen1'] });
    const wish = { size: { width: 1280, height: 720 }, quality: null };
    s.event({ type: 'wish', key: 'a/cam1', wish }).event({ type: 'wish', key: 'a/screen1', wish });
    s.grant().wait(500).forget();
    s.event({ type: 'limit_receive', heightMax: 360 }).wait(200);
    s.event({ type: 'limit_receive', heightMax: null }).wait(200);
    expect(s.sent('tile_sizes').map((m) => m.tiles.map((t) => t.height))).toEqual([[360], [720]]);
  });
});
