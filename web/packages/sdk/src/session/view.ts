/** What views see of the core's state, re-using every part that has not changed. */
import type { Member, RosterEntry, RosterStream } from '@althing/wire';
import { streamKey } from '../keys';
import type { ConnectionState, Participant, Profile, PublishedStream, RemoteStream, SessionState } from '../types';
import type { CoreState, ReceiveSlot } from './model';
import { carriedStreams } from './seats';
import { share } from './share';

/** Longest name shown; longer ones are cut. */
const NAME_CHARS_MAX = 80;

/** The state before joining. */
export const EMPTY_VIEW: SessionState = {
  connection: 'idle',
  socket: 'idle',
  media: 'idle',
  end: null,
  offline: false,
  selfId: null,
  profile: { name: '' },
  joinedAtMs: null,
  published: [],
  participants: [],
  speakers: [],
  recentSpeakers: [],
  stage: [],
  chat: [],
  audioBlocked: false,
  quality: null,
  poorLink: null,
};

/** The view of `s`. `before` is the state of which `s.view` was made. */
export function makeView(s: CoreState, before: CoreState): SessionState {
  const socket = socketState(s);
  const media = mediaState(s);
  const next: SessionState = {
    connection: worse(socket, media),
    socket,
    media,
    end: s.end,
    offline: s.offline,
    selfId: s.credentials?.participantId ?? null,
    profile: s.profile,
    joinedAtMs: s.joinedAtMs,
    published: s.local.map((desc) => published(s, desc.id)).filter((p) => p !== null),
    participants: sameRoster(s, before) ? s.view.participants : participants(s),
    speakers: s.speakers,
    recentSpeakers: s.recentSpeakers,
    stage: s.stage.filter((id) => id !== s.credentials?.participantId && s.members?.[id] !== undefined),
    chat: s.chat,
    audioBlocked: s.audioBlocked,
    quality: s.quality,
    // What is lost is not poor: that is said already.
    poorLink: media === 'connected' ? s.poorLink : null,
  };
  return share(s.view, next);
}

/** Order of badness: what the user needs to know first. */
const BADNESS: readonly ConnectionState[] = ['connected', 'idle', 'connecting', 'reconnecting', 'ended'];

function worse(a: ConnectionState, b: ConnectionState): ConnectionState {
  return BADNESS.indexOf(a) >= BADNESS.indexOf(b) ? a : b;
}

function socketState(s: CoreState): ConnectionState {
  if (s.end !== null) return 'ended';
  if (s.socket.phase === 'off') return 'idle';
  if (s.socket.phase === 'up') return 'connected';
  return s.socket.everUp ? 'reconnecting' : 'connecting';
}

function mediaState(s: CoreState): ConnectionState {
  if (s.end !== null) return 'ended';
  const { peer, path, peerWasUp, recovery, everUp, lostAt } = s.media;
  if (peer === 0) return s.socket.phase === 'off' ? 'idle' : 'connecting';
  // `disconnected` is forgiven for a moment, and a restart for another network does not interrupt a living path.
  if (path === 'connected' || (path === 'disconnected' && peerWasUp && lostAt !== null)) return 'connected';
  return everUp || recovery === 'rebuilding' ? (everUp ? 'reconnecting' : 'connecting') : 'connecting';
}

function published(s: CoreState, localId: string): PublishedStream | null {
  const line = s.lines.find((l) => l.localId === localId);
  if (line === undefined) return null;
  const streamId = line.mid === null ? null : (s.publishedByMid[line.mid] ?? null);
  return { localId, mid: line.mid, streamId };
}

function sameRoster(a: CoreState, b: CoreState): boolean {
  return (
    a.roster === b.roster &&
    a.members === b.members &&
    a.slots === b.slots &&
    a.serverSlots === b.serverSlots &&
    a.credentials === b.credentials &&
    a.lines === b.lines
  );
}

function participants(s: CoreState): readonly Participant[] {
  const self = s.credentials?.participantId;
  const slots = new Map<string | null, ReceiveSlot>(s.slots.map((slot) => [slot.key, slot]));
  for (const [key, slot] of carriedStreams(s)) {
    if ((slots.get(key)?.state ?? 'idle') === 'idle') slots.set(key, slot);
  }
  const former = new Map(s.view.participants.map((p) => [p.id, p]));
  return Object.entries(s.members ?? {})
    .filter(([id]) => id !== self)
    .sort(([, a], [, b]) => a.order - b.order)
    .map(([id, member]) => share(former.get(id), participant(s, id, member, s.roster[id], slots)));
}

function participant(
  s: CoreState,
  id: string,
  member: Member,
  entry: RosterEntry | undefined,
  slots: ReadonlyMap<string | null, ReceiveSlot>,
): Participant {
  const streams = Object.entries(entry?.streams ?? {})
    .map(([streamId, stream]) => remoteStream(s, id, streamId, stream, member, slots))
    .sort((a, b) => rank(a) - rank(b) || (a.streamId < b.streamId ? -1 : 1));
  const first = (kind: string, semantic: string): RemoteStream | null =>
    streams.find((stream) => stream.kind === kind && stream.semantic === semantic) ?? null;
  const camera = first('video', 'main');
  const microphone = first('audio', 'main');
  const profile = profileOf(member);
  return {
    id,
    name: nameOf(profile),
    profile,
    connection: member.connection,
    order: member.order,
    streams,
    camera,
    microphone,
    screens: streams.filter((stream) => stream.kind === 'video' && stream.semantic === 'presentation'),
    extraCameras: streams.filter((stream) => stream.kind === 'video' && stream !== camera && isCamera(stream)),
    audioMuted: microphone?.muted ?? true,
    videoMuted: camera?.muted ?? true,
  };
}

function isCamera(stream: RemoteStream): boolean {
  return stream.semantic !== 'presentation';
}

function remoteStream(
  s: CoreState,
  participantId: string,
  streamId: string,
  stream: RosterStream,
  member: Member,
  slots: ReadonlyMap<string | null, ReceiveSlot>,
): RemoteStream {
  const key = streamKey(participantId, streamId);
  const slot = slots.get(key);
  const mid = slot === undefined ? null : (s.lines[slot.line]?.mid ?? null);
  const shown = mid === null ? undefined : s.serverSlots[mid];
  const receiving = slot === undefined ? 'no' : slot.state === 'bound' || slot.state === 'idle' ? 'bound' : 'requested';
  const onIt = receiving === 'bound' && shown?.stream_id === streamId;
  return {
    key,
    participantId,
    streamId,
    kind: stream.type,
    codec: stream.codec,
    semantic: stream.semantic,
    layers: stream.type === 'video' ? stream.layers : [],
    muted: member.muted.includes(streamId),
    receiving,
    active: onIt && shown.active,
    rid: onIt ? shown.rid : null,
    spatial: onIt ? (shown.spatial ?? null) : null,
  };
}

/** Microphone, camera, further cameras, shares, their sound. */
function rank(stream: RemoteStream): number {
  const semantic = { main: 0, misc: 2, presentation: 4 }[stream.semantic];
  return semantic + (stream.kind === 'video' ? 0 : 1);
}

function profileOf(member: Member): Profile | null {
  const { profile } = member;
  if (profile === null || typeof profile !== 'object' || Array.isArray(profile)) return null;
  return { ...profile, name: typeof profile['name'] === 'string' ? profile['name'] : '' };
}

function nameOf(profile: Profile | null): string {
  return Array.from((profile?.name ?? '').trim())
    .slice(0, NAME_CHARS_MAX)
    .join('');
}
