import { expect, it } from 'vitest';
import { pathState } from './peer';

it.each([
  ['connected', 'connected', 'connected'],
  ['connected', 'completed', 'connected'],
  ['connecting', 'connected', 'connecting'],
  ['connected', 'disconnected', 'disconnected'],
  ['failed', 'connected', 'failed'],
  ['disconnected', 'failed', 'failed'],
  ['new', 'new', 'new'],
  ['connecting', 'checking', 'connecting'],
] as const)('connection %s with ICE %s is %s', (connectionState, iceConnectionState, state) => {
  expect(pathState({ connectionState, iceConnectionState })).toBe(state);
});
