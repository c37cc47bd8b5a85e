/**
 * Measures how much later a camera's sound is heard than its picture is seen, when another layer is sent and when a slot
 * shows somebody else (S5-43). Printed, not asserted: browsers sync lips by msid, which slots share.
 */
import { expect } from '@playwright/test';

import { meetingTest } from '../harness/fixtures.ts';
import { flashAndSound, skews, watchOnsets } from '../harness/lip-sync.ts';
import type { Person } from '../harness/meet.ts';
import { serverForThisFile, TWO_UNITS } from '../harness/server.ts';

const test = meetingTest(serverForThisFile(TWO_UNITS));

test('from seeing to hearing, across layers and slots', async ({ meeting }) => {
  const ana = await meeting.join('Ana', { prepare: flashAndSound });
  const bo = await meeting.join('Bo');
  const chi = await meeting.join('Chi');
  for (const quiet of [bo, chi]) await quiet.button('mic').click();
  await bo.seesAll([ana, chi]);
  const id = await bo.tileOf(ana).getAttribute('data-participant');
  await watchOnsets(bo.page, `[data-testid="tile"][data-participant="${id}"] video`);
  const figures = [await median(bo)];

  await bo.pressOn(bo.tileOf(ana), 'pin');
  await bo.sees(bo.tileOf(ana), ({ height }) => height > 180);
  figures.push(await median(bo));

  // Hidden and shown again, it comes back on whatever slot is free.
  await bo.pressOn(bo.tileOf(ana), 'pin');
  await bo.pressOn(bo.tileOf(chi), 'pin');
  await bo.sees(bo.tileOf(ana));
  figures.push(await median(bo));
  console.log(`    heard after seen, in ms: ${figures.map((figure) => figure.toFixed(0)).join(', ')}`);
  expect(figures.every((figure) => Number.isFinite(figure))).toBe(true);
});

/** The median of the next seven flashes: one look at a busy machine may be late. */
async function median(viewer: Person): Promise<number> {
  await skews(viewer.page);
  const found: number[] = [];
  await expect
    .poll(async () => found.push(...(await skews(viewer.page))), { message: 'flashes', intervals: [1000] })
    .toBeGreaterThanOrEqual(7);
  return found.sort((a, b) => a - b)[Math.floor(found.length / 2)] ?? Infinity;
}
