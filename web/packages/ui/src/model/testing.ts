/** Helpers of this folder's tests. */
import type { LocalMediaState, LocalStream, Participant, RemoteStream, SessionState } from '@althing/sdk';

/** Numbers that look random and are the same in every run (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A whole number from `least` to `most`, both included. */
export function between(random: () => number, least: number, most: number): number {
  return least + Math.floor(random() * (most - least + 1));
}

/** A stream of a participant. */
export function remoteStream(
  participantId: string,
  streamId: string,
  change: Partial<RemoteStream> = {},
): RemoteStream {
  return {
    key: `${participantId}/${streamId}`,
    participantId,
    streamId,
    kind: 'video',
    codec: 'vp8',
    semantic: 'main',
    layers: [],
    muted: false,
    receiving: 'bound',
    active: true,
    rid: null,
    spatial: null,
    ...change,
  };
}

/** Somebody with camera and microphone on. */
export function somebody(id: string, change: Partial<Participant> = {}): Participant {
  const camera = remoteStream(id, 'cam');
  const microphone = remoteStream(id, 'mic', { kind: 'audio' });
  return {
    id,
    name: id,
    profile: { name: id },
    connection: 'connected',
    order: 1,
    streams: [camera, microphone],
    camera,
    microphone,
    screens: [],
    extraCameras: [],
    audioMuted: false,
    videoMuted: false,
    ...change,
  };
}

/** A joined session with these people. */
export function sessionWith(participants: readonly Participant[], change: Partial<SessionState> = {}): SessionState {
  return {
    connection: 'connected',
    socket: 'connected',
    media: 'connected',
    end: null,
    offline: false,
    selfId: 'me',
    profile: { name: 'Me' },
    joinedAtMs: 0,
    published: [],
    participants,
    speakers: [],
    recentSpeakers: [],
    stage: [],
    chat: [],
    audioBlocked: false,
    quality: null,
    poorLink: null,
    ...change,
  };
}

/** An own stream that is on. */
export function ownStream(id: string, source: LocalStream['source'], change: Partial<LocalStream> = {}): LocalStream {
  return {
    id,
    source,
    kind: source === 'microphone' || source === 'screen-audio' ? 'audio' : 'video',
    state: 'live',
    muted: false,
    error: null,
    deviceId: null,
    label: '',
    width: 1280,
    height: 720,
    facingMode: null,
    interrupted: false,
    ...change,
  };
}

/** Local media with camera and microphone on. */
export function mediaWith(more: readonly LocalStream[] = [], change: Partial<LocalMediaState> = {}): LocalMediaState {
  const camera = ownStream('camera', 'camera');
  const microphone = ownStream('microphone', 'microphone');
  return {
    cameras: [],
    microphones: [],
    speakers: [],
    speakerId: '',
    canChooseSpeaker: true,
    canShareScreen: true,
    permissions: { camera: 'granted', microphone: 'granted' },
    camera,
    microphone,
    streams: [microphone, camera, ...more],
    cameraHeightMax: null,
    talkingWhileMuted: false,
    ...change,
  };
}
