import { describe, expect, it } from 'vitest';
import type { Entry, Names, Report } from './digest';
import { digest } from './digest';
import { qualityOf, smooth } from './quality';

function report(...entries: (Record<string, unknown> & { id: string; type: string })[]): Report {
  return new Map(entries.map((e): [string, Entry] => [e.id, e]));
}

const NAMES: Names = {
  received: (mid) => (mid === '4' ? { key: 'a/cam', rid: 'm', spatial: null, reason: 'bandwidth' } : null),
  sent: (mid) => (mid === '1' ? 'camera' : null),
};

const at = (timestamp: number, n: number): Report =>
  report(
    { id: 'T', type: 'transport', selectedCandidatePairId: 'P', srtpCipher: 'AEAD_AES_256_GCM', timestamp },
    {
      id: 'P',
      type: 'candidate-pair',
      localCandidateId: 'L',
      currentRoundTripTime: 0.02,
      availableOutgoingBitrate: 3e6,
      bytesSent: 2000 * n,
      bytesReceived: 1000 * n,
      timestamp,
    },
    { id: 'L', type: 'local-candidate', protocol: 'udp', candidateType: 'prflx', timestamp },
    { id: 'C', type: 'codec', mimeType: 'video/VP8', timestamp },
    {
      id: 'I',
      type: 'inbound-rtp',
      kind: 'video',
      mid: '4',
      codecId: 'C',
      bytesReceived: 500 * n,
      packetsReceived: 90 * n,
      packetsLost: 10 * n,
      jitter: 0.005,
      frameWidth: 640,
      frameHeight: 360,
      framesPerSecond: 30,
      framesDecoded: 30 * n,
      timestamp,
    },
    { id: 'X', type: 'inbound-rtp', kind: 'audio', mid: '9', timestamp },
    {
      id: 'H',
      type: 'outbound-rtp',
      kind: 'video',
      mid: '1',
      rid: 'h',
      scalabilityMode: 'L1T3',
      codecId: 'C',
      bytesSent: 1000 * n,
      frameWidth: 1280,
      frameHeight: 720,
      active: true,
      remoteId: 'R',
      qualityLimitationReason: 'bandwidth',
      timestamp,
    },
    {
      id: 'S',
      type: 'outbound-rtp',
      kind: 'video',
      mid: '1',
      rid: 'l',
      bytesSent: 0,
      frameWidth: 320,
      frameHeight: 180,
      active: true,
      timestamp,
    },
    { id: 'R', type: 'remote-inbound-rtp', fractionLost: 0.25, roundTripTime: 0.5, timestamp },
  );

describe('digest', () => {
  it('of two reports has rates, names, codecs', () => {
    const made = digest(at(3_000, 3), at(1_000, 1), NAMES, 42);
    expect(made.stats).toMatchObject({
      atMs: 42,
      rttMs: 20,
      sendBps: 16_000,
      receiveBps: 8_000,
      availableSendBps: 3e6,
    });
    expect(made.stats.transport).toEqual({ protocol: 'udp', localType: 'prflx', srtpCipher: 'AEAD_AES_256_GCM' });
    expect(made.stats.received).toMatchObject([
      {
        key: 'a/cam',
        rid: 'm',
        reason: 'bandwidth',
        codec: 'vp8',
        bps: 4_000,
        lossPct: 10,
        jitterMs: 5,
        width: 640,
        fps: 30,
      },
    ]);
    expect(made.stats.sent).toMatchObject([
      {
        localId: 'camera',
        codec: 'vp8',
        encodings: [
          { rid: 'l', scalabilityMode: null, bps: 0 },
          { rid: 'h', scalabilityMode: 'L1T3', bps: 8_000, lossPct: 25 },
        ],
      },
    ]);
    expect(made).toMatchObject({ sendLossPct: 25, bandwidthLimited: true });
  });

  it('of two reports says what the path is like', () => {
    const sound = (n: number): Report =>
      report(
        ...[...at(n * 1_000, n).values()],
        { id: 'A', type: 'outbound-rtp', kind: 'audio', mid: '0', packetsSent: 50 * n, remoteId: 'RA', timestamp: n },
        { id: 'RA', type: 'remote-inbound-rtp', fractionLost: 0.08, jitter: 0.03, timestamp: n },
        {
          id: 'B',
          type: 'inbound-rtp',
          kind: 'audio',
          mid: '5',
          packetsReceived: 46 * n,
          packetsLost: 4 * n,
          jitter: 0.02,
        },
        {
          id: 'F',
          type: 'inbound-rtp',
          kind: 'video',
          mid: '6',
          packetsReceived: 5 * n,
          packetsLost: 5 * n,
          freezeCount: n,
        },
      );
    const { link } = digest(sound(3), sound(2), NAMES, 0);
    expect(link).toEqual({
      sendLossPct: 8,
      sendJitterMs: 30,
      availableSendBps: 3e6,
      sendLimited: true,
      receiveLossPcts: [10, 8],
      receiveJitterMs: [20],
      receiveBps: 8_000,
      pictures: 2,
      frozen: 1,
      receiveLimited: 1,
      rttMs: 20,
    });
    expect(digest(sound(1), null, NAMES, 0).link).toMatchObject({
      sendLossPct: null,
      receiveLossPcts: [],
      pictures: 0,
    });
  });

  it('of the first report has no rates', () => {
    const made = digest(at(1_000, 1), null, NAMES, 0);
    expect(made.stats.received).toMatchObject([{ bps: 0, lossPct: 0, framesDecoded: 30 }]);
    expect(made.stats.sendBps).toBe(0);
  });

  it('of nothing is empty', () => {
    expect(digest(new Map(), null, NAMES, 0).stats).toMatchObject({
      rttMs: null,
      transport: null,
      received: [],
      sent: [],
    });
  });
});

describe('quality', () => {
  const good = { rttMs: 20, receiveLossPct: 0, sendLossPct: 0, jitterMs: 5, bandwidthLimited: false };

  it.each([
    [{}, 4],
    [{ rttMs: null }, 4],
    [{ bandwidthLimited: true }, 3],
    [{ receiveLossPct: 4 }, 3],
    [{ sendLossPct: 10 }, 2],
    [{ rttMs: 500 }, 2],
    [{ jitterMs: 300 }, 1],
    [{ receiveLossPct: 60 }, 0],
  ] as const)('%j is %i', (change, mark) => {
    expect(qualityOf({ ...good, ...change })).toBe(mark);
  });

  it('falls at once and rises when it lasts', () => {
    expect(smooth(null, [3])).toBe(3);
    expect(smooth(4, [4, 4, 1])).toBe(1);
    expect(smooth(1, [1, 4])).toBe(1);
    expect(smooth(1, [1, 4, 3])).toBe(1);
    expect(smooth(1, [4, 3, 4])).toBe(3);
    expect(smooth(2, [])).toBe(2);
  });
});
