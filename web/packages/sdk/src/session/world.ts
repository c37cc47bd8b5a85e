/**
 * A small world for tests of the core: a server, a network and a browser, under virtual time and one seed. They behave
 * as the real ones do where the session can notice; everything takes its time, and what was sent on a dead socket is lost.
 */
import type { ClientMessage, Member, RosterEntry, ServerMessage, TileSize } from '@althing/wire';
import { streamKey } from '../keys';
import type { CoreEvent, CoreState, Effect, Line } from './model';
import { initialState } from './model';
import { nextDeadline, reduce } from './reduce';
import { member, SELF, stream } from './script';
import { EMPTY_VIEW } from './view';

const LATENCY_MS = 10;
/** How long browsers take to notice a dead path, and to give it up. */
const DISCONNECTED_MS = 5_000;
const FAILED_MS = 15_000;

/** What the server remembers of this client. What a restart survives is what the real one writes down. */
interface Remembered {
  /** Peer connection that it answered, in this life of the server. */
  peer: number | null;
  /** Mids answered, with what each is. */
  lines: Map<string, Line>;
  bound: Map<string, { key: string; rid: string | null }>;
  sizes: Map<string, TileSize>;
  muted: Map<string, boolean>;
}

interface Description {
  readonly peer: number;
  readonly ice: number;
  readonly lines: readonly Line[];
}

