/** REST calls: Meet's own and the platform's `/join`. */
import type { ErrorBody, Guest, Info, JoinDetails, NewRoom } from '@althing/wire';
import type { ErrorCode } from './errors';
import { AlthingError } from './errors';

/** A request that takes longer has failed. */
const REQUEST_MS_MAX = 15_000;

/** Makes a new room of Meet and gives its name. Rejects with `AlthingError`. */
export async function createRoom(origin = ''): Promise<string> {
  return ((await request('POST', `${origin}/meet/v1/rooms`)) as NewRoom).name;
}

/** Makes a guest of a room of Meet. Rejects with `AlthingError`. */
export async function createGuest(room: string, origin = ''): Promise<Guest> {
  return (await request('POST', `${origin}/meet/v1/rooms/${encodeURIComponent(room)}/participants`)) as Guest;
}

/** What the server says of itself. Rejects with `AlthingError`. */
export async function getServerInfo(origin = ''): Promise<Info> {
  return (await request('GET', `${origin}/meet/v1/info`)) as Info;
}

/** The platform's `/join`. Rejects with `AlthingError`. */
export async function join(guest: Guest): Promise<JoinDetails> {
  const url = `${guest.api_address}/v1/meetings/${encodeURIComponent(guest.meeting_id)}/join`;
  const body = { participant_id: guest.participant_id, participant_secret: guest.participant_secret };
  return (await request('POST', url, body)) as JoinDetails;
}

/** Whether the same request may well succeed later. */
export function isTemporary(error: AlthingError): boolean {
  return error.code === 'network' || error.code === 'server';
}

/** What an HTTP status means for somebody who wants to join. */
export function codeOfStatus(status: number): ErrorCode {
  if (status === 404) return 'not_found';
  if (status === 410) return 'gone';
  if (status === 401 || status === 403) return 'forbidden';
  if (status === 429 || status >= 500) return 'server';
  return 'bad_request';
}

async function request(method: string, url: string, body?: object): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(url, {
      method,
      signal: AbortSignal.timeout(REQUEST_MS_MAX),
      ...(body === undefined ? {} : { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }),
    });
  } catch (error) {
    throw new AlthingError('network', 'the server cannot be reached', String(error));
  }
  const answer: unknown = await response.json().catch(() => null);
  if (response.ok && typeof answer === 'object' && answer !== null) return answer;
  if (response.ok) throw new AlthingError('server', 'the server answered something else than JSON', url);
  const { reason, description } = (answer ?? {}) as Partial<ErrorBody>;
  const detail = description ?? reason ?? response.statusText;
  throw new AlthingError(codeOfStatus(response.status), `the server answered ${response.status}`, detail);
}
