/**
 * The public vocabulary of the SDK. States are immutable snapshots: a part that has not changed is the same object
 * as before, so `useSyncExternalStore` with a selector renders only what moved.
 */
import type { Codec, Guest, Layer, LayerReason, MediaKind, MemberConnection, ReceiveQuality } from '@althing/wire';
import type { Semantic } from '@althing/wire';
import type { AlthingError } from './errors';

export type { Codec, Guest, Layer, LayerReason, MediaKind, MemberConnection, ReceiveQuality, Semantic };

/** Takes a listener back. */
export type Unsubscribe = () => void;

/** Names one remote stream in the meeting: `participantId/streamId`. */
export type StreamKey = string;

/** What others may know of a participant. At most 4 KiB as JSON; further fields are carried along. */
export interface Profile {
  readonly name: string;
  readonly [field: string]: unknown;
}

// ------------------------------------------------------------------------------------------------ session state

/** State of the whole or of one of its two links. `idle`: not joined yet. `ended` is final for this session. */
export type ConnectionState = 'idle' | 'connecting' | 'connected' | 'reconnecting' | 'ended';

/** Why a session is over. */
export interface SessionEnd {
  /**
   * `left`: by `leave()`. `removed`: somebody removed this participant. `ended`: the meeting is over. `replaced`: the
   * same participant joined in another tab or window. `failed`: joining or authentication was refused; see `error`.
   */
  readonly reason: 'left' | 'removed' | 'ended' | 'replaced' | 'failed';
  /** With `failed` only. */
  readonly error: AlthingError | null;
}

/** Everything a view needs of a session. */
export interface SessionState {
  /** The worse of `socket` and `media`. */
  readonly connection: ConnectionState;
  /** Signalling. */
  readonly socket: ConnectionState;
  /** The media path (ICE and DTLS). */
  readonly media: ConnectionState;
  /** Not null when `connection` is `ended`. */
  readonly end: SessionEnd | null;
  /** The browser says that there is no network at all. */
  readonly offline: boolean;
  /** The own participant; null until joined for the first time. */
  readonly selfId: string | null;
  /** The own profile. */
  readonly profile: Profile;
  /** When the meeting was joined first, in milliseconds since 1970; null before. */
  readonly joinedAtMs: number | null;
  /** Own streams as the meeting knows them, in the order of `LocalMediaState.streams`. */
  readonly published: readonly PublishedStream[];
  /** Everybody else, in the order of arrival. */
  readonly participants: readonly Participant[];
  /** Who speaks now, loudest first; the own participant may be in it. */
  readonly speakers: readonly ActiveSpeaker[];
  /** Who was heard most recently, newest first, others only; for choosing whose sound and tile to keep. At most 16. */
  readonly recentSpeakers: readonly string[];
  /**
   * Who is to be seen in a view of one large picture and seven small ones, others only: the first is the one to show
   * large. The room chooses, so every screen changes alike; who speaks sees who spoke before. Empty: it has not said.
   */
  readonly stage: readonly string[];
  /** Oldest first. */
  readonly chat: readonly ChatEntry[];
  /** The browser refuses to play sound until the user clicks: show a button that calls `Session.unblockAudio()`. */
  readonly audioBlocked: boolean;
  /** Own connection: 4 excellent, 3 good, 2 fair, 1 poor, 0 lost; null while unknown. */
  readonly quality: Quality | null;
  /**
   * The own connection is poor, so that others (`uplink`) or oneself (`downlink`) see and hear badly; null: it is not. Said
   * when it has lasted some seconds, and taken back when it has been good for about ten.
   */
  readonly poorLink: PoorLink | null;
}

/** 4 excellent, 3 good, 2 fair, 1 poor, 0 lost. */
export type Quality = 0 | 1 | 2 | 3 | 4;

/** The direction in which the own connection is poor. */
export type PoorLink = 'uplink' | 'downlink' | 'both';

