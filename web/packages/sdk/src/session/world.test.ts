/** Whatever happens: when all is well again, the session comes to rest with what is wanted, over many seeds. */
import { describe, expect, it } from 'vitest';
import { POOL } from './lines';
import type { LocalDesc } from './model';
import { CAMERA, MICROPHONE, SCREEN } from './script';
import { randomOf, World } from './world';

const SEEDS = 150;
const SIZES = [0, 180, 360, 720];

/** One thing that happens to a session, by chance. */
function happen(w: World): void {
  const { random } = w;
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  const person = `p${Math.floor(random() * 12)}`;
  const n = person.slice(1);
  const actions: (() => void)[] = [
    () => w.dropSocket(pick([1006, 1012, 1001])),
    () => w.restartServer(random() * 3_000),
    () => w.setPath(random() < 0.5),
    () => w.event({ type: 'network', online: random() < 0.5 }),
    () => w.event({ type: 'network_changed' }),
    () => w.event({ type: 'retry_now' }),
    () => w.say({ type: 'reoffer', reason: 'test' }),
    () => w.setRoster({ ...w.roster, [person]: [`cam${n}`, `mic${n}`, ...(random() < 0.3 ? [`screen${n}`] : [])] }),
    () => w.setRoster(Object.fromEntries(Object.entries(w.roster).filter(([id]) => id !== person))),
    () => w.event({ type: 'unwish', key: `${person}/cam${n}` }),
  ];
  const frequent = (): void => {
    const height = pick(SIZES);
    const size = random() < 0.1 ? null : { width: height * 2, height };
    const quality = random() < 0.2 ? pick(['low', 'high'] as const) : null;
    w.event({ type: 'wish', key: `${person}/${pick(['cam', 'screen'])}${n}`, wish: { size, quality } });
  };
  const local = (): void => {
    const streams: LocalDesc[] = [MICROPHONE, CAMERA].map((d) => ({ ...d, sending: random() < 0.5 }));
    if (random() < 0.3) streams.push({ ...SCREEN, id: `screen-${Math.floor(random() * 3)}` });
    w.event({ type: 'local', streams });
  };
  const chance = random();
  if (chance < 0.4) frequent();
  else if (chance < 0.5) local();
  else pick(actions)();
}

/** What is wrong at rest: the server's mind against what is wanted. */
function unrest(w: World): string[] {
  const wrong: string[] = [];
  const { state, server } = w;
  if (state.view.connection !== 'connected') wrong.push(`connection is ${state.view.connection}`);
  const bound = new Map([...server.bound].map(([mid, b]) => [b.key, { mid }]));
  if (bound.size !== server.bound.size) wrong.push('a stream is received twice');
  const visible = [...state.wishes].filter(([, wish]) => wish.size === null || wish.size.height > 0);
  const exists = (key: string): boolean =>
    w.roster[key.split('/')[0] ?? '']?.includes(key.split('/')[1] ?? '') === true;
  const wanted = visible.filter(([key]) => exists(key)).slice(0, POOL.video.max);
  for (const [key, wish] of wanted) {
    const at = bound.get(key);
    if (at === undefined) wrong.push(`${key} is not received`);
    const size = server.sizes.get(at?.mid ?? '');
    if (at !== undefined && wish.size !== null && size?.height !== wish.size.height) {
      wrong.push(`${key} has size ${size?.height} and not ${wish.size.height}`);
    }
    if (at !== undefined && (size?.quality ?? null) !== wish.quality) {
      wrong.push(`${key} has quality ${size?.quality} and not ${wish.quality}`);
    }
  }
  const sounds = Object.entries(w.roster).flatMap(([id, names]) =>
    names.filter((x) => /^mic/.test(x)).map((x) => `${id}/${x}`),
  );
  for (const key of sounds) if (!bound.has(key)) wrong.push(`${key} is not heard`);
  const expected = wanted.length + sounds.length;
  if (bound.size !== expected) wrong.push(`${bound.size} streams are received and not ${expected}`);
  for (const line of state.lines) {
    const desc = state.local.find((d) => d.id === line.localId);
    const told = line.mid === null ? undefined : server.muted.get(line.mid);
    if (line.use === 'send' && desc !== undefined && told === desc.sending) wrong.push(`${desc.id}: mute is ${told}`);
  }
  for (const desc of state.local) {
    if (desc.sending && !state.lines.some((l) => l.localId === desc.id && l.answered))
      wrong.push(`${desc.id} is not sent`);
  }
  for (const [mid, line] of server.lines) {
    if (line.localId !== state.lines[Number(mid)]?.localId) wrong.push(`line ${mid} has something else on it`);
  }
  return wrong;
}

describe('after any trouble', () => {
  it.each(Array.from({ length: SEEDS }, (_, seed) => seed))('seed %i', (seed) => {
    const random = randomOf(seed);
    const w = new World(random);
    w.event({ type: 'local', streams: [MICROPHONE, CAMERA] });
    w.event({ type: 'join', profile: { name: 'Me' } });
    for (let i = 0; i < 60 && w.faults.length === 0; i++) {
      happen(w);
      w.run(random() * random() * 3_000);
    }
    w.setPath(true);
    w.event({ type: 'network', online: true });
    w.run(30_000);
    expect(w.faults).toEqual([]);
    expect(unrest(w)).toEqual([]);
  });
});
