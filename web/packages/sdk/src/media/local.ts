/** Capture on this device: camera, microphone, shares, further cameras. */
import { Emitter, Store } from '../emitter';
import { AlthingError } from '../errors';
import { share } from '../session/share';
import { showTrack } from '../shell/attach';
import type { LocalMedia, LocalMediaEvents, LocalMediaOptions, LocalMediaState } from '../types';
import type { LocalSource, LocalStream, Permission, ShareOptions, Unsubscribe } from '../types';
import type { Wanted } from './constraints';
import { cameraConstraints, displayConstraints, microphoneConstraints, pictureConstraints } from './constraints';
import { canChooseSpeaker, canShareScreen, listDevices, mediaDevices, watchPermission } from './devices';
import { deviceError } from './errors';
import { hear, meterLevel, SILENT } from './level';
import { Meter } from './meter';
import { playTestSound } from './testsound';
import { initialMedia, newStream, orderStreams } from './streams';

type Main = 'camera' | 'microphone';

/** Capture on this device, with everything off. */
export function createLocalMedia(options: LocalMediaOptions = {}): LocalMedia {
  return new LocalMediaShell(options);
}

class LocalMediaShell implements LocalMedia {
  private readonly store: Store<LocalMediaState>;
  private readonly emitter = new Emitter<LocalMediaEvents>();
  private readonly tracks = new Map<string, MediaStreamTrack>();
  private readonly wanted: Record<Main, Wanted>;
  /** Counts what was asked of a device: only the newest counts, whenever the browser answers. */
  private readonly asked: Record<Main, number> = { camera: 0, microphone: 0 };
  private readonly levelListeners = new Set<(level: number) => void>();
  private meter: { readonly meter: Meter; readonly track: MediaStreamTrack } | null = null;
  private talk = SILENT;
  private counter = 0;
  private closed = false;
  private readonly onDeviceChange = (): void => void this.refreshDevices();

  constructor(options: LocalMediaOptions) {
    this.wanted = {
      camera: { id: options.cameraId ?? null, exact: false },
      microphone: { id: options.microphoneId ?? null, exact: false },
    };
    this.store = new Store(
      initialMedia({
        speakerId: options.speakerId ?? '',
        cameraHeightMax: options.cameraHeightMax ?? null,
        canChooseSpeaker: canChooseSpeaker(),
        canShareScreen: canShareScreen(),
      }),
    );
    for (const name of ['camera', 'microphone'] as const) {
      watchPermission(name, (permission) => this.onPermission(name, permission));
    }
    mediaDevices()?.addEventListener('devicechange', this.onDeviceChange);
    void this.refreshDevices();
  }

  getSnapshot = (): LocalMediaState => this.store.get();
  subscribe = (listener: () => void): Unsubscribe => this.store.subscribe(listener);
  getTrack = (id: string): MediaStreamTrack | null => this.tracks.get(id) ?? null;

  on<E extends keyof LocalMediaEvents>(event: E, listener: (detail: LocalMediaEvents[E]) => void): Unsubscribe {
    return this.emitter.on(event, listener);
  }

  async start(what: { readonly camera: boolean; readonly microphone: boolean }): Promise<void> {
    const needed = (main: Main): boolean => what[main] && this.stream(main).state !== 'live';
    if (!needed('camera') || !needed('microphone')) {
      if (what.camera) await this.setCamera(true);
      if (what.microphone) await this.setMicrophone(true);
      return;
    }
    const turns = { camera: ++this.asked.camera, microphone: ++this.asked.microphone };
    this.patch('camera', { state: 'starting', error: null });
    this.patch('microphone', { state: 'starting', error: null });
    try {
      const stream = await getUserMedia({
        video: this.cameraConstraints(this.wanted.camera),
        audio: microphoneConstraints(this.wanted.microphone),
      });
      this.take('microphone', turns.microphone, stream.getAudioTracks()[0]);
      this.take('camera', turns.camera, stream.getVideoTracks()[0]);
      await this.refreshDevices();
    } catch (thrown) {
      await this.startSingly(turns, deviceError(thrown, 'device'));
    }
  }

  async setCamera(on: boolean): Promise<void> {
    if (on) await this.open('camera');
    else this.cameraOff();
  }

