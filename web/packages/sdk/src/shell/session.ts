/** The session's shell: feeds the core with what happens, does what it says. */
import type { Guest } from '@althing/wire';
import { Emitter, Store } from '../emitter';
import { AlthingError } from '../errors';
import { createLocalMedia } from '../media/local';
import { createGuest, isTemporary, join } from '../rest';
import type { CoreEvent, CoreState, Credentials, Effect, Line, LocalDesc, PathState } from '../session/model';
import { initialState } from '../session/model';
import { nextDeadline, reduce } from '../session/reduce';
import { shownOn, slotOf } from '../session/seats';
import { EMPTY_VIEW } from '../session/view';
import type { StreamOnLine } from '../stats/digest';
import type { AttachOptions, JoinOptions, JoinTarget, LocalMedia, Profile, Session, VideoCodec } from '../types';
import type { SessionEvents, SessionOptions, SessionState, SessionStats, StreamKey, Unsubscribe } from '../types';
import { attachVideo } from './attach';
import { AudioOut } from './audio';
import { Demand } from './demand';
import { watchEnvironment } from './environment';
import { Peer } from './peer';
import { Socket } from './socket';
import { EMPTY_STATS, Statistics } from './statistics';

/** Said in `hello`. */
const CLIENT = 'althing-sdk 0.1.0';
/** Enough for anybody's ears, and for a large meeting's processors. */
const AUDIO_STREAMS_MAX = 25;

/** A timer this late was not delayed by work, but by a page that was frozen. */
const LATE_MS = 1_500;
/** Time to hear what has piled up. */
const CATCH_UP_MS = 250;

/** A session that has not joined yet. Makes no request and captures nothing by itself. */
export function createSession(options: SessionOptions = {}): Session {
  return new SessionShell(options);
}

class SessionShell implements Session {
  readonly media: LocalMedia;
  private core: CoreState;
  private readonly view = new Store<SessionState>(EMPTY_VIEW);
  private readonly stats = new Store<SessionStats>(EMPTY_STATS);
  private readonly emitter = new Emitter<SessionEvents>();
  private readonly demand: Demand;
  private readonly requested = new Map<StreamKey, Set<(width: number, height: number) => void>>();
  private readonly audio: AudioOut;
  private readonly rtc: RTCConfiguration;
  private readonly videoCodec: VideoCodec | null;
  private readonly stops: Unsubscribe[] = [];
  private target: JoinTarget | null = null;
  private settleJoin: ((error: AlthingError | null) => void) | null = null;
  private socket: Socket | null = null;
  private peer: Peer | null = null;
  private statistics: Statistics | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly queue: CoreEvent[] = [];
  private busy = false;

  constructor(options: SessionOptions) {
    this.media = options.media ?? createLocalMedia();
    this.rtc = options.rtc ?? {};
    this.videoCodec = options.videoCodec ?? null;
    this.core = initialState(options.client ?? CLIENT, options.audioStreamsMax ?? AUDIO_STREAMS_MAX, EMPTY_VIEW);
    this.core = { ...this.core, receiveHeightMax: options.receiveHeightMax ?? null };
    this.audio = new AudioOut((blocked) => this.dispatch({ type: 'audio_blocked', blocked }));
    this.demand = new Demand(
      (key, wish) => this.dispatch({ type: 'wish', key, wish }),
      (key) => this.dispatch({ type: 'unwish', key }),
    );
  }

  getSnapshot = (): SessionState => this.view.get();
  subscribe = (listener: () => void): Unsubscribe => this.view.subscribe(listener);
  getStats = (): SessionStats => this.stats.get();
  subscribeStats = (listener: () => void): Unsubscribe => this.stats.subscribe(listener);

  on<E extends keyof SessionEvents>(event: E, listener: (detail: SessionEvents[E]) => void): Unsubscribe {
    return this.emitter.on(event, listener);
  }

  join(target: JoinTarget, options: JoinOptions): Promise<Guest | null> {
    if (this.target !== null) throw new Error('a session joins once; make a new one');
    this.target = target;
    const promise = new Promise<Guest | null>((resolve, reject) => {
      this.settleJoin = (error) => (error === null ? resolve(this.core.guest) : reject(error));
    });
    this.stops.push(this.media.subscribe(() => this.onMedia()));
    this.stops.push(watchEnvironment((event) => this.dispatch(event)));
    this.onMedia();
    this.dispatch({ type: 'join', profile: options.profile });
    return promise;
  }

  leave(): void {
    this.dispatch({ type: 'leave' });
  }

  retryNow(): void {
    this.dispatch({ type: 'retry_now' });
  }

