/** Device errors as browsers say them, made into our codes. */
import type { ErrorCode } from '../errors';
import { AlthingError } from '../errors';

/** What `getUserMedia` or `getDisplayMedia` threw. */
export function deviceError(thrown: unknown, what: 'device' | 'display'): AlthingError {
  if (thrown instanceof AlthingError) return thrown;
  const { name = '', message = '' } = (thrown ?? {}) as { name?: string; message?: string };
  return new AlthingError(codeOf(name, message, what), `${what}: ${name || 'failed'}`, message || null);
}

/** By `DOMException.name`; the message tells some cases apart that share a name. */
export function codeOf(name: string, message: string, what: 'device' | 'display'): ErrorCode {
  switch (name) {
    case 'NotAllowedError':
    case 'PermissionDeniedError':
    case 'SecurityError':
      if (/system|denied by the (user agent|platform)/i.test(message)) return 'device_denied_by_system';
      return what === 'display' && name === 'NotAllowedError' ? 'cancelled' : 'device_denied';
    case 'NotFoundError':
    case 'DevicesNotFoundError':
      // Firefox and macOS say this of a screen that the system does not let the browser see.
      return what === 'display' ? 'device_denied_by_system' : 'device_not_found';
    case 'NotReadableError':
    case 'TrackStartError':
      return 'device_in_use';
    case 'AbortError':
      return what === 'display' ? 'cancelled' : 'device_in_use';
    case 'OverconstrainedError':
    case 'ConstraintNotSatisfiedError':
      return 'device_overconstrained';
    case 'NotSupportedError':
    case 'TypeError':
      return 'unsupported';
    default:
      return 'unknown';
  }
}
