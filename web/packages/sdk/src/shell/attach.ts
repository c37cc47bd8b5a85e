/** A video element that shows a remote stream: its size, whether it can be seen, what it plays. */
import type { AttachOptions, StreamKey, Unsubscribe } from '../types';
import type { Demand } from './demand';

/** What the session gives to an attached element. */
export interface AttachHost {
  readonly demand: Demand;
  getTrack(key: StreamKey): MediaStreamTrack | null;
  subscribe(listener: () => void): Unsubscribe;
}

/** A tile just outside of the viewport is asked for already. */
const MARGIN = '100px';

export function attachVideo(
  host: AttachHost,
  element: HTMLVideoElement,
  key: StreamKey,
  options: AttachOptions,
): Unsubscribe {
  const { adaptive = true, quality = null } = options;
  const sized = adaptive || quality !== null;
  const asked = host.demand.add(key, { size: sized ? { width: 0, height: 0 } : null, quality });
  const stops: Unsubscribe[] = [showTrack(host, element, key), watchPlaying(element, options), asked.release];
  if (sized) stops.push(watchSize(element, asked.resize));
  const turn = Symbol(key);
  turns.set(element, turn);
  return () => {
    for (const stop of stops.splice(0)) stop();
    // An element that is attached again at once goes on playing.
    queueMicrotask(() => {
      if (turns.get(element) === turn) element.srcObject = null;
    });
  };
}

/** The newest attachment of each element. */
const turns = new WeakMap<HTMLVideoElement, symbol>();

/** Keeps `srcObject` at the present track. */
export function showTrack(
  source: { getTrack(key: string): MediaStreamTrack | null; subscribe(listener: () => void): Unsubscribe },
  element: HTMLVideoElement,
  key: string,
): Unsubscribe {
  const { srcObject } = element;
  let shown = srcObject instanceof MediaStream ? (srcObject.getVideoTracks()[0] ?? null) : null;
  element.autoplay = true;
  element.playsInline = true;
  element.muted = true;
  const show = (): void => {
    const track = source.getTrack(key);
    if (track === shown) return;
    shown = track;
    element.srcObject = track === null ? null : new MediaStream([track]);
    // Muted video may always play; a rejection is the next `srcObject` taking over.
    if (track !== null) element.play().catch(() => undefined);
  };
  show();
  return source.subscribe(show);
}

/** Physical size of the element, 0 × 0 while it or the page cannot be seen. Says the first size at once. */
function watchSize(element: HTMLVideoElement, tell: (width: number, height: number) => void): Unsubscribe {
  let seen = true;
  const update = (): void => {
    // In a picture-in-picture window the element has another document, or is drawn apart from its page.
    const page = element.ownerDocument;
    const apart = page.pictureInPictureElement === element;
    const hidden = !apart && (!seen || page.visibilityState === 'hidden' || !element.isConnected);
    const scale = hidden ? 0 : (page.defaultView?.devicePixelRatio ?? 1);
    tell(element.clientWidth * scale, element.clientHeight * scale);
  };
  const resize = new ResizeObserver(update);
  const intersection = new IntersectionObserver(
    (entries) => {
      seen = entries.at(-1)?.isIntersecting ?? true;
      update();
    },
    { rootMargin: MARGIN },
  );
  resize.observe(element);
  intersection.observe(element);
  const page = element.ownerDocument;
  page.addEventListener('visibilitychange', update);
  element.addEventListener('enterpictureinpicture', update);
  element.addEventListener('leavepictureinpicture', update);
  update();
  return () => {
    resize.disconnect();
    intersection.disconnect();
    page.removeEventListener('visibilitychange', update);
    element.removeEventListener('enterpictureinpicture', update);
    element.removeEventListener('leavepictureinpicture', update);
  };
}

function watchPlaying(element: HTMLVideoElement, options: AttachOptions): Unsubscribe {
  const { onSize, onPlaying } = options;
  const resized = (): void => onSize?.(element.videoWidth, element.videoHeight);
  const playing = (): void => onPlaying?.(true);
  const stopped = (): void => onPlaying?.(false);
  element.addEventListener('resize', resized);
  element.addEventListener('playing', playing);
  element.addEventListener('emptied', stopped);
  return () => {
    element.removeEventListener('resize', resized);
    element.removeEventListener('playing', playing);
    element.removeEventListener('emptied', stopped);
  };
}
