import { describe, expect, it } from 'vitest';
import type { StreamKey } from '../types';
import { places } from './lines';
import { SELF, Script } from './script';

function show(s: Script, key: StreamKey, width = 640, height = 360): Script {
  return s.event({ type: 'wish', key, wish: { size: { width, height }, quality: null } });
}

function people(count: number, streams: readonly string[]): Record<string, string[]> {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`p${i}`, streams.map((name) => `${name}${i}`)]));
}

describe('sound', () => {
  it('of everybody is received', () => {
    const s = new Script()
      .connect()
      .forget()
      .present({ a: ['mic1', 'cam1'], b: ['mic2'] });
    expect(s.sent('request_stream').map((m) => [m.producer_id, m.stream_id, m.receive_mid])).toEqual([
      ['a', 'mic1', '0'],
      ['b', 'mic2', '1'],
    ]);
    s.grant();
    expect(s.view.participants.map((p) => p.microphone?.receiving)).toEqual(['bound', 'bound']);
    expect(s.view.participants.map((p) => p.camera?.receiving)).toEqual(['no', undefined]);
  });

  it('grows the pool in steps', () => {
    const s = new Script()
      .connect()
      .forget()
      .present(people(5, ['mic']));
    expect(s.sent('request_stream')).toHaveLength(4);
    expect(s.did('make_offer')).toHaveLength(1);
    s.negotiate();
    expect(s.sent('request_stream')).toHaveLength(5);
    expect(s.state.slots.filter((slot) => slot.kind === 'audio')).toHaveLength(8);
    s.present(people(8, ['mic']));
    expect(s.did('make_offer')).toHaveLength(1);
    expect(s.sent('request_stream')).toHaveLength(8);
  });

  it('has a limit, within which speakers and shares come first', () => {
    const s = new Script(2).connect().forget();
    s.hear({ type: 'speakers', speakers: [{ participant_id: 'p7', level: 60 }] });
    s.present({ ...people(9, ['mic']), x: ['sound1'] });
    const heard = s.state.slots.flatMap((slot) => (slot.key === null ? [] : [slot.key]));
    expect(heard.sort()).toEqual(['p7/mic7', 'x/sound1']);
  });

  it('of a crowd is what the server chooses, and of a few again everybody', () => {
    const s = new Script().connect().forget();
    const seats = { 'audio-1': 'audio', 'audio-2': 'audio', 'video-1': 'video' } as const;
    s.hear({
      type: 'welcome',
      server: 'test',
      participant_id: SELF,
      grace_ms: 30_000,
      virtual_producers: { '@speakers': seats },
      chat: [],
    });
    const keys = () => s.state.slots.flatMap((slot) => (slot.key === null ? [] : [slot.key])).sort();
    s.present({ ...people(13, ['mic']), x: ['sound1'] }).grant();
    expect(keys()).toEqual(['@speakers/audio-1', '@speakers/audio-2', 'x/sound1']);
    // Whoever is on the slot now: it is what was asked for.
    s.forget().wait(5_000);
    const slot = { producer_id: 'p7', stream_id: 'mic7', rid: null, active: true, reason: 'tile_size' } as const;
    const midOf = (key: string) => s.state.lines[s.state.slots.find((each) => each.key === key)?.line ?? 0]?.mid ?? '';
    const share = { [midOf('x/sound1')]: { ...slot, producer_id: 'x', stream_id: 'sound1' } };
    const mid = midOf('@speakers/audio-1');
    s.hear({ type: 'slots', slots: { ...share, [mid]: { ...slot, seat: 'audio-1' } } });
    expect(s.sent('request_stream')).toEqual([]);
    s.hear({ type: 'slots', slots: { ...share, [mid]: { ...slot, seat: 'audio-2' } } });
    expect(s.sent('request_stream').map((m) => m.stream_id)).toEqual(['audio-1']);
    s.present(people(10, ['mic']));
    expect(keys()).toEqual(['@speakers/audio-1', '@speakers/audio-2']);
    s.present(people(3, ['mic']));
    expect(keys()).toEqual(['p0/mic0', 'p1/mic1', 'p2/mic2']);
  });

  it('of one who left frees the slot for the next, without a word', () => {
    const s = new Script()
      .connect()
      .present(people(4, ['mic']))
      .grant()
      .forget();
    const { p3, ...others } = people(4, ['mic']);
    s.present(others).present({ ...others, n: ['mic9'] });
    expect(p3).toBeDefined();
    expect(s.sent('disconnect_stream')).toEqual([]);
    expect(s.sent('request_stream')).toMatchObject([{ stream_id: 'mic9', receive_mid: '3' }]);
  });
});

