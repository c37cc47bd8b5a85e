import { describe, expect, it } from 'vitest';
import { Script, SELF } from './script';
import { slotOf } from './seats';

const SEATS = Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`video-${i + 1}`, 'video' as const]));
const LARGE = { width: 1280, height: 720 };
const SMALL = { width: 320, height: 180 };

function crowd(cameras: number): Script {
  const s = new Script().connect();
  s.hear({
    type: 'welcome',
    server: 'test',
    participant_id: SELF,
    grace_ms: 30_000,
    virtual_producers: { '@speakers': SEATS },
    chat: [],
  });
  s.present(Object.fromEntries(Array.from({ length: cameras }, (_, i) => [`p${i}`, [`cam${i}`]])));
  return s.hear({ type: 'stage', people: Array.from({ length: 9 }, (_, i) => `p${i}`) }).forget();
}

/** A view shows these, the first one large. */
function show(s: Script, people: readonly number[]): Script {
  for (const key of s.state.wishes.keys()) {
    if (!people.some((n) => key === `p${n}/cam${n}`)) s.event({ type: 'unwish', key });
  }
  people.forEach((n, i) => {
    s.event({ type: 'wish', key: `p${n}/cam${n}`, wish: { size: i === 0 ? LARGE : SMALL, quality: null } });
  });
  return s;
}

/** The server says who is on the seats, in their order. */
function seat(s: Script, people: readonly number[], active = true): Script {
  const slots = people.map((n, i) => {
    const name = `video-${i + 1}`;
    return [
      midOf(s, `@speakers/${name}`),
      { producer_id: `p${n}`, stream_id: `cam${n}`, rid: 'l', active, reason: 'tile_size' as const, seat: name },
    ] as const;
  });
  return s.hear({ type: 'slots', slots: Object.fromEntries(slots) });
}

function midOf(s: Script, key: string): string {
  return s.state.lines[s.state.slots.find((slot) => slot.key === key)?.line ?? -1]?.mid ?? '';
}

const requested = (s: Script): string[] => s.sent('request_stream').map((m) => `${m.producer_id}/${m.stream_id}`);

/** Height last told of the seat on which a stream is. */
function heightOf(s: Script, n: number): number {
  const mid = s.state.lines[slotOf(s.state, `p${n}/cam${n}`)?.line ?? -1]?.mid ?? '';
  return Number(/x(\d+)/.exec(s.state.tiles.sent.get(mid) ?? '')?.[1]);
}

describe('the seats of the stage', () => {
  const usual = [0, 1, 2, 3, 4, 5, 6, 7];
  const single = usual.map((n) => `p${n}/cam${n}`);
  const seats = Object.keys(SEATS).map((name) => `@speakers/${name}`);

  /** A view of the stage that has lasted, before the server says who is on the seats. */
  function stage(): Script {
    const s = show(crowd(60), usual).grant();
    expect(requested(s)).toEqual(single);
    s.forget().wait(1_100);
    if (s.did('make_offer').length > 0) s.negotiate();
    expect(requested(s)).toEqual(seats);
    return s.grant();
  }

  it('are asked for once in a crowd, whoever is on them', () => {
    const s = seat(stage(), usual).wait(15_000);
    expect(usual.map((n) => heightOf(s, n))).toEqual([720, 180, 180, 180, 180, 180, 180, 180]);
    expect(s.view.participants[3]?.camera).toMatchObject({ receiving: 'bound', active: true });
    expect(s.sent('disconnect_stream'), 'the single streams').toHaveLength(8);

    // Somebody small speaks, then somebody who was not there: nothing is asked for, not even sizes.
    s.forget();
    show(seat(s, [5, 1, 2, 3, 4, 0, 6, 7]), [5, 0, 1, 2, 3, 4, 6, 7]).wait(2_000);
    show(seat(s, [30, 1, 2, 3, 4, 0, 6, 5]), [30, 5, 0, 1, 2, 3, 4, 6]).wait(2_000);
    expect(s.said.filter(({ message }) => message.type !== 'ping')).toEqual([]);
    expect([30, 5, 0].map((n) => heightOf(s, n))).toEqual([720, 180, 180]);
    expect(slotOf(s.state, 'p7/cam7')).toBeUndefined();
  });

  it('take over when their first picture comes', () => {
    const s = stage();
    expect(s.state.slots.find((slot) => slot.key === 'p0/cam0')?.state).toBe('bound');
    seat(s, usual, false).wait(200);
    expect(slotOf(s.state, 'p0/cam0')?.key).toBe('p0/cam0');
    seat(s, usual).wait(200);
    expect(slotOf(s.state, 'p0/cam0')?.key).toBe('@speakers/video-1');
  });

  it('show what is wanted, and nothing to nobody', () => {
    const s = seat(stage(), [0, 1, 2, 3, 4, 5, 6, 20]).wait(15_000);
    // Whom the view wants and no seat has goes on alone; who is on a seat and not wanted is not sent.
    expect(slotOf(s.state, 'p7/cam7')?.key).toBe('p7/cam7');
    expect(heightOf(s, 20)).toBe(0);
    // Another one is pinned.
    s.forget();
    show(s, [33, 0, 1, 2, 3, 4, 5, 6]).wait(2_000);
    expect(requested(s)).toEqual(['p33/cam33']);
    expect(heightOf(s, 0)).toBe(180);
  });

  it('are waited for, but not for long', () => {
    const s = stage().forget();
    show(s, [8, 0, 1, 2, 3, 4, 5, 6]).wait(500);
    expect(requested(s)).toEqual([]);
    s.wait(500);
    expect(requested(s)).toEqual(['p8/cam8']);
  });

  it('are for a crowd and for a view of few', () => {
    expect(requested(show(crowd(49), usual).wait(2_000))).toEqual(single);
    const grid = Array.from({ length: 12 }, (_, i) => i);
    expect(requested(show(crowd(60), grid).wait(2_000)).some((key) => key.startsWith('@'))).toBe(false);

    // From the stage to the grid: the seats are let go.
    const s = seat(stage(), usual).wait(15_000).forget();
    show(s, grid).wait(2_000);
    expect(s.state.slots.filter((slot) => slot.key?.startsWith('@')).every((slot) => slot.state === 'idle')).toBe(true);
    s.wait(10_000);
    expect(s.state.slots.some((slot) => slot.key?.startsWith('@'))).toBe(false);
  });
});