  async setMicrophone(on: boolean): Promise<void> {
    const track = this.tracks.get('microphone');
    if (track === undefined) {
      if (on) return this.open('microphone');
      this.asked.microphone += 1;
      this.patch('microphone', { state: 'off', muted: true });
      return;
    }
    track.enabled = on;
    this.patch('microphone', { muted: !on });
    this.measure();
  }

  selectCamera = (deviceId: string): Promise<void> => this.select('camera', deviceId);
  selectMicrophone = (deviceId: string): Promise<void> => this.select('microphone', deviceId);

  selectSpeaker(deviceId: string): Promise<void> {
    this.update({ speakerId: deviceId });
    return Promise.resolve();
  }

  async limitCamera(heightMax: number | null): Promise<void> {
    this.update({ cameraHeightMax: heightMax });
    const cameras = this.store.get().streams.filter((s) => s.source === 'camera' || s.source === 'extra-camera');
    for (const { id } of cameras) {
      const track = this.tracks.get(id);
      // A camera that cannot do it goes on as it is.
      await track?.applyConstraints(pictureConstraints(heightMax)).catch(() => undefined);
      if (track !== undefined && this.tracks.get(id) === track) this.patch(id, describe(track));
    }
  }

  async shareScreen(options: ShareOptions = {}): Promise<string | null> {
    const hint = options.hint ?? 'detail';
    try {
      const devices = mediaDevices();
      if (!canShareScreen() || devices === undefined) throw new AlthingError('unsupported', 'no screen sharing here');
      const stream = await devices.getDisplayMedia(displayConstraints(hint, options.audio ?? true));
      const [video] = stream.getVideoTracks();
      const [audio] = stream.getAudioTracks();
      if (video === undefined || this.closed) {
        for (const track of stream.getTracks()) track.stop();
        return null;
      }
      const id = `screen-${++this.counter}`;
      video.contentHint = hint;
      this.add(newStream(id, 'screen'), video);
      if (audio !== undefined) {
        audio.contentHint = 'music';
        this.add(newStream(`${id}-audio`, 'screen-audio'), audio);
      }
      return id;
    } catch (thrown) {
      this.fail('screen', deviceError(thrown, 'display'));
      return null;
    }
  }

  setScreenHint(id: string, hint: 'detail' | 'motion'): void {
    const track = this.tracks.get(id);
    if (track === undefined || track.contentHint === hint) return;
    track.contentHint = hint;
    // The same data in a new snapshot: the session looks at the track again.
    this.store.set({ ...this.store.get() });
  }

  async addCamera(deviceId: string): Promise<string | null> {
    try {
      const stream = await getUserMedia({ video: this.cameraConstraints({ id: deviceId, exact: true }) });
      const [track] = stream.getVideoTracks();
      if (track === undefined || this.closed) {
        track?.stop();
        return null;
      }
      const id = `extra-${++this.counter}`;
      this.add(newStream(id, 'extra-camera'), track);
      return id;
    } catch (thrown) {
      this.fail('extra-camera', deviceError(thrown, 'device'));
      return null;
    }
  }

  stop(id: string): void {
    if (id === 'camera') this.cameraOff();
    else if (id === 'microphone') void this.setMicrophone(false);
    else for (const each of [id, `${id}-audio`]) this.drop(each);
  }

  attachPreview(element: HTMLVideoElement, id = 'camera'): Unsubscribe {
    const stop = showTrack(this, element, id);
    return () => {
      stop();
      element.srcObject = null;
    };
  }

  onLevel(listener: (level: number) => void): Unsubscribe {
    const own = (level: number): void => listener(level);
    this.levelListeners.add(own);
    this.measure();
    return () => {
      this.levelListeners.delete(own);
      this.measure();
    };
  }

  playTestSound = (): Promise<void> => playTestSound(this.store.get().speakerId);

  async refreshDevices(): Promise<void> {
    const infos =
      (await mediaDevices()
        ?.enumerateDevices()
        .catch(() => [])) ?? [];
    if (this.closed) return;
    const lists = listDevices(infos);
    const speakers = canChooseSpeaker() ? lists.speakers : [];
    this.update({ ...lists, speakers });
  }

