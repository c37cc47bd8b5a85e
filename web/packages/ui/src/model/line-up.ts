/**
 * The speaker layout: one large picture and a few small ones, as the room chooses them, so that all screens change alike
 * (S3-33 to S3-36). Nothing is decided here from what this client hears.
 */
import type { TileVm } from './tiles';

/** Small pictures of people: those who spoke before the one in the large picture. */
export const THUMBNAILS_MAX = 7;

/**
 * All tiles in the room's order: shared screens, people as `stage` lists them and then by arrival, what is one's own. A
 * person's cameras follow each other.
 */
export function inLineUp(tiles: readonly TileVm[], stage: readonly string[]): TileVm[] {
  const places = new Map(stage.map((id, index) => [id, index]));
  const place = (tile: TileVm) => places.get(tile.participantId) ?? stage.length;
  const screens = tiles.filter((tile) => !tile.isOwn && tile.kind === 'screen');
  const people = tiles.filter((tile) => !tile.isOwn && tile.kind !== 'screen');
  const own = tiles.filter((tile) => tile.isOwn);
  return [...screens, ...people.sort((one, other) => place(one) - place(other)), ...own];
}

/**
 * What is shown beside the large tile: screens, the first seven people with all their cameras, what is one's own. The
 * others are seen in the grid.
 */
export function thumbnails(ordered: readonly TileVm[], large: TileVm | null): TileVm[] {
  const people = ordered.filter((tile) => isPerson(tile) && tile !== large).map((tile) => tile.participantId);
  const shown = new Set(people.slice(0, THUMBNAILS_MAX));
  if (large !== null && isPerson(large)) {
    shown.add(large.participantId);
  }
  return ordered.filter(
    (tile) => tile !== large && (tile.isOwn || tile.kind === 'screen' || shown.has(tile.participantId)),
  );
}

/** The tile that everybody has, camera or not; further cameras are shown with it. */
function isPerson(tile: TileVm): boolean {
  return !tile.isOwn && tile.key === tile.participantId;
}
