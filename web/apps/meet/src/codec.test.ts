import { expect, it } from 'vitest';
import { chosenCodec } from './codec';

it.each([
  ['', null],
  ['?codec=vp9', 'vp9'],
  ['?x=1&codec=av1', 'av1'],
  ['?codec=h265', null],
])('%s asks for %s', (search, codec) => {
  expect(chosenCodec(search)).toBe(codec);
});
