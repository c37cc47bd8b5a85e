/** Makes statistics for people and tests of two successive `getStats()` reports. Pure. */
import type { MediaKind } from '@althing/wire';
import type { ReceivedStats, SentEncoding, SentStats, SessionStats } from '../types';
import type { LinkSample } from './link';

/** One entry of a report; which fields are there differs by browser. */
export type Entry = Readonly<Record<string, unknown>> & { readonly id: string; readonly type: string };
export type Report = ReadonlyMap<string, Entry>;

/** The stream received on a line, its encoding, and why it is no better one. */
export type StreamOnLine = Pick<ReceivedStats, 'key' | 'rid' | 'spatial' | 'reason'>;

/** What the mids are, from the session. */
export interface Names {
  readonly received: (mid: string) => StreamOnLine | null;
  /** The own stream sent on this line. */
  readonly sent: (mid: string) => string | null;
}

export interface Digest {
  readonly stats: Omit<SessionStats, 'quality' | 'poorLink'>;
  readonly link: LinkSample;
  /** Worst of what is sent, as the server reports it, 0 to 100. */
  readonly sendLossPct: number;
  readonly bandwidthLimited: boolean;
}

export function digest(report: Report, before: Report | null, names: Names, atMs: number): Digest {
  const all = [...report.values()];
  const of = (type: string): Entry[] => all.filter((e) => e.type === type);
  const pair = selectedPair(report, all);
  const context: Context = { report, before, names };
  const received = of('inbound-rtp').flatMap((e) => receivedOf(context, e));
  const sent = sentOf(context, of('outbound-rtp'));
  const encodings = sent.flatMap((s) => s.encodings);
  const stats = {
    atMs,
    rttMs: rtt(pair, of('remote-inbound-rtp')),
    sendBps: rate(context, pair, 'bytesSent') ?? sum(encodings.map((e) => e.bps)),
    receiveBps: rate(context, pair, 'bytesReceived') ?? sum(received.map((r) => r.bps)),
    availableSendBps: pair === undefined ? null : optional(pair, 'availableOutgoingBitrate'),
    transport: transportOf(report, pair, of('transport')[0]),
    received,
    sent,
  };
  return {
    stats,
    link: linkOf(context, stats, of('inbound-rtp'), of('outbound-rtp')),
    sendLossPct: Math.max(0, ...encodings.map((e) => e.lossPct)),
    bandwidthLimited: encodings.some((e) => e.active && e.limitation === 'bandwidth'),
  };
}

interface Context {
  readonly report: Report;
  readonly before: Report | null;
  readonly names: Names;
}

function receivedOf(c: Context, e: Entry): ReceivedStats[] {
  const name = c.names.received(text(e, 'mid') ?? '');
  if (name === null) return [];
  const got = delta(c, e, 'packetsReceived') ?? 0;
  const lost = Math.max(0, delta(c, e, 'packetsLost') ?? 0);
  return [
    {
      ...name,
      kind: kindOf(e),
      codec: codecOf(c, e),
      bps: rate(c, e, 'bytesReceived') ?? 0,
      lossPct: got + lost === 0 ? 0 : (100 * lost) / (got + lost),
      jitterMs: number(e, 'jitter') * 1000,
      width: number(e, 'frameWidth'),
      height: number(e, 'frameHeight'),
      fps: number(e, 'framesPerSecond'),
      framesDecoded: number(e, 'framesDecoded'),
      freezes: number(e, 'freezeCount'),
      audioLevel: number(e, 'audioLevel'),
      totalAudioEnergy: number(e, 'totalAudioEnergy'),
    },
  ];
}

function sentOf(c: Context, entries: readonly Entry[]): SentStats[] {
  const byId = new Map<string, SentStats & { encodings: SentEncoding[] }>();
  for (const e of entries) {
    const localId = c.names.sent(text(e, 'mid') ?? '');
    if (localId === null) continue;
    const of = byId.get(localId) ?? { localId, kind: kindOf(e), codec: codecOf(c, e), encodings: [] };
    byId.set(localId, of);
    of.encodings.push(encodingOf(c, e));
  }
  for (const { encodings } of byId.values()) encodings.sort((a, b) => a.width - b.width);
  return [...byId.values()];
}

function encodingOf(c: Context, e: Entry): SentEncoding {
  const remote = c.report.get(text(e, 'remoteId') ?? '');
  const bps = rate(c, e, 'bytesSent') ?? 0;
  return {
    rid: text(e, 'rid'),
    scalabilityMode: text(e, 'scalabilityMode'),
    active: typeof e['active'] === 'boolean' ? e['active'] : bps > 0,
    bps,
    width: number(e, 'frameWidth'),
    height: number(e, 'frameHeight'),
    fps: number(e, 'framesPerSecond'),
    lossPct: remote === undefined ? 0 : Math.max(0, number(remote, 'fractionLost')) * 100,
    limitation: text(e, 'qualityLimitationReason') ?? 'none',
  };
}

/** Packets of a stream in one interval from which on their loss says something. */
const PACKETS_MIN = 20;

