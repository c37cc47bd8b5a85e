import { useSyncExternalStore } from 'react';
import { cleanName } from '../model/person';
import { pictureHeight, type PictureHeight } from '../model/resolutions';
import type { LayoutMode } from '../model/stage';

/** How the page looks. `system`: as the operating system is set. */
export type Theme = 'system' | 'light' | 'dark';

/** What is remembered in this browser from meeting to meeting. Nothing of it leaves the browser by itself. */
export interface Preferences {
  readonly name: string;
  readonly cameraOn: boolean;
  readonly microphoneOn: boolean;
  readonly cameraId: string | null;
  readonly microphoneId: string | null;
  readonly speakerId: string | null;
  readonly cameraHeightMax: PictureHeight | null;
  readonly receiveHeightMax: PictureHeight | null;
  readonly theme: Theme;
  readonly layout: LayoutMode;
}

const DEFAULTS: Preferences = {
  name: '',
  cameraOn: true,
  microphoneOn: true,
  cameraId: null,
  microphoneId: null,
  speakerId: null,
  cameraHeightMax: null,
  receiveHeightMax: null,
  theme: 'system',
  layout: 'grid',
};

const STORAGE_KEY = 'althing.preferences';

/** Reads what was stored, whatever it is: a field of the wrong type is as if it were absent. */
export function parsePreferences(stored: string | null): Preferences {
  const found = parseObject(stored);
  const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : null);
  const flag = (value: unknown, otherwise: boolean) => (typeof value === 'boolean' ? value : otherwise);
  return {
    name: cleanName(text(found['name']) ?? ''),
    cameraOn: flag(found['cameraOn'], DEFAULTS.cameraOn),
    microphoneOn: flag(found['microphoneOn'], DEFAULTS.microphoneOn),
    cameraId: text(found['cameraId']),
    microphoneId: text(found['microphoneId']),
    speakerId: text(found['speakerId']),
    cameraHeightMax: pictureHeight(found['cameraHeightMax']),
    receiveHeightMax: pictureHeight(found['receiveHeightMax']),
    theme: found['theme'] === 'light' || found['theme'] === 'dark' ? found['theme'] : 'system',
    layout: found['layout'] === 'speaker' ? 'speaker' : 'grid',
  };
}

function parseObject(stored: string | null): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(stored ?? '{}');
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

let current: Preferences | null = null;
const listeners = new Set<() => void>();

/** What is remembered. */
export function getPreferences(): Preferences {
  current ??= parsePreferences(readStored());
  return current;
}

/** Remembers something new. Without storage (private windows) it holds until the page is closed. */
export function setPreferences(change: Partial<Preferences>): void {
  current = { ...getPreferences(), ...change };
  try {
    localStorage.setItem(STORAGE_KEY, JSON.stringify(current));
  } catch {
    // Storage is full or forbidden: the page works without.
  }
  for (const listener of listeners) {
    listener();
  }
}

function readStored(): string | null {
  try {
    return localStorage.getItem(STORAGE_KEY);
  } catch {
    return null;
  }
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}

/** What is remembered; renders again when it changes. */
export function usePreferences(): Preferences {
  return useSyncExternalStore(subscribe, getPreferences);
}

/** Makes the page follow the chosen theme. Call once before the first rendering and after changes. */
export function applyTheme(theme: Theme): void {
  if (theme === 'system') {
    delete document.documentElement.dataset['theme'];
  } else {
    document.documentElement.dataset['theme'] = theme;
  }
}
