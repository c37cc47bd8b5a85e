/** Scalable video: one encoding of a camera, and each viewer gets the part of it that fits its tile. */
import { expect } from '@playwright/test';

import { meetingTest } from '../harness/fixtures.ts';
import type { Person } from '../harness/meet.ts';
import { serverForThisFile, TWO_UNITS } from '../harness/server.ts';
import { report } from '../harness/stats.ts';

const test = meetingTest(serverForThisFile(TWO_UNITS));

for (const codec of ['vp9', 'av1'] as const) {
  test(`four people with ${codec} in one encoding: layers are chosen per receiver`, async ({ meeting }) => {
    // Four encoders with all layers and twelve decoders on one machine.
    test.slow();
    const join = async (name: string) => {
      const person = await meeting.open(name);
      await person.page.goto(`${meeting.link}?codec=${codec}`);
      await person.enter();
      return person;
    };
    const ana = await join('Ana');
    const bo = await join('Bo');
    const chi = await join('Chi');
    const dee = await join('Dee');
    for (const viewer of [bo, chi, dee]) {
      await viewer.sees(viewer.tileOf(ana), (stream) => stream.codec === codec);
    }
    expect((await sent(ana)).length, 'one encoding').toBe(1);

    // A machine that is short of processor makes the whole picture smaller; the steps between layers stay.
    await bo.pressOn(bo.tileOf(ana), 'pin');
    for (const other of [chi, dee]) await expect.poll(() => ratio(bo, other, ana), RATIO).toBeGreaterThanOrEqual(2);
    await bo.sees(bo.tileOf(ana));
    await chi.sees(chi.tileOf(ana));

    await bo.pressOn(bo.tileOf(ana), 'pin');
    await expect.poll(() => ratio(bo, chi, ana), RATIO).toBe(1);
    await bo.sees(bo.tileOf(ana));
  });
}

test('a viewer picks the quality of one tile, of layers within one encoding (S1-13)', async ({ meeting }) => {
  test.slow();
  const ana = await meeting.open('Ana');
  await ana.page.goto(`${meeting.link}?codec=vp9`);
  await ana.enter();
  const bo = await meeting.join('Bo');
  const chi = await meeting.join('Chi');
  await bo.sees(bo.tileOf(ana), (stream) => stream.codec === 'vp9');
  await chi.sees(chi.tileOf(ana));
  expect((await sent(ana)).length, 'one encoding').toBe(1);
  await chi.pressOn(chi.tileOf(ana), 'pin');

  for (const [quality, steps] of [
    ['low', 4],
    ['medium', 2],
    ['high', 1],
  ] as const) {
    await bo.pressOn(bo.tileOf(ana), 'tile-menu');
    await bo.button(`quality-${quality}`).click();
    // Chi has the whole picture; a machine that is short of processor makes it smaller, and the steps stay.
    await expect.poll(() => ratio(chi, bo, ana), RATIO).toBe(steps);
    await bo.sees(bo.tileOf(ana));
  }
});

const RATIO = { message: 'height at one viewer over that at another', timeout: 60_000 };

async function ratio(one: Person, another: Person, seen: Person): Promise<number> {
  const heights = [];
  for (const viewer of [one, another]) heights.push((await viewer.inboundOf(viewer.tileOf(seen))).height);
  const [first = 0, second = 0] = heights;
  return second === 0 ? 0 : Math.round((10 * first) / second) / 10;
}

async function sent(person: Person) {
  return (await report(person.page)).outbound.filter((encoding) => encoding.kind === 'video');
}
