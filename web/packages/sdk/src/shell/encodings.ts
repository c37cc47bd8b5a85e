/** What is sent: simulcast layers and what to give up first, by kind of source. */
import type { StreamDemand } from '@althing/wire';
import type { LocalSource } from '../types';

/** One encoding, relative to what is captured. */
export interface LayerPlan {
  /** Null for the only encoding of a scalable picture. */
  readonly rid: string | null;
  readonly active: boolean;
  readonly scaleDownBy: number;
  readonly bpsMax: number;
  readonly fpsMax: number;
  /** Of an encoding that holds several sizes (W3C Scalable Video Coding). */
  readonly scalabilityMode?: string;
}

export type ContentHint = 'detail' | 'motion';

/** Rids, smallest layer first, which is the order that browsers want. Said in the first offer and fixed from then on. */
const CAMERA_RIDS = ['l', 'm', 'h'] as const;
/** Short side of what is captured when nothing else is known, in pixels. */
const SHORT_SIDE = 720;

/** Bits per second that a camera picture of a short side up to this many pixels is worth. */
const CAMERA_BPS: readonly (readonly [shortSideMax: number, bps: number])[] = [
  [200, 150_000],
  [280, 300_000],
  [400, 500_000],
  [560, 900_000],
  [800, 1_700_000],
  [900, 2_200_000],
  [1200, 3_000_000],
  [1600, 6_000_000],
  [Number.POSITIVE_INFINITY, 12_000_000],
];

/** Text must stay sharp, so the small layer is half the size with few frames. */
const SCREEN_DETAIL: readonly LayerPlan[] = [
  { rid: 'l', active: true, scaleDownBy: 2, bpsMax: 400_000, fpsMax: 10 },
  { rid: 'h', active: true, scaleDownBy: 1, bpsMax: 2_500_000, fpsMax: 15 },
];

/** A film on the screen: smooth. */
const SCREEN_MOTION: readonly LayerPlan[] = [
  { rid: 'l', active: true, scaleDownBy: 2, bpsMax: 600_000, fpsMax: 30 },
  { rid: 'h', active: true, scaleDownBy: 1, bpsMax: 3_500_000, fpsMax: 30 },
];

/** Speech with error correction sounds like the room at this rate; music from a tab needs more. */
const MICROPHONE_BPS_MAX = 48_000;
/** At this rate Opus repeats speech in the packet that follows (RFC 6716 §2.1.7), and less of it is lost to a full queue. */
const MICROPHONE_BPS_SPARE = 24_000;
const SCREEN_AUDIO_BPS_MAX = 128_000;

/** What speech is sent at; `spare`: on an uplink that loses packets. */
export function speechBps(spare: boolean): number {
  return spare ? MICROPHONE_BPS_SPARE : MICROPHONE_BPS_MAX;
}

/** The layers of a video source, smallest first. Empty for sound. `shortSide` of what is captured, 0: unknown. */
export function layersOf(source: LocalSource, hint: ContentHint, shortSide = 0): readonly LayerPlan[] {
  switch (source) {
    case 'camera':
    case 'extra-camera':
      return cameraLayers(shortSide > 0 ? shortSide : SHORT_SIDE);
    case 'screen':
      return hint === 'motion' ? SCREEN_MOTION : SCREEN_DETAIL;
    case 'microphone':
    case 'screen-audio':
      return [];
  }
}

/**
 * The layers that are sent while this is what anybody looks at; without a word of the server all of them. Where none of
 * those that are wanted can be sent, because less is captured by now, the largest that can: better than nothing.
 */
export function switched(layers: readonly LayerPlan[], demand: StreamDemand | undefined): readonly LayerPlan[] {
  if (demand === undefined || (demand.watched && demand.rids.length === 0)) return layers;
  const wanted = layers.filter((l) => l.active && l.rid !== null && demand.rids.includes(l.rid)).map((l) => l.rid);
  const stands = layers.findLast((l) => l.active)?.rid;
  const on = wanted.length === 0 && demand.watched ? [stands] : wanted;
  return layers.map((layer) => ({ ...layer, active: on.includes(layer.rid) }));
}

