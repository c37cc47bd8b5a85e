import { describe, expect, it } from 'vitest';
import { mediaWith, ownStream, remoteStream, sessionWith, somebody } from './testing';
import { tilesOf } from './tiles';

const camera = (change: object) => mediaWith([], { camera: ownStream('camera', 'camera', change) });

function tile(key: string, ...args: Parameters<typeof tilesOf>) {
  const found = tilesOf(...args).find((one) => one.key === key);
  if (found === undefined) {
    throw new Error(`no tile ${key}`);
  }
  return found;
}

describe('tiles', () => {
  it('of a person keep their key when the camera goes off, so that they do not jump', () => {
    const on = tile('ana', sessionWith([somebody('ana')]), mediaWith());
    const off = tile('ana', sessionWith([somebody('ana', { videoMuted: true })]), mediaWith());
    expect(on.streamKey).toBe('ana/cam');
    expect(off).toMatchObject({ streamKey: null, hasPicture: false });
  });

  it('put shared screens before people', () => {
    const ana = somebody('ana', { screens: [remoteStream('ana', 's', { semantic: 'presentation' })] });
    const keys = tilesOf(sessionWith([somebody('bo'), ana]), mediaWith()).map((one) => one.key);
    expect(keys).toEqual(['ana/s', 'self', 'bo', 'ana']);
  });

  it('label further cameras with the name of their person (S1-16)', () => {
    const ana = somebody('ana', { name: 'Ana', extraCameras: [remoteStream('ana', 'x', { semantic: 'misc' })] });
    expect(tile('ana/x', sessionWith([ana]), mediaWith())).toMatchObject({
      label: 'Ana (camera 2)',
      participantId: 'ana',
    });
  });

  it('mirror the own camera, but not one that looks away from the user', () => {
    const session = sessionWith([]);
    expect(tile('self', session, camera({ facingMode: 'user' })).mirrored).toBe(true);
    expect(tile('self', session, camera({ facingMode: null })).mirrored).toBe(true);
    expect(tile('self', session, camera({ facingMode: 'environment' })).mirrored).toBe(false);
  });

  it('show no own picture while the camera is off', () => {
    expect(tile('self', sessionWith([]), camera({ state: 'off' }))).toMatchObject({ localId: null, hasPicture: false });
  });

  it('do not say that somebody speaks who is muted', () => {
    const session = (muted: boolean) =>
      sessionWith([somebody('ana', { audioMuted: muted })], { speakers: [{ participantId: 'ana', level: 60 }] });
    expect(tile('ana', session(false), mediaWith()).speaking).toBe(true);
    expect(tile('ana', session(true), mediaWith()).speaking).toBe(false);
  });

  it('show nobody speaking while the connection is lost', () => {
    const lost = sessionWith([somebody('ana')], {
      connection: 'reconnecting',
      speakers: [{ participantId: 'ana', level: 60 }],
    });
    expect(tile('ana', lost, mediaWith()).speaking).toBe(false);
  });

  it('say whose connection is lost', () => {
    expect(tile('ana', sessionWith([somebody('ana', { connection: 'reconnecting' })]), mediaWith()).away).toBe(true);
  });

  it('list own shares and further cameras once they are live', () => {
    const media = mediaWith([
      ownStream('screen-1', 'screen'),
      ownStream('screen-2', 'screen', { state: 'starting' }),
      ownStream('screen-1-audio', 'screen-audio'),
      ownStream('extra-1', 'extra-camera'),
    ]);
    expect(tilesOf(sessionWith([]), media).map((one) => one.key)).toEqual(['self', 'own/screen-1', 'own/extra-1']);
  });

  it('give a name to whoever has none', () => {
    expect(tile('ana', sessionWith([somebody('ana', { name: '  ' })]), mediaWith()).name).toBe('Guest');
  });
});
