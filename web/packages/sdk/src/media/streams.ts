/** The list of what is captured. Pure. */
import type { LocalMediaState, LocalSource, LocalStream } from '../types';

/** Order in which streams are published and listed. */
const ORDER: readonly LocalSource[] = ['microphone', 'camera', 'screen', 'screen-audio', 'extra-camera'];

/** A stream that is being added live, or `camera` and `microphone` before their first use. */
export function newStream(id: string, source: LocalSource): LocalStream {
  const main = source === 'camera' || source === 'microphone';
  return {
    id,
    source,
    kind: source === 'microphone' || source === 'screen-audio' ? 'audio' : 'video',
    state: main ? 'off' : 'live',
    muted: main,
    error: null,
    deviceId: null,
    label: '',
    width: 0,
    height: 0,
    facingMode: null,
    interrupted: false,
  };
}

/** By kind of source, within it by age. */
export function orderStreams(streams: readonly LocalStream[]): readonly LocalStream[] {
  return [...streams].sort((a, b) => ORDER.indexOf(a.source) - ORDER.indexOf(b.source));
}

export function initialMedia(
  own: Pick<LocalMediaState, 'speakerId' | 'cameraHeightMax' | 'canChooseSpeaker' | 'canShareScreen'>,
): LocalMediaState {
  const camera = newStream('camera', 'camera');
  const microphone = newStream('microphone', 'microphone');
  return {
    ...own,
    cameras: [],
    microphones: [],
    speakers: [],
    permissions: { camera: 'unknown', microphone: 'unknown' },
    camera,
    microphone,
    streams: [microphone, camera],
    talkingWhileMuted: false,
  };
}