/** Somebody else in the meeting. */
export interface Participant {
  readonly id: string;
  /** From the profile, trimmed; empty when the client said nothing. */
  readonly name: string;
  readonly profile: Profile | null;
  /** Whether it is here, or on its way back. */
  readonly connection: MemberConnection;
  /** Order of arrival. */
  readonly order: number;
  /** What it publishes: cameras before shares, in a stable order. */
  readonly streams: readonly RemoteStream[];
  /** Shortcuts into `streams`: the first of its kind, null when there is none. */
  readonly camera: RemoteStream | null;
  readonly microphone: RemoteStream | null;
  /** Shared screens (video, `presentation`). */
  readonly screens: readonly RemoteStream[];
  /** Further cameras (video, `misc`). */
  readonly extraCameras: readonly RemoteStream[];
  /** No microphone, or a muted one. */
  readonly audioMuted: boolean;
  /** No camera, or a camera that is off. */
  readonly videoMuted: boolean;
}

/** A stream of somebody else. */
export interface RemoteStream {
  readonly key: StreamKey;
  readonly participantId: string;
  readonly streamId: string;
  readonly kind: MediaKind;
  readonly codec: Codec;
  /** `main`: camera or microphone. `presentation`: screen or its sound. `misc`: a further camera. */
  readonly semantic: Semantic;
  /** Simulcast encodings with their sizes; empty without simulcast. */
  readonly layers: readonly Layer[];
  /** Its sender switched it off. */
  readonly muted: boolean;
  /** `no`: not asked for. `requested`: on its way. `bound`: has a receive slot. */
  readonly receiving: 'no' | 'requested' | 'bound';
  /** Packets flow now. */
  readonly active: boolean;
  /** The encoding received now. */
  readonly rid: string | null;
  /** Of an encoding that holds several sizes the one received now, 0 is the smallest; null: it holds one. */
  readonly spatial: number | null;
}

/** An own stream as the meeting knows it. */
export interface PublishedStream {
  /** `LocalStream.id`. */
  readonly localId: string;
  /** The m-line; null until offered. */
  readonly mid: string | null;
  /** Its id in the meeting; null until the server said it. */
  readonly streamId: string | null;
}

/** Somebody who speaks now. */
export interface ActiveSpeaker {
  readonly participantId: string;
  /** 0 (silence) to 100. */
  readonly level: number;
}

/** A chat message. */
export interface ChatEntry {
  /** Order in the meeting; for a message still on its way, null. */
  readonly number: number | null;
  /** Unique among the entries of this session. */
  readonly key: string;
  readonly from: string;
  /** The author's name when it wrote. */
  readonly name: string | null;
  /** To one participant; null: to everybody. */
  readonly to: string | null;
  readonly text: string;
  readonly atMs: number;
  readonly own: boolean;
  /** `failed`: the server refused it, or it is not known whether it arrived; send it again by `sendChat`. */
  readonly delivery: 'sending' | 'sent' | 'failed';
}

// ------------------------------------------------------------------------------------------------ session

/** Where to go. A `Guest` comes from `createGuest`; keep it in `sessionStorage` and a reload stays the same person. */
export type JoinTarget =
  | { readonly guest: Guest }
  /** Meet: makes a guest of this room first; `origin` defaults to the page's own. */
  | { readonly room: string; readonly origin?: string }
  /** Platform: what `/v1/meetings/{id}/join` answered to your own backend. */
  | { readonly location: string; readonly token: string; readonly participantId: string };

export interface JoinOptions {
  readonly profile: Profile;
}

export interface SessionEvents {
  /** Somebody came (not fired for those who are there when one joins). */
  participantJoined: { readonly participant: Participant };
  participantLeft: { readonly participant: Participant };
  /** A share of somebody else began. */
  screenStarted: { readonly participant: Participant; readonly stream: RemoteStream };
  screenStopped: { readonly participant: Participant; readonly stream: RemoteStream };
  /** A message of somebody else. */
  chat: { readonly message: ChatEntry };
  /** `connection` changed. */
  connection: { readonly state: ConnectionState; readonly previous: ConnectionState };
  /** The own connection became poor, or good again (null). */
  poorLink: { readonly link: PoorLink | null };
  /** Something was refused that the user may want to know; the session goes on. */
  error: { readonly error: AlthingError };
  /** For logs and tests: what the session does, in words, without personal data. */
  log: { readonly level: 'debug' | 'info' | 'warn'; readonly text: string };
}