describe('pictures', () => {
  it('are received when shown, with their size', () => {
    const s = new Script()
      .connect()
      .present({ a: ['cam1'] })
      .forget();
    show(s, 'a/cam1');
    expect(s.said.map((m) => m.message)).toEqual([
      { type: 'tile_sizes', tiles: [{ receive_mid: '4', width: 640, height: 360 }] },
      { type: 'request_stream', producer_id: 'a', stream_id: 'cam1', rid: null, receive_mid: '4' },
    ]);
    s.grant().hear({
      type: 'slots',
      slots: { 4: { producer_id: 'a', stream_id: 'cam1', rid: 'm', active: true, reason: 'tile_size' } },
    });
    expect(s.view.participants[0]?.camera).toMatchObject({ receiving: 'bound', rid: 'm', active: true });
  });

  it('are asked for when they appear after the view', () => {
    const s = new Script().connect().forget();
    show(s, 'a/cam1').present({ a: ['cam1'] });
    expect(s.sent('request_stream')).toHaveLength(1);
  });

  it('without a size are asked for as large', () => {
    const s = new Script()
      .connect()
      .present({ a: ['cam1'] })
      .forget();
    s.event({ type: 'wish', key: 'a/cam1', wish: { size: null, quality: null } });
    expect(s.sent('tile_sizes')).toMatchObject([{ tiles: [{ width: 3840, height: 2160 }] }]);
  });

  it('in the quality that the user chose, and by size again (S1-13)', () => {
    const s = new Script()
      .connect()
      .present({ a: ['cam1'] })
      .forget();
    for (const quality of ['low', 'high', 'medium', null] as const) {
      s.event({ type: 'wish', key: 'a/cam1', wish: { size: { width: 640, height: 360 }, quality } })
        .grant()
        .wait(200);
    }
    expect(s.sent('tile_sizes').map((m) => m.tiles[0]?.quality)).toEqual(['low', 'high', 'medium', undefined]);
    expect(s.sent('request_stream')).toHaveLength(1);
  });

  it('that are hidden cost nothing at once and their slot after a while', () => {
    const s = new Script().connect().present({ a: ['cam1'] });
    show(s, 'a/cam1').grant().wait(500).forget();
    show(s, 'a/cam1', 0, 0);
    expect(s.sent('tile_sizes')).toEqual([{ type: 'tile_sizes', tiles: [{ receive_mid: '4', width: 0, height: 0 }] }]);
    s.wait(9_000);
    show(s, 'a/cam1');
    expect(s.sent('request_stream')).toEqual([]);
    expect(s.sent('tile_sizes').at(-1)?.tiles).toEqual([{ receive_mid: '4', width: 640, height: 360 }]);
    s.hear({ type: 'ping' }).event({ type: 'unwish', key: 'a/cam1' }).wait(10_000);
    expect(s.sent('disconnect_stream')).toEqual([{ type: 'disconnect_stream', receive_mid: '4' }]);
    expect(s.state.slots.every((slot) => slot.state === 'free')).toBe(true);
  });

  it('take the slot of one that nobody looks at before the pool grows', () => {
    const s = new Script().connect().present(people(9, ['cam']));
    for (let i = 0; i < 8; i++) show(s, `p${i}/cam${i}`);
    s.grant().event({ type: 'unwish', key: 'p0/cam0' }).wait(500).forget();
    show(s, 'p8/cam8');
    expect(s.said.map((m) => m.message.type)).toEqual(['disconnect_stream', 'tile_sizes', 'request_stream']);
    expect(s.did('make_offer')).toEqual([]);
  });

  it('grow the pool by eight, and never over 64', () => {
    const s = new Script()
      .connect()
      .present(people(70, ['cam']))
      .forget();
    for (let i = 0; i < 9; i++) show(s, `p${i}/cam${i}`);
    expect(s.state.slots.filter((slot) => slot.kind === 'video')).toHaveLength(16);
    for (let i = 9; i < 70; i++) show(s, `p${i}/cam${i}`);
    s.negotiate().negotiate();
    expect(s.sent('request_stream')).toHaveLength(64);
  });

  it('are asked for once the server has answered the new lines', () => {
    const s = new Script()
      .join()
      .authenticate()
      .present({ a: ['cam1', 'mic1'] });
    show(s, 'a/cam1');
    expect(s.sent('request_stream')).toEqual([]);
    s.negotiate();
    expect(s.sent('request_stream')).toHaveLength(2);
  });

  it('that are refused are asked for again later', () => {
    const s = new Script()
      .connect()
      .present({ a: ['cam1'] })
      .forget();
    show(s, 'a/cam1').answer('request_stream', {
      type: 'error',
      error_type: 'invalid_parameter',
      error_message: 'no such stream',
      detail: {},
    });
    expect(s.view.participants[0]?.camera?.receiving).toBe('no');
    expect(s.told()).not.toContain('error');
    s.wait(3_000);
    expect(s.sent('request_stream')).toHaveLength(2);
  });

  it('that are not answered are asked for again', () => {
    const s = new Script()
      .connect()
      .present({ a: ['cam1'] })
      .forget();
    show(s, 'a/cam1').wait(4_999);
    expect(s.sent('request_stream')).toHaveLength(1);
    s.wait(1);
    expect(s.sent('request_stream')).toHaveLength(2);
    s.grant().wait(9_000);
    expect(s.sent('request_stream')).toHaveLength(2);
  });

  it('lines that the server rejects are not used', () => {
    const s = new Script()
      .join()
      .authenticate()
      .present({ a: ['cam1'] })
      .offer()
      .answerOffer(['4'])
      .forget();
    show(s, 'a/cam1');
    expect(s.sent('request_stream')).toMatchObject([{ receive_mid: '5' }]);
  });
});

