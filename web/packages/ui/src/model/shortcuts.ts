/** What a key does in a meeting. */
export type Shortcut =
  'mic' | 'camera' | 'chat' | 'people' | 'layout' | 'share' | 'help' | 'next-page' | 'previous-page';

/** The parts of a keyboard event that matter. */
export interface KeyPress {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
  readonly repeat: boolean;
}

/** What the list of shortcuts says. */
export const SHORTCUT_HELP: readonly { readonly keys: readonly string[]; readonly text: string }[] = [
  { keys: ['M'], text: 'Microphone on or off' },
  { keys: ['V'], text: 'Camera on or off' },
  { keys: ['S'], text: 'Share your screen, or stop' },
  { keys: ['C'], text: 'Chat' },
  { keys: ['P'], text: 'People' },
  { keys: ['L'], text: 'Grid or speaker layout' },
  { keys: ['Page ↑', 'Page ↓'], text: 'More people' },
  { keys: ['Esc'], text: 'Close what is open' },
  { keys: ['?'], text: 'This list' },
];

/** The shortcut of a key press; null with modifiers, so that the browser's own ones stay. */
export function shortcutOf(press: KeyPress): Shortcut | null {
  if (press.ctrlKey || press.metaKey || press.altKey || press.repeat) {
    return null;
  }
  return BY_KEY[press.key.toLowerCase()] ?? null;
}

const BY_KEY: Readonly<Record<string, Shortcut>> = {
  m: 'mic',
  v: 'camera',
  s: 'share',
  c: 'chat',
  p: 'people',
  l: 'layout',
  '?': 'help',
  pagedown: 'next-page',
  pageup: 'previous-page',
};
