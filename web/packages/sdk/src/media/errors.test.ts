import { expect, it } from 'vitest';
import { AlthingError } from '../errors';
import { codeOf, deviceError } from './errors';

it.each([
  ['NotAllowedError', 'Permission denied', 'device', 'device_denied'],
  ['NotAllowedError', 'Permission denied by system', 'device', 'device_denied_by_system'],
  ['NotAllowedError', 'Permission denied by user', 'display', 'cancelled'],
  ['NotAllowedError', 'Permission denied by system', 'display', 'device_denied_by_system'],
  ['NotFoundError', 'Requested device not found', 'device', 'device_not_found'],
  ['NotReadableError', 'Could not start video source', 'device', 'device_in_use'],
  ['AbortError', 'Starting videoinput failed', 'device', 'device_in_use'],
  ['OverconstrainedError', '', 'device', 'device_overconstrained'],
  ['TypeError', '', 'device', 'unsupported'],
  ['SomethingNew', '', 'device', 'unknown'],
] as const)('%s "%s" of a %s is %s', (name, message, what, code) => {
  expect(codeOf(name, message, what)).toBe(code);
});

it('whatever was thrown becomes an error of ours', () => {
  expect(deviceError(undefined, 'device')).toMatchObject({ code: 'unknown', detail: null });
  const own = new AlthingError('unsupported', 'x');
  expect(deviceError(own, 'device')).toBe(own);
  const { code, detail } = deviceError(new DOMException('gone', 'NotFoundError'), 'device');
  expect([code, detail]).toEqual(['device_not_found', 'gone']);
});
