import type {
  LocalMedia,
  Participant,
  RemoteStream,
  Session,
  SessionState,
  SessionStats,
  StreamKey,
} from '@althing/sdk';
import { drawPerson, drawScreen, stream } from './pictures';

const NAMES = [
  'Ana Sørensen',
  'Bo Lindqvist',
  'Chiamaka Okafor',
  'Dmitri Volkov',
  'Elif Yıldız',
  'Freyja Jónsdóttir',
  'Gustavo Ríos',
  'Hana Suzuki',
  'Imran Qureshi',
  'Jo',
  'Katarzyna Wiśniewska-Nowakowska',
  'Liam Ó Briain',
  'Mei-Ling Chen',
  'Noor van der Berg',
  'Oluwaseun Adeyemi',
  'Priya Raghavan',
];

/** What can be different about a made-up person. */
export interface PersonOptions {
  readonly camera?: boolean;
  readonly muted?: boolean;
  readonly screens?: number;
  readonly extraCameras?: number;
  readonly connection?: Participant['connection'];
}

/** The id of made-up person number `index`. */
export function personId(index: number): string {
  return `p${index}x7k2m4q9`;
}

/** Made-up person number `index`. */
export function person(index: number, options: PersonOptions = {}): Participant {
  const id = personId(index);
  const { camera = true, muted = index % 3 === 1, screens = 0, extraCameras = 0 } = options;
  const remote = (streamId: string, kind: 'audio' | 'video', semantic: RemoteStream['semantic'], off: boolean) =>
    ({
      key: `${id}/${streamId}`,
      participantId: id,
      streamId,
      kind,
      codec: kind === 'audio' ? 'opus' : 'vp8',
      semantic,
      layers: [],
      muted: off,
      receiving: 'bound',
      active: !off,
      rid: kind === 'video' ? 'h' : null,
      spatial: null,
    }) as RemoteStream;
  const cameraStream = remote(`${index}cam`, 'video', 'main', !camera);
  const microphone = remote(`${index}mic`, 'audio', 'main', muted);
  const extra = Array.from({ length: extraCameras }, (_, at) => remote(`${index}extra${at}`, 'video', 'misc', false));
  const shares = Array.from({ length: screens }, (_, at) =>
    remote(`${index}screen${at}`, 'video', 'presentation', false),
  );
  const round = Math.floor(index / NAMES.length);
  const name = `${NAMES[index % NAMES.length] ?? 'Guest'}${round === 0 ? '' : ` ${round + 1}`}`;
  return {
    id,
    name,
    profile: { name },
    connection: options.connection ?? 'connected',
    order: index + 1,
    streams: [cameraStream, microphone, ...extra, ...shares],
    camera: cameraStream,
    microphone,
    screens: shares,
    extraCameras: extra,
    audioMuted: muted,
    videoMuted: !camera,
  };
}

/** A state of a session with these people. */
export function sessionState(participants: readonly Participant[], change: Partial<SessionState> = {}): SessionState {
  return {
    connection: 'connected',
    socket: 'connected',
    media: 'connected',
    end: null,
    offline: false,
    selfId: 'selfid7k2m4q9',
    profile: { name: 'Sigrún Ásdís' },
    joinedAtMs: Date.now() - 754_000,
    published: [],
    participants,
    speakers: participants[0] === undefined ? [] : [{ participantId: participants[0].id, level: 42 }],
    recentSpeakers: participants.slice(0, 3).map((one) => one.id),
    stage: participants.slice(0, 8).map((one) => one.id),
    chat: [],
    audioBlocked: false,
    quality: 4,
    poorLink: null,
    ...change,
  };
}

/** A session that shows one state. */
export function fakeSession(state: SessionState, media: LocalMedia, stats: SessionStats): Session {
  return {
    media,
    getSnapshot: () => state,
    subscribe: () => () => undefined,
    on: () => () => undefined,
    join: () => Promise.resolve(null),
    leave: () => undefined,
    retryNow: () => undefined,
    setProfile: () => undefined,
    sendChat: () => undefined,
    attachVideo: (element, key, options) => {
      const made = picture(key);
      element.srcObject = made.media;
      options?.onSize?.(1280, 720);
      options?.onPlaying?.(true);
      return made.stop;
    },
    request: () => () => undefined,
    setTileSize: () => undefined,
    limitReceive: () => undefined,
    getTrack: () => null,
    unblockAudio: () => Promise.resolve(),
    setVolume: () => undefined,
    getStats: () => stats,
    subscribeStats: () => () => undefined,
  };
}

function picture(key: StreamKey) {
  const index = Number(/\/(\d+)/u.exec(key)?.[1] ?? 0);
  if (key.includes('screen')) {
    return stream(1280, 720, (context) => drawScreen(context, 1280, 720, index));
  }
  const shift = key.includes('extra') ? 3 : 0;
  return stream(640, 360, (context, t) => drawPerson(context, 640, 360, index + shift, t));
}

/** Numbers for the statistics panel. */
export function fakeStats(participants: readonly Participant[]): SessionStats {
  const layer = (rid: string, width: number, height: number, bps: number, active = true) => ({
    rid,
    scalabilityMode: width > 0 ? 'L1T3' : null,
    active,
    bps,
    width,
    height,
    fps: active ? 30 : 0,
    lossPct: 0.2,
    limitation: 'none',
  });
  return {
    atMs: Date.now(),
    quality: 4,
    poorLink: null,
    rttMs: 18,
    sendBps: 2_310_000,
    receiveBps: 4_120_000,
    availableSendBps: 6_400_000,
    transport: { protocol: 'udp', localType: 'host', srtpCipher: 'AEAD_AES_256_GCM' },
    sent: [
      {
        localId: 'microphone',
        kind: 'audio',
        codec: 'opus',
        encodings: [{ ...layer('', 0, 0, 38_000), rid: null }],
      },
      {
        localId: 'camera',
        kind: 'video',
        codec: 'VP8',
        encodings: [
          layer('l', 320, 180, 148_000),
          layer('m', 640, 360, 492_000),
          layer('h', 1280, 720, 1_640_000, participants.length < 6),
        ],
      },
    ],
    received: participants.flatMap((one) =>
      one.streams.map((remote) => ({
        key: remote.key,
        kind: remote.kind,
        codec: remote.kind === 'audio' ? 'opus' : 'VP8',
        rid: one.order === 2 ? null : remote.rid,
        spatial: one.order === 2 && remote.kind === 'video' ? 1 : null,
        reason: remote.kind === 'audio' ? null : one.order === 4 ? ('bandwidth' as const) : ('tile_size' as const),
        bps: remote.muted ? 0 : remote.kind === 'audio' ? 34_000 : 1_420_000,
        lossPct: one.order === 4 ? 12 : 0.1,
        jitterMs: 4,
        width: remote.kind === 'video' ? 1280 : 0,
        height: remote.kind === 'video' ? 720 : 0,
        fps: remote.kind === 'video' ? 30 : 0,
        framesDecoded: 9_000,
        freezes: 0,
        audioLevel: 0.1,
        totalAudioEnergy: 1,
      })),
    ),
  };
}
