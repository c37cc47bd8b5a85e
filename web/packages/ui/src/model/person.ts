/** What stands for a person when there is no picture: initials and a colour. */

/** Up to two letters for an avatar; `?` when the name says nothing. */
export function initials(name: string): string {
  const words = name
    .trim()
    .split(/[\s_.-]+/u)
    .filter((word) => /[\p{L}\p{N}]/u.test(word));
  const first = words[0];
  if (first === undefined) {
    return '?';
  }
  const last = words.length > 1 ? words[words.length - 1] : undefined;
  return `${firstLetter(first)}${last === undefined ? '' : firstLetter(last)}`;
}

/** First user-perceived character that is a letter or digit, in upper case. */
function firstLetter(word: string): string {
  for (const character of word) {
    if (/[\p{L}\p{N}]/u.test(character)) {
      return character.toLocaleUpperCase();
    }
  }
  return '';
}

/** Number of avatar colours that the style sheet defines (`--avatar-0` and on). */
export const AVATAR_COLOURS = 8;

/** The avatar colour of a participant: the same on every screen, because it is made from the id. */
export function avatarColour(participantId: string): number {
  let hash = 0;
  for (let index = 0; index < participantId.length; index += 1) {
    hash = (Math.imul(hash, 31) + participantId.charCodeAt(index)) >>> 0;
  }
  return hash % AVATAR_COLOURS;
}

/** Longest name that is kept, in characters. Long enough for two family names, short enough for a tile. */
export const NAME_CHARS_MAX = 60;

/**
 * A name as typed, made fit to be shown: no control characters, nothing that turns the direction of the text around it,
 * single spaces, bounded. Joiners stay: some scripts and emoji need them.
 */
export function cleanName(typed: string): string {
  const flat = typed
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, ' ')
    .replace(/\s+/gu, ' ')
    .trimStart();
  const characters = Array.from(new Intl.Segmenter().segment(flat), (part) => part.segment);
  return characters.length > NAME_CHARS_MAX ? characters.slice(0, NAME_CHARS_MAX).join('') : flat;
}

/** Name to show for somebody who gave none. */
export function displayName(name: string | undefined): string {
  const cleaned = cleanName(name ?? '').trim();
  return cleaned === '' ? 'Guest' : cleaned;
}
