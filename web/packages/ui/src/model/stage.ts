import { type GridRules, layoutPages, type PagedGrid } from './grid';
import { inLineUp, thumbnails } from './line-up';
import { promoteSpeakers } from './order';
import { type AspectRange, fitInside, type Rect, type Size } from './rect';
import { layoutSpotlight, type Spotlight } from './spotlight';
import { SELF_KEY, type TileVm } from './tiles';

/** How the user wants people to be shown. */
export type LayoutMode = 'grid' | 'speaker';

/** What the arrangement depends on. */
export interface StageInput {
  readonly tiles: readonly TileVm[];
  /** Keys in the order in which they are shown (see `stepOrder`). */
  readonly order: readonly string[];
  readonly mode: LayoutMode;
  /** The tile that the user pinned. */
  readonly pinnedKey: string | null;
  /** The screen that is large when none is pinned: the newest, or the one chosen from the tabs. */
  readonly screenKey: string | null;
  /** Whom the room shows, most important first (`SessionState.stage`). */
  readonly stage: readonly string[];
  /** Who spoke, newest first. */
  readonly recentSpeakers: readonly string[];
  readonly size: Size;
  readonly page: number;
  /** Where the floating self view is. */
  readonly corner: Corner;
}

/** A corner of the stage. */
export type Corner = 'top-left' | 'top-right' | 'bottom-left' | 'bottom-right';

/** A tile and where it is. */
export interface PlacedTile {
  readonly tile: TileVm;
  readonly rect: Rect;
  readonly role: 'large' | 'small' | 'floating';
}

/** What is on the stage now. Tiles of other pages are not in it: nothing is received for them. */
export interface Arrangement {
  readonly tiles: readonly PlacedTile[];
  readonly page: number;
  readonly pages: number;
  /** Where people's tiles are: the whole stage, or the strip beside the large one. */
  readonly pagedArea: Rect;
  readonly largeKey: string | null;
  /** The order to pass in next time: recent speakers have been brought to the first page. */
  readonly order: readonly string[];
  /** Shared screens, when one is large: who shares, and which to show. */
  readonly screenTabs: readonly TileVm[];
}

/** Stages narrower or lower than this are laid out for a phone. */
const COMPACT_BELOW = 600;

/** Whether a stage of this size is a phone's. */
export function isCompact(size: Size): boolean {
  return size.width < COMPACT_BELOW || size.height < COMPACT_BELOW * 0.75;
}

/** Decides which tiles are seen, where, and how large. */
export function arrange(input: StageInput): Arrangement {
  const compact = isCompact(input.size);
  const isSpeaker = input.mode === 'speaker';
  const ordered = isSpeaker ? inLineUp(input.tiles, input.stage) : inOrder(input.tiles, input.order);
  const large = largeTile(ordered, input);
  const screens = ordered.filter((tile) => tile.kind === 'screen' && !tile.isOwn);
  const hasTabs = large !== null && screens.includes(large);
  const area = stageArea(input.size, compact, hasTabs ? TABS_HEIGHT : 0);
  const floats = selfFloats(ordered, large, compact, isSpeaker);
  const shown = isSpeaker ? thumbnails(ordered, large) : ordered.filter((tile) => tile !== large);
  const rest = shown.filter((tile) => !(floats && tile.key === SELF_KEY));
  const placed = large === null ? placeGrid(rest, area, input, compact) : placeLarge(large, rest, area, input, compact);
  // Over the large picture, not over small ones.
  const floor = placed.tiles.find((one) => one.role === 'large')?.rect ?? area;
  const self = floats ? ordered.find((tile) => tile.key === SELF_KEY) : undefined;
  const floating: PlacedTile[] =
    self === undefined ? [] : [{ tile: self, rect: floatingRect(floor, compact, input.corner), role: 'floating' }];
  return {
    ...placed,
    tiles: [...placed.tiles, ...floating],
    largeKey: large?.key ?? null,
    screenTabs: hasTabs ? screens : [],
  };
}

/** Height for the names of who shares, above the large screen, in CSS pixels. */
const TABS_HEIGHT = 40;

function stageArea(size: Size, compact: boolean, top: number): Rect {
  const padding = compact ? 8 : 16;
  const y = Math.max(padding, top + 6);
  return {
    x: padding,
    y,
    width: Math.max(0, size.width - 2 * padding),
    height: Math.max(0, size.height - y - padding),
  };
}

