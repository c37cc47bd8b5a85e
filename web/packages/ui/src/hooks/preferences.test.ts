import { describe, expect, it } from 'vitest';
import { parsePreferences } from './preferences';

describe('what is remembered', () => {
  it('comes back as it was', () => {
    const kept = { ...parsePreferences(null), name: 'Ana', cameraOn: false, theme: 'dark', layout: 'speaker' } as const;
    expect(parsePreferences(JSON.stringify(kept))).toEqual(kept);
  });

  it.each(['null', '7', '[]', '{', '{"name":5,"cameraOn":"no","theme":"pink","layout":null,"cameraHeightMax":"720"}'])(
    'is the default when it is %s',
    (stored) => {
      expect(parsePreferences(stored)).toEqual(parsePreferences(null));
    },
  );
});