/** Numbers from one seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export class World {
  now = 0;
  state: CoreState = initialState('test', 25, EMPTY_VIEW);
  /** The server runs; the path carries media. */
  up = true;
  pathUp = true;
  boot = 1;
  roster: Record<string, string[]> = {};
  readonly server: Remembered = { peer: null, lines: new Map(), bound: new Map(), sizes: new Map(), muted: new Map() };
  /** Things that should never be seen. */
  readonly faults: string[] = [];
  private queue: { at: number; order: number; run: () => void }[] = [];
  private order = 0;
  private liveSocket: number | null = null;
  private peer = 0;
  private ice = 0;
  private mids: string[] = [];
  /** Peer connections of the offers on this socket that are not answered yet. */
  private offered: number[] = [];
  private pathLostAt: number | null = null;

  constructor(readonly random: () => number) {}

  event(event: CoreEvent): void {
    const step = reduce(this.state, event, { now: this.now, random: this.random() });
    this.state = step.state;
    for (const effect of step.effects) this.perform(effect);
  }

  later(ms: number, run: () => void): void {
    this.order += 1;
    this.queue.push({ at: this.now + ms, order: this.order, run });
  }

  /** Lets time pass. */
  run(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const next = this.queue.reduce<(typeof this.queue)[number] | null>(
        (a, b) => (a === null || b.at < a.at || (b.at === a.at && b.order < a.order) ? b : a),
        null,
      );
      const tick = nextDeadline(this.state);
      const at = Math.min(next?.at ?? Infinity, Math.max(this.now, tick ?? Infinity));
      if (at > end) break;
      this.now = at;
      if (next !== null && next.at <= at) {
        this.queue = this.queue.filter((item) => item !== next);
        next.run();
      } else {
        this.event({ type: 'tick' });
        const after = nextDeadline(this.state);
        if (after !== null && after <= this.now) this.faults.push(`a deadline stays due at ${this.now}`);
        if (this.faults.length > 0) break;
      }
    }
    this.now = end;
  }

  // ---------------------------------------------------------------------------------------------- what happens

  dropSocket(code: number): void {
    const id = this.liveSocket;
    this.liveSocket = null;
    if (id !== null) this.later(1, () => this.event({ type: 'socket_closed', id, code }));
  }

  /** The program is killed; when it is back it has read what it had written down, and the others come back one by one. */
  restartServer(downMs: number): void {
    this.up = false;
    this.boot += 1;
    this.server.peer = null;
    this.server.lines.clear();
    this.server.sizes.clear();
    this.dropSocket(1006);
    this.losePath();
    const former = this.roster;
    this.roster = {};
    this.later(downMs, () => {
      this.up = true;
      for (const [id, streams] of Object.entries(former)) {
        this.later(this.random() * 2_000, () => this.setRoster({ ...this.roster, [id]: streams }));
      }
    });
  }

  setPath(up: boolean): void {
    this.pathUp = up;
    if (!up) this.losePath();
    else if (this.pathLostAt !== null && this.serverKnows()) this.findPath();
  }

  setRoster(roster: Record<string, string[]>): void {
    this.roster = roster;
    for (const [mid, { key }] of this.server.bound) {
      const [id = '', name = ''] = key.split('/');
      if (this.up && roster[id]?.includes(name) !== true) this.server.bound.delete(mid);
    }
    this.tellRoster();
    this.tellSlots();
  }

  say(message: ServerMessage, ref: string | null = null): void {
    const id = this.liveSocket;
    this.later(LATENCY_MS, () => {
      if (id === null || this.liveSocket !== id) return;
      this.event({ type: 'message', id, ref, message, atMs: this.now });
    });
  }

  // ---------------------------------------------------------------------------------------------- browser

  private perform(effect: Effect): void {
    switch (effect.do) {
      case 'resolve':
        this.later(LATENCY_MS, () => {
          const credentials = { location: 'ws://x', token: 't', participantId: SELF };
          this.event({ type: 'resolved', credentials, guest: null });
        });
        break;
      case 'open_socket':
        this.later(2 * LATENCY_MS, () => this.open(effect.id));
        break;
      case 'close_socket':
        if (this.liveSocket === effect.id) this.liveSocket = null;
        break;
      case 'send': {
        const id = this.liveSocket;
        this.later(LATENCY_MS, () => {
          if (id !== null && id === this.liveSocket) this.hear(effect.id, effect.message);
        });
        break;
      }
      case 'create_peer':
        this.peer = effect.peer;
        this.mids = [];
        this.ice = 0;
        this.pathLostAt = null;
        break;
      case 'close_peer':
        break;
      case 'make_offer':
        this.makeOffer(effect);
        break;
      case 'apply_answer':
        this.later(5, () => this.event({ type: 'answer_applied', peer: effect.peer }));
        this.later(40, () => this.checkPath(effect.peer));
        break;
      case 'spare_uplink':
      case 'apply_demand':
      case 'settle_join':
      case 'emit':
        break;
    }
  }

  private open(id: number): void {
    if (this.state.socket.id !== id || this.state.socket.phase !== 'opening') return;
    if (!this.up) {
      this.event({ type: 'socket_closed', id, code: 1006 });
      return;
    }
    this.offered = [];
    this.liveSocket = id;
    this.event({ type: 'socket_open', id });
  }

  private makeOffer({ peer, seq, lines, iceRestart }: Extract<Effect, { do: 'make_offer' }>): void {
    this.later(1 + this.random() * 40, () => {
      if (peer !== this.peer) return;
      if (iceRestart) this.ice += 1;
      while (this.mids.length < lines.length) this.mids.push(String(this.mids.length));
      const description: Description = { peer, ice: this.ice, lines };
      this.event({ type: 'offer_made', seq, sdp: JSON.stringify(description), mids: this.mids.slice(0, lines.length) });
    });
  }

  private serverKnows(): boolean {
    return this.up && this.server.peer === this.peer;
  }

  private checkPath(peer: number): void {
    if (peer !== this.peer || !this.serverKnows()) return;
    if (this.pathUp) this.findPath();
    else this.losePath();
  }

  private findPath(): void {
    this.pathLostAt = null;
    this.event({ type: 'path', peer: this.peer, state: 'connected' });
  }

  private losePath(): void {
    if (this.pathLostAt !== null) return;
    const [lostAt, peer] = [this.now, this.peer];
    this.pathLostAt = lostAt;
    const tell = (state: 'disconnected' | 'failed') => () => {
      if (this.pathLostAt === lostAt && this.peer === peer) this.event({ type: 'path', peer, state });
    };
    this.later(DISCONNECTED_MS, tell('disconnected'));
    this.later(FAILED_MS, tell('failed'));
  }

  // ---------------------------------------------------------------------------------------------- server

  private hear(id: string, message: ClientMessage): void {
    const { server } = this;
    switch (message.type) {
      case 'authenticate':
        this.say({ type: 'success', reason: '' }, id);
        this.tellRoster();
        break;
      case 'hello':
        this.say(
          { type: 'welcome', server: '', participant_id: SELF, grace_ms: 30_000, virtual_producers: {}, chat: [] },
          id,
        );
        this.tellRoster();
        this.tellSlots();
        break;
      case 'media_offer':
        this.takeOffer(id, JSON.parse(message.sdp) as Description);
        break;
      case 'request_stream':
        this.request(id, message);
        break;
      case 'disconnect_stream':
        server.bound.delete(message.receive_mid);
        this.say({ type: 'success', reason: '' }, id);
        this.tellSlots();
        break;
      case 'tile_sizes':
        for (const tile of message.tiles)
          if (server.lines.has(tile.receive_mid)) server.sizes.set(tile.receive_mid, tile);
        break;
      case 'mute_stream':
        if (server.lines.get(message.mid)?.localId == null) this.refuse(id);
        else server.muted.set(message.mid, message.muted);
        break;
      case 'ping':
        this.say({ type: 'pong' }, id);
        break;
      default:
        break;
    }
  }

  private takeOffer(id: string, offer: Description): void {
    // One that replaces its peer connection need not wait; else one at a time.
    if (this.offered.includes(offer.peer)) this.faults.push(`two offers in flight at ${this.now}`);
    this.offered.push(offer.peer);
    const socket = this.liveSocket;
    this.later(20, () => {
      if (this.up && socket === this.liveSocket) this.answer(id, offer);
    });
  }

  private answer(id: string, offer: Description): void {
    this.offered.shift();
    const { server } = this;
    server.peer = offer.peer;
    server.lines = new Map(offer.lines.map((line, i) => [String(i), line]));
    const ufrag = `${this.boot}-${offer.peer}-${offer.ice}`;
    const sdp = `v=0\r\no=- ${this.boot}${offer.peer} 1 IN IP4 0\r\na=ice-ufrag:${ufrag}\r\na=fingerprint:x ${this.boot}\r\n`;
    this.say({ type: 'media_offer', sdp }, id);
    this.tellRoster();
    this.tellSlots();
  }

  private request(id: string, message: Extract<ClientMessage, { type: 'request_stream' }>): void {
    const mid = message.receive_mid ?? '';
    const exists = this.roster[message.producer_id]?.includes(message.stream_id) === true;
    const kind = stream(message.stream_id).type;
    const line = this.server.lines.get(mid);
    if (!exists || line?.use !== 'receive' || line.kind !== kind) {
      this.refuse(id);
      return;
    }
    this.server.bound.set(mid, { key: streamKey(message.producer_id, message.stream_id), rid: message.rid });
    this.say({ type: 'request_stream_response', receive_mid: mid }, id);
    this.tellSlots();
  }

  private refuse(id: string): void {
    this.say({ type: 'error', error_type: 'invalid_parameter', error_message: '', detail: {} }, id);
  }

  private tellRoster(): void {
    const participants: Record<string, RosterEntry> = {};
    const members: Record<string, Member> = { [SELF]: member(0) };
    Object.entries(this.roster).forEach(([id, names], i) => {
      participants[id] = { streams: Object.fromEntries(names.map((name) => [name, stream(name)])) };
      members[id] = member(i + 1, id);
    });
    this.say({ type: 'members', members });
    this.say({ type: 'roster_update', participants });
  }

  private tellSlots(): void {
    const slots = [...this.server.bound].map(([mid, { key, rid }]) => {
      const [producer_id = '', stream_id = ''] = key.split('/');
      return [mid, { producer_id, stream_id, rid, active: true, reason: 'tile_size' as const }] as const;
    });
    this.say({ type: 'slots', slots: Object.fromEntries(slots) });
  }
}
