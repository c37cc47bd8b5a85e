/** Each receives what it shows, as large as it shows it, and nothing that it does not show. */
import { expect } from '@playwright/test';

import { meetingTest } from '../harness/fixtures.ts';
import type { Person } from '../harness/meet.ts';
import { serverForThisFile, TWO_UNITS } from '../harness/server.ts';
import { report } from '../harness/stats.ts';

const test = meetingTest(serverForThisFile(TWO_UNITS));

/** A window in which two tiles fit on a page only one by one. */
const TINY = { width: 260, height: 280 };

/** Waits until these encodings of the camera and no others are sent, each with its height: they grow from look to look. */
async function sends(person: Person, wanted: string[]): Promise<void> {
  let before: Map<string, number> | undefined;
  await expect
    .poll(
      async () => {
        const sent = (await report(person.page)).outbound.filter((encoding) => encoding.kind === 'video');
        const known = before;
        before = new Map(sent.map((encoding) => [encoding.rid, encoding.bytes]));
        if (known === undefined) return ['first look'];
        const growing = sent.filter((encoding) => encoding.bytes > (known.get(encoding.rid) ?? 0));
        return growing.map((encoding) => `${encoding.rid} ${encoding.height}`).sort();
      },
      { message: `${person.name} sends`, intervals: [1000] },
    )
    .toEqual(wanted);
}

/** Chooses the quality of one tile by its menu. */
async function pick(viewer: Person, other: Person, quality: 'low' | 'medium' | 'high'): Promise<void> {
  await viewer.pressOn(viewer.tileOf(other), 'tile-menu');
  await viewer.button(`quality-${quality}`).click();
}

test('a camera is sent in three encodings, each to whoever wants it (S1-12)', async ({ meeting }) => {
  const ana = await meeting.join('Ana');
  const viewers = [];
  for (const [name, quality] of [
    ['Bo', 'low'],
    ['Chi', 'medium'],
    ['Dai', 'high'],
  ] as const) {
    const viewer = await meeting.join(name);
    await viewer.sees(viewer.tileOf(ana));
    await pick(viewer, ana, quality);
    viewers.push(viewer);
  }
  await sends(ana, ['h 720', 'l 180', 'm 360']);
  const heights = [180, 360, 720];
  for (const [i, viewer] of viewers.entries()) {
    await viewer.sees(viewer.tileOf(ana), ({ height }) => height === heights[i]);
  }
});

test('what nobody looks at is not sent, and comes when somebody does', async ({ meeting }) => {
  const ana = await meeting.join('Ana');
  await sends(ana, []);

  const bo = await meeting.join('Bo');
  await bo.seesAll([ana]);
  await pick(bo, ana, 'low');
  await sends(ana, ['l 180']);
  await bo.hears(1);

  await pick(bo, ana, 'high');
  await bo.sees(bo.tileOf(ana), ({ height }) => height === 720);
  await sends(ana, ['h 720']);

  await bo.button('leave').click();
  await sends(ana, []);
});

test('an enlarged tile gets the high layer, and only for that viewer', async ({ meeting }) => {
  const ana = await meeting.join('Ana');
  const bo = await meeting.join('Bo');
  const chi = await meeting.join('Chi');
  await bo.sees(bo.tileOf(ana), ({ height }) => height <= 360);
  await chi.sees(chi.tileOf(ana), ({ height }) => height <= 360);
  const heightAtChi = await pictureHeight(chi, ana);

  await bo.pressOn(bo.tileOf(ana), 'pin');
  await bo.sees(bo.tileOf(ana), ({ height }) => height === 720);
  expect(await pictureHeight(chi, ana)).toBe(heightAtChi);

  await bo.pressOn(bo.tileOf(ana), 'pin');
  await bo.sees(bo.tileOf(ana), ({ height }) => height <= 360);
});

test('what is received follows the size of the tile (S1-15, S2-30, S2-32, S4-15)', async ({ meeting }) => {
  const ana = await meeting.join('Ana');
  const bo = await meeting.join('Bo');
  const tile = bo.tileOf(ana);
  for (const [viewport, heights] of [
    [{ width: 1280, height: 720 }, [720]],
    [{ width: 800, height: 480 }, [360]],
    [{ width: 360, height: 640 }, [180, 360]],
    [{ width: 260, height: 280 }, [180]],
    [{ width: 1280, height: 720 }, [720]],
  ] as const) {
    await bo.page.setViewportSize(viewport);
    await bo.sees(tile, ({ height }) => heights.some((wanted) => wanted === height));
    const shown = await tile.boundingBox();
    const { width, height } = await bo.inboundOf(tile);
    const least = height === 180;
    expect(least || width * height <= 2 * (shown?.width ?? 0) * (shown?.height ?? 0), `${width}×${height}`).toBe(true);
  }
});

test('a viewer picks the quality of one tile (S1-13)', async ({ meeting }) => {
  const ana = await meeting.join('Ana');
  const bo = await meeting.join('Bo');
  await bo.seesAll([ana]);
  for (const [quality, height] of [
    ['low', 180],
    ['high', 720],
    ['medium', 360],
  ] as const) {
    await pick(bo, ana, quality);
    await bo.sees(bo.tileOf(ana), (stream) => stream.height === height);
  }
});

test('nothing arrives for a hidden tile, and it comes back', async ({ meeting }) => {
  const ana = await meeting.join('Ana');
  const bo = await meeting.join('Bo');
  // Who speaks comes to the first page; here nobody does, and the tiles stay in the order of arrival.
  for (const person of [ana, bo]) await person.button('mic').click();
  await expect(ana.tileOf(bo)).toHaveAttribute('data-muted', 'true');
  await expect(bo.tileOf(ana)).toHaveAttribute('data-muted', 'true');
  const chi = await meeting.join('Chi', { viewport: TINY });
  await expect(chi.tiles('camera')).toHaveCount(1);
  const shown = chi.tileOf(ana);
  await chi.sees(shown);
  const { track } = await chi.inboundOf(shown);

  await chi.button('next-page').click();
  await expect(shown).toHaveCount(0);
  await chi.sees(chi.tiles('camera'));
  let before = -1;
  await expect
    .poll(
      async () => {
        const { bytes } = await chi.inboundOfTrack(track);
        const grown = bytes - before;
        before = bytes;
        return grown;
      },
      { message: 'bytes within a second', intervals: [1000] },
    )
    .toBe(0);

  await chi.page.getByRole('button', { name: 'Previous people' }).click();
  await chi.sees(shown);
});

async function pictureHeight(viewer: Person, other: Person): Promise<number> {
  return (await viewer.inboundOf(viewer.tileOf(other))).height;
}
