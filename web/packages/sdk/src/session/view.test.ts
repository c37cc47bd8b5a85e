import { describe, expect, it } from 'vitest';
import { member, Script, SELF, stream } from './script';
import { share } from './share';

describe('participants', () => {
  it('are everybody else in the order of arrival, with their streams sorted', () => {
    const s = new Script().connect().present({ b: ['screen1', 'sound1', 'extra1', 'cam1', 'mic1'], a: [] }, ['mic1']);
    expect(s.view.participants.map((p) => p.id)).toEqual(['b', 'a']);
    const [b, a] = s.view.participants;
    expect(b?.streams.map((x) => x.streamId)).toEqual(['cam1', 'mic1', 'extra1', 'screen1', 'sound1']);
    expect(b).toMatchObject({ name: 'B', audioMuted: true, videoMuted: false });
    expect(b?.camera?.streamId).toBe('cam1');
    expect(b?.screens.map((x) => x.streamId)).toEqual(['screen1']);
    expect(b?.extraCameras.map((x) => x.streamId)).toEqual(['extra1']);
    expect(a).toMatchObject({ camera: null, microphone: null, audioMuted: true, videoMuted: true });
  });

  it('come, share and leave with an event each; who is there already is no news', () => {
    const s = new Script().connect().forget().present({ a: [] });
    expect(s.told()).toEqual(['participantJoined']);
    s.forget().present({ a: ['screen1'] });
    expect(s.told()).toEqual(['screenStarted']);
    s.forget().present({});
    expect(s.told()).toEqual(['screenStopped', 'participantLeft']);

    const late = new Script().join();
    late.event({ type: 'socket_open', id: 1 }).answer('authenticate', { type: 'success', reason: '' });
    late.present({ a: ['screen1'] });
    expect(late.view.participants).toHaveLength(1);
    expect(late.told()).toEqual(['connection']);
  });

  it('who have not changed stay the same objects', () => {
    const s = new Script().connect().present({ a: ['cam1'], b: ['cam2'] });
    const [a, b] = s.view.participants;
    s.present({ a: ['cam1'], b: ['cam2', 'screen2'] });
    expect(s.view.participants[0]).toBe(a);
    expect(s.view.participants[1]).not.toBe(b);
    expect(s.view.participants[1]?.camera).toBe(b?.camera);
    const { view } = s;
    s.present({ a: ['cam1'], b: ['cam2', 'screen2'] });
    expect(s.view).toBe(view);
  });

  it('whatever a profile holds has a name', () => {
    const s = new Script().connect();
    const profiles = [null, 7, [], { name: 5 }, { name: '  Ada  ' }, { name: 'x'.repeat(500) }];
    const members = Object.fromEntries(profiles.map((profile, i) => [`p${i}`, { ...member(i), profile }]));
    s.hear({ type: 'members', members: { ...members, [SELF]: member(9) } });
    expect(s.view.participants.map((p) => p.name)).toEqual(['', '', '', '', 'Ada', 'x'.repeat(80)]);
  });

  it('keep their tiles while the socket is away', () => {
    const s = new Script()
      .connect()
      .present({ a: ['cam1'] })
      .closed(1006)
      .wait(60_000);
    expect(s.view.participants).toHaveLength(1);
  });
});

it('speakers: the present ones, and the recent ones for the large tile', () => {
  const s = new Script().connect().present({ a: [], b: [], c: [] });
  const speak = (...ids: string[]): Script =>
    s.hear({ type: 'speakers', speakers: ids.map((participant_id) => ({ participant_id, level: 50 })) });
  speak('a');
  speak('a', 'b', SELF);
  expect(s.view.speakers.map((x) => x.participantId)).toEqual(['a', 'b', SELF]);
  expect(s.view.recentSpeakers).toEqual(['b', 'a']);
  speak('a');
  speak('c');
  speak();
  expect(s.view.speakers).toEqual([]);
  expect(s.view.recentSpeakers).toEqual(['c', 'a', 'b']);
});

it('stage: the room’s choice of whom to show, without oneself and without who is gone', () => {
  const s = new Script().connect().present({ a: ['cam'], b: ['cam'], c: [] });
  expect(s.view.stage).toEqual([]);
  s.hear({ type: 'stage', people: [SELF, 'b', 'gone', 'a', 'c'] });
  expect(s.view.stage).toEqual(['b', 'a', 'c']);
  const { stage } = s.view;
  s.hear({ type: 'speakers', speakers: [{ participant_id: 'c', level: 90 }] });
  expect(s.view.stage).toBe(stage);
  s.present({ a: ['cam'], c: [] });
  expect(s.view.stage).toEqual(['a', 'c']);
});

it('a poor link is told, spares the uplink while it is that, and is not told of a path that is lost (S5-3)', () => {
  const s = new Script().connect();
  const hear = (poorLink: 'uplink' | 'downlink' | 'both' | null): unknown[] => {
    s.effects = [];
    s.event({ type: 'quality', quality: 2, poorLink });
    return s.effects.flatMap((e) => (e.do === 'spare_uplink' ? [e.spare] : []));
  };
  const told = (): unknown[] =>
    s.effects.flatMap((e) => (e.do === 'emit' && e.event.name === 'poorLink' ? [e.event.detail] : []));
  expect(hear('uplink')).toEqual([true]);
  expect(told()).toEqual([{ link: 'uplink' }]);
  expect(s.view.poorLink).toBe('uplink');
  expect(hear('uplink')).toEqual([]);
  expect(told()).toEqual([]);
  expect(hear('both')).toEqual([]);
  expect(hear('downlink')).toEqual([false]);
  s.path('failed');
  expect(s.view.poorLink).toBeNull();
  s.path('connected');
  expect(s.view.poorLink).toBe('downlink');
  expect(hear(null)).toEqual([]);
  expect(told()).toEqual([{ link: null }]);
  expect(s.view.poorLink).toBeNull();
});

it('a newer server may say what this client does not know', () => {
  const s = new Script().connect();
  const { view } = s;
  s.hear({ type: 'hologram' } as never);
  expect(s.view).toBe(view);
});

describe('sharing of structure', () => {
  it('keeps what is equal and nothing else', () => {
    const before = { list: [{ a: 1 }, { a: 2 }], other: { x: stream('cam') } };
    const same = share(before, structuredClone(before));
    expect(same).toBe(before);
    const next = share(before, { list: [{ a: 1 }, { a: 3 }], other: { x: stream('cam') } });
    expect(next.list[0]).toBe(before.list[0]);
    expect(next.list[1]).toEqual({ a: 3 });
    expect(next.other).toBe(before.other);
    expect(share({ a: 1, b: undefined }, { a: 1 })).toEqual({ a: 1 });
    expect(share([1, 2], [1])).toEqual([1]);
    expect(share(null, { a: null })).toEqual({ a: null });
  });
});
