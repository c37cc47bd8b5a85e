/** Names of rooms and the paths of their pages. */

/**
 * The room in what somebody typed or pasted: a whole link of any host (`https://…/m/name`), a path (`/m/name`), or a name
 * in any spelling ("Weekly Planning"). Null when there is none.
 */
export function roomFromInput(typed: string): string | null {
  const text = typed.trim();
  const inLink = /\/m\/([^/?#\s]+)/u.exec(text);
  if (inLink?.[1] !== undefined) {
    return validRoom(decoded(inLink[1]));
  }
  // Something with dots, slashes or colons is an address, but not one of a meeting.
  return /[/:.\\]/u.test(text) ? null : validRoom(spelled(text));
}

/** The room of a page's path; null on any other page. */
export function roomFromPath(pathname: string): string | null {
  const match = /^\/m\/([^/]+)\/?$/u.exec(pathname);
  return match?.[1] === undefined ? null : validRoom(decoded(match[1]));
}

/** The path of a room's page. */
export function roomPath(room: string): string {
  return `/m/${encodeURIComponent(room)}`;
}

/** Lengths of names that the server takes, in characters. */
const ROOM_CHARS_MIN = 3;
const ROOM_CHARS_MAX = 64;

/** The name as the server writes it, or null: small letters a to z, digits, and hyphens inside. */
function validRoom(name: string): string | null {
  const small = name.toLowerCase();
  const fits = small.length >= ROOM_CHARS_MIN && small.length <= ROOM_CHARS_MAX;
  return fits && /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/u.test(small) ? small : null;
}

/** A name as people write it, as a name of a room: "Räume & mehr" is `raume-mehr`. */
function spelled(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/gu, '-')
    .replace(/^-+|-+$/gu, '');
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return '';
  }
}
