import { useSyncExternalStore } from 'react';

/** The path of the page; renders again when it changes. The server answers every such path with the same page. */
export function usePath(): string {
  return useSyncExternalStore(subscribe, () => location.pathname);
}

/** Goes to another page without loading it. */
export function navigate(path: string): void {
  history.pushState(null, '', path);
  dispatchEvent(new PopStateEvent('popstate'));
}

function subscribe(listener: () => void): () => void {
  addEventListener('popstate', listener);
  return () => {
    removeEventListener('popstate', listener);
  };
}