/** Codecs of cameras that can be chosen. */
export type VideoCodec = 'vp8' | 'vp9' | 'av1' | 'h264';

export interface SessionOptions {
  /** What is captured here, and so published. Default: a new, empty one. */
  readonly media?: LocalMedia;
  /** Program and version, for statistics of the server. Default: the SDK's own. */
  readonly client?: string;
  /** See `Session.limitReceive`. */
  readonly receiveHeightMax?: number | null;
  /** Sounds received at the same time at most. Default 25. */
  readonly audioStreamsMax?: number;
  /**
   * What cameras are sent in. VP8 and H.264 go out in several encodings (simulcast), VP9 and AV1 in one that holds them
   * all (scalable video), which needs less bandwidth and more processor. Where the browser cannot, it is as without.
   * Default: several encodings, in the browser's first codec, which everybody can receive.
   */
  readonly videoCodec?: VideoCodec;
  /** Added to the RTCPeerConnection's configuration (own TURN servers, `iceTransportPolicy`). */
  readonly rtc?: RTCConfiguration;
}

/** How a video element shows a stream. */
export interface AttachOptions {
  /** Default true: report the element's size, so that the server sends a fitting layer, and nothing when it is out
   *  of sight. False: always the best layer. */
  readonly adaptive?: boolean;
  /**
   * What the user chose for this tile: the smallest, the middle or the largest picture that its sender sends, as several
   * encodings or as layers of one, whatever the element's size; out of sight still means nothing. Absent: by size. Wins
   * over `adaptive`.
   */
  readonly quality?: ReceiveQuality;
  /** Called when the picture's size changes, in pixels. */
  readonly onSize?: (width: number, height: number) => void;
  /** Called when pictures begin or stop to arrive. */
  readonly onPlaying?: (playing: boolean) => void;
}

/** One participation in one meeting. Use it once: after `ended` make a new one. */
export interface Session {
  /** What is captured here. */
  readonly media: LocalMedia;
  getSnapshot(): SessionState;
  /** Calls after every change of the snapshot, at most once per task. */
  subscribe(listener: () => void): Unsubscribe;
  on<E extends keyof SessionEvents>(event: E, listener: (detail: SessionEvents[E]) => void): Unsubscribe;

  /**
   * Joins. Resolves with the guest (or null on the platform) when the server let us in; rejects with an
   * `AlthingError` when it refused; until then it tries again by itself while the network fails (see `connection`).
   */
  join(target: JoinTarget, options: JoinOptions): Promise<Guest | null>;
  /** Leaves for good and frees everything except `media`, which its owner closes. */
  leave(): void;
  /** Tries to reconnect at once instead of at the end of the present back-off. */
  retryNow(): void;

  setProfile(profile: Profile): void;
  /** To everybody, or to one. Cut at 4,000 characters. Empty text is ignored. */
  sendChat(text: string, to?: string): void;

  /**
   * Shows a remote stream in a video element: asks for it, reports the element's size, sets `srcObject`. The stream may
   * come, go and come again; the element is kept up to date until the returned function is called.
   */
  attachVideo(element: HTMLVideoElement, key: StreamKey, options?: AttachOptions): Unsubscribe;
  /** For views that do their own drawing: asks for a stream (idempotent, counted per caller by the returned function). */
  request(key: StreamKey): Unsubscribe;
  /** Size at which a requested stream is shown, in CSS pixels times `devicePixelRatio`; 0 × 0 is hidden. */
  setTileSize(key: StreamKey, width: number, height: number): void;
  /**
   * Largest height in which people are received (180, 360, 720, 1080, 2160), as far as their senders send one that is so
   * small; null: what the tiles need. Shared screens, and tiles for which a quality was chosen, are not limited.
   */
  limitReceive(heightMax: number | null): void;
  /** The received track, or null. It can change without notice: listen to `subscribe`. */
  getTrack(key: StreamKey): MediaStreamTrack | null;

  /** Plays sound after the browser had refused it; call it from a click. */
  unblockAudio(): Promise<void>;
  /** Loudness of one participant here, 0 to 1. Default 1. */
  setVolume(participantId: string, volume: number): void;

