/** Asks the peer connection for statistics while it lives. */
import type { Digest, Entry, Report, StreamOnLine } from '../stats/digest';
import { digest } from '../stats/digest';
import { FRESH_LINK, poorLink, stepLink } from '../stats/link';
import { qualityOf, smooth } from '../stats/quality';
import type { Quality, SessionStats } from '../types';
import type { Peer } from './peer';

/** A report of a large meeting costs some milliseconds. */
const INTERVAL_MS = 1_500;

export const EMPTY_STATS: SessionStats = {
  atMs: 0,
  quality: null,
  poorLink: null,
  rttMs: null,
  sendBps: 0,
  receiveBps: 0,
  availableSendBps: null,
  transport: null,
  received: [],
  sent: [],
};

export interface StatisticsHost {
  streamOn(mid: string): StreamOnLine | null;
  onStats(stats: SessionStats): void;
}

export class Statistics {
  private readonly timer: ReturnType<typeof setInterval>;
  private before: Report | null = null;
  private recent: Quality[] = [];
  private quality: Quality | null = null;
  private link = FRESH_LINK;
  private asking = false;

  constructor(
    private readonly peer: Peer,
    private readonly host: StatisticsHost,
  ) {
    this.timer = setInterval(() => void this.ask(), INTERVAL_MS);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private async ask(): Promise<void> {
    if (this.asking || this.peer.connection.connectionState === 'closed') return;
    this.asking = true;
    try {
      const report = reportOf(await this.peer.connection.getStats());
      const names = {
        received: (mid: string) => this.host.streamOn(mid),
        sent: (mid: string) => this.peer.lineOf(mid)?.localId ?? null,
      };
      const made = digest(report, this.before, names, Date.now());
      this.before = report;
      const isUp = this.peer.connection.connectionState === 'connected';
      this.link = isUp ? stepLink(this.link, made.link) : FRESH_LINK;
      this.host.onStats({ ...made.stats, quality: this.mark(made), poorLink: poorLink(this.link) });
    } catch (error) {
      // The connection was closed meanwhile.
      if (!(error instanceof DOMException)) throw error;
    } finally {
      this.asking = false;
    }
  }

  private mark(made: Digest): Quality | null {
    if (this.peer.connection.connectionState !== 'connected') return this.quality === null ? null : 0;
    const { stats, sendLossPct, bandwidthLimited } = made;
    const { rttMs, received } = stats;
    const sounds = received.filter((r) => r.kind === 'audio');
    const mark = qualityOf({
      rttMs,
      receiveLossPct: Math.max(0, ...received.map((r) => r.lossPct)),
      sendLossPct,
      jitterMs: Math.max(0, ...sounds.map((r) => r.jitterMs)),
      bandwidthLimited,
    });
    this.recent = [...this.recent, mark].slice(-3);
    this.quality = smooth(this.quality, this.recent);
    return this.quality;
  }
}

function reportOf(stats: RTCStatsReport): Report {
  const report = new Map<string, Entry>();
  stats.forEach((entry: Entry) => report.set(entry.id, entry));
  return report;
}
