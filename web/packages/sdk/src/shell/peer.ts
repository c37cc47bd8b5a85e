/** One RTCPeerConnection: transceivers as the core's lines say, offers, answers, tracks. */
import type { Codec } from '@althing/wire';
import type { Demand, Line, PathState } from '../session/model';
import type { LocalSource, VideoCodec } from '../types';
import { backup, canScale, describeFrames, isScalable, prefer, preferRedundancy } from './codec';
import type { ContentHint, LayerPlan } from './encodings';
import {
  contentOf,
  degradation,
  layerSizes,
  layersOf,
  scalableLayer,
  sendEncodings,
  switched,
  unscaled,
  speechBps,
} from './encodings';
import { places } from '../session/lines';
import type { LineNotes } from './munge';
import { annotate } from './munge';

/** A track to send, and what is needed to send it well. */
export interface Outgoing {
  readonly track: MediaStreamTrack | null;
  readonly hint: ContentHint;
}

/** What a peer asks and tells. */
export interface PeerHost {
  outgoing(localId: string): Outgoing | null;
  onPath(state: PathState): void;
  /** A receiving line got its track. */
  onTrack(lineIndex: number, track: MediaStreamTrack): void;
}

export interface Offer {
  readonly sdp: string;
  readonly mids: readonly (string | null)[];
}

/** Discontinuous transmission and error correction; stereo for the sound of a tab. */
const OPUS_SPEECH = { usedtx: '1', useinbandfec: '1', minptime: '10' };
const OPUS_MUSIC = { useinbandfec: '1', minptime: '10', stereo: '1', 'sprop-stereo': '1' };

export class Peer {
  readonly connection: RTCPeerConnection;
  private readonly transceivers: RTCRtpTransceiver[] = [];
  private lines: readonly Line[] = [];
  private demand: Demand = {};
  private spare = false;
  private syncing: Promise<unknown> = Promise.resolve();
  /** The newest answer as it came, and whether another is on its way. */
  private answer: string | null = null;
  private offering = false;
  /** By index of the line: the codec to be named first in answers, where encodings cannot say it. */
  private readonly firsts = new Map<number, string>();
  private closed = false;

  constructor(
    config: RTCConfiguration,
    private readonly host: PeerHost,
    private readonly cameraCodec: VideoCodec | null = null,
  ) {
    this.connection = new RTCPeerConnection({ ...config, bundlePolicy: 'max-bundle', rtcpMuxPolicy: 'require' });
    const tell = (): void => {
      if (!this.closed) this.host.onPath(pathState(this.connection));
    };
    this.connection.addEventListener('connectionstatechange', tell);
    this.connection.addEventListener('iceconnectionstatechange', tell);
    this.connection.addEventListener('track', (event) => {
      const index = this.transceivers.indexOf(event.transceiver);
      if (index >= 0) this.host.onTrack(index, event.track);
    });
  }

  /** Makes the connection have these lines, and an offer of it. */
  async makeOffer(lines: readonly Line[], iceRestart: boolean): Promise<Offer> {
    this.lines = lines;
    this.offering = true;
    lines.forEach((line, index) => this.applyLine(line, index));
    await this.syncTracks();
    const offer = await this.connection.createOffer({ iceRestart });
    await this.connection.setLocalDescription(offer);
    const mids = this.mids();
    // Chromium adds nothing to the description by itself, Firefox completes some attributes: send what was set.
    const sdp = this.connection.localDescription?.sdp ?? offer.sdp ?? '';
    return { sdp: annotate(sdp, this.notes(lines, mids), 'offer'), mids };
  }

  async applyAnswer(sdp: string): Promise<void> {
    await this.takeAnswer(sdp);
    this.answer = sdp;
    this.offering = false;
    // What can be sent is known only now.
    if (Object.values(this.demand).some(({ codecs }) => codecs.length > 0)) await this.syncTracks();
  }

  /** How Opus is encoded, and what pictures are, follows from what the other end says it likes to receive. */
  private async takeAnswer(sdp: string): Promise<void> {
    const notes = this.notes(this.lines, this.mids());
    await this.connection.setRemoteDescription({ type: 'answer', sdp: annotate(sdp, notes, 'answer') });
  }

  /** Has the browser send what is to be named first now. The server has nothing new to say, so its answer stands. */
  private async takeAnswerAgain(): Promise<void> {
    // Else the answer that is on its way brings it.
    if (this.answer === null || this.offering || this.closed || this.connection.signalingState !== 'stable') return;
    await this.connection.setLocalDescription(await this.connection.createOffer());
    await this.takeAnswer(this.answer);
  }