  /** Newest statistics; a new object every second or two while joined. */
  getStats(): SessionStats;
  subscribeStats(listener: () => void): Unsubscribe;
}

// ------------------------------------------------------------------------------------------------ statistics

export interface SessionStats {
  /** Milliseconds since 1970; 0: none yet. */
  readonly atMs: number;
  readonly quality: Quality | null;
  /** See `SessionState.poorLink`. */
  readonly poorLink: PoorLink | null;
  readonly rttMs: number | null;
  readonly sendBps: number;
  readonly receiveBps: number;
  readonly availableSendBps: number | null;
  /** `udp` or `tcp`, and how the own end was found: host, srflx, prflx, relay. */
  readonly transport: {
    readonly protocol: string;
    readonly localType: string;
    readonly srtpCipher: string | null;
  } | null;
  readonly received: readonly ReceivedStats[];
  readonly sent: readonly SentStats[];
}

export interface ReceivedStats {
  readonly key: StreamKey;
  readonly kind: MediaKind;
  readonly codec: string | null;
  readonly rid: string | null;
  /** Of an encoding that holds several sizes the one received, 0 is the smallest; null: it holds one. */
  readonly spatial: number | null;
  /** Why the server sends this and nothing better; null: it has not said. */
  readonly reason: LayerReason | null;
  readonly bps: number;
  /** Of the last interval, 0 to 100. */
  readonly lossPct: number;
  readonly jitterMs: number;
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly framesDecoded: number;
  readonly freezes: number;
  /** Sound only: 0 to 1. */
  readonly audioLevel: number;
  readonly totalAudioEnergy: number;
}

export interface SentStats {
  readonly localId: string;
  readonly kind: MediaKind;
  readonly codec: string | null;
  readonly encodings: readonly SentEncoding[];
}

export interface SentEncoding {
  readonly rid: string | null;
  /** Of an encoding that holds several sizes, as browsers name it (`L3T3_KEY`); null: they do not say. */
  readonly scalabilityMode: string | null;
  readonly active: boolean;
  readonly bps: number;
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly lossPct: number;
  /** Why the browser sends less than it could: `none`, `cpu`, `bandwidth`, `other`. */
  readonly limitation: string;
}

// ------------------------------------------------------------------------------------------------ local media

/** A device, with a label that is empty until the browser gave permission. */
export interface Device {
  readonly id: string;
  readonly label: string;
  readonly groupId: string;
}

/** `unknown`: the browser does not say. */
export type Permission = 'unknown' | 'prompt' | 'granted' | 'denied';

/** What a local stream is. */
export type LocalSource = 'camera' | 'microphone' | 'screen' | 'screen-audio' | 'extra-camera';

/** Something captured here. `camera` and `microphone` are always listed; the others while they exist. */
export interface LocalStream {
  /** `camera`, `microphone`, `screen-1`, `screen-1-audio`, `extra-1`… */
  readonly id: string;
  readonly source: LocalSource;
  readonly kind: MediaKind;
  /**
   * `off`: nothing captured (the camera's light is off). `starting`: waiting for the device or the user's permission.
   * `live`: captured. `failed`: see `error`; try again by switching it on.
   */
  readonly state: 'off' | 'starting' | 'live' | 'failed';
  /** Others get nothing of it. A muted microphone stays `live` here, so that talking while muted is noticed. */
  readonly muted: boolean;
  readonly error: AlthingError | null;
  /** The device chosen by the user or, without a choice, by the browser; null for screens and before the first use. */
  readonly deviceId: string | null;
  /** The track's label: device, window or screen. */
  readonly label: string;
  /** What is captured, in pixels; 0 while unknown. */
  readonly width: number;
  readonly height: number;
  /** `user`, `environment` or null; `environment` pictures are not to be mirrored. */
  readonly facingMode: string | null;
  /** The browser paused capture (sleep, phone call, physical switch). */
  readonly interrupted: boolean;
}