/** All sizes of a camera in one encoding, whose layers depend on each other with key frames only. */
export function scalableLayer(shortSide = 0): readonly LayerPlan[] {
  const whole = shortSide > 0 ? shortSide : SHORT_SIDE;
  const count = cameraScales(whole).length;
  // Each layer has half the side of the next one: the modes say so.
  const rates = Array.from({ length: count }, (_, i) => cameraBps(whole / 2 ** i));
  const bpsMax = rates.reduce((sum, bps) => sum + bps, 0);
  const scalabilityMode = count === 1 ? 'L1T3' : `L${count}T3_KEY`;
  return [{ rid: null, active: true, scaleDownBy: 1, bpsMax, fpsMax: 30, scalabilityMode }];
}

/** The same in a codec without spatial layers. */
export function unscaled(layers: readonly LayerPlan[]): readonly LayerPlan[] {
  return layers.map((layer) => (layer.scalabilityMode === undefined ? layer : { ...layer, scalabilityMode: 'L1T1' }));
}

/** `sendEncodings` for a new transceiver. */
export function sendEncodings(source: LocalSource, layers: readonly LayerPlan[]): RTCRtpEncodingParameters[] {
  if (layers.length === 0) {
    return [{ maxBitrate: source === 'microphone' ? MICROPHONE_BPS_MAX : SCREEN_AUDIO_BPS_MAX }];
  }
  return layers.map((layer) => ({
    ...(layer.rid === null ? {} : { rid: layer.rid }),
    ...(layer.scalabilityMode === undefined ? {} : { scalabilityMode: layer.scalabilityMode }),
    active: layer.active,
    scaleResolutionDownBy: layer.scaleDownBy,
    maxBitrate: layer.bpsMax,
    maxFramerate: layer.fpsMax,
  }));
}

/** What to give up first when the network or the processor is short. */
export function degradation(source: LocalSource, hint: ContentHint): RTCDegradationPreference {
  return source === 'screen' && hint === 'detail' ? 'maintain-resolution' : 'balanced';
}

/** `a=content` (RFC 4796) of a line; null: none, which is main. */
export function contentOf(source: LocalSource): 'slides' | 'alt' | null {
  switch (source) {
    case 'screen':
    case 'screen-audio':
      return 'slides';
    case 'extra-camera':
      return 'alt';
    case 'camera':
    case 'microphone':
      return null;
  }
}

/** Sizes of the active layers of a picture of this size, as encoders round them. */
export function layerSizes(
  layers: readonly LayerPlan[],
  width: number,
  height: number,
): ReadonlyMap<string, { readonly width: number; readonly height: number }> {
  const sizes = new Map<string, { width: number; height: number }>();
  if (width <= 0 || height <= 0) return sizes;
  for (const { rid, active, scaleDownBy } of layers) {
    if (!active || rid === null) continue;
    sizes.set(rid, { width: Math.floor(width / scaleDownBy), height: Math.floor(height / scaleDownBy) });
  }
  return sizes;
}

/**
 * A quarter, a half and the whole; of a small picture only what is no smaller than a thumbnail. Of 2160 lines 270 for
 * thumbnails and 810, which is enough for every screen but those that are as large as the picture.
 */
function cameraScales(shortSide: number): readonly number[] {
  if (shortSide < 240) return [1];
  if (shortSide < 440) return [2, 1];
  return shortSide < 1800 ? [4, 2, 1] : [8, 8 / 3, 1];
}

function cameraLayers(shortSide: number): readonly LayerPlan[] {
  const scales = cameraScales(shortSide);
  return CAMERA_RIDS.map((rid, i) => {
    const scaleDownBy = scales[i] ?? 1;
    return { rid, active: i < scales.length, scaleDownBy, bpsMax: cameraBps(shortSide / scaleDownBy), fpsMax: 30 };
  });
}

function cameraBps(shortSide: number): number {
  return CAMERA_BPS.find(([most]) => shortSide <= most)?.[1] ?? 0;
}
