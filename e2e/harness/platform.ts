/** The platform API as an integrator's backend uses it. */
import { createPrivateKey, randomUUID, sign } from 'node:crypto';

/** Who signs: a key of a project. */
export interface ProjectKey {
  projectId: string;
  keyId: string;
  privateKeyPem: string;
}

/** What a client needs to join. */
export interface Participant {
  meetingId: string;
  participantId: string;
  secret: string;
}

export interface RestAnswer {
  status: number;
  headers: Headers;
  body: Record<string, unknown>;
}

/** One request; the answer as it came. */
export async function request(url: string, init: RequestInit = {}): Promise<RestAnswer> {
  const response = await fetch(url, init);
  const text = await response.text();
  const body = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
  return { status: response.status, headers: response.headers, body };
}

/** A client assertion (RFC 7523) as the public package's users make it. */
export function clientAssertion(url: string, key: ProjectKey): string {
  const seconds = Math.floor(Date.now() / 1000);
  const privateKey = createPrivateKey(key.privateKeyPem);
  const [alg, hash] = algorithm(privateKey.asymmetricKeyType);
  const header = { alg, typ: 'JWT', kid: key.keyId };
  const claims = {
    iss: key.projectId,
    sub: key.projectId,
    aud: `${url}/oauth/token`,
    jti: randomUUID(),
    iat: seconds,
    exp: seconds + 60,
    scope: 'meeting:create meeting:read meeting:write participant:create participant:read participant:write',
  };
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${encode(header)}.${encode(claims)}`;
  const signature = sign(hash, Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return `${text}.${signature.toString('base64url')}`;
}

function algorithm(type: string | undefined): [string, string | null] {
  if (type === 'ec') return ['ES256', 'sha256'];
  if (type === 'rsa') return ['RS256', 'sha256'];
  return ['EdDSA', null];
}

/** A client of the REST API with an access token. */
export class Platform {
  private constructor(
    readonly url: string,
    private readonly token: string,
  ) {}

  /** Exchanges an assertion for an access token. */
  static async login(url: string, key: ProjectKey): Promise<Platform> {
    const answer = await request(`${url}/oauth/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: clientAssertion(url, key),
      }),
    });
    if (answer.status !== 200) throw new Error(`/oauth/token: ${answer.status} ${JSON.stringify(answer.body)}`);
    return new Platform(url, answer.body['access_token'] as string);
  }

  async call(method: string, path: string, body?: unknown): Promise<RestAnswer> {
    const headers: Record<string, string> = { authorization: `Bearer ${this.token}` };
    if (body !== undefined) headers['content-type'] = 'application/json';
    return request(`${this.url}${path}`, { method, headers, body: body === undefined ? null : JSON.stringify(body) });
  }

  async createMeeting(): Promise<string> {
    const answer = await this.call('POST', '/v1/meetings', {});
    if (answer.status !== 200) throw new Error(`POST /v1/meetings: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body['id'] as string;
  }

  async createParticipant(meetingId: string): Promise<Participant> {
    const answer = await this.call('POST', `/v1/meetings/${meetingId}/participants`, {});
    if (answer.status !== 200) throw new Error(`POST participants: ${answer.status} ${JSON.stringify(answer.body)}`);
    return {
      meetingId,
      participantId: answer.body['id'] as string,
      secret: answer.body['participant_secret'] as string,
    };
  }
}

/** A guest of a room of Meet, as the web client gets one. */
export async function guest(url: string, room: string): Promise<Participant> {
  const answer = await request(`${url}/meet/v1/rooms/${room}/participants`, { method: 'POST' });
  if (answer.status !== 200) throw new Error(`guest: ${answer.status} ${JSON.stringify(answer.body)}`);
  return {
    meetingId: answer.body['meeting_id'] as string,
    participantId: answer.body['participant_id'] as string,
    secret: answer.body['participant_secret'] as string,
  };
}

/** A new room of Meet. */
export async function newRoom(url: string): Promise<string> {
  const answer = await request(`${url}/meet/v1/rooms`, { method: 'POST' });
  if (answer.status !== 200) throw new Error(`new room: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body['name'] as string;
}
