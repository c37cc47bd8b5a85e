import type { VideoCodec } from '@althing/sdk';

const CODECS: readonly VideoCodec[] = ['vp8', 'vp9', 'av1', 'h264'];

/** What the camera is sent in, for those who try it out: `?codec=vp9` behind the link of a room. Null: the default. */
export function chosenCodec(search: string): VideoCodec | null {
  const wanted = new URLSearchParams(search).get('codec');
  return CODECS.find((codec) => codec === wanted) ?? null;
}
