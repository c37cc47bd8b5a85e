import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { LocalMedia, LocalMediaEvents } from '../types';
import { createLocalMedia } from './local';

/** As much of a track as capture looks at. */
class FakeTrack extends EventTarget {
  enabled = true;
  readyState = 'live';
  contentHint = '';

  constructor(
    readonly kind: 'audio' | 'video',
    readonly deviceId: string,
    readonly label = deviceId,
  ) {
    super();
  }

  getSettings(): MediaTrackSettings {
    return this.kind === 'video' ? { deviceId: this.deviceId, width: 1280, height: 720 } : { deviceId: this.deviceId };
  }

  clone(): FakeTrack {
    return new FakeTrack(this.kind, this.deviceId);
  }

  stop(): void {
    this.readyState = 'ended';
  }

  /** The device is gone, or the user ended the share: the browser ends the track and says so. */
  end(): void {
    this.stop();
    this.dispatchEvent(new Event('ended'));
  }
}

/** Browser with two cameras and one microphone. What `fail` says is thrown; `hold` delays answers until `release`. */
class FakeDevices extends EventTarget {
  readonly asked: MediaStreamConstraints[] = [];
  readonly tracks: FakeTrack[] = [];
  infos = ['videoinput c1', 'videoinput c2', 'audioinput m1'];
  fail: (constraints: MediaStreamConstraints) => string | null = () => null;
  shareAudio = false;
  hold: Promise<void> | null = null;

  enumerateDevices = (): Promise<unknown[]> =>
    Promise.resolve(
      this.infos.map((info) => {
        const [kind, deviceId] = info.split(' ');
        return { kind, deviceId, label: deviceId, groupId: '' };
      }),
    );

  getUserMedia = async (constraints: MediaStreamConstraints): Promise<unknown> => {
    this.asked.push(constraints);
    await this.hold;
    const name = this.fail(constraints);
    if (name !== null) throw new DOMException(name, name);
    const tracks = [];
    if (constraints.audio) tracks.push(new FakeTrack('audio', 'm1'));
    if (constraints.video) tracks.push(new FakeTrack('video', wantedOf(constraints) ?? 'c1'));
    return this.streamOf(tracks);
  };

  getDisplayMedia = (constraints: MediaStreamConstraints): Promise<unknown> => {
    const name = this.fail(constraints);
    if (name !== null) return Promise.reject(new DOMException(name, name));
    const audio = this.shareAudio ? [new FakeTrack('audio', 'tab')] : [];
    return Promise.resolve(this.streamOf([new FakeTrack('video', 'screen'), ...audio]));
  };

  live(): string[] {
    return this.tracks.filter((t) => t.readyState === 'live').map((t) => t.deviceId);
  }

  private streamOf(tracks: FakeTrack[]): object {
    this.tracks.push(...tracks);
    return {
      getTracks: () => tracks,
      getAudioTracks: () => tracks.filter((t) => t.kind === 'audio'),
      getVideoTracks: () => tracks.filter((t) => t.kind === 'video'),
    };
  }
}

function wantedOf(constraints: MediaStreamConstraints): string | undefined {
  const id = typeof constraints.video === 'object' ? constraints.video.deviceId : undefined;
  const wanted = (typeof id === 'object' ? id : {}) as { exact?: string; ideal?: string };
  return wanted.exact ?? wanted.ideal;
}

let devices: FakeDevices;
let media: LocalMedia;
let heard: [keyof LocalMediaEvents, string][];

beforeEach(() => {
  devices = new FakeDevices();
  const silent = { state: 'suspended', resume: () => Promise.resolve(), close: () => Promise.resolve() };
  const node = { connect: () => node, fftSize: 0 };
  vi.stubGlobal('navigator', { mediaDevices: devices, permissions: { query: () => Promise.reject(new Error()) } });
  vi.stubGlobal('document', new EventTarget());
  vi.stubGlobal('MediaStream', EventTarget);
  vi.stubGlobal(
    'AudioContext',
    class {
      state = silent.state;
      resume = silent.resume;
      close = silent.close;
      createAnalyser = () => node;
      createMediaStreamSource = () => node;
    },
  );
  media = createLocalMedia();
  heard = [];
  media.on('error', ({ source, error }) => heard.push(['error', `${source} ${error.code}`]));
  media.on('deviceLost', ({ stream, replaced }) => heard.push(['deviceLost', `${stream.id} ${replaced}`]));
  media.on('shareEnded', ({ stream }) => heard.push(['shareEnded', stream.id]));
});

afterEach(() => {
  media.close();
  vi.unstubAllGlobals();
});

/** Lets everything that waits for a promise go on. */
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

