/** Names of encodings and of their layers, for the statistics and menus. */

/** `h`; `S1` for the second of several sizes in one encoding; a dash for a stream of one size. */
export function layerName(rid: string | null, spatial: number | null): string {
  const layer = spatial === null ? null : `S${spatial}`;
  return [rid, layer].filter((part) => part !== null).join(' ') || '–';
}

/** What an encoding without a name holds: `L3T3_KEY`; a dash where it is one size at one rate. */
export function scalableName(mode: string | null): string {
  return mode === null || mode === 'L1T1' ? '–' : mode;
}