describe('sizes', () => {
  it('are told ten times a second at most, the newest of each', () => {
    const s = new Script().connect().present({ a: ['cam1'] });
    show(s, 'a/cam1').grant().wait(1_000).forget();
    for (let i = 1; i <= 30; i++) {
      show(s, 'a/cam1', 640 + i, 360);
      s.wait(10);
    }
    s.wait(100);
    expect(s.sent('tile_sizes').map((m) => m.tiles[0]?.width)).toEqual([641, 650, 660, 670]);
  });

  it('are whole numbers of 16 bits', () => {
    const s = new Script()
      .connect()
      .present({ a: ['cam1'] })
      .forget();
    show(s, 'a/cam1', 99_999, 33.4);
    expect(s.sent('tile_sizes')[0]?.tiles).toEqual([{ receive_mid: '4', width: 8192, height: 33 }]);
  });
});

describe('after a reconnect', () => {
  it('everything is asked for again on the same lines, when they are answered and the roster is fresh', () => {
    const s = new Script().connect().present({ a: ['cam1', 'mic1'] });
    show(s, 'a/cam1').grant();
    const before = s.sent('request_stream');
    s.closed(1012).wait(1_000).forget();
    s.event({ type: 'socket_open', id: 2 }).answer('authenticate', { type: 'success', reason: '' });
    expect(s.sent('request_stream')).toEqual([]);
    s.offer().answerOffer();
    expect(s.sent('request_stream')).toEqual([]);
    s.hear({ type: 'roster_update', participants: s.state.roster });
    expect(s.sent('request_stream')).toEqual(before);
    expect(s.sent('tile_sizes')).toHaveLength(1);
    // The picture stays on the screen meanwhile.
    expect(s.state.slots.filter((slot) => slot.confirmed)).toHaveLength(2);
  });

  it('with other mids of the new peer connection too', () => {
    const s = new Script().connect().present({ a: ['cam1'] });
    show(s, 'a/cam1').grant().shiftMids(100).hear({ type: 'reoffer', reason: 'test' }).forget();
    s.negotiate();
    expect(s.sent('request_stream')).toMatchObject([{ receive_mid: '104' }]);
  });

  it('what nobody looks at any more is given up, though the server restored it', () => {
    const s = new Script().connect().present({ a: ['cam1'] });
    show(s, 'a/cam1').grant().event({ type: 'unwish', key: 'a/cam1' }).closed(1006).wait(11_000);
    s.event({ type: 'retry_now' });
    s.forget().authenticate().negotiate();
    s.hear({
      type: 'slots',
      slots: { 4: { producer_id: 'a', stream_id: 'cam1', rid: 'l', active: true, reason: 'tile_size' } },
    });
    expect(s.sent('disconnect_stream')).toEqual([{ type: 'disconnect_stream', receive_mid: '4' }]);
  });

  it('what the server does not show is asked for again', () => {
    const s = new Script()
      .connect()
      .present({ a: ['mic1'] })
      .grant()
      .wait(3_000)
      .forget();
    s.hear({ type: 'slots', slots: {} });
    expect(s.sent('request_stream')).toHaveLength(1);
    s.grant().hear({ type: 'slots', slots: {} });
    expect(s.sent('request_stream')).toHaveLength(1);
  });
});

it('own streams are never received', () => {
  const s = new Script().connect().forget();
  s.hear({
    type: 'roster_update',
    participants: { [SELF]: { streams: { mic0: { type: 'audio', codec: 'opus', semantic: 'main' } } } },
  });
  expect(s.sent('request_stream')).toEqual([]);
});

it('sound and picture of one person get lines that are in sync', () => {
  const s = new Script()
    .connect()
    .present({ a: ['mic1', 'cam1'], b: ['mic2', 'cam2'], c: ['mic3', 'cam3'] })
    .grant();
  // In another order than the sounds came.
  for (const key of ['c/cam3', 'a/cam1', 'b/cam2'] as const) show(s, key);
  s.grant();
  const place = places(s.state.lines);
  const placeOf = (key: string) => place.get(s.state.slots.find((slot) => slot.key === key)?.line ?? -1);
  for (const n of [1, 2, 3]) {
    const who = 'abc'[n - 1] ?? '';
    expect(placeOf(`${who}/cam${n}`), who).toBe(placeOf(`${who}/mic${n}`));
  }
});
