/** A script for tests of the core: a server that answers as the real one does, a clock that is set by hand. */
import type { ClientMessage, Member, RosterEntry, RosterStream, ServerMessage } from '@althing/wire';
import type { SessionState } from '../types';
import type { CoreEvent, CoreState, Effect, LocalDesc, PathState } from './model';
import { initialState } from './model';
import { nextDeadline, reduce } from './reduce';
import { EMPTY_VIEW } from './view';

export const SELF = 'self';

type Sent<T extends ClientMessage['type']> = Extract<ClientMessage, { type: T }>;

/** Drives one session. Everything that the core wants done is in `effects`; what it said to the server in `said`. */
export class Script {
  now = 1_000;
  state: CoreState;
  effects: Effect[] = [];
  said: { id: string; message: ClientMessage }[] = [];
  /** What the server's end is: changes when it restarts. */
  fingerprint = 'AA:BB';
  ufrag = 'u1';
  session = '1';
  /** All that was ever said. */
  private history: { id: string; message: ClientMessage }[] = [];
  private wanted: Extract<Effect, { do: 'make_offer' }> | null = null;
  private mids = 0;
  private midsOfPeer: string[] = [];

  constructor(audioStreamsMax = 25) {
    this.state = initialState('test', audioStreamsMax, EMPTY_VIEW);
  }

  get view(): SessionState {
    return this.state.view;
  }

  event(event: CoreEvent): this {
    const step = reduce(this.state, event, { now: this.now, random: 0 });
    this.state = step.state;
    this.effects.push(...step.effects);
    for (const effect of step.effects) {
      if (effect.do === 'send') {
        this.said.push({ id: effect.id, message: effect.message });
        this.history.push({ id: effect.id, message: effect.message });
      }
      if (effect.do === 'create_peer') this.midsOfPeer = [];
      if (effect.do === 'make_offer') this.wanted = effect;
    }
    return this;
  }

  /** Lets time pass, with a `tick` at each deadline on the way. */
  wait(ms: number): this {
    const end = this.now + ms;
    for (let at = nextDeadline(this.state); at !== null && at <= end; at = nextDeadline(this.state)) {
      this.now = Math.max(this.now, at);
      this.event({ type: 'tick' });
      const next = nextDeadline(this.state);
      // What is due is done or given up; else a real timer would fire without end.
      if (next !== null && next <= this.now) throw new Error(`a deadline is still due after its tick at ${this.now}`);
    }
    this.now = end;
    return this;
  }

  /** Through REST and authentication up to the first offer's answer and a living path. */
  connect(local: readonly LocalDesc[] = []): this {
    return this.join(local).authenticate().negotiate().path('connected');
  }

  join(local: readonly LocalDesc[] = []): this {
    const credentials = { location: 'ws://server', token: 'secret', participantId: SELF };
    return this.event({ type: 'local', streams: local })
      .event({ type: 'join', profile: { name: 'Me' } })
      .event({ type: 'resolved', credentials, guest: null });
  }

  authenticate(): this {
    this.event({ type: 'socket_open', id: this.state.socket.id });
    this.answer('authenticate', { type: 'success', reason: 'welcome' });
    return this.hear({
      type: 'welcome',
      server: 'test',
      participant_id: SELF,
      grace_ms: 30_000,
      virtual_producers: {},
      chat: [],
    })
      .hear({ type: 'roster_update', participants: { ...this.state.roster } })
      .hear({ type: 'members', members: this.state.members ?? { [SELF]: member(0) } });
  }

  /** Makes the offer that the core wants, and answers it. */
  negotiate(): this {
    return this.offer().answerOffer();
  }

  /** The browser makes the wanted offer; mids are numbers in the order of the lines, as in browsers. */
  offer(): this {
    const { wanted } = this;
    if (wanted === null) throw new Error('no offer is wanted');
    this.wanted = null;
    while (this.midsOfPeer.length < wanted.lines.length)
      this.midsOfPeer.push(String(this.midsOfPeer.length + this.mids));
    return this.event({ type: 'offer_made', seq: wanted.seq, sdp: `offer ${wanted.seq}`, mids: [...this.midsOfPeer] });
  }

