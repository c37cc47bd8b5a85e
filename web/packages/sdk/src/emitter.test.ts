import { expect, it } from 'vitest';
import { Emitter, Store } from './emitter';
import { splitKey, streamKey } from './keys';
import { codeOfStatus, isTemporary } from './rest';
import { AlthingError } from './errors';

it('a store tells once per task, and nobody who has left', async () => {
  const store = new Store(0);
  const told: number[] = [];
  const stop = store.subscribe(() => told.push(store.get()));
  store.set(1);
  store.set(2);
  expect(told).toEqual([]);
  await Promise.resolve();
  expect(told).toEqual([2]);
  store.set(2);
  await Promise.resolve();
  stop();
  store.set(3);
  await Promise.resolve();
  expect(told).toEqual([2]);
});

it('events go to those who listen to them', () => {
  const emitter = new Emitter<{ a: number; b: string }>();
  const heard: unknown[] = [];
  const stop = emitter.on('a', (n) => heard.push(n));
  emitter.on('b', (s) => heard.push(s));
  emitter.emit('a', 1);
  stop();
  emitter.emit('a', 2);
  emitter.emit('b', 'x');
  expect(heard).toEqual([1, 'x']);
});

it('keys come apart again', () => {
  expect(splitKey(streamKey('p', 's'))).toEqual({ participantId: 'p', streamId: 's' });
});

it('HTTP statuses mean what a user needs to know', () => {
  const codes = [400, 401, 403, 404, 410, 429, 500, 503].map(codeOfStatus);
  expect(codes).toEqual(['bad_request', 'forbidden', 'forbidden', 'not_found', 'gone', 'server', 'server', 'server']);
  expect(isTemporary(new AlthingError('server', ''))).toBe(true);
  expect(isTemporary(new AlthingError('gone', ''))).toBe(false);
});
