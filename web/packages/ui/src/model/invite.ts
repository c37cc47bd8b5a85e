import { roomPath } from './rooms';

/** Links under which a meeting can be opened. */
export interface InviteLinks {
  /** To copy: the address of this page, or one that others can reach if this one is of this machine only. */
  readonly link: string;
  /** For the QR code: what a phone on the same network can open. Null when there is none. */
  readonly phone: string | null;
  /** The page's own address works on this machine only. */
  readonly isLocalOnly: boolean;
}

/** The links of a room, for a page served from `origin`, of a server reachable at `lanAddresses` (best first). */
export function inviteLinks(room: string, origin: string, lanAddresses: readonly string[]): InviteLinks {
  const path = roomPath(room);
  const isLocalOnly = isLoopback(origin);
  const lan = lanAddresses.find((address) => address.startsWith('https:')) ?? lanAddresses[0] ?? null;
  const best = isLocalOnly ? (lan ?? origin) : origin;
  return {
    link: origin + path,
    phone: isLocalOnly && lan === null ? null : trimmed(best) + path,
    isLocalOnly,
  };
}

/** Where the page can be opened securely; a guess when the server has not said. */
export function secureLink(path: string, hostname: string, lanAddresses: readonly string[]): string {
  const known = lanAddresses.filter((address) => address.startsWith('https:'));
  const same = known.find((address) => hostOf(address) === hostname);
  const host = hostname.includes(':') && !hostname.startsWith('[') ? `[${hostname}]` : hostname;
  return trimmed(same ?? `https://${host}:${DEFAULT_HTTPS_PORT}`) + path;
}

/** The port on which the server speaks HTTPS unless it is told otherwise. */
const DEFAULT_HTTPS_PORT = 8443;

function isLoopback(origin: string): boolean {
  const host = hostOf(origin);
  return host === 'localhost' || host.endsWith('.localhost') || host === '[::1]' || /^127\./u.test(host);
}

function hostOf(address: string): string {
  try {
    return new URL(address).hostname;
  } catch {
    return '';
  }
}

function trimmed(address: string): string {
  return address.replace(/\/+$/u, '');
}