export interface LocalMediaState {
  readonly cameras: readonly Device[];
  readonly microphones: readonly Device[];
  /** Empty where the browser cannot choose (Safari, Firefox before 116). */
  readonly speakers: readonly Device[];
  /** The chosen speaker; empty: the system's. */
  readonly speakerId: string;
  readonly canChooseSpeaker: boolean;
  readonly canShareScreen: boolean;
  readonly permissions: { readonly camera: Permission; readonly microphone: Permission };
  readonly camera: LocalStream;
  readonly microphone: LocalStream;
  /** Everything, in the order in which it is published: microphone, camera, then shares and further cameras. */
  readonly streams: readonly LocalStream[];
  /** Largest height captured and sent by cameras, in pixels, as set by `limitCamera`. */
  readonly cameraHeightMax: number | null;
  /** The user talks while the microphone is muted. */
  readonly talkingWhileMuted: boolean;
}

export interface LocalMediaEvents {
  /** A device in use went away. The stream is `failed` or, when another took its place, goes on with that. */
  deviceLost: { readonly stream: LocalStream; readonly replaced: boolean };
  /** A share was ended in the browser's own interface. */
  shareEnded: { readonly stream: LocalStream };
  /** A device could not be used. */
  error: { readonly source: LocalSource; readonly error: AlthingError };
}

export interface LocalMediaOptions {
  /** Devices to prefer (remembered from last time); silently another one when they are not there. */
  readonly cameraId?: string | null;
  readonly microphoneId?: string | null;
  readonly speakerId?: string | null;
  /** See `LocalMedia.limitCamera`. */
  readonly cameraHeightMax?: number | null;
}

export interface ShareOptions {
  /** `detail` (default): text, sharp at few frames. `motion`: film, smooth. */
  readonly hint?: 'detail' | 'motion';
  /** Ask for the sound of the tab or system too. Default true; not every browser and surface has it. */
  readonly audio?: boolean;
}

/**
 * What is captured on this device: made before joining (for the pre-join screen), handed to the session, alive until
 * `close()`. Methods that start capture never reject: they resolve when it is over and say the outcome in the state
 * and, for failures, by `error`.
 */
export interface LocalMedia {
  getSnapshot(): LocalMediaState;
  subscribe(listener: () => void): Unsubscribe;
  on<E extends keyof LocalMediaEvents>(event: E, listener: (detail: LocalMediaEvents[E]) => void): Unsubscribe;

  /** Camera and microphone on with one permission question. Falls back to the one that works. */
  start(what: { readonly camera: boolean; readonly microphone: boolean }): Promise<void>;
  /** Camera on or off (off: the light goes out). */
  setCamera(on: boolean): Promise<void>;
  /** Microphone on, or muted. */
  setMicrophone(on: boolean): Promise<void>;
  /** Chooses a device; switches over at once when the stream is live. */
  selectCamera(deviceId: string): Promise<void>;
  selectMicrophone(deviceId: string): Promise<void>;
  /** Empty: the system's. */
  selectSpeaker(deviceId: string): Promise<void>;

  /** Largest height that cameras capture and send (180, 360, 720, 1080, 2160); null: the default. Takes effect at once. */
  limitCamera(heightMax: number | null): Promise<void>;

  /** Asks for a screen, window or tab and shares it. The new stream's id, or null when the user declined or it failed. */
  shareScreen(options?: ShareOptions): Promise<string | null>;
  setScreenHint(id: string, hint: 'detail' | 'motion'): void;
  /** A further camera beside the main one. */
  addCamera(deviceId: string): Promise<string | null>;
  /** Ends a share (with its sound) or a further camera. */
  stop(id: string): void;

  getTrack(id: string): MediaStreamTrack | null;
  /** Shows a local stream in a video element until the returned function is called. */
  attachPreview(element: HTMLVideoElement, id?: string): Unsubscribe;
  /** Level of the microphone, 0 to 1, about 20 times a second while somebody listens; also while muted. */
  onLevel(listener: (level: number) => void): Unsubscribe;
  /** Plays a short sound on the chosen speaker. Resolves when it is over. */
  playTestSound(): Promise<void>;

  /** Reads the device lists again. */
  refreshDevices(): Promise<void>;
  /** Stops everything. */
  close(): void;
}
