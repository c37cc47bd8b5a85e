import { expect, it } from 'vitest';
import { backup, canScale, preferred, redundant } from './codec';

const codec = (mimeType: string): RTCRtpCodec => ({ mimeType, clockRate: 90_000 });
const CODECS = ['video/VP8', 'video/rtx', 'video/VP9', 'video/H264', 'video/VP9'].map(codec);

it('puts every form of a codec first and keeps the rest in order', () => {
  const order = preferred(CODECS, 'vp9')?.map(({ mimeType }) => mimeType);
  expect(order).toEqual(['video/VP9', 'video/VP9', 'video/VP8', 'video/rtx', 'video/H264']);
});

it('leaves the order alone for a codec that the browser does not have', () => {
  expect(preferred(CODECS, 'av1')).toBeNull();
});

it('puts redundancy before the codec that it is made of', () => {
  const sound = ['audio/opus', 'audio/red', 'audio/G722', 'audio/PCMU'].map(codec);
  const order = redundant(sound)?.map(({ mimeType }) => mimeType);
  expect(order).toEqual(['audio/red', 'audio/opus', 'audio/G722', 'audio/PCMU']);
});

it('changes nothing in a browser without redundancy', () => {
  expect(redundant(['audio/opus', 'audio/G722'].map(codec))).toBeNull();
});

it.each([
  [[], null],
  [['vp9', 'vp8'], 'video/VP9'],
  [['vp8', 'h264'], 'video/H264'],
  [['vp8'], 'video/VP8'],
  [['av1'], null],
] as const)('instead of what somebody cannot decode, of %j sends %s', (demanded, sent) => {
  expect(backup(CODECS, demanded)?.mimeType ?? null).toBe(sent);
});

it('does not ask the browser about codecs that have no spatial layers', () => {
  expect(canScale('vp8')).toBe(false);
  expect(canScale('h264')).toBe(false);
  expect(canScale(null)).toBe(false);
});
