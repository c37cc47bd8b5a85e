import { AlthingError, type LocalMediaState, type Participant, type SessionEnd, type SessionState } from '@althing/sdk';
import {
  EndScreen,
  endPage,
  inviteLinks,
  JoiningScreen,
  MediaContext,
  MeetingScreen,
  PreJoinScreen,
  SessionContext,
  StartScreen,
} from '@althing/ui';
import type { ComponentProps, ReactNode } from 'react';
import { fakeMedia, localStream, mediaState } from './fake-media';
import { fakeSession, fakeStats, person, type PersonOptions, personId, sessionState } from './fake-session';

const ROOM = 'quiet-harbour-4821';
const LINKS = inviteLinks(ROOM, 'http://localhost:8080', ['https://192.0.2.7:8443']);
const nothing = () => undefined;

interface MeetingOptions {
  readonly people: readonly Participant[];
  readonly state?: Partial<SessionState>;
  readonly media?: Partial<LocalMediaState>;
  readonly initial?: NonNullable<ComponentProps<typeof MeetingScreen>['initial']>;
}

function meeting({ people, state, media, initial }: MeetingOptions): ReactNode {
  const devices = fakeMedia(mediaState(media));
  const session = fakeSession(sessionState(people, state), devices, fakeStats(people));
  return (
    <MediaContext value={devices}>
      <SessionContext value={session}>
        <MeetingScreen room={ROOM} links={LINKS} onLeave={nothing} {...(initial === undefined ? {} : { initial })} />
      </SessionContext>
    </MediaContext>
  );
}

function crowd(count: number, options: (index: number) => PersonOptions = () => ({})): Participant[] {
  return Array.from({ length: count }, (_, index) =>
    person(index, { camera: index % 7 !== 3 && index % 11 !== 5, ...options(index) }),
  );
}

function prejoin(media: Partial<LocalMediaState>, isInsecure = false): ReactNode {
  return (
    <MediaContext value={fakeMedia(mediaState(media))}>
      <PreJoinScreen
        room={ROOM}
        isInsecure={isInsecure}
        secureLink={`https://192.0.2.7:8443/m/${ROOM}`}
        onJoin={nothing}
        onHome={nothing}
      />
    </MediaContext>
  );
}

function failed(source: 'camera' | 'microphone', code: AlthingError['code']) {
  return localStream(source, source, { state: 'failed', error: new AlthingError(code, code), width: 0, height: 0 });
}

function over(reason: SessionEnd['reason'], code?: AlthingError['code']): ReactNode {
  const error = code === undefined ? null : new AlthingError(code, `code: ${code}`);
  return <EndScreen page={endPage({ reason, error })} onAction={nothing} onHome={nothing} />;
}

function start(change: Partial<ComponentProps<typeof StartScreen>> = {}): ReactNode {
  return (
    <StartScreen name="" isBusy={false} error={null} version="0.1.0" onNew={nothing} onJoin={nothing} {...change} />
  );
}

const CHAT: SessionState['chat'] = [
  ['a', 0, 'Good morning! The agenda is at https://example.org/agenda (second page).', 0],
  ['b', 0, 'We start with the water levels.', 12],
  ['c', 2, 'Morning 👋 I can take notes today.', 70],
  ['d', -1, 'Thank you, Chiamaka. I’ll share my screen in a moment.', 84],
  ['e', 3, 'My connection is a bit weak, I keep the camera off.', 160],
].map(([key, from, text, after]) => ({
  number: 1,
  key: String(key),
  from: from === -1 ? 'selfid7k2m4q9' : personId(Number(from)),
  name: from === -1 ? 'Sigrún Ásdís' : person(Number(from)).name,
  to: null,
  text: String(text),
  atMs: new Date('2026-11-20T09:31:00').getTime() + Number(after) * 1_000,
  own: from === -1,
  delivery: 'sent' as const,
}));

const micOff = localStream('microphone', 'microphone', { muted: true });
const cameraOff = localStream('camera', 'camera', { state: 'off', width: 0, height: 0 });
const sharing = [micOff, localStream('camera', 'camera'), localStream('screen-1', 'screen')];

