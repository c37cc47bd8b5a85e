import { expect, it } from 'vitest';
import { layerName, scalableName } from './layers';

it('names an encoding, a layer of one, or neither', () => {
  expect(layerName('h', null)).toBe('h');
  expect(layerName(null, 0)).toBe('S0');
  expect(layerName('h', 1)).toBe('h S1');
  expect(layerName(null, null)).toBe('–');
  expect(scalableName('L3T3_KEY')).toBe('L3T3_KEY');
  expect(scalableName('L1T1')).toBe('–');
  expect(scalableName(null)).toBe('–');
});