  setProfile(profile: Profile): void {
    this.dispatch({ type: 'set_profile', profile });
  }

  sendChat(text: string, to?: string): void {
    this.dispatch({ type: 'send_chat', text, to: to ?? null, atMs: Date.now() });
  }

  attachVideo(element: HTMLVideoElement, key: StreamKey, options: AttachOptions = {}): Unsubscribe {
    const host = { demand: this.demand, getTrack: this.getTrack, subscribe: this.subscribe };
    return attachVideo(host, element, key, options);
  }

  request(key: StreamKey): Unsubscribe {
    const { resize, release } = this.demand.add(key, { size: null, quality: null });
    const all = this.requested.get(key) ?? new Set();
    this.requested.set(key, all.add(resize));
    return () => {
      all.delete(resize);
      release();
    };
  }

  setTileSize(key: StreamKey, width: number, height: number): void {
    for (const resize of this.requested.get(key) ?? []) resize(width, height);
  }

  limitReceive(heightMax: number | null): void {
    this.dispatch({ type: 'limit_receive', heightMax });
  }

  getTrack = (key: StreamKey): MediaStreamTrack | null => {
    const slot = slotOf(this.core, key);
    return slot === undefined ? null : (this.peer?.track(slot.line) ?? null);
  };

  unblockAudio(): Promise<void> {
    return this.audio.unblock();
  }

  setVolume(participantId: string, volume: number): void {
    this.audio.setVolume(participantId, volume);
  }

  /** Events caused while one is being handled wait for their turn. */
  private dispatch(event: CoreEvent): void {
    this.queue.push(event);
    if (this.busy) return;
    this.busy = true;
    try {
      for (let next = this.queue.shift(); next !== undefined; next = this.queue.shift()) this.step(next);
    } finally {
      this.busy = false;
    }
    this.refresh();
  }

  private step(event: CoreEvent): void {
    const { state, effects } = reduce(this.core, event, { now: performance.now(), random: Math.random() });
    this.core = state;
    this.view.set(state.view);
    for (const effect of effects) this.perform(effect);
  }

  private refresh(): void {
    this.arm();
    this.audio.update(this.soundTracks());
    if (this.core.end !== null) this.dispose();
  }

  private arm(): void {
    clearTimeout(this.timer);
    const at = nextDeadline(this.core);
    if (at === null) return;
    const tick = (): void => this.dispatch({ type: 'tick' });
    const onTime = (): void => {
      // Very late: the page was frozen, and what the server said meanwhile waits to be heard. Hear it first.
      if (performance.now() - at > LATE_MS) this.timer = setTimeout(tick, CATCH_UP_MS);
      else tick();
    };
    this.timer = setTimeout(onTime, Math.max(0, at - performance.now()));
  }

  private perform(effect: Effect): void {
    switch (effect.do) {
      case 'resolve':
        void this.resolve();
        break;
      case 'open_socket':
        this.openSocket(effect.id, effect.url);
        break;
      case 'close_socket':
        this.socket?.close(effect.code);
        this.socket = null;
        break;
      case 'send':
        this.socket?.send(effect.id, effect.message);
        break;
      case 'create_peer':
        this.createPeer(effect.peer);
        break;
      case 'close_peer':
        this.closePeer();
        break;
      case 'make_offer':
        void this.makeOffer(effect.peer, effect.seq, effect.lines, effect.iceRestart);
        break;
      case 'apply_answer':
        void this.applyAnswer(effect.peer, effect.sdp);
        break;
      case 'spare_uplink':
        void this.peer?.spareUplink(effect.spare);
        break;
      case 'apply_demand':
        void this.peer?.setDemand(effect.demand);
        break;
      case 'settle_join':
        this.settleJoin?.(effect.error);
        this.settleJoin = null;
        break;
      case 'emit':
        this.emitter.emit(effect.event.name, effect.event.detail);
        break;
    }
  }

  private async resolve(): Promise<void> {
    try {
      const { credentials, guest } = await credentialsOf(this.target, this.core.guest);
      this.dispatch({ type: 'resolved', credentials, guest });
    } catch (thrown) {
      const error = thrown instanceof AlthingError ? thrown : new AlthingError('unknown', String(thrown));
      this.dispatch({ type: 'resolve_failed', error, retry: isTemporary(error) });
    }
  }

  private openSocket(id: number, url: string): void {
    this.socket?.close(1000);
    this.socket = new Socket(url, {
      onOpen: () => this.dispatch({ type: 'socket_open', id }),
      onMessage: (ref, message) => this.dispatch({ type: 'message', id, ref, message, atMs: Date.now() }),
      onClosed: (code) => this.dispatch({ type: 'socket_closed', id, code }),
    });
  }

