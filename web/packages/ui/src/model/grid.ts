import { type AspectRange, fitInside, type Rect, type Size, snapped } from './rect';

/** What a grid of equal tiles must respect. */
export interface GridRules {
  /** Space between tiles, in CSS pixels. */
  readonly gap: number;
  /** Shapes that a tile may take. */
  readonly aspect: AspectRange;
  /** A page never holds so many tiles that they become smaller than this, except for a single one. */
  readonly tileMin: Size;
  /** Most tiles on one page. */
  readonly tilesMax: number;
  /** Height below the tiles for turning pages, when there are several. */
  readonly pagerHeight: number;
}

/** A page of equal tiles. */
export interface Grid {
  readonly columns: number;
  readonly rows: number;
  readonly tile: Size;
  /** One rectangle per tile of this page, in reading order. */
  readonly tiles: readonly Rect[];
}

/** Where the tiles of one page go, and how many pages there are. */
export interface PagedGrid extends Grid {
  readonly page: number;
  readonly pages: number;
  /** Tiles on a full page. */
  readonly perPage: number;
}

/**
 * The arrangement of `count` equal tiles in which each tile has the largest area. Among arrangements of the same area
 * the one with fewer empty places wins. The last row is centred. Costs O(count).
 */
export function layoutGrid(count: number, area: Rect, rules: GridRules): Grid {
  const shape = bestShape(count, area, rules);
  return place(count, area, shape, rules.gap);
}

/** As {@link layoutGrid}, spread over pages when the tiles would become too small. `page` is clamped. */
export function layoutPages(count: number, area: Rect, rules: GridRules, page: number): PagedGrid {
  const fits = tilesThatFit(area, rules);
  if (count <= fits) {
    return { ...layoutGrid(count, area, rules), page: 0, pages: 1, perPage: fits };
  }
  const above = { ...area, height: Math.max(0, area.height - rules.pagerHeight) };
  const perPage = tilesThatFit(above, rules);
  const pages = Math.ceil(count / perPage);
  const current = Math.max(0, Math.min(page, pages - 1));
  // Every page keeps the shape of a full one, so that tiles do not change size from page to page.
  const shape = bestShape(perPage, above, rules);
  const onPage = Math.min(perPage, count - current * perPage);
  return { ...place(onPage, above, shape, rules.gap), page: current, pages, perPage };
}

/** The largest number of tiles that fit one page without falling below the smallest size. */
export function tilesThatFit(area: Rect, rules: GridRules): number {
  let fits = 1;
  for (let count = 2; count <= rules.tilesMax; count += 1) {
    const { tile } = bestShape(count, area, rules);
    // A tile may be any allowed shape; what counts is that a face in it stays large enough.
    if (tile.width >= rules.tileMin.width && tile.height >= rules.tileMin.height) {
      fits = count;
    }
  }
  return fits;
}

interface Shape {
  readonly columns: number;
  readonly rows: number;
  readonly tile: Size;
}

function bestShape(count: number, area: Rect, rules: GridRules): Shape {
  let best: Shape = { columns: 1, rows: Math.max(1, count), tile: { width: 0, height: 0 } };
  for (let columns = 1; columns <= count; columns += 1) {
    const shape = shapeOf(columns, count, area, rules);
    if (isBetter(shape, best, count)) {
      best = shape;
    }
  }
  return best;
}

/** The tile size if `count` tiles stand in `columns` columns. */
export function shapeOf(columns: number, count: number, area: Rect, rules: GridRules): Shape {
  const rows = Math.ceil(count / columns);
  const cell = {
    width: (area.width - (columns - 1) * rules.gap) / columns,
    height: (area.height - (rows - 1) * rules.gap) / rows,
  };
  return { columns, rows, tile: fitInside(cell, rules.aspect) };
}

function isBetter(candidate: Shape, best: Shape, count: number): boolean {
  const gain = areaOf(candidate) - areaOf(best);
  if (Math.abs(gain) > SAME_AREA) {
    return gain > 0;
  }
  return candidate.columns * candidate.rows - count < best.columns * best.rows - count;
}

/** Two arrangements whose tiles differ by less than this (square pixels) look the same. */
const SAME_AREA = 0.5;

function areaOf(shape: Shape): number {
  return shape.tile.width * shape.tile.height;
}

function place(count: number, area: Rect, shape: Shape, gap: number): Grid {
  const { columns, tile } = shape;
  const rowsUsed = Math.ceil(count / columns);
  const top = area.y + (area.height - rowsUsed * tile.height - Math.max(0, rowsUsed - 1) * gap) / 2;
  const tiles: Rect[] = [];
  for (let index = 0; index < count; index += 1) {
    const row = Math.floor(index / columns);
    const inRow = Math.min(columns, count - row * columns);
    const left = area.x + (area.width - inRow * tile.width - (inRow - 1) * gap) / 2;
    tiles.push(
      snapped({
        x: left + (index - row * columns) * (tile.width + gap),
        y: top + row * (tile.height + gap),
        width: tile.width,
        height: tile.height,
      }),
    );
  }
  return { columns, rows: shape.rows, tile, tiles };
}
