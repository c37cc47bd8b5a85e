/** `@althing/sdk`: take part in a meeting, without a view. */
export { AlthingError } from './errors';
export type { ErrorCode } from './errors';
export { splitKey, streamKey } from './keys';
export { createLocalMedia } from './media/local';
export { createGuest, createRoom, getServerInfo } from './rest';
export { createSession } from './shell/session';
export { checkSupport } from './support';
export type * from './types';