  close(): void {
    this.closed = true;
    mediaDevices()?.removeEventListener('devicechange', this.onDeviceChange);
    this.asked.camera += 1;
    this.asked.microphone += 1;
    for (const id of [...this.tracks.keys()]) this.drop(id);
    this.levelListeners.clear();
    this.measure();
  }

  private cameraConstraints(wanted: Wanted): MediaTrackConstraints {
    return cameraConstraints(wanted, this.store.get().cameraHeightMax);
  }

  /** Camera or microphone on. */
  private async open(what: Main): Promise<void> {
    if (this.stream(what).state === 'live' || this.closed) return;
    const turn = ++this.asked[what];
    this.patch(what, { state: 'starting', error: null });
    await this.capture(what, turn);
  }

  private async capture(what: Main, turn: number): Promise<boolean> {
    try {
      const wanted = this.wanted[what];
      const stream = await getUserMedia(
        what === 'camera' ? { video: this.cameraConstraints(wanted) } : { audio: microphoneConstraints(wanted) },
      );
      this.take(what, turn, stream.getTracks()[0]);
      void this.refreshDevices();
      return true;
    } catch (thrown) {
      if (turn === this.asked[what]) this.failMain(what, deviceError(thrown, 'device'));
      return false;
    }
  }

  /** Both together failed: whichever works alone is better than none. A user who said no is not asked again. */
  private async startSingly(turns: Readonly<Record<Main, number>>, error: AlthingError): Promise<void> {
    const { permissions } = this.store.get();
    const denied = error.code === 'device_denied';
    const oneDenied = (permissions.camera === 'denied') !== (permissions.microphone === 'denied');
    for (const what of ['microphone', 'camera'] as const) {
      if (turns[what] !== this.asked[what]) continue;
      if (denied && !(oneDenied && permissions[what] !== 'denied')) this.failMain(what, error);
      else await this.capture(what, turns[what]);
    }
  }

  private async select(what: Main, deviceId: string): Promise<void> {
    const before = this.wanted[what];
    const { state, deviceId: present } = this.stream(what);
    this.wanted[what] = { id: deviceId, exact: true };
    if (state !== 'live' && state !== 'starting') {
      this.patch(what, { deviceId });
      return;
    }
    if (state === 'live' && present === deviceId) return;
    // The old one first: phones have one camera at a time, and Safari one microphone. Others do not see a mute.
    const turn = ++this.asked[what];
    this.release(what);
    if (await this.capture(what, turn)) return;
    if (turn !== this.asked[what]) return;
    this.wanted[what] = { id: present ?? before.id, exact: false };
    await this.open(what);
  }

  /** A captured track takes its place, unless something else was asked for meanwhile. */
  private take(what: Main, turn: number, track: MediaStreamTrack | undefined): void {
    if (track === undefined) return;
    if (turn !== this.asked[what] || this.closed) {
      track.stop();
      return;
    }
    const { state, muted } = this.stream(what);
    // Switched over while muted: stays muted. Switched on: is not.
    const keepMuted = what === 'microphone' && state === 'live' && muted;
    track.enabled = !keepMuted;
    this.tracks.set(what, track);
    this.watch(what, track);
    this.wanted[what] = { ...this.wanted[what], exact: false };
    this.patch(what, { ...describe(track), state: 'live', muted: keepMuted, error: null });
    this.measure();
  }

  private add(stream: LocalStream, track: MediaStreamTrack): void {
    this.tracks.set(stream.id, track);
    this.watch(stream.id, track);
    const streams = [...this.store.get().streams, { ...stream, ...describe(track) }];
    this.update({ streams: orderStreams(streams) });
  }

  private watch(id: string, track: MediaStreamTrack): void {
    const present = (): boolean => this.tracks.get(id) === track;
    track.addEventListener('ended', () => present() && void this.onEnded(id));
    track.addEventListener('mute', () => present() && this.patch(id, { interrupted: true }));
    track.addEventListener('unmute', () => present() && this.patch(id, { ...describe(track), interrupted: false }));
  }

