import { describe, expect, it } from 'vitest';
import { inLineUp, thumbnails, THUMBNAILS_MAX } from './line-up';
import { mediaWith, ownStream, remoteStream, sessionWith, somebody } from './testing';
import { tilesOf } from './tiles';

const ids = (count: number) => Array.from({ length: count }, (_, index) => `p${index}`);
const extra = (id: string) => remoteStream(id, 'extra', { semantic: 'misc' });

function tiles(count: number, change: Parameters<typeof somebody>[1] = {}) {
  return tilesOf(sessionWith(ids(count).map((id) => somebody(id, id === 'p2' ? change : {}))), mediaWith());
}

/** Keys of the large tile and of the small ones. */
function shown(all: ReturnType<typeof tiles>, stage: readonly string[], largeKey?: string) {
  const ordered = inLineUp(all, stage);
  const large = ordered.find((tile) => (largeKey === undefined ? !tile.isOwn : tile.key === largeKey)) ?? null;
  return { large: large?.key ?? null, small: thumbnails(ordered, large).map((tile) => tile.key) };
}

describe('the speaker layout', () => {
  it('shows who speaks and the seven who spoke before, newest first, and oneself (S3-34)', () => {
    const stage = ['p9', 'p4', 'p11', 'p0', 'p7', 'p1', 'p3', 'p5'];
    expect(shown(tiles(12), stage)).toEqual({
      large: 'p9',
      small: ['p4', 'p11', 'p0', 'p7', 'p1', 'p3', 'p5', 'self'],
    });
  });

  it('is the same for all viewers but for who is left out: the speaker sees who spoke before (S3-33, S3-35)', () => {
    const room = ['p9', 'p4', 'p11', 'p0', 'p7', 'p1', 'p3', 'p5', 'p8'];
    const all = ids(12);
    for (const viewer of all) {
      const others = all.filter((id) => id !== viewer).map((id) => somebody(id));
      const seen = tilesOf(sessionWith(others, { selfId: viewer }), mediaWith());
      const stage = room.filter((id) => id !== viewer);
      const { large, small } = shown(seen, stage);
      expect([large, ...small.filter((key) => key !== 'self')]).toEqual(stage.slice(0, 1 + THUMBNAILS_MAX));
    }
  });

  it('fills up in the order of arrival, whatever was said by a server that does not choose', () => {
    expect(shown(tiles(4), [])).toEqual({ large: 'p0', small: ['p1', 'p2', 'p3', 'self'] });
    expect(shown(tiles(3), ['gone', 'p2'])).toEqual({ large: 'p2', small: ['p0', 'p1', 'self'] });
  });

  it('leaves seven beside a shared screen or somebody pinned', () => {
    const { small } = shown(tiles(12), ids(8), 'p10');
    expect(small).toEqual([...ids(7), 'self']);
    const screen = remoteStream('p2', 'screen', { semantic: 'presentation' });
    const sharing = shown(tiles(12, { screens: [screen] }), ids(8));
    expect(sharing).toEqual({ large: 'p2/screen', small: [...ids(7), 'self'] });
  });

  it('shows the further cameras of whoever is shown, and what is one’s own', () => {
    const withExtra = tiles(12, { extraCameras: [extra('p2')] });
    expect(shown(withExtra, ['p2', 'p0']).small.slice(0, 2)).toEqual(['p2/extra', 'p0']);
    expect(shown(withExtra, ['p0', 'p1', 'p2']).small.slice(0, 3)).toEqual(['p1', 'p2', 'p2/extra']);
    expect(shown(withExtra, ['p11', 'p10', 'p9', 'p8', 'p7', 'p6', 'p5', 'p4']).small).not.toContain('p2/extra');
    const own = tilesOf(sessionWith([somebody('p0')]), mediaWith([ownStream('screen-1', 'screen')]));
    expect(shown(own, []).small).toEqual(['self', 'own/screen-1']);
  });
});
