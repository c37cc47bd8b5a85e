/** A rectangle in CSS pixels, relative to the stage's top left corner. */
export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A size in CSS pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Width divided by height, smallest and largest that a tile may take. */
export interface AspectRange {
  readonly min: number;
  readonly max: number;
}

/** The largest rectangle of an allowed shape inside `cell`. */
export function fitInside(cell: Size, aspect: AspectRange): Size {
  if (cell.width <= 0 || cell.height <= 0) {
    return { width: 0, height: 0 };
  }
  const shape = cell.width / cell.height;
  if (shape > aspect.max) {
    return { width: cell.height * aspect.max, height: cell.height };
  }
  if (shape < aspect.min) {
    return { width: cell.width, height: cell.width / aspect.min };
  }
  return { width: cell.width, height: cell.height };
}

/** `size` in the middle of `area`. */
export function centred(size: Size, area: Rect): Rect {
  return {
    x: area.x + (area.width - size.width) / 2,
    y: area.y + (area.height - size.height) / 2,
    width: size.width,
    height: size.height,
  };
}

/** A rectangle at whole pixels that stays inside the original, so that neighbours never overlap by rounding. */
export function snapped(rect: Rect): Rect {
  // Adding zero turns -0 into 0.
  const x = Math.ceil(rect.x - EPSILON) + 0;
  const y = Math.ceil(rect.y - EPSILON) + 0;
  return {
    x,
    y,
    width: Math.max(0, Math.floor(rect.x + rect.width + EPSILON) - x),
    height: Math.max(0, Math.floor(rect.y + rect.height + EPSILON) - y),
  };
}

/** Absorbs floating-point noise, so that 639.9999999 is 640. */
const EPSILON = 1e-6;