describe('camera and microphone', () => {
  it('start with one question', async () => {
    await media.start({ camera: true, microphone: true });
    expect(devices.asked).toHaveLength(1);
    const { camera, microphone, cameras } = media.getSnapshot();
    expect(camera).toMatchObject({ state: 'live', muted: false, deviceId: 'c1', width: 1280 });
    expect(microphone).toMatchObject({ state: 'live', muted: false });
    expect(cameras.map((d) => d.id)).toEqual(['c1', 'c2']);
  });

  it('start with the one that works', async () => {
    devices.fail = (c) => (c.video ? 'NotFoundError' : null);
    await media.start({ camera: true, microphone: true });
    expect(media.getSnapshot().microphone.state).toBe('live');
    expect(media.getSnapshot().camera).toMatchObject({ state: 'failed', error: { code: 'device_not_found' } });
    expect(heard).toEqual([['error', 'camera device_not_found']]);
  });

  it('a user who said no is not asked again', async () => {
    devices.fail = () => 'NotAllowedError';
    await media.start({ camera: true, microphone: true });
    expect(devices.asked).toHaveLength(1);
    expect(media.getSnapshot().camera.error?.code).toBe('device_denied');
    expect(media.getSnapshot().microphone.error?.code).toBe('device_denied');
  });

  it('off means that the camera is stopped, and that the microphone only keeps silent', async () => {
    await media.start({ camera: true, microphone: true });
    await media.setCamera(false);
    await media.setMicrophone(false);
    expect(devices.live()).toEqual(['m1']);
    expect(devices.tracks[0]?.enabled).toBe(false);
    expect(media.getSnapshot().camera).toMatchObject({ state: 'off', muted: true });
    expect(media.getSnapshot().microphone).toMatchObject({ state: 'live', muted: true });
    await media.setMicrophone(true);
    expect(devices.tracks[0]?.enabled).toBe(true);
    expect(devices.asked).toHaveLength(1);
  });

  it('switched off before the browser answered stays off', async () => {
    let release = (): void => undefined;
    devices.hold = new Promise((resolve) => (release = resolve));
    const on = media.setCamera(true);
    expect(media.getSnapshot().camera.state).toBe('starting');
    await media.setCamera(false);
    release();
    await on;
    expect(media.getSnapshot().camera.state).toBe('off');
    expect(devices.live()).toEqual([]);
  });

  it('another device takes over without a mute in between', async () => {
    await media.setCamera(true);
    const states: string[] = [];
    media.subscribe(() => states.push(media.getSnapshot().camera.state));
    await media.selectCamera('c2');
    await settle();
    expect(new Set(states)).toEqual(new Set(['live']));
    expect(devices.live()).toEqual(['c2']);
    expect(media.getSnapshot().camera.deviceId).toBe('c2');
  });

  it('another device that fails gives way to the former one', async () => {
    await media.setCamera(true);
    devices.fail = (c) => (wantedOf(c) === 'c2' ? 'NotReadableError' : null);
    await media.selectCamera('c2');
    expect(devices.live()).toEqual(['c1']);
    expect(media.getSnapshot().camera).toMatchObject({ state: 'live', deviceId: 'c1', error: null });
    expect(heard).toEqual([['error', 'camera device_in_use']]);
  });

  it('a microphone changed while muted stays muted', async () => {
    await media.setMicrophone(true);
    await media.setMicrophone(false);
    await media.selectMicrophone('m2');
    expect(media.getSnapshot().microphone.muted).toBe(true);
    expect(devices.tracks.at(-1)?.enabled).toBe(false);
  });

  it('a device that goes away is replaced by another one', async () => {
    await media.setCamera(true);
    devices.infos = ['videoinput c2'];
    devices.tracks[0]?.end();
    await settle();
    expect(heard).toEqual([['deviceLost', 'camera true']]);
    expect(media.getSnapshot().camera.state).toBe('live');
  });

  it('or by none', async () => {
    await media.setCamera(true);
    devices.infos = [];
    devices.tracks[0]?.end();
    await settle();
    expect(heard).toEqual([
      ['error', 'camera device_lost'],
      ['deviceLost', 'camera false'],
    ]);
    expect(media.getSnapshot().camera).toMatchObject({ state: 'failed', error: { code: 'device_lost' } });
  });

  it('interruptions show', async () => {
    await media.setCamera(true);
    devices.tracks[0]?.dispatchEvent(new Event('mute'));
    expect(media.getSnapshot().camera.interrupted).toBe(true);
    devices.tracks[0]?.dispatchEvent(new Event('unmute'));
    expect(media.getSnapshot().camera.interrupted).toBe(false);
  });
});

describe('shares and further cameras', () => {
  it('have streams of their own, which end together', async () => {
    devices.shareAudio = true;
    const id = await media.shareScreen({ hint: 'motion' });
    const camera = await media.addCamera('c2');
    expect(media.getSnapshot().streams.map((s) => s.id)).toEqual(['microphone', 'camera', id, `${id}-audio`, camera]);
    expect(devices.tracks[0]?.contentHint).toBe('motion');
    media.stop(id ?? '');
    media.stop(camera ?? '');
    expect(media.getSnapshot().streams.map((s) => s.id)).toEqual(['microphone', 'camera']);
    expect(devices.live()).toEqual([]);
  });

  it('say when they were ended elsewhere', async () => {
    const id = await media.shareScreen();
    devices.tracks[0]?.end();
    await settle();
    expect(heard).toEqual([['shareEnded', id]]);
    expect(media.getSnapshot().streams).toHaveLength(2);
  });

  it('declined are no failure of a device', async () => {
    devices.fail = () => 'NotAllowedError';
    expect(await media.shareScreen()).toBeNull();
    expect(heard).toEqual([['error', 'screen cancelled']]);
  });
});

it('devices that come and go are listed; an event without a change wakes nobody', async () => {
  await settle();
  let calls = 0;
  media.subscribe(() => (calls += 1));
  devices.dispatchEvent(new Event('devicechange'));
  await settle();
  expect(calls).toBe(0);
  devices.infos = [];
  devices.dispatchEvent(new Event('devicechange'));
  await settle();
  expect(calls).toBe(1);
  expect(media.getSnapshot().cameras).toEqual([]);
});

it('without HTTPS there is nothing to capture with', async () => {
  vi.stubGlobal('navigator', {});
  const insecure = createLocalMedia();
  await insecure.start({ camera: true, microphone: true });
  expect(insecure.getSnapshot().camera.error?.code).toBe('unsupported');
  expect(insecure.getSnapshot().canShareScreen).toBe(false);
  insecure.close();
});

it('closed means that nothing is captured any more', async () => {
  await media.start({ camera: true, microphone: true });
  media.close();
  expect(devices.live()).toEqual([]);
  await media.setCamera(true);
  expect(devices.live()).toEqual([]);
});
