/** Numbers as text for the statistics panel and labels. */

/** `850 kbit/s`, `2.4 Mbit/s`. */
export function bitrate(bps: number): string {
  if (bps >= 1_000_000) {
    return `${(bps / 1_000_000).toFixed(1)} Mbit/s`;
  }
  return `${Math.round(bps / 1_000)} kbit/s`;
}

/** `1280 × 720`, or a dash. */
export function resolution(width: number, height: number): string {
  return width > 0 && height > 0 ? `${width} × ${height}` : '–';
}

/** `12:05`, `1:02:05`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  const parts = [Math.floor(seconds / 60) % 60, seconds % 60].map((part) => `${part}`.padStart(2, '0'));
  const hours = Math.floor(seconds / 3_600);
  return hours > 0 ? `${hours}:${parts.join(':')}` : parts.join(':');
}

/** How many of `bars` a level of 0 to 1 fills. Speech is around 0.05 to 0.3, so the scale is a root. */
export function levelBars(level: number, bars: number): number {
  const clamped = Math.max(0, Math.min(1, Number.isFinite(level) ? level : 0));
  return Math.min(bars, Math.round(Math.sqrt(clamped) * bars * 1.15));
}