  /** The track ended by itself: the device is gone, or the user ended the share in the browser's own interface. */
  private async onEnded(id: string): Promise<void> {
    const stream = this.stream(id);
    if (id !== 'camera' && id !== 'microphone') {
      this.stop(id);
      if (stream.source === 'screen') this.emitter.emit('shareEnded', { stream });
      else if (stream.source === 'extra-camera') this.emitter.emit('deviceLost', { stream, replaced: false });
      return;
    }
    const turn = ++this.asked[id];
    this.release(id);
    await this.refreshDevices();
    this.wanted[id] = { id: null, exact: false };
    const { cameras, microphones } = this.store.get();
    const others = (id === 'camera' ? cameras : microphones).some((device) => device.id !== stream.deviceId);
    const replaced = others && (await this.capture(id, turn));
    if (!others && turn === this.asked[id]) {
      this.failMain(id, new AlthingError('device_lost', `the ${id} went away`, stream.label));
    }
    this.emitter.emit('deviceLost', { stream, replaced });
  }

  private cameraOff(): void {
    this.asked.camera += 1;
    this.release('camera');
    this.patch('camera', { state: 'off', muted: true, interrupted: false });
  }

  /** Stops capturing without saying so in the state. */
  private release(id: string): void {
    const track = this.tracks.get(id);
    this.tracks.delete(id);
    track?.stop();
    this.measure();
  }

  private drop(id: string): void {
    this.release(id);
    if (id === 'camera' || id === 'microphone') {
      this.patch(id, { state: 'off', muted: true });
      return;
    }
    this.update({ streams: this.store.get().streams.filter((stream) => stream.id !== id) });
  }

  private failMain(what: Main, error: AlthingError): void {
    this.release(what);
    this.patch(what, { state: 'failed', muted: true, error });
    this.fail(what, error);
  }

  private fail(source: LocalSource, error: AlthingError): void {
    this.emitter.emit('error', { source, error });
  }

  private stream(id: string): LocalStream {
    const found = this.store.get().streams.find((stream) => stream.id === id);
    return found ?? newStream(id, 'screen');
  }

  /** The next snapshot; parts that are equal stay the same objects. */
  private update(change: Partial<LocalMediaState>): void {
    const before = this.store.get();
    this.store.set(share(before, { ...before, ...change }));
  }

  private patch(id: string, change: Partial<LocalStream>): void {
    const state = this.store.get();
    const streams = state.streams.map((stream) => (stream.id === id ? { ...stream, ...change } : stream));
    const of = (main: Main): LocalStream => streams.find((stream) => stream.id === main) ?? state[main];
    this.update({ streams, camera: of('camera'), microphone: of('microphone') });
  }

  private onPermission(name: Main, permission: Permission): void {
    this.update({ permissions: { ...this.store.get().permissions, [name]: permission } });
    void this.refreshDevices();
  }

  /** Measures while somebody looks, or while it matters that somebody talks. */
  private measure(): void {
    const track = this.tracks.get('microphone');
    const needed = this.levelListeners.size > 0 || this.stream('microphone').muted;
    const target = track !== undefined && needed ? track : null;
    if (this.meter?.track !== target) {
      this.meter?.meter.stop();
      this.meter = target === null ? null : { track: target, meter: new Meter(target, (db) => this.onMeasured(db)) };
      this.talk = SILENT;
      if (target === null) for (const listener of this.levelListeners) listener(0);
    }
    if (target === null || !this.stream('microphone').muted) this.setTalking(false);
  }

  private onMeasured(db: number): void {
    this.talk = hear(this.talk, db, performance.now());
    this.setTalking(this.talk.talking && this.stream('microphone').muted);
    for (const listener of this.levelListeners) listener(meterLevel(db));
  }

  private setTalking(talking: boolean): void {
    this.update({ talkingWhileMuted: talking });
  }
}

async function getUserMedia(constraints: MediaStreamConstraints): Promise<MediaStream> {
  const devices = mediaDevices();
  if (devices === undefined) throw new AlthingError('unsupported', 'no capture here: the page is not secure');
  return devices.getUserMedia(constraints);
}

function describe(
  track: MediaStreamTrack,
): Pick<LocalStream, 'deviceId' | 'label' | 'width' | 'height' | 'facingMode'> {
  const { deviceId, width, height, facingMode } = track.getSettings();
  return {
    deviceId: deviceId ?? null,
    label: track.label,
    width: width ?? 0,
    height: height ?? 0,
    facingMode: facingMode ?? null,
  };
}
