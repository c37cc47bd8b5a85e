import type { LocalMediaState, LocalStream, Participant, RemoteStream, SessionState, StreamKey } from '@althing/sdk';
import { avatarColour, displayName } from './person';

/** What a tile shows. */
export type TileKind = 'self' | 'camera' | 'screen';

/** Everything that one tile needs to be drawn. */
export interface TileVm {
  /** Stable while the person or share is there, whether the camera is on or off. */
  readonly key: string;
  readonly kind: TileKind;
  readonly participantId: string;
  /** The remote picture; null when there is none to ask for. */
  readonly streamKey: StreamKey | null;
  /** The own picture; null on tiles of others and while the own camera is off. */
  readonly localId: string | null;
  readonly isOwn: boolean;
  /** The person's name. */
  readonly name: string;
  /** What the tile says below the picture. */
  readonly label: string;
  readonly colour: number;
  readonly micMuted: boolean;
  readonly speaking: boolean;
  /** There is a picture now. */
  readonly hasPicture: boolean;
  /** Its person's connection is lost and may come back. */
  readonly away: boolean;
  readonly mirrored: boolean;
}

/** Loudness (0 to 100) from which somebody counts as speaking. The server sends levels of speech, not of noise. */
const SPEAKING_LEVEL_MIN = 1;

/** The tiles of a meeting: shared screens, then oneself, then the others in the order of arrival. */
export function tilesOf(session: SessionState, media: LocalMediaState): TileVm[] {
  // What was said of speakers before the connection was lost is not true any more.
  const speakers = session.connection === 'connected' ? session.speakers : [];
  const speaking = new Set(
    speakers.filter((speaker) => speaker.level >= SPEAKING_LEVEL_MIN).map((speaker) => speaker.participantId),
  );
  const screens = session.participants.flatMap((person) => screenTiles(person));
  const people = session.participants.flatMap((person) => [
    personTile(person, speaking.has(person.id)),
    ...cameraTiles(person, speaking.has(person.id)),
  ]);
  return [...screens, ...ownTiles(session, media, speaking), ...people];
}

/** The own tile's key. */
export const SELF_KEY = 'self';

function ownTiles(session: SessionState, media: LocalMediaState, speaking: ReadonlySet<string>): TileVm[] {
  const id = session.selfId ?? SELF_KEY;
  const base = {
    participantId: id,
    streamKey: null,
    isOwn: true,
    name: displayName(session.profile.name),
    colour: avatarColour(id),
    micMuted: isSilent(media.microphone),
    away: false,
  };
  const camera = media.camera;
  const self: TileVm = {
    ...base,
    key: SELF_KEY,
    kind: 'self',
    localId: isSeen(camera) ? camera.id : null,
    label: 'You',
    speaking: speaking.has(id) && !base.micMuted,
    hasPicture: isSeen(camera),
    mirrored: camera.facingMode !== 'environment',
  };
  const others = media.streams
    .filter((stream) => stream.kind === 'video' && stream.id !== camera.id && stream.state === 'live')
    .map((stream): TileVm => ({
      ...base,
      key: `own/${stream.id}`,
      kind: stream.source === 'screen' ? 'screen' : 'camera',
      localId: stream.id,
      label: stream.source === 'screen' ? 'Your screen' : 'Your second camera',
      speaking: false,
      hasPicture: true,
      mirrored: false,
    }));
  return [self, ...others];
}

function isSilent(microphone: LocalStream): boolean {
  return microphone.muted || microphone.state !== 'live';
}

function isSeen(camera: LocalStream): boolean {
  return camera.state === 'live' && !camera.muted;
}

function personTile(person: Participant, speaking: boolean): TileVm {
  const camera = person.camera;
  const name = displayName(person.name);
  return {
    ...remoteBase(person, speaking),
    key: person.id,
    kind: 'camera',
    streamKey: camera !== null && !person.videoMuted ? camera.key : null,
    label: name,
    hasPicture: camera !== null && !person.videoMuted,
  };
}

function cameraTiles(person: Participant, speaking: boolean): TileVm[] {
  const several = person.extraCameras.length > 1;
  return person.extraCameras.filter(isShown).map((stream, index) => ({
    ...remoteBase(person, speaking),
    key: stream.key,
    kind: 'camera',
    streamKey: stream.key,
    label: `${displayName(person.name)} (camera ${several ? index + 2 : 2})`,
    hasPicture: true,
  }));
}

function screenTiles(person: Participant): TileVm[] {
  const several = person.screens.length > 1;
  return person.screens.filter(isShown).map((stream, index) => ({
    ...remoteBase(person, false),
    key: stream.key,
    kind: 'screen',
    streamKey: stream.key,
    label: `${displayName(person.name)} – screen${several ? ` ${index + 1}` : ''}`,
    hasPicture: true,
  }));
}

function isShown(stream: RemoteStream): boolean {
  return !stream.muted;
}

function remoteBase(
  person: Participant,
  speaking: boolean,
): Omit<TileVm, 'key' | 'kind' | 'streamKey' | 'label' | 'hasPicture'> {
  return {
    participantId: person.id,
    localId: null,
    isOwn: false,
    name: displayName(person.name),
    colour: avatarColour(person.id),
    micMuted: person.audioMuted,
    speaking: speaking && !person.audioMuted,
    away: person.connection === 'reconnecting',
    mirrored: false,
  };
}