  answerOffer(rejected: readonly string[] = []): this {
    this.answer('media_offer', { type: 'media_offer', sdp: this.answerSdp(rejected) });
    if (this.state.media.offer?.phase !== 'applying') return this;
    return this.event({ type: 'answer_applied', peer: this.state.media.peer });
  }

  path(state: PathState): this {
    return this.event({ type: 'path', peer: this.state.media.peer, state });
  }

  /** A message of the server. */
  hear(message: ServerMessage, ref: string | null = null): this {
    return this.event({ type: 'message', id: this.state.socket.id, ref, message, atMs: 1_700_000_000_000 + this.now });
  }

  /** Answers the newest message of this type. */
  answer(type: ClientMessage['type'], message: ServerMessage): this {
    const asked = this.history.findLast((said) => said.message.type === type);
    if (asked === undefined) throw new Error(`no ${type} was sent`);
    return this.hear(message, asked.id);
  }

  /** Grants every request that has not been answered. */
  grant(): this {
    const open = this.state.slots.flatMap((slot) =>
      slot.state === 'requested' && slot.requestId !== null ? [slot.requestId] : [],
    );
    for (const id of open) this.hear({ type: 'request_stream_response', receive_mid: '0' }, id);
    return this;
  }

  closed(code: number): this {
    return this.event({ type: 'socket_closed', id: this.state.socket.id, code });
  }

  /** These are in the meeting, each with these streams. */
  present(roster: Readonly<Record<string, readonly string[]>>, muted: readonly string[] = []): this {
    const participants: Record<string, RosterEntry> = {};
    const members: Record<string, Member> = { [SELF]: member(0) };
    Object.entries(roster).forEach(([id, streams], i) => {
      participants[id] = { streams: Object.fromEntries(streams.map((s) => [s, stream(s)])) };
      members[id] = { ...member(i + 1, id.toUpperCase()), muted: streams.filter((s) => muted.includes(s)) };
    });
    return this.hear({ type: 'members', members }).hear({ type: 'roster_update', participants });
  }

  /** Messages of this type, in order, since the last `forget`. */
  sent<T extends ClientMessage['type']>(type: T): Sent<T>[] {
    return this.said.map((s) => s.message).filter((m): m is Sent<T> => m.type === type);
  }

  did(kind: Effect['do']): Effect[] {
    return this.effects.filter((e) => e.do === kind);
  }

  /** Names of the public events, without the log. */
  told(): string[] {
    return this.effects.flatMap((e) => (e.do === 'emit' && e.event.name !== 'log' ? [e.event.name] : []));
  }

  forget(): this {
    this.effects = [];
    this.said = [];
    return this;
  }

  /** From now on new peer connections count their mids from here. */
  shiftMids(by: number): this {
    this.mids = by;
    return this;
  }

  private answerSdp(rejected: readonly string[]): string {
    const sections = rejected.map((mid) => `m=video 0 UDP/TLS/RTP/SAVPF 0\r\na=mid:${mid}\r\n`).join('');
    return `v=0\r\no=- ${this.session} 1 IN IP4 127.0.0.1\r\na=ice-ufrag:${this.ufrag}\r\na=fingerprint:sha-256 ${this.fingerprint}\r\n${sections}`;
  }
}

/** `cam…` is a camera, `mic…` a microphone, `screen…` a share, `sound…` its sound, `extra…` a further camera. */
export function stream(name: string): RosterStream {
  const semantic = /^(screen|sound)/.test(name) ? 'presentation' : name.startsWith('extra') ? 'misc' : 'main';
  if (/^(mic|sound)/.test(name)) return { type: 'audio', codec: 'opus', semantic };
  const layers = [
    { rid: 'l', width: 320, height: 180 },
    { rid: 'm', width: 640, height: 360 },
    { rid: 'h', width: 1280, height: 720 },
  ];
  return { type: 'video', codec: 'vp8', semantic, layers };
}

export function member(order: number, name = ''): Member {
  return { profile: { name }, connection: 'connected', order, muted: [] };
}

export const MICROPHONE: LocalDesc = { id: 'microphone', source: 'microphone', kind: 'audio', sending: true };
export const CAMERA: LocalDesc = { id: 'camera', source: 'camera', kind: 'video', sending: true };
export const SCREEN: LocalDesc = { id: 'screen-1', source: 'screen', kind: 'video', sending: true };
