/** What the browser says of the network and the page. */
import type { CoreEvent } from '../session/model';
import type { Unsubscribe } from '../types';

/** Only some browsers have it, and they tell of every new estimate; what counts is another kind of network. */
interface NetworkInformation extends EventTarget {
  readonly type?: string;
}

export function watchEnvironment(dispatch: (event: CoreEvent) => void): Unsubscribe {
  const { connection } = navigator as { connection?: NetworkInformation };
  let kind = connection?.type;
  const stops: Unsubscribe[] = [];
  const listen = (target: EventTarget, event: string, listener: (event: Event) => void): void => {
    target.addEventListener(event, listener);
    stops.push(() => target.removeEventListener(event, listener));
  };
  listen(window, 'online', () => dispatch({ type: 'network', online: true }));
  listen(window, 'offline', () => dispatch({ type: 'network', online: false }));
  if (connection !== undefined) {
    listen(connection, 'change', () => {
      if (connection.type === kind) return;
      kind = connection.type;
      dispatch({ type: 'network_changed' });
    });
  }
  listen(document, 'visibilitychange', () => {
    if (document.visibilityState === 'visible') dispatch({ type: 'retry_now' });
  });
  listen(window, 'pageshow', (event) => {
    if ((event as PageTransitionEvent).persisted) dispatch({ type: 'retry_now' });
  });
  // Whoever closes or reloads the page is gone at once, not when the server's patience is over.
  listen(window, 'pagehide', (event) => {
    if (!(event as PageTransitionEvent).persisted) dispatch({ type: 'leave' });
  });
  if (!navigator.onLine) dispatch({ type: 'network', online: false });
  return () => {
    for (const stop of stops) stop();
  };
}
