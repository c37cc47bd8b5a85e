import { type RefObject, useEffect, useLayoutEffect, useRef, useState } from 'react';
import type { Size } from '../model/rect';
import { type Shortcut, shortcutOf } from '../model/shortcuts';

/** The size of an element, kept up to date; 0 × 0 before the first measurement. */
export function useSize<E extends HTMLElement>(): [RefObject<E | null>, Size] {
  const ref = useRef<E>(null);
  const [size, setSize] = useState<Size>({ width: 0, height: 0 });
  useLayoutEffect(() => {
    const element = ref.current;
    if (element === null) {
      return;
    }
    const measure = () => {
      const { clientWidth: width, clientHeight: height } = element;
      setSize((before) => (before.width === width && before.height === height ? before : { width, height }));
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => {
      observer.disconnect();
    };
  }, []);
  return [ref, size];
}

/** Whether a media query holds. */
export function useMediaQuery(query: string): boolean {
  const [matches, setMatches] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const list = matchMedia(query);
    const listener = () => {
      setMatches(list.matches);
    };
    listener();
    list.addEventListener('change', listener);
    return () => {
      list.removeEventListener('change', listener);
    };
  }, [query]);
  return matches;
}

/** Keeps the screen on while mounted, also after the page was hidden for a while. */
export function useWakeLock(): void {
  useEffect(() => {
    if (!('wakeLock' in navigator)) {
      return;
    }
    let lock: WakeLockSentinel | null = null;
    let over = false;
    const acquire = async () => {
      if (document.visibilityState !== 'visible' || (lock !== null && !lock.released)) {
        return;
      }
      try {
        const fresh = await navigator.wakeLock.request('screen');
        if (over) {
          await fresh.release();
        } else {
          lock = fresh;
        }
      } catch {
        // Refused, for example on low battery: the meeting goes on, the screen may go dark.
      }
    };
    const listener = () => void acquire();
    listener();
    document.addEventListener('visibilitychange', listener);
    return () => {
      over = true;
      document.removeEventListener('visibilitychange', listener);
      void lock?.release();
    };
  }, []);
}

/** Calls back for a shortcut, unless the user types text or a dialog is open. */
export function useShortcuts(onShortcut: (shortcut: Shortcut) => void): void {
  const handler = useRef(onShortcut);
  useEffect(() => {
    handler.current = onShortcut;
  });
  useEffect(() => {
    const listener = (event: KeyboardEvent) => {
      if (isTyping(event.target) || document.querySelector('dialog[open]') !== null) {
        return;
      }
      const shortcut = shortcutOf(event);
      if (shortcut !== null) {
        event.preventDefault();
        handler.current(shortcut);
      }
    };
    document.addEventListener('keydown', listener);
    return () => {
      document.removeEventListener('keydown', listener);
    };
  }, []);
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) {
    return false;
  }
  return target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName);
}

/** A clock that ticks once a second, in milliseconds since 1970. */
export function useNow(): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => {
      setNow(Date.now());
    }, 1_000);
    return () => {
      clearInterval(timer);
    };
  }, []);
  return now;
}

/** Whether an element is shown full screen, and how to change that. */
export function useFullScreen(ref: RefObject<HTMLElement | null>): {
  isFull: boolean;
  canBeFull: boolean;
  toggle: () => void;
} {
  const [isFull, setIsFull] = useState(false);
  useEffect(() => {
    const listener = () => {
      setIsFull(ref.current !== null && document.fullscreenElement === ref.current);
    };
    document.addEventListener('fullscreenchange', listener);
    return () => {
      document.removeEventListener('fullscreenchange', listener);
    };
  }, [ref]);
  const toggle = () => {
    const change = isFull ? document.exitFullscreen() : ref.current?.requestFullscreen();
    change?.catch(() => undefined);
  };
  return { isFull, canBeFull: document.fullscreenEnabled, toggle };
}
