import { describe, expect, it } from 'vitest';
import { parsePreferences } from './preferences';

describe('what is remembered', () => {
  it('comes back as it was', () => {
    const kept = {
      ...parsePreferences(null),
      name: 'Ana',
      cameraOn: false,
      theme: 'dark',
      layout: 'speaker',
      cameraHeightMax: 2160,
      receiveHeightMax: 360,
    } as const;
    expect(parsePreferences(JSON.stringify(kept))).toEqual(kept);
  });

  it.each([
    'null',
    '7',
    '[]',
    '{',
    '{"name":5,"cameraOn":"no","theme":"pink","layout":null,"cameraHeightMax":500,"receiveHeightMax":"x"}',
  ])('is the default when it is %s', (stored) => {
    expect(parsePreferences(stored)).toEqual(parsePreferences(null));
  });
});
