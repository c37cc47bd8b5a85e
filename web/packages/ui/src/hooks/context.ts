import type { LocalMedia, LocalMediaState, Session, SessionState, SessionStats } from '@althing/sdk';
import { createContext, use, useCallback, useSyncExternalStore } from 'react';

/** The session of the meeting that is shown. */
export const SessionContext = createContext<Session | null>(null);

/** What is captured here. */
export const MediaContext = createContext<LocalMedia | null>(null);

/** The session, for calling its methods. */
export function useSession(): Session {
  const session = use(SessionContext);
  if (session === null) {
    throw new Error('There is no SessionContext around this component.');
  }
  return session;
}

/** Local media, for calling its methods. */
export function useMedia(): LocalMedia {
  const media = use(MediaContext);
  if (media === null) {
    throw new Error('There is no MediaContext around this component.');
  }
  return media;
}

/** A part of the session's state; renders again only when that part changes. */
export function useSessionState<T>(select: (state: SessionState) => T): T {
  const session = useSession();
  return useSyncExternalStore(
    useCallback((listener: () => void) => session.subscribe(listener), [session]),
    () => select(session.getSnapshot()),
  );
}

/** A part of local media's state; renders again only when that part changes. */
export function useMediaState<T>(select: (state: LocalMediaState) => T): T {
  const media = useMedia();
  return useSyncExternalStore(
    useCallback((listener: () => void) => media.subscribe(listener), [media]),
    () => select(media.getSnapshot()),
  );
}

/** The newest statistics. */
export function useStats(): SessionStats {
  const session = useSession();
  return useSyncExternalStore(
    useCallback((listener: () => void) => session.subscribeStats(listener), [session]),
    () => session.getStats(),
  );
}