function linkOf(c: Context, stats: Digest['stats'], inbound: readonly Entry[], outbound: readonly Entry[]): LinkSample {
  const reports = outbound.flatMap((e) => {
    const remote = c.report.get(text(e, 'remoteId') ?? '');
    const packets = delta(c, e, 'packetsSent') ?? 0;
    return remote === undefined || packets <= 0 ? [] : [{ remote, packets, isSound: kindOf(e) === 'audio' }];
  });
  const sent = sum(reports.map((r) => r.packets));
  const lost = sum(reports.map((r) => r.packets * Math.max(0, number(r.remote, 'fractionLost'))));
  const jitters = reports.filter((r) => r.isSound).map((r) => number(r.remote, 'jitter') * 1000);
  const received = inbound.map((e) => {
    const got = delta(c, e, 'packetsReceived') ?? 0;
    const missing = Math.max(0, delta(c, e, 'packetsLost') ?? 0);
    return { entry: e, isSound: kindOf(e) === 'audio', got, expected: got + missing, missing };
  });
  const telling = received.filter((r) => r.expected >= PACKETS_MIN);
  const pictures = received.filter((r) => !r.isSound && r.got > 0);
  return {
    sendLossPct: sent < PACKETS_MIN ? null : (100 * lost) / sent,
    sendJitterMs: jitters.length === 0 ? null : Math.max(...jitters),
    availableSendBps: stats.availableSendBps,
    sendLimited: stats.sent.some((s) => s.encodings.some((e) => e.active && e.limitation === 'bandwidth')),
    receiveLossPcts: telling.map((r) => (100 * r.missing) / r.expected),
    receiveJitterMs: telling.filter((r) => r.isSound).map((r) => number(r.entry, 'jitter') * 1000),
    receiveBps: stats.receiveBps,
    pictures: pictures.length,
    frozen: pictures.filter((r) => (delta(c, r.entry, 'freezeCount') ?? 0) > 0).length,
    receiveLimited: stats.received.filter((r) => r.kind === 'video' && r.bps > 0 && r.reason === 'bandwidth').length,
    rttMs: stats.rttMs,
  };
}

/** Chromium and Safari name it in the transport, Firefox marks it. */
function selectedPair(report: Report, all: readonly Entry[]): Entry | undefined {
  const transport = all.find((e) => e.type === 'transport' && text(e, 'selectedCandidatePairId') !== null);
  const named = transport === undefined ? undefined : report.get(text(transport, 'selectedCandidatePairId') ?? '');
  return named ?? all.find((e) => e.type === 'candidate-pair' && e['selected'] === true) ?? nominated(all);
}

function nominated(all: readonly Entry[]): Entry | undefined {
  return all.find((e) => e.type === 'candidate-pair' && e['nominated'] === true && e['state'] === 'succeeded');
}

function rtt(pair: Entry | undefined, reports: readonly Entry[]): number | null {
  const ofPair = pair === undefined ? null : optional(pair, 'currentRoundTripTime');
  const ofReports = reports.map((e) => optional(e, 'roundTripTime')).filter((n) => n !== null);
  const seconds = ofPair ?? (ofReports.length === 0 ? null : Math.min(...ofReports));
  return seconds === null ? null : seconds * 1000;
}

function transportOf(report: Report, pair: Entry | undefined, transport: Entry | undefined): SessionStats['transport'] {
  const local = pair === undefined ? undefined : report.get(text(pair, 'localCandidateId') ?? '');
  if (local === undefined) return null;
  return {
    protocol: text(local, 'relayProtocol') ?? text(local, 'protocol') ?? 'udp',
    localType: text(local, 'candidateType') ?? 'host',
    srtpCipher: transport === undefined ? null : text(transport, 'srtpCipher'),
  };
}

/** `video/VP8` → `vp8`. */
function codecOf(c: Context, e: Entry): string | null {
  const codec = c.report.get(text(e, 'codecId') ?? '');
  return codec === undefined ? null : (text(codec, 'mimeType')?.split('/')[1]?.toLowerCase() ?? null);
}

function kindOf(e: Entry): MediaKind {
  return e['kind'] === 'audio' ? 'audio' : 'video';
}

/** Bits per second since the last report; null without one. */
function rate(c: Context, e: Entry | undefined, field: string): number | null {
  if (e === undefined) return null;
  const bytes = delta(c, e, field);
  const before = c.before?.get(e.id);
  if (bytes === null || before === undefined) return null;
  const ms = number(e, 'timestamp') - number(before, 'timestamp');
  return ms <= 0 ? null : Math.max(0, Math.round((bytes * 8000) / ms));
}

function delta(c: Context, e: Entry, field: string): number | null {
  const before = c.before?.get(e.id);
  if (before === undefined) return null;
  return number(e, field) - number(before, field);
}

function number(e: Entry, field: string): number {
  return optional(e, field) ?? 0;
}

function optional(e: Entry, field: string): number | null {
  const value = e[field];
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

function text(e: Entry, field: string): string | null {
  const value = e[field];
  return typeof value === 'string' ? value : null;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}
