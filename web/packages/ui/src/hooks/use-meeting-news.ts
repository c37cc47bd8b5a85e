import type { ErrorCode, Participant } from '@althing/sdk';
import { useEffect, useRef } from 'react';
import { peopleSentence } from '../model/notices';
import { displayName } from '../model/person';
import { useMedia, useSession } from './context';
import type { Notify } from './use-notices';

/** People who come or go within this time are told of in one sentence. */
const GATHER_MS = 500;

/** Longest piece of a chat message in a notice, in characters. */
const CHAT_PREVIEW_CHARS = 80;

/** Tells of who comes and goes, of shares, chat and devices. */
export function useMeetingNews(notify: Notify, isChatOpen: boolean): void {
  const session = useSession();
  const media = useMedia();
  const chatOpen = useRef(isChatOpen);
  useEffect(() => {
    chatOpen.current = isChatOpen;
  });
  useEffect(() => {
    // Somebody who has just come says the name a moment later.
    const nameNow = (before: Participant) =>
      displayName((session.getSnapshot().participants.find((one) => one.id === before.id) ?? before).name);
    const joined = gather<Participant>((people) => notify(peopleSentence(people.map(nameNow), 'joined')));
    const left = gather<Participant>((people) => notify(peopleSentence(people.map(nameNow), 'left')));
    const offs = [
      session.on('participantJoined', ({ participant }) => joined.add(participant)),
      session.on('participantLeft', ({ participant }) => left.add(participant)),
      session.on('screenStarted', ({ participant }) => notify(`${displayName(participant.name)} shares a screen`)),
      session.on('screenStopped', ({ participant }) => notify(`${displayName(participant.name)} stopped sharing`)),
      session.on('chat', ({ message }) => {
        if (!chatOpen.current) {
          notify(`${displayName(message.name ?? undefined)}: ${shortened(message.text)}`);
        }
      }),
      session.on('error', ({ error }) => notify(error.message, 'warn')),
      media.on('deviceLost', ({ stream, replaced }) => {
        const device = stream.kind === 'audio' ? 'microphone' : 'camera';
        notify(replaced ? `Your ${device} is gone; another one took over` : `Your ${device} was unplugged`, 'warn');
      }),
      media.on('error', ({ source, error }) => {
        // Closing the browser's list of screens is a choice, not an error. Devices have a dialog of their own.
        if ((source === 'screen' || source === 'screen-audio') && error.code !== 'cancelled') {
          notify(`Your screen could not be shared. ${shareHelp(error.code)}`, 'warn');
        }
      }),
      media.on('shareEnded', () => notify('You stopped sharing')),
    ];
    return () => {
      for (const off of offs) {
        off();
      }
      joined.cancel();
      left.cancel();
    };
  }, [session, media, notify]);
}

function shareHelp(code: ErrorCode): string {
  const isRefused = code === 'device_denied' || code === 'device_denied_by_system';
  return isRefused ? 'Allow screen recording for your browser in the system’s settings.' : 'Please try again.';
}

function gather<T>(tell: (gathered: readonly T[]) => void) {
  let gathered: T[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  return {
    add: (one: T) => {
      gathered.push(one);
      timer ??= setTimeout(() => {
        timer = undefined;
        tell(gathered);
        gathered = [];
      }, GATHER_MS);
    },
    cancel: () => {
      clearTimeout(timer);
    },
  };
}

function shortened(text: string): string {
  const flat = text.replace(/\s+/gu, ' ');
  return flat.length > CHAT_PREVIEW_CHARS ? `${flat.slice(0, CHAT_PREVIEW_CHARS)}…` : flat;
}
