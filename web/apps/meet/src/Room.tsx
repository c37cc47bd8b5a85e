import {
  AlthingError,
  checkSupport,
  createLocalMedia,
  createSession,
  type Guest,
  type LocalMedia,
  type Session,
  type SessionEnd,
} from '@althing/sdk';
import {
  EndScreen,
  endPage,
  getPreferences,
  inviteLinks,
  JoiningScreen,
  MediaContext,
  MeetingScreen,
  PreJoinScreen,
  roomPath,
  secureLink,
  SessionContext,
  useSession,
  useSessionState,
} from '@althing/ui';
import { useEffect, useRef, useState } from 'react';
import { chosenCodec } from './codec';
import { useServerInfo } from './server-info';
import { forgetVisit, keepVisit, readVisit } from './visit';

/** Where somebody is in a room's life. */
type Phase =
  | { readonly step: 'prejoin' }
  | { readonly step: 'inside'; readonly session: Session; readonly name: string }
  | { readonly step: 'over'; readonly end: SessionEnd; readonly name: string; readonly guest: Guest | null };

interface RoomProps {
  readonly room: string;
  readonly onHome: () => void;
}

/** A room from its link to its end. */
export function Room({ room, onHome }: RoomProps) {
  const info = useServerInfo();
  const { media, isFirst, renew } = useLocalMedia();
  const [phase, setPhase] = useState<Phase>({ step: 'prejoin' });
  const lanAddresses = info?.lan_addresses ?? [];

  const enter = (devices: LocalMedia, name: string, guest: Guest | null) => {
    const videoCodec = chosenCodec(location.search);
    const session = createSession({
      media: devices,
      client: CLIENT,
      receiveHeightMax: getPreferences().receiveHeightMax,
      ...(videoCodec === null ? {} : { videoCodec }),
    });
    setPhase({ step: 'inside', session, name });
    session.join(guest === null ? { room } : { guest }, { profile: { name } }).then(
      (joined) => {
        if (joined !== null) {
          keepVisit(room, { guest: joined, name });
        }
      },
      (cause: unknown) => {
        forgetVisit(room);
        const error = cause instanceof AlthingError ? cause : new AlthingError('unknown', String(cause));
        if (guest !== null && STALE.has(error.code)) {
          // A remembered place can have expired: then the person is a new guest, without being bothered.
          enter(devices, name, null);
        } else {
          setPhase((now) =>
            isOf(now, session) ? { step: 'over', end: { reason: 'failed', error }, name, guest: null } : now,
          );
        }
      },
    );
  };
  // The devices are started for the preview. A reload continues the stay: same person, no questions.
  useEffect(() => {
    if (media === null || !isFirst) {
      return;
    }
    startDevices(media);
    const visit = readVisit(room);
    if (visit !== null) {
      enter(media, visit.name, visit.guest);
    }
    // eslint-disable-next-line react-hooks/exhaustive-deps -- once, when the devices are there
  }, [media]);

  if (media === null) {
    return null;
  }
  return (
    <MediaContext value={media}>
      {phase.step === 'prejoin' && (
        <PreJoinScreen
          room={room}
          isInsecure={checkSupport() === 'insecure'}
          secureLink={secureLink(roomPath(room), location.hostname, lanAddresses)}
          onHome={onHome}
          onJoin={(name) => enter(media, name, null)}
        />
      )}
      {phase.step === 'inside' && (
        <SessionContext value={phase.session}>
          <Inside
            room={room}
            lanAddresses={lanAddresses}
            onEnd={(end) => {
              // Who was replaced by another tab takes the same place back, and is not there twice.
              const guest = end.reason === 'replaced' ? (readVisit(room)?.guest ?? null) : null;
              // A page that is closed or reloaded leaves too, and a reload is to continue the stay: whoever leaves by the
              // button has forgotten the visit before.
              if (end.reason !== 'left') {
                forgetVisit(room);
              }
              renew();
              setPhase({ step: 'over', end, name: phase.name, guest });
            }}
            onCancel={() => {
              forgetVisit(room);
              phase.session.leave();
              setPhase({ step: 'prejoin' });
            }}
          />
        </SessionContext>
      )}
      {phase.step === 'over' && (
        <EndScreen
          page={endPage(phase.end)}
          onAction={() => {
            startDevices(media);
            enter(media, phase.name, phase.guest);
          }}
          onHome={onHome}
        />
      )}
    </MediaContext>
  );
}

/** Said to the server, for its statistics. */
const CLIENT = 'althing-meet 0.1.0';

/** Codes with which a server refuses a place that it does not know any more. */
const STALE: ReadonlySet<string> = new Set(['forbidden', 'not_found', 'gone', 'bad_request']);

function isOf(phase: Phase, session: Session): boolean {
  return phase.step === 'inside' && phase.session === session;
}

/** Camera and microphone as they were last time. Nothing is asked of browsers that would refuse anyway. */
function startDevices(media: LocalMedia) {
  const { cameraOn, microphoneOn } = getPreferences();
  if (checkSupport() === 'ok' && (cameraOn || microphoneOn)) {
    void media.start({ camera: cameraOn, microphone: microphoneOn });
  }
}

/** Capture for as long as the room is shown. After `renew` there is a new one, with no light on. */
function useLocalMedia(): { media: LocalMedia | null; isFirst: boolean; renew: () => void } {
  const [generation, setGeneration] = useState(0);
  const [media, setMedia] = useState<LocalMedia | null>(null);
  useEffect(() => {
    const { cameraId, microphoneId, speakerId, cameraHeightMax } = getPreferences();
    const made = createLocalMedia({ cameraId, microphoneId, speakerId, cameraHeightMax });
    // eslint-disable-next-line react-hooks/set-state-in-effect -- devices live outside of React and must be closed
    setMedia(made);
    return () => {
      made.close();
    };
  }, [generation]);
  return { media, isFirst: generation === 0, renew: () => setGeneration((before) => before + 1) };
}

interface InsideProps {
  readonly room: string;
  readonly lanAddresses: readonly string[];
  readonly onEnd: (end: SessionEnd) => void;
  readonly onCancel: () => void;
}

/** From joining to the end. */
function Inside({ room, lanAddresses, onEnd, onCancel }: InsideProps) {
  const session = useSession();
  const isJoined = useSessionState((state) => state.joinedAtMs !== null);
  const isOffline = useSessionState((state) => state.offline);
  const end = useSessionState((state) => state.end);
  const tellEnd = useRef(onEnd);
  useEffect(() => {
    tellEnd.current = onEnd;
  });
  useEffect(() => {
    // A refused join is told by the promise of `join`.
    if (end !== null && isJoined) {
      tellEnd.current(end);
    }
  }, [end, isJoined]);
  if (!isJoined) {
    return <JoiningScreen room={room} isRetrying={isOffline} onRetry={() => session.retryNow()} onCancel={onCancel} />;
  }
  return (
    <MeetingScreen
      room={room}
      links={inviteLinks(room, location.origin, lanAddresses)}
      onLeave={() => {
        forgetVisit(room);
        session.leave();
      }}
    />
  );
}
