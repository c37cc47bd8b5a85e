/** What can go wrong, as a closed set of codes that a view turns into words. */
export type ErrorCode =
  // Joining
  /** No such room or meeting. */
  | 'not_found'
  /** The meeting is over, or the participant was removed. */
  | 'gone'
  /** The meeting has no place left. */
  | 'full'
  /** The secret or token is not (any more) good. */
  | 'forbidden'
  /** The request was not understood; a fault of one of the programs. */
  | 'bad_request'
  /** The server failed or is too busy. */
  | 'server'
  /** The server cannot be reached. */
  | 'network'
  /** Media cannot be set up though signalling works: a firewall, most likely. */
  | 'media_path'
  /** This browser lacks WebRTC, or the page is not secure (no HTTPS). */
  | 'unsupported'
  // Devices
  /** The user or a policy denied the device. */
  | 'device_denied'
  /** The operating system denied the device to the browser. */
  | 'device_denied_by_system'
  /** There is no such device. */
  | 'device_not_found'
  /** Another program holds the device, or it is broken. */
  | 'device_in_use'
  /** The device cannot do what was asked. */
  | 'device_overconstrained'
  /** The device went away while in use. */
  | 'device_lost'
  /** The user closed the browser's dialogue without choosing. */
  | 'cancelled'
  // Anything else
  | 'unknown';

/** An error with a stable code. `message` is English, for logs; views have words of their own by `code`. */
export class AlthingError extends Error {
  override readonly name = 'AlthingError';

  constructor(
    readonly code: ErrorCode,
    message: string,
    /** What the server or browser said. */
    readonly detail: string | null = null,
  ) {
    super(message);
  }
}