  /** Puts the present local tracks on their lines. Cheap when nothing has changed. */
  async syncTracks(): Promise<void> {
    // One after the other: a sender refuses parameters that were read before it took over others.
    const sync = this.syncing.then(async () => {
      const all = () => Promise.all(this.lines.map((line, index) => this.syncTrack(line, index)));
      const before = JSON.stringify([...this.firsts]);
      await all();
      if (JSON.stringify([...this.firsts]) === before) return;
      await this.takeAnswerAgain();
      // Layers that the codec of before did not have were refused.
      await all();
    });
    this.syncing = sync.catch(() => undefined);
    await sync;
  }

  /** From now on only what is looked at is sent. */
  async setDemand(demand: Demand): Promise<void> {
    this.demand = demand;
    await this.syncTracks();
  }

  /** The uplink loses packets, or does not any more. */
  async spareUplink(spare: boolean): Promise<void> {
    this.spare = spare;
    await this.syncTracks();
  }

  /** The line with this mid. */
  lineOf(mid: string): Line | undefined {
    return this.lines[this.transceivers.findIndex((t) => t.mid === mid)];
  }

  track(lineIndex: number): MediaStreamTrack | null {
    const transceiver = this.transceivers[lineIndex];
    return transceiver === undefined || this.lines[lineIndex]?.use !== 'receive' ? null : transceiver.receiver.track;
  }

  close(): void {
    this.closed = true;
    this.connection.close();
  }

  private mids(): readonly (string | null)[] {
    return this.lines.map((_, index) => this.transceivers[index]?.mid ?? null);
  }

  private applyLine(line: Line, index: number): void {
    const present = this.transceivers[index];
    const direction = line.use === 'receive' ? 'recvonly' : line.localId === null ? 'inactive' : 'sendonly';
    if (present === undefined) {
      this.transceivers[index] = this.add(line, direction);
    } else if (present.direction !== direction && present.currentDirection !== 'stopped') {
      present.direction = direction;
    }
  }

  private add(line: Line, direction: RTCRtpTransceiverDirection): RTCRtpTransceiver {
    if (line.use === 'receive' || line.source === null) {
      const receiving = this.connection.addTransceiver(line.kind, { direction });
      if (line.kind === 'video') describeFrames(receiving);
      return receiving;
    }
    const outgoing = line.localId === null ? null : this.host.outgoing(line.localId);
    // With the track from the start: Safari fixes the encodings by the first one.
    const sending = this.connection.addTransceiver(outgoing?.track ?? line.kind, {
      direction,
      sendEncodings: sendEncodings(line.source, this.plan(line.source, outgoing)),
    });
    if (line.kind === 'video') describeFrames(sending);
    // Music has the rate to sound well, and no pauses that leave room for it twice.
    if (line.source === 'microphone') preferRedundancy(sending);
    if (isCamera(line.source) && this.cameraCodec !== null) prefer(sending, this.cameraCodec);
    return sending;
  }

  /** The layers for what is captured now. */
  private plan(source: LocalSource, outgoing: Outgoing | null): readonly LayerPlan[] {
    const { width = 0, height = 0 } = outgoing?.track?.getSettings() ?? {};
    const shortSide = Math.min(width, height);
    if (isCamera(source) && canScale(this.cameraCodec)) return scalableLayer(shortSide);
    return layersOf(source, outgoing?.hint ?? 'detail', shortSide);
  }

  private async syncTrack(line: Line, index: number): Promise<void> {
    const transceiver = this.transceivers[index];
    const sender = transceiver?.sender;
    if (sender === undefined || line.use !== 'send' || line.source === null || this.closed) return;
    const outgoing = line.localId === null ? null : this.host.outgoing(line.localId);
    const track = outgoing?.track ?? null;
    try {
      if (sender.track !== track) await sender.replaceTrack(track);
      const demand = transceiver?.mid == null ? undefined : this.demand[transceiver.mid];
      if (outgoing?.track != null) {
        const layers = switched(this.plan(line.source, outgoing), demand);
        await applyPlan(sender, line.source, outgoing.hint, layers, demand?.codecs ?? []);
        if (line.source === 'microphone') await applySpeech(sender, this.spare);
      }
    } catch (error) {
      // A stopped transceiver or one that is being closed: the next offer or connection puts it right.
      if (!(error instanceof DOMException)) throw error;
    }
    const first = deaf.get(sender);
    if (first === undefined) this.firsts.delete(index);
    else this.firsts.set(index, first);
  }

  private notes(lines: readonly Line[], mids: readonly (string | null)[]): ReadonlyMap<string, LineNotes> {
    const notes = new Map<string, LineNotes>();
    const place = places(lines);
    lines.forEach((line, index) => {
      const mid = mids[index] ?? null;
      if (mid === null) return;
      if (line.source === null) {
        notes.set(mid, { ...NO_NOTES, stream: `place${place.get(index) ?? mid}` });
        return;
      }
      const first = this.firsts.get(index) ?? null;
      notes.set(mid, { ...NO_NOTES, ...this.sendNotes(line.source, line.localId), first });
    });
    return notes;
  }

