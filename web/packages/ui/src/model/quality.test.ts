import { expect, it } from 'vitest';
import { poorLinkWords } from './quality';

it('names the direction in which the connection is poor (S5-3)', () => {
  expect(poorLinkWords('uplink').what).toBe('Your connection is poor (uplink).');
  expect(poorLinkWords('downlink').what).toBe('Your connection is poor (downlink).');
  expect(poorLinkWords('both').what).toBe('Your connection is poor.');
});
