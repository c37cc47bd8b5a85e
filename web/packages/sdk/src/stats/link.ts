/**
 * Whether the own connection is poor, and in which direction: what a person is told, so it must be true for a while and
 * must not flicker. Pure.
 */
import type { PoorLink } from '../types';

/** What one interval of statistics says of the path; null: nothing was measured. */
export interface LinkSample {
  /** Of what is sent, as the server reports it, weighted by packets, 0 to 100. */
  readonly sendLossPct: number | null;
  /** Of the sent sound, as the server reports it. */
  readonly sendJitterMs: number | null;
  /** What the browser takes the uplink for. */
  readonly availableSendBps: number | null;
  /** The browser sends less than it would like to, for want of bandwidth. */
  readonly sendLimited: boolean;
  /** Loss of each stream received in numbers that say something, 0 to 100. */
  readonly receiveLossPcts: readonly number[];
  /** Of each sound received. */
  readonly receiveJitterMs: readonly number[];
  readonly receiveBps: number;
  /** Pictures that flow, how many of them froze in this interval, how many the server keeps small for want of bandwidth. */
  readonly pictures: number;
  readonly frozen: number;
  readonly receiveLimited: number;
  readonly rttMs: number | null;
}

/** Loss from which speech suffers, with redundancy and all; below the second number it does not any more. */
const LOSS_PCT = { poor: 5, good: 2.5 };
/** Jitter that buffers cannot hide without a delay that is felt. */
const JITTER_MS = { poor: 80, good: 40 };
/** A conversation becomes a walkie-talkie. */
const RTT_MS = { poor: 900, good: 600 };
/** Less than this in one direction is sound and a picture of a stamp's size. */
const NARROW_BPS = { poor: 250_000, good: 400_000 };
/** Jitter and loss jump from report to report. The weight of the newest. */
const WEIGHT = 0.4;
/** However bad one sample is, it counts as no more than so many times what is poor: what passes at once is no state. */
const BURST = 4;
/** It is said after so many poor samples in a row, and taken back after so many good ones: about 4.5 s and 9 s. */
const SAMPLES = { poor: 3, good: 6 };
/** Browsers begin with a low guess of the bandwidth. */
const WARM_UP_SAMPLES = 6;

type Verdict = 'poor' | 'good' | 'between';

/** One direction. */
interface Direction {
  readonly lossPct: number;
  readonly jitterMs: number;
  readonly poor: boolean;
  /** Samples in a row that say the opposite of `poor`. */
  readonly against: number;
}

/** What is remembered from sample to sample. */
export interface LinkState {
  readonly samples: number;
  readonly up: Direction;
  readonly down: Direction;
}

const FRESH: Direction = { lossPct: 0, jitterMs: 0, poor: false, against: 0 };

/** Nothing is known: at the beginning, and again after the path was lost. */
export const FRESH_LINK: LinkState = { samples: 0, up: FRESH, down: FRESH };

/** The next state. Samples are expected at the pace of the statistics, every second or two. */
export function stepLink(before: LinkState, sample: LinkSample): LinkState {
  const samples = before.samples + 1;
  const warm = samples > WARM_UP_SAMPLES;
  const slow = against(sample.rttMs ?? 0, RTT_MS);
  const up = smoothed(before.up, sample.sendLossPct ?? 0, sample.sendJitterMs ?? 0);
  const upNarrow = warm && sample.sendLimited ? narrow(sample.availableSendBps) : 'good';
  const down = smoothed(before.down, typical(sample.receiveLossPcts), typical(sample.receiveJitterMs));
  const downNarrow = warm && mostly(sample.receiveLimited, sample.pictures) ? narrow(sample.receiveBps) : 'good';
  return {
    samples,
    up: decided(up, worst([judged(up), upNarrow, slow])),
    down: decided(down, worst([judged(down), downNarrow, slow, stalled(sample)])),
  };
}

/** What to say. */
export function poorLink({ up, down }: LinkState): PoorLink | null {
  if (up.poor) return down.poor ? 'both' : 'uplink';
  return down.poor ? 'downlink' : null;
}

/**
 * The lower median. What is wrong with one sender's path is seen in that sender's sound, and less in its picture, which
 * the server has repaired; what is wrong with ours is seen in everything.
 */
export function typical(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor((numbers.length - 1) / 2)] ?? 0;
}

function smoothed(before: Direction, lossPct: number, jitterMs: number): Direction {
  const mix = (old: number, now: number, most: number): number => old + (Math.min(now, most) - old) * WEIGHT;
  return {
    ...before,
    lossPct: mix(before.lossPct, lossPct, LOSS_PCT.poor * BURST),
    jitterMs: mix(before.jitterMs, jitterMs, JITTER_MS.poor * BURST),
  };
}

function judged({ lossPct, jitterMs }: Direction): Verdict {
  return worst([against(lossPct, LOSS_PCT), against(jitterMs, JITTER_MS)]);
}

function against(value: number, bounds: { readonly poor: number; readonly good: number }): Verdict {
  return value >= bounds.poor ? 'poor' : value <= bounds.good ? 'good' : 'between';
}

function narrow(bps: number | null): Verdict {
  if (bps === null || bps >= NARROW_BPS.good) return 'good';
  return bps < NARROW_BPS.poor ? 'poor' : 'between';
}

/** Most pictures froze at once; that alone may be a server that was busy, with some loss it is the path. */
function stalled({ frozen, pictures, receiveLossPcts }: LinkSample): Verdict {
  if (!mostly(frozen, pictures)) return 'good';
  return typical(receiveLossPcts) >= LOSS_PCT.good ? 'poor' : 'between';
}

function mostly(some: number, all: number): boolean {
  return all > 0 && some * 2 > all;
}

function worst(verdicts: readonly Verdict[]): Verdict {
  return verdicts.includes('poor') ? 'poor' : verdicts.includes('between') ? 'between' : 'good';
}

function decided(direction: Direction, verdict: Verdict): Direction {
  const opposite = direction.poor ? 'good' : 'poor';
  const count = verdict === opposite ? direction.against + 1 : 0;
  if (count < SAMPLES[opposite]) return { ...direction, against: count };
  return { ...direction, poor: !direction.poor, against: 0 };
}
