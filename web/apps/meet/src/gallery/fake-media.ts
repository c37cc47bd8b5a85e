import type { LocalMedia, LocalMediaState, LocalStream } from '@althing/sdk';
import { drawPerson, drawScreen, stream } from './pictures';

/** A local stream that is on. */
export function localStream(id: string, source: LocalStream['source'], change: Partial<LocalStream> = {}): LocalStream {
  return {
    id,
    source,
    kind: source === 'microphone' || source === 'screen-audio' ? 'audio' : 'video',
    state: 'live',
    muted: false,
    error: null,
    deviceId: source === 'microphone' ? 'mic-1' : source === 'camera' ? 'cam-1' : null,
    label: id,
    width: 1280,
    height: 720,
    facingMode: 'user',
    interrupted: false,
    ...change,
  };
}

/** A state of local media, with everything on. */
export function mediaState(change: Partial<LocalMediaState> = {}): LocalMediaState {
  const camera = change.camera ?? localStream('camera', 'camera');
  const microphone = change.microphone ?? localStream('microphone', 'microphone');
  return {
    cameras: [
      { id: 'cam-1', label: 'Built-in camera', groupId: 'a' },
      { id: 'cam-2', label: 'USB camera', groupId: 'b' },
    ],
    microphones: [
      { id: 'mic-1', label: 'Built-in microphone', groupId: 'a' },
      { id: 'mic-2', label: 'Headset microphone', groupId: 'c' },
    ],
    speakers: [
      { id: 'spk-1', label: 'Built-in speakers', groupId: 'a' },
      { id: 'spk-2', label: 'Headset', groupId: 'c' },
    ],
    speakerId: '',
    canChooseSpeaker: true,
    canShareScreen: true,
    permissions: { camera: 'granted', microphone: 'granted' },
    camera,
    microphone,
    streams: [microphone, camera],
    cameraHeightMax: null,
    talkingWhileMuted: false,
    ...change,
  };
}

/** Local media that captures nothing: it shows a state and lets the buttons change it. */
export function fakeMedia(initial: LocalMediaState): LocalMedia {
  let state = initial;
  const listeners = new Set<() => void>();
  const set = (change: Partial<LocalMediaState>) => {
    const next = { ...state, ...change };
    const streams = next.streams.map((one) =>
      one.id === 'camera' ? next.camera : one.id === 'microphone' ? next.microphone : one,
    );
    state = { ...next, streams };
    for (const listener of listeners) {
      listener();
    }
    return Promise.resolve();
  };
  return {
    getSnapshot: () => state,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    on: () => () => undefined,
    start: () => Promise.resolve(),
    setCamera: (on) => set({ camera: { ...state.camera, state: on ? 'live' : 'off', error: null } }),
    setMicrophone: (on) => set({ microphone: { ...state.microphone, muted: !on, state: 'live', error: null } }),
    selectCamera: (deviceId) => set({ camera: { ...state.camera, deviceId } }),
    selectMicrophone: (deviceId) => set({ microphone: { ...state.microphone, deviceId } }),
    selectSpeaker: (speakerId) => set({ speakerId }),
    limitCamera: (cameraHeightMax) => set({ cameraHeightMax }),
    shareScreen: async () => {
      await set({ streams: [...state.streams, localStream('screen-1', 'screen')] });
      return 'screen-1';
    },
    setScreenHint: () => undefined,
    addCamera: async (deviceId) => {
      await set({ streams: [...state.streams, localStream('extra-1', 'extra-camera', { deviceId })] });
      return 'extra-1';
    },
    stop: (id) => void set({ streams: state.streams.filter((one) => one.id !== id) }),
    getTrack: () => null,
    attachPreview: (element, id = 'camera') => {
      const made = stream(640, 360, (context, t) => {
        if (id.startsWith('screen')) {
          drawScreen(context, 640, 360, 1);
        } else {
          drawPerson(context, 640, 360, id === 'camera' ? 6 : 7, t);
        }
      });
      element.srcObject = made.media;
      return made.stop;
    },
    onLevel: (listener) => {
      let t = 0;
      const timer = setInterval(() => {
        t += 1;
        listener(0.18 + 0.14 * Math.sin(t / 3));
      }, 50);
      return () => {
        clearInterval(timer);
      };
    },
    playTestSound: () => new Promise((resolve) => setTimeout(resolve, 1_000)),
    refreshDevices: () => Promise.resolve(),
    close: () => undefined,
  };
}