function inOrder(tiles: readonly TileVm[], order: readonly string[]): TileVm[] {
  const position = new Map(order.map((key, index) => [key, index]));
  const place = (tile: TileVm) => position.get(tile.key) ?? Number.POSITIVE_INFINITY;
  const screensFirst = (tile: TileVm) => (tile.kind === 'screen' && !tile.isOwn ? 0 : 1);
  return [...tiles].sort((one, other) => screensFirst(one) - screensFirst(other) || compare(place(one), place(other)));
}

function compare(one: number, other: number): number {
  return one === other ? 0 : one < other ? -1 : 1;
}

function largeTile(ordered: readonly TileVm[], input: StageInput): TileVm | null {
  const byKey = (key: string | null) => (key === null ? undefined : ordered.find((tile) => tile.key === key));
  const pinned = byKey(input.pinnedKey);
  if (pinned !== undefined) {
    return pinned;
  }
  const screens = ordered.filter((tile) => tile.kind === 'screen' && !tile.isOwn);
  if (screens.length > 0) {
    return screens.find((tile) => tile.key === input.screenKey) ?? screens[screens.length - 1] ?? null;
  }
  if (input.mode === 'grid') {
    return null;
  }
  return ordered.find((tile) => !tile.isOwn) ?? null;
}

/**
 * The self view floats over the picture in a call of two, and of three on phones, and over the large person of the speaker
 * layout, whose small pictures are all of others; elsewhere it is a tile like the others.
 */
function selfFloats(ordered: readonly TileVm[], large: TileVm | null, compact: boolean, isSpeaker: boolean): boolean {
  const others = ordered.filter((tile) => !tile.isOwn).length;
  const own = ordered.filter((tile) => tile.isOwn).length;
  if (others === 0 || large?.key === SELF_KEY) {
    return false;
  }
  const onlyOneElse = others === 1 && own === 1;
  const overSpeaker = isSpeaker && own === 1 && large?.kind === 'camera';
  return onlyOneElse || overSpeaker || (compact && large === null && others <= 2);
}

/** Shapes of people's tiles. On a narrow stage they may be upright: faces are. */
function peopleAspect(area: Rect, count: number): AspectRange {
  const upright = area.height > area.width;
  if (upright) {
    // A wide picture in an upright tile still shows a third of itself: the middle, where the face is.
    return { min: count === 1 ? 0.58 : 0.8, max: WIDE };
  }
  return { min: 4 / 3, max: count === 1 ? 2.1 : WIDE };
}

const WIDE = 16 / 9;

/** Height of the buttons that turn pages, with their margin, in CSS pixels. */
const PAGER_HEIGHT = 48;

function peopleRules(area: Rect, count: number, compact: boolean): GridRules {
  return {
    gap: compact ? 6 : 10,
    aspect: peopleAspect(area, count),
    // Below this a face cannot be made out at arm's length (phone) or at a desk.
    tileMin: compact ? { width: 140, height: 100 } : { width: 176, height: 99 },
    tilesMax: 49,
    pagerHeight: PAGER_HEIGHT,
  };
}

type Placed = Pick<Arrangement, 'tiles' | 'page' | 'pages' | 'pagedArea' | 'order'>;

function placeGrid(rest: readonly TileVm[], area: Rect, input: StageInput, compact: boolean): Placed {
  const rules = peopleRules(area, rest.length, compact);
  const grid = layoutPages(rest.length, area, rules, input.page);
  const shown = promoted(rest, grid.perPage, input.recentSpeakers);
  const order = mergedOrder(input.order, shown);
  return { tiles: onPage(shown, grid), page: grid.page, pages: grid.pages, pagedArea: area, order };
}

function placeLarge(large: TileVm, rest: readonly TileVm[], area: Rect, input: StageInput, compact: boolean): Placed {
  const rules = spotlightRules(large, rest.length, area, input.mode, compact);
  const first = layoutSpotlight(rest.length, area, rules, input.page);
  const isOrdered = input.mode === 'speaker';
  const shown = isOrdered ? rest : promoted(rest, first.strip?.perPage ?? rest.length, input.recentSpeakers);
  const small = first.strip === null ? [] : onPage(shown, first.strip);
  return {
    tiles: [{ tile: large, rect: first.large, role: 'large' }, ...small],
    page: first.strip?.page ?? 0,
    pages: first.strip?.pages ?? 1,
    pagedArea: stripArea(first, area),
    order: isOrdered ? input.order : mergedOrder(input.order, shown),
  };
}

