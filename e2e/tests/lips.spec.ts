/** Picture and sound stay together when another layer is sent and when a slot shows somebody else (S5-43). */
import { expect } from '@playwright/test';

import { meetingTest } from '../harness/fixtures.ts';
import { flashAndSound, skews, watchOnsets } from '../harness/lip-sync.ts';
import type { Person } from '../harness/meet.ts';
import { serverForThisFile, TWO_UNITS } from '../harness/server.ts';

const test = meetingTest(serverForThisFile(TWO_UNITS));

/** What nobody notices (ITU-R BT.1359 has detection begin at 45 ms early and 125 ms late). */
const SKEW_MS_MAX = 80;

test('picture and sound of a camera stay together across layers and slots', async ({ meeting }) => {
  const ana = await meeting.join('Ana', { prepare: flashAndSound });
  // What listens in the page is not of the page's own origin.
  const bo = await meeting.join('Bo', { bypassCSP: true });
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
  for (const figure of figures) expect(Math.abs(figure)).toBeLessThan(SKEW_MS_MAX);
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
