import { describe, expect, it } from 'vitest';
import { contentOf, degradation, layersOf, layerSizes, scalableLayer, sendEncodings, switched } from './encodings';

describe('layers', () => {
  it('of a camera are three, smallest first', () => {
    expect(sendEncodings('camera', layersOf('camera', 'detail', 720))).toEqual([
      { rid: 'l', active: true, scaleResolutionDownBy: 4, maxBitrate: 150_000, maxFramerate: 30 },
      { rid: 'm', active: true, scaleResolutionDownBy: 2, maxBitrate: 500_000, maxFramerate: 30 },
      { rid: 'h', active: true, scaleResolutionDownBy: 1, maxBitrate: 1_700_000, maxFramerate: 30 },
    ]);
    expect(layersOf('camera', 'detail')).toEqual(layersOf('camera', 'detail', 720));
  });

  it.each([
    [180, ['l']],
    [360, ['l', 'm']],
    [480, ['l', 'm', 'h']],
    [2160, ['l', 'm', 'h']],
  ])('of a picture %i high are %j, and the largest is the whole', (height, rids) => {
    const layers = layersOf('camera', 'detail', height);
    expect(layers.map((l) => l.rid)).toEqual(['l', 'm', 'h']);
    expect(layers.filter((l) => l.active).map((l) => l.rid)).toEqual(rids);
    expect(layers.filter((l) => l.active).at(-1)?.scaleDownBy).toBe(1);
  });

  it('of 4K are of use to thumbnails and to usual screens too, and have the rate that fits (S2-35)', () => {
    const layers = layersOf('camera', 'detail', 2160);
    expect([...layerSizes(layers, 3840, 2160).values()]).toEqual([
      { width: 480, height: 270 },
      { width: 1440, height: 810 },
      { width: 3840, height: 2160 },
    ]);
    expect(layers.map((l) => l.bpsMax)).toEqual([300_000, 2_200_000, 12_000_000]);
    const upright = [...layerSizes(layers, 2160, 3840).values()];
    expect(upright[1]).toEqual({ width: 810, height: 1440 });
  });

  it('cost more the larger they are', () => {
    const top = [180, 360, 720, 1080, 2160].map(
      (h) => layersOf('camera', 'detail', h).findLast((l) => l.active)?.bpsMax ?? 0,
    );
    expect(top).toEqual([...top].sort((a, b) => a - b));
  });

  it('of a screen are two; text keeps its size, film its smoothness', () => {
    expect(layersOf('screen', 'detail').map((l) => l.rid)).toEqual(['l', 'h']);
    expect(degradation('screen', 'detail')).toBe('maintain-resolution');
    expect(degradation('screen', 'motion')).toBe('balanced');
    expect(layersOf('screen', 'motion').at(-1)?.fpsMax).toBe(30);
  });

  it.each([
    [180, 'L1T3', 150_000],
    [360, 'L2T3_KEY', 650_000],
    [720, 'L3T3_KEY', 2_350_000],
    [2160, 'L3T3_KEY', 15_900_000],
  ])('of a scalable camera %i high are one encoding, %s', (height, scalabilityMode, maxBitrate) => {
    expect(sendEncodings('camera', scalableLayer(height))).toEqual([
      { active: true, scaleResolutionDownBy: 1, maxBitrate, maxFramerate: 30, scalabilityMode },
    ]);
    expect(layerSizes(scalableLayer(height), 640, height).size).toBe(0);
  });

  it('of sound are none', () => {
    expect(sendEncodings('microphone', layersOf('microphone', 'detail'))).toEqual([{ maxBitrate: 48_000 }]);
  });

  it('have sizes where they are active and the picture is known', () => {
    expect([...layerSizes(layersOf('camera', 'detail', 360), 640, 360)]).toEqual([
      ['l', { width: 320, height: 180 }],
      ['m', { width: 640, height: 360 }],
    ]);
    expect(layerSizes(layersOf('camera', 'detail'), 0, 0).size).toBe(0);
  });
});

describe('demand', () => {
  const active = (height: number, demand: Parameters<typeof switched>[1]): string =>
    switched(layersOf('camera', 'detail', height), demand)
      .filter((l) => l.active)
      .map((l) => l.rid)
      .join('');
  it.each([
    ['nothing said', 720, undefined, 'lmh'],
    ['all', 720, { watched: true, rids: ['l', 'm', 'h'], codecs: [] }, 'lmh'],
    ['some', 720, { watched: true, rids: ['l', 'h'], codecs: [] }, 'lh'],
    ['nobody looks', 720, { watched: false, rids: [], codecs: [] }, ''],
    ['a server that knows no encodings', 720, { watched: true, rids: [], codecs: [] }, 'lmh'],
    ['less is captured than is wanted', 360, { watched: true, rids: ['h'], codecs: [] }, 'm'],
    ['some of it', 360, { watched: true, rids: ['l', 'h'], codecs: [] }, 'l'],
  ])('%s', (_, height, demand, expected) => {
    expect(active(height, demand)).toBe(expected);
  });

  it('changes no sizes', () => {
    const layers = layersOf('camera', 'detail', 720);
    const low = switched(layers, { watched: true, rids: ['l'], codecs: [] });
    expect(low.map((l) => l.scaleDownBy)).toEqual(layers.map((l) => l.scaleDownBy));
  });
});

it('content says what is a share and what a further camera', () => {
  const sources = ['camera', 'microphone', 'screen', 'screen-audio', 'extra-camera'] as const;
  expect(sources.map(contentOf)).toEqual([null, null, 'slides', 'slides', 'alt']);
});
