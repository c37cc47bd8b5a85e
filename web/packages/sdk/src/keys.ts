import type { StreamKey } from './types';

/** Names a stream of a participant in the meeting. */
export function streamKey(participantId: string, streamId: string): StreamKey {
  return `${participantId}/${streamId}`;
}

/** The two ids in a key. Neither holds a slash. */
export function splitKey(key: StreamKey): { readonly participantId: string; readonly streamId: string } {
  const at = key.indexOf('/');
  return { participantId: key.slice(0, at), streamId: key.slice(at + 1) };
}
