/** Loudness of the microphone, and whether somebody talks. Pure. */

/** What is shown as silence: below the hiss of a laptop's microphone. */
const FLOOR_DB = -60;
/** Speech at arm's length, after automatic gain, is well above this; a keyboard in the room mostly below. */
const SPEECH_DB = -42;
/** Speech stands out of the room's own noise by at least this. */
const ABOVE_NOISE_DB = 10;
/** So much of the time up to now must be speech: a cough is shorter. */
const TALK_MS_MIN = 400;
/** Silence after which somebody no longer talks. */
const SILENCE_MS_MIN = 2_500;
/** How fast the estimate of the noise follows a louder room, in dB per second. It follows a quieter one at once. */
const NOISE_RISE_DB_PER_S = 3;

/** Root mean square of samples between −1 and 1, in dB of full scale. */
export function decibels(samples: Float32Array): number {
  if (samples.length === 0) return Number.NEGATIVE_INFINITY;
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return 10 * Math.log10(sum / samples.length);
}

/** 0 (silence) to 1 (full scale), linear in decibels, for a meter. */
export function meterLevel(db: number): number {
  return Number.isFinite(db) ? Math.min(1, Math.max(0, (db - FLOOR_DB) / -FLOOR_DB)) : 0;
}

export interface Talk {
  readonly talking: boolean;
  readonly noiseDb: number;
  /** Speech gathered lately, in milliseconds; silence eats it up. */
  readonly speechMs: number;
  readonly lastSpeechMs: number;
  readonly atMs: number | null;
}

export const SILENT: Talk = {
  talking: false,
  noiseDb: FLOOR_DB,
  speechMs: 0,
  lastSpeechMs: Number.NEGATIVE_INFINITY,
  atMs: null,
};

/** One measurement further. */
export function hear(before: Talk, db: number, nowMs: number): Talk {
  const elapsed = before.atMs === null ? 0 : Math.min(500, Math.max(0, nowMs - before.atMs));
  const level = Math.max(FLOOR_DB, db);
  const speech = level >= SPEECH_DB && level >= before.noiseDb + ABOVE_NOISE_DB;
  const speechMs = Math.min(2 * TALK_MS_MIN, Math.max(0, before.speechMs + (speech ? elapsed : -elapsed / 2)));
  const lastSpeechMs = speech ? nowMs : before.lastSpeechMs;
  const noiseDb = Math.min(level, before.noiseDb + (NOISE_RISE_DB_PER_S * elapsed) / 1000);
  const talking = before.talking ? nowMs - lastSpeechMs < SILENCE_MS_MIN : speechMs >= TALK_MS_MIN;
  return { talking, noiseDb, speechMs, lastSpeechMs, atMs: nowMs };
}
