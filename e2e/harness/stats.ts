/** What a browser's peer connections say of themselves. */
import type { Page } from '@playwright/test';

declare global {
  interface Window {
    /** Every peer connection of the page, oldest first; kept by {@link watchPeerConnections}. */
    peerConnections: RTCPeerConnection[];
  }
}

/** One stream that a page receives, as its newest connected peer connection counts it. */
export interface Inbound {
  mid: string;
  /** Id of the received track: what a video element shows. */
  track: string;
  kind: 'audio' | 'video';
  bytes: number;
  packets: number;
  framesDecoded: number;
  width: number;
  height: number;
  audioLevel: number;
  audioEnergy: number;
  codec: string;
  nacks: number;
  plis: number;
  /** Packets that came because they were asked for again. */
  retransmitted: number;
  /** Packets of sound that came twice, or too late. */
  discarded: number;
}

/** One encoding that a page sends. */
export interface Outbound {
  mid: string;
  kind: 'audio' | 'video';
  rid: string;
  bytes: number;
  width: number;
  height: number;
  active: boolean;
  codec: string;
  nacks: number;
  plis: number;
}

/** The transport below them. */
export interface Transport {
  dtlsState: string;
  srtpCipher: string;
  tlsVersion: string;
  localAddress: string;
  protocol: string;
  remotePort: number;
  ufrag: string;
}

/** Remembers every peer connection of the page from its start. Call it before the page loads. */
export async function watchPeerConnections(page: Page): Promise<void> {
  await page.addInitScript(keepPeerConnections);
}

/** Runs in the page. */
export function keepPeerConnections(): void {
  window.peerConnections = [];
  const Original = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Original {
    constructor(configuration?: RTCConfiguration) {
      super(configuration);
      window.peerConnections.push(this);
    }
  };
}

interface Report {
  inbound: Inbound[];
  outbound: Outbound[];
  transport: Transport | null;
}

/** One look at the newest peer connection that is not closed. */
export async function report(page: Page): Promise<Report> {
  return page.evaluate(readReport);
}

/** Runs in the page. */
async function readReport(): Promise<Report> {
  const open = window.peerConnections.filter((pc) => pc.connectionState !== 'closed');
  const pc = open.at(-1);
  if (pc === undefined) return { inbound: [], outbound: [], transport: null };
  const stats = await pc.getStats();
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- each kind of entry has fields of its own
  const byId = new Map<string, any>();
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  const entries: any[] = [];
  stats.forEach((entry) => {
    byId.set(entry.id, entry);
    entries.push(entry);
  });
  const codecOf = (id: string | undefined) => (id ? (byId.get(id)?.mimeType?.split('/')[1] ?? '') : '').toLowerCase();
  const inbound = entries
    .filter((entry) => entry.type === 'inbound-rtp')
    .map((entry) => ({
      mid: entry.mid ?? '',
      track: entry.trackIdentifier ?? '',
      kind: entry.kind,
      bytes: entry.bytesReceived ?? 0,
      packets: entry.packetsReceived ?? 0,
      framesDecoded: entry.framesDecoded ?? 0,
      width: entry.frameWidth ?? 0,
      height: entry.frameHeight ?? 0,
      audioLevel: entry.audioLevel ?? 0,
      audioEnergy: entry.totalAudioEnergy ?? 0,
      codec: codecOf(entry.codecId),
      nacks: entry.nackCount ?? 0,
      plis: entry.pliCount ?? 0,
      retransmitted: entry.retransmittedPacketsReceived ?? 0,
      discarded: entry.packetsDiscarded ?? 0,
    }));
  const outbound = entries
    .filter((entry) => entry.type === 'outbound-rtp')
    .map((entry) => ({
      mid: entry.mid ?? '',
      kind: entry.kind,
      rid: entry.rid ?? '',
      bytes: entry.bytesSent ?? 0,
      width: entry.frameWidth ?? 0,
      height: entry.frameHeight ?? 0,
      active: entry.active ?? true,
      codec: codecOf(entry.codecId),
      nacks: entry.nackCount ?? 0,
      plis: entry.pliCount ?? 0,
    }));
  const transport = entries.find((entry) => entry.type === 'transport');
  const pair = transport ? byId.get(transport.selectedCandidatePairId) : undefined;
  const local = pair ? byId.get(pair.localCandidateId) : undefined;
  const remote = pair ? byId.get(pair.remoteCandidateId) : undefined;
  return {
    inbound,
    outbound,
    transport: transport
      ? {
          dtlsState: transport.dtlsState ?? '',
          srtpCipher: transport.srtpCipher ?? '',
          tlsVersion: transport.tlsVersion ?? '',
          localAddress: local?.address ?? '',
          protocol: local?.protocol ?? '',
          remotePort: remote?.port ?? 0,
          ufrag: transport.iceLocalUsernameFragment ?? '',
        }
      : null,
  };
}

/** How much each received stream has grown since an earlier look, by m-line. */
export function growth(before: Inbound[], after: Inbound[]): Map<string, { bytes: number; frames: number }> {
  const earlier = new Map(before.map((stream) => [stream.mid, stream]));
  return new Map(
    after.map((stream) => {
      const first = earlier.get(stream.mid);
      const frames = stream.framesDecoded - (first?.framesDecoded ?? 0);
      return [stream.mid, { bytes: stream.bytes - (first?.bytes ?? 0), frames }];
    }),
  );
}