/** Seven small pictures of the speaker layout are to be on one page where others would turn pages. */
function smallMin(mode: LayoutMode, compact: boolean): Size {
  if (mode === 'speaker') {
    return compact ? { width: 84, height: 84 } : { width: 128, height: 72 };
  }
  return compact ? { width: 108, height: 84 } : { width: 168, height: 94 };
}

function spotlightRules(large: TileVm, count: number, area: Rect, mode: LayoutMode, compact: boolean) {
  const isScreen = large.kind === 'screen';
  const upright = area.height > area.width;
  // In grid mode people keep more room beside a screen; in speaker mode the large picture gets nearly everything.
  const stripShareMin = mode === 'grid' && count > 3 ? 0.26 : compact ? 0.2 : 0.16;
  return {
    aspect: isScreen ? { min: WIDE, max: WIDE } : { min: upright ? 0.75 : 4 / 3, max: WIDE },
    stripShareMin: upright ? 0.18 : stripShareMin,
    stripShareMax: isScreen && upright ? 0.66 : 0.34,
    stripMin: compact ? { width: 120, height: 96 } : { width: 176, height: 110 },
    tiles: {
      gap: compact ? 6 : 10,
      aspect: { min: compact ? (mode === 'speaker' ? 0.8 : 1) : 4 / 3, max: WIDE },
      tileMin: smallMin(mode, compact),
      tilesMax: 24,
      pagerHeight: PAGER_HEIGHT,
    },
  };
}

function stripArea(spotlight: Spotlight, area: Rect): Rect {
  const { large, side } = spotlight;
  if (side === 'right') {
    const x = large.x + large.width;
    return { x, y: area.y, width: area.x + area.width - x, height: area.height };
  }
  const y = large.y + large.height;
  return { x: area.x, y, width: area.width, height: area.y + area.height - y };
}

function promoted(rest: readonly TileVm[], perPage: number, recent: readonly string[]): TileVm[] {
  const byKey = new Map(rest.map((tile) => [tile.key, tile]));
  const fixed = new Set(rest.filter((tile) => tile.isOwn || tile.kind === 'screen').map((tile) => tile.key));
  const keys = rest.map((tile) => tile.key);
  return promoteSpeakers(keys, perPage, recent, fixed).flatMap((key) => byKey.get(key) ?? []);
}

/** The whole order, in which the tiles of `shown` follow each other as they are shown and the others keep their places. */
function mergedOrder(order: readonly string[], shown: readonly TileVm[]): readonly string[] {
  const keys = shown.map((tile) => tile.key);
  const isShown = new Set(keys);
  let next = 0;
  const merged = order.map((key) => (isShown.has(key) ? (keys[next++] ?? key) : key));
  return merged.every((key, index) => key === order[index]) ? order : merged;
}

function onPage(tiles: readonly TileVm[], grid: PagedGrid): PlacedTile[] {
  const first = grid.page * grid.perPage;
  return grid.tiles.flatMap((rect, index) => {
    const tile = tiles[first + index];
    return tile === undefined ? [] : [{ tile, rect, role: 'small' as const }];
  });
}

function floatingRect(area: Rect, compact: boolean, corner: Corner): Rect {
  const upright = area.height > area.width;
  const long = compact ? Math.min(150, Math.max(area.width, area.height) * 0.24) : Math.min(260, area.width * 0.22);
  const size =
    compact && upright
      ? { width: long * 0.75, height: long }
      : fitInside({ width: long, height: long }, { min: WIDE, max: WIDE });
  const inset = compact ? 10 : 14;
  const right = area.x + area.width - size.width - inset;
  const bottom = area.y + area.height - size.height - inset;
  return {
    x: Math.round(corner.endsWith('left') ? area.x + inset : right),
    y: Math.round(corner.startsWith('top') ? area.y + inset : bottom),
    width: Math.round(size.width),
    height: Math.round(size.height),
  };
}

/** The corner nearest to a point of the stage: where a dragged self view comes to rest. */
export function nearestCorner(x: number, y: number, size: Size): Corner {
  const vertical = y < size.height / 2 ? 'top' : 'bottom';
  return x < size.width / 2 ? `${vertical}-left` : `${vertical}-right`;
}

/** The next corner, clockwise. */
export function nextCorner(corner: Corner): Corner {
  const corners: readonly Corner[] = ['bottom-right', 'bottom-left', 'top-left', 'top-right'];
  return corners[(corners.indexOf(corner) + 1) % corners.length] ?? 'bottom-right';
}
