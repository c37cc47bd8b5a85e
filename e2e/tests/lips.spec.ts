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
  const bo = await meeting.join('Bo');
  const chi = await meeting.join('Chi', { prepare: flashAndSound });
  await bo.button('cam').click();
  for (const quiet of [bo, chi]) await quiet.button('mic').click();
  await bo.seesAll([ana, chi]);
  const id = await bo.tileOf(ana).getAttribute('data-participant');
  await watchOnsets(bo.page, `[data-testid="tile"][data-participant="${id}"] video`);
  // A browser brings them together step by step, by the sender's reports.
  await expect
    .poll(async () => Math.abs(await median(bo, 3)), { message: 'together at first' })
    .toBeLessThan(SKEW_MS_MAX);

  await bo.pressOn(bo.tileOf(ana), 'tile-menu');
  await bo.button('quality-low').click();
  await bo.sees(bo.tileOf(ana), ({ height }) => height === 180);
  const layerSwitched = await median(bo, 7);

  // She comes back, and with her another camera and microphone on the slots that she had.
  await ana.page.reload();
  await ana.isIn();
  await bo.sees(bo.tileOf(ana));
  const slotRebound = await median(bo, 7);

  console.log(`    heard after seen: ${layerSwitched.toFixed()} ms, ${slotRebound.toFixed()} ms`);
  expect(Math.abs(layerSwitched), 'after another layer').toBeLessThan(SKEW_MS_MAX);
  expect(Math.abs(slotRebound), 'on another slot').toBeLessThan(SKEW_MS_MAX);
});

/** The median of the next flashes: one look at a busy machine may be late. */
async function median(viewer: Person, flashes: number): Promise<number> {
  await skews(viewer.page);
  const found: number[] = [];
  await expect
    .poll(async () => found.push(...(await skews(viewer.page))), { message: 'flashes', intervals: [1000] })
    .toBeGreaterThanOrEqual(flashes);
  return found.sort((a, b) => a - b)[Math.floor(found.length / 2)] ?? Infinity;
}
