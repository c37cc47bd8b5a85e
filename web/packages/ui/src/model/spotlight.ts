import { type GridRules, layoutPages, type PagedGrid } from './grid';
import { type AspectRange, centred, fitInside, type Rect, type Size, snapped } from './rect';

/** One large picture and a strip of small ones beside or below it. */
export interface Spotlight {
  readonly large: Rect;
  readonly side: 'right' | 'below' | 'none';
  readonly strip: PagedGrid | null;
}

/** What a spotlight must respect. */
export interface SpotlightRules {
  /** Shapes of the large picture. A shared screen has exactly one, a camera may be cropped. */
  readonly aspect: AspectRange;
  /** The strip's smallest share of the width or height, 0 to 1. */
  readonly stripShareMin: number;
  /** The strip's largest share of the width or height, 0 to 1. */
  readonly stripShareMax: number;
  /** The strip is never thinner than this, in CSS pixels. */
  readonly stripMin: Size;
  /** Rules of the small tiles. */
  readonly tiles: GridRules;
}

/**
 * Puts the strip where the large picture becomes largest. Space that the picture's shape cannot use goes to the strip,
 * so that neither has empty bars while the other is cramped.
 */
export function layoutSpotlight(count: number, area: Rect, rules: SpotlightRules, page: number): Spotlight {
  if (count === 0) {
    return { large: snapped(centred(fitInside(area, rules.aspect), area)), side: 'none', strip: null };
  }
  const right = splitRight(area, rules, count, page);
  const below = splitBelow(area, rules, count, page);
  return score(right) >= score(below) ? right : below;
}

/** Area of the large picture, plus a little for the small ones so that ties go to the better strip. */
function score(spotlight: Spotlight): number {
  const { large, strip } = spotlight;
  return sizeArea(large) + (strip === null ? 0 : STRIP_WEIGHT * sizeArea(strip.tile) * strip.tiles.length);
}

/** How much a square pixel of a small tile counts against one of the large picture. */
const STRIP_WEIGHT = 0.2;

function sizeArea(size: Size): number {
  return size.width * size.height;
}

function splitRight(area: Rect, rules: SpotlightRules, count: number, page: number): Spotlight {
  const gap = rules.tiles.gap;
  const unused = area.width - gap - area.height * rules.aspect.max;
  const least = Math.max(rules.stripMin.width, area.width * rules.stripShareMin);
  const most = Math.max(least, area.width * rules.stripShareMax);
  const thickness = clamp(unused, least, Math.min(most, area.width - gap));
  const main = { ...area, width: Math.max(0, area.width - gap - thickness) };
  const strip = { ...area, x: area.x + main.width + gap, width: thickness };
  return split('right', main, strip, rules, count, page);
}

function splitBelow(area: Rect, rules: SpotlightRules, count: number, page: number): Spotlight {
  const gap = rules.tiles.gap;
  const unused = area.height - gap - area.width / rules.aspect.min;
  const least = Math.max(rules.stripMin.height, area.height * rules.stripShareMin);
  const most = Math.max(least, area.height * rules.stripShareMax);
  const thickness = clamp(unused, least, Math.min(most, area.height - gap));
  const main = { ...area, height: Math.max(0, area.height - gap - thickness) };
  const strip = { ...area, y: area.y + main.height + gap, height: thickness };
  return split('below', main, strip, rules, count, page);
}

function split(
  side: 'right' | 'below',
  main: Rect,
  strip: Rect,
  rules: SpotlightRules,
  count: number,
  page: number,
): Spotlight {
  const large = fitInside(main, rules.aspect);
  const tiles = layoutPages(count, strip, rules.tiles, page);
  return { large: snapped(centred(large, main)), side, strip: tiles };
}

function clamp(value: number, least: number, most: number): number {
  return Math.max(Math.min(value, most), Math.min(least, most));
}
