/** The size of what is sent and received can be chosen, and what flows follows (S2-35). */
import { expect } from '@playwright/test';

import { meetingTest } from '../harness/fixtures.ts';
import { useFourK } from '../harness/four-k.ts';
import type { Person } from '../harness/meet.ts';
import { serverForThisFile } from '../harness/server.ts';

const test = meetingTest(serverForThisFile());

/** Chooses in the settings; without a value, automatic. */
async function limit(person: Person, which: 'send-quality' | 'receive-quality', height: number | null): Promise<void> {
  await person.choose('more', 'settings');
  await person.button('settings-quality').click();
  await person.button(which).selectOption(height === null ? '' : `${height}`);
  await person.page.keyboard.press('Escape');
}

test('what a camera sends', async ({ meeting }) => {
  const asked: unknown[] = [];
  const ana = await meeting.join('Ana', {
    prepare: async (page) => {
      await page.exposeFunction('noteConstraints', (constraints: unknown) => asked.push(constraints));
      await page.addInitScript(() => {
        const note = (constraints: unknown) =>
          (globalThis as unknown as { noteConstraints(c: unknown): void }).noteConstraints(constraints);
        const apply = MediaStreamTrack.prototype.applyConstraints;
        MediaStreamTrack.prototype.applyConstraints = function (constraints) {
          note(constraints);
          return apply.call(this, constraints);
        };
      });
    },
  });
  const bo = await meeting.join('Bo');
  await bo.sees(bo.tileOf(ana));
  for (const height of [360, 180, 720]) {
    await limit(ana, 'send-quality', height);
    await bo.sees(bo.tileOf(ana), (stream) => stream.height === height);
  }
  await limit(ana, 'send-quality', 2160);
  await expect.poll(() => asked.at(-1)).toMatchObject({ width: { ideal: 3840 }, height: { ideal: 2160 } });
});

test('what one person receives, and nobody else', async ({ meeting }) => {
  const ana = await meeting.join('Ana');
  const bo = await meeting.join('Bo');
  const chi = await meeting.join('Chi');
  for (const viewer of [bo, chi]) {
    await viewer.sees(viewer.tileOf(ana));
    await viewer.pressOn(viewer.tileOf(ana), 'pin');
    await viewer.sees(viewer.tileOf(ana), (stream) => stream.height === 720);
  }
  for (const height of [180, 360]) {
    await limit(bo, 'receive-quality', height);
    await bo.sees(bo.tileOf(ana), (stream) => stream.height === height);
    await chi.sees(chi.tileOf(ana), (stream) => stream.height === 720);
  }
  await limit(bo, 'receive-quality', null);
  await bo.sees(bo.tileOf(ana), (stream) => stream.height === 720);
});

test('a camera of 4K goes out in sizes of use to everybody, its own among them', async ({ meeting }) => {
  test.slow();
  const ana = await meeting.join('Ana', { prepare: useFourK });
  const bo = await meeting.join('Bo');
  await bo.sees(bo.tileOf(ana));
  for (const [quality, height] of [
    ['low', 270],
    ['medium', 810],
    ['high', 2160],
  ] as const) {
    await bo.pressOn(bo.tileOf(ana), 'tile-menu');
    await bo.button(`quality-${quality}`).click();
    await bo.sees(bo.tileOf(ana), (stream) => stream.height === height);
  }
});