/** Every screen and state, by name. */
export const SCENES: Readonly<Record<string, () => ReactNode>> = {
  start: () => start(),
  'start-known': () => start({ name: 'Sigrún' }),
  'start-error': () => start({ error: 'The server can’t be reached. Check your network.' }),
  prejoin: () => prejoin({}),
  'prejoin-off': () => prejoin({ camera: cameraOff, microphone: micOff }),
  'prejoin-asking': () =>
    prejoin({
      camera: localStream('camera', 'camera', { state: 'starting' }),
      microphone: localStream('microphone', 'microphone', { state: 'starting' }),
    }),
  'prejoin-denied': () =>
    prejoin({ camera: failed('camera', 'device_denied'), microphone: failed('microphone', 'device_denied') }),
  'prejoin-no-camera': () => prejoin({ camera: failed('camera', 'device_not_found'), cameras: [] }),
  'prejoin-busy': () => prejoin({ camera: failed('camera', 'device_in_use') }),
  'prejoin-insecure': () => prejoin({}, true),
  joining: () => <JoiningScreen room={ROOM} isRetrying={false} onRetry={nothing} onCancel={nothing} />,
  'joining-unreachable': () => <JoiningScreen room={ROOM} isRetrying onRetry={nothing} onCancel={nothing} />,
  'meeting-1': () => meeting({ people: [] }),
  'meeting-1-camera-off': () => meeting({ people: [], media: { camera: cameraOff } }),
  'meeting-2': () => meeting({ people: crowd(1) }),
  'meeting-3': () => meeting({ people: crowd(2) }),
  'meeting-5': () => meeting({ people: crowd(4) }),
  'meeting-9': () => meeting({ people: crowd(8) }),
  'meeting-16': () => meeting({ people: crowd(15) }),
  'meeting-25': () => meeting({ people: crowd(24) }),
  'meeting-49': () => meeting({ people: crowd(48) }),
  'meeting-speaker': () => meeting({ people: crowd(7), initial: { choice: { mode: 'speaker' } } }),
  'meeting-speaker-crowd': () => meeting({ people: crowd(24), initial: { choice: { mode: 'speaker' } } }),
  'meeting-pinned': () => meeting({ people: crowd(5), initial: { choice: { pinnedKey: personId(2) } } }),
  'meeting-cameras-off': () => meeting({ people: crowd(5, () => ({ camera: false })), media: { camera: cameraOff } }),
  'meeting-second-camera': () => meeting({ people: crowd(3, (index) => (index === 1 ? { extraCameras: 1 } : {})) }),
  'meeting-share': () => meeting({ people: crowd(5, (index) => (index === 0 ? { screens: 1 } : {})) }),
  'meeting-share-speaker': () =>
    meeting({
      people: crowd(9, (index) => (index === 0 ? { screens: 1 } : {})),
      initial: { choice: { mode: 'speaker' } },
    }),
  'meeting-share-two': () => meeting({ people: crowd(6, (index) => (index < 2 ? { screens: 1 } : {})) }),
  'meeting-share-2p': () => meeting({ people: crowd(1, () => ({ screens: 1 })) }),
  'meeting-own-share': () => meeting({ people: crowd(4), media: { microphone: micOff, streams: sharing } }),
  'meeting-chat': () => meeting({ people: crowd(5), state: { chat: CHAT }, initial: { panel: 'chat' } }),
  'meeting-chat-empty': () => meeting({ people: crowd(3), initial: { panel: 'chat' } }),
  'meeting-people': () =>
    meeting({
      people: crowd(9, (index) => (index === 4 ? { connection: 'reconnecting' } : index === 2 ? { screens: 1 } : {})),
      initial: { panel: 'people' },
    }),
  'meeting-away': () => meeting({ people: crowd(5, (index) => (index === 1 ? { connection: 'reconnecting' } : {})) }),
  'meeting-reconnecting': () =>
    meeting({ people: crowd(5), state: { connection: 'reconnecting', socket: 'reconnecting', quality: 0 } }),
  'meeting-offline': () =>
    meeting({ people: crowd(2), state: { connection: 'reconnecting', socket: 'reconnecting', offline: true } }),
  'meeting-sound-blocked': () => meeting({ people: crowd(3), state: { audioBlocked: true } }),
  'meeting-talking-muted': () => meeting({ people: crowd(3), media: { microphone: micOff, talkingWhileMuted: true } }),
  'meeting-poor-uplink': () => meeting({ people: crowd(4), state: { poorLink: 'uplink', quality: 2 } }),
  'meeting-poor-downlink': () => meeting({ people: crowd(4), state: { poorLink: 'downlink', quality: 2 } }),
  'dialog-invite': () => meeting({ people: crowd(2), initial: { dialog: 'invite' } }),
  'dialog-settings': () => meeting({ people: crowd(4), initial: { dialog: 'settings' } }),
  'dialog-quality': () => meeting({ people: crowd(4), initial: { dialog: 'quality' } }),
  'dialog-statistics': () => meeting({ people: crowd(4), initial: { dialog: 'statistics' } }),
  'dialog-shortcuts': () => meeting({ people: crowd(4), initial: { dialog: 'shortcuts' } }),
  left: () => over('left'),
  removed: () => over('removed'),
  ended: () => over('ended'),
  replaced: () => over('replaced'),
  'not-found': () => over('failed', 'not_found'),
  full: () => over('failed', 'full'),
  unreachable: () => over('failed', 'network'),
  'media-path': () => over('failed', 'media_path'),
  failed: () => over('failed', 'unknown'),
};