  private createPeer(id: number): void {
    this.closePeer();
    const host = {
      outgoing: (localId: string) => this.outgoing(localId),
      onPath: (state: PathState) => this.dispatch({ type: 'path', peer: id, state }),
      onTrack: () => this.refreshViews(),
    };
    const peer = new Peer(this.rtc, host, this.videoCodec);
    this.peer = peer;
    this.statistics = new Statistics(peer, {
      streamOn: (mid) => this.streamOn(mid),
      onStats: (stats) => {
        this.stats.set(stats);
        const { quality, poorLink } = stats;
        if (quality !== this.core.quality || poorLink !== this.core.poorLink) {
          this.dispatch({ type: 'quality', quality, poorLink });
        }
      },
    });
  }

  private closePeer(): void {
    this.statistics?.stop();
    this.statistics = null;
    this.peer?.close();
    this.peer = null;
  }

  private async makeOffer(id: number, seq: number, lines: readonly Line[], iceRestart: boolean): Promise<void> {
    const { peer } = this;
    if (peer === null) return;
    try {
      const { sdp, mids } = await peer.makeOffer(lines, iceRestart);
      if (peer === this.peer) this.dispatch({ type: 'offer_made', seq, sdp, mids });
    } catch (error) {
      if (peer === this.peer) this.dispatch({ type: 'negotiation_failed', peer: id, text: String(error) });
    }
  }

  private async applyAnswer(id: number, sdp: string): Promise<void> {
    const { peer } = this;
    if (peer === null) return;
    try {
      await peer.applyAnswer(sdp);
      if (peer === this.peer) this.dispatch({ type: 'answer_applied', peer: id });
    } catch (error) {
      if (peer === this.peer) this.dispatch({ type: 'negotiation_failed', peer: id, text: String(error) });
    }
  }

  /** A new peer connection has new tracks under the same keys: views look again. */
  private refreshViews(): void {
    this.view.set({ ...this.view.get() });
    this.audio.update(this.soundTracks());
  }

  private onMedia(): void {
    const { streams, speakerId } = this.media.getSnapshot();
    this.audio.setSpeaker(speakerId);
    this.dispatch({ type: 'local', streams: streams.map(descOf) });
    void this.peer?.syncTracks();
  }

  private outgoing(localId: string): ReturnType<ConstructorParameters<typeof Peer>[1]['outgoing']> {
    const track = this.media.getTrack(localId);
    return { track, hint: track?.contentHint === 'motion' ? 'motion' : 'detail' };
  }

  private soundTracks(): ReadonlyMap<StreamKey, MediaStreamTrack> {
    const tracks = new Map<StreamKey, MediaStreamTrack>();
    for (const slot of this.core.slots) {
      const track = slot.kind === 'audio' && slot.key !== null ? this.getTrack(slot.key) : null;
      if (track !== null && slot.key !== null) tracks.set(slot.key, track);
    }
    return tracks;
  }

  private streamOn(mid: string): StreamOnLine | null {
    const index = this.core.lines.findIndex((line) => line.mid === mid);
    const slot = this.core.slots.find((s) => s.line === index);
    const key = slot === undefined ? null : shownOn(this.core, slot);
    if (key === null) return null;
    const shown = this.core.serverSlots[mid];
    return { key, rid: shown?.rid ?? null, spatial: shown?.spatial ?? null, reason: shown?.reason ?? null };
  }

  private dispose(): void {
    clearTimeout(this.timer);
    for (const stop of this.stops.splice(0)) stop();
    this.closePeer();
    this.audio.close();
  }
}

function descOf(stream: ReturnType<LocalMedia['getSnapshot']>['streams'][number]): LocalDesc {
  const { id, source, kind, state, muted } = stream;
  return { id, source, kind, sending: state === 'live' && !muted };
}

/** From a target to what a WebSocket needs; a guest made before is used again. */
async function credentialsOf(
  target: JoinTarget | null,
  made: Guest | null,
): Promise<{ readonly credentials: Credentials; readonly guest: Guest | null }> {
  if (target === null) throw new AlthingError('unknown', 'nowhere to join');
  if ('location' in target) {
    const { location, token, participantId } = target;
    return { credentials: { location, token, participantId }, guest: null };
  }
  const guest = 'guest' in target ? target.guest : (made ?? (await createGuest(target.room, target.origin)));
  const { location, token } = await join(guest);
  return { credentials: { location, token, participantId: guest.participant_id }, guest };
}