  private sendNotes(source: LocalSource, localId: string | null): Pick<LineNotes, 'content' | 'sizes' | 'opus'> {
    const outgoing = localId === null ? null : this.host.outgoing(localId);
    const { width = 0, height = 0 } = outgoing?.track?.getSettings() ?? {};
    return {
      content: contentOf(source),
      sizes: layerSizes(this.plan(source, outgoing), width, height),
      opus: source === 'microphone' ? OPUS_SPEECH : source === 'screen-audio' ? OPUS_MUSIC : null,
    };
  }
}

const NO_NOTES: LineNotes = { content: null, sizes: new Map(), first: null, stream: null, opus: null };

/** The path's state, the worse of what the two properties say: only one of them knows of DTLS, only the other is quick. */
export function pathState(connection: Pick<RTCPeerConnection, 'connectionState' | 'iceConnectionState'>): PathState {
  const { connectionState, iceConnectionState } = connection;
  if (connectionState === 'failed' || iceConnectionState === 'failed') return 'failed';
  if (connectionState === 'disconnected' || iceConnectionState === 'disconnected') return 'disconnected';
  if (connectionState === 'connected') return 'connected';
  return connectionState === 'new' ? 'new' : 'connecting';
}

function isCamera(source: LocalSource): boolean {
  return source === 'camera' || source === 'extra-camera';
}

/** What each sender was told; asking it is dear, and some browsers do not give back all that was set. */
const applied = new WeakMap<RTCRtpSender, string>();
/** What each sender sends by itself; Chromium lists the codec of now first. */
const preferredBy = new WeakMap<RTCRtpSender, RTCRtpCodec>();
/** Senders whose encodings cannot say their codec, with the one that they are to have. */
const deaf = new WeakMap<RTCRtpSender, string>();

/** Sends speech at the usual rate, or at the one at which more of it arrives. */
async function applySpeech(sender: RTCRtpSender, spare: boolean): Promise<void> {
  const mark = spare ? 'spare' : 'usual';
  const parameters = sender.getParameters();
  const [encoding] = parameters.encodings;
  if ((applied.get(sender) ?? 'usual') === mark || encoding === undefined) return;
  applied.set(sender, mark);
  encoding.maxBitrate = speechBps(spare);
  try {
    await sender.setParameters(parameters);
  } catch (error) {
    applied.delete(sender);
    throw error;
  }
}

/** W3C WebRTC Extensions, which the types of the DOM may not know. */
type EncodingInCodec = RTCRtpEncodingParameters & { codec?: RTCRtpCodec; scalabilityMode?: string };

/**
 * Makes a sender follow the layers' plan, where that has changed. `demanded`: codecs that all receivers can decode,
 * where the preferred one is none of them.
 */
async function applyPlan(
  sender: RTCRtpSender,
  source: LocalSource,
  hint: ContentHint,
  layers: readonly LayerPlan[],
  demanded: readonly Codec[],
): Promise<void> {
  const parameters = sender.getParameters();
  const instead = backup(parameters.codecs, demanded);
  const plan = instead === null || isScalable(instead) ? layers : unscaled(layers);
  const mark = JSON.stringify([hint, plan, instead]);
  if (layers.length === 0 || applied.get(sender) === mark || parameters.encodings.length === 0) return;
  applied.set(sender, mark);
  if (instead === null) deaf.delete(sender);
  const [liked] = parameters.codecs;
  parameters.degradationPreference = degradation(source, hint);
  parameters.encodings.forEach((encoding: EncodingInCodec, i) => {
    const layer = plan.find((l) => l.rid !== null && l.rid === encoding.rid) ?? plan[i];
    if (layer === undefined) return;
    if (encoding.codec === undefined && liked !== undefined) preferredBy.set(sender, liked);
    // Chromium goes on in the last codec that was named: the way back has to name the preferred one.
    const named = instead ?? (encoding.codec === undefined ? undefined : preferredBy.get(sender));
    if (named !== undefined) encoding.codec = named;
    encoding.active = layer.active;
    encoding.scaleResolutionDownBy = layer.scaleDownBy;
    encoding.maxBitrate = layer.bpsMax;
    encoding.maxFramerate = layer.fpsMax;
    if (layer.scalabilityMode !== undefined) encoding.scalabilityMode = layer.scalabilityMode;
  });
  try {
    await sender.setParameters(parameters);
  } catch (error) {
    // Not taken over: the next time it is tried again.
    applied.delete(sender);
    throw error;
  }
  const [encoding]: EncodingInCodec[] = sender.getParameters().encodings;
  if (instead !== null && encoding?.codec === undefined) deaf.set(sender, instead.mimeType.replace('video/', ''));
}
