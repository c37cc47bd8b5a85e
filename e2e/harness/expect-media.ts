/** Conditions on media that a test waits for. */
import { expect, type Page } from '@playwright/test';

import { growth, type Inbound, report } from './stats.ts';

/** Waits until so many pictures are being decoded: each of them grows while we look. */
export async function expectVideos(page: Page, count: number, wanted: (stream: Inbound) => boolean = () => true) {
  await expectGrowing(page, 'video', count, ({ frames }) => frames > 0, wanted);
}

/** Waits until so many sounds are heard: packets come in, and there is energy in them. */
export async function expectSounds(page: Page, count: number) {
  await expectGrowing(
    page,
    'audio',
    count,
    ({ bytes }) => bytes > 0,
    (stream) => stream.audioEnergy > 0,
  );
}

async function expectGrowing(
  page: Page,
  kind: 'audio' | 'video',
  count: number,
  grows: (growth: { bytes: number; frames: number }) => boolean,
  wanted: (stream: Inbound) => boolean,
) {
  let before = (await report(page)).inbound;
  await expect
    .poll(
      async () => {
        const after = (await report(page)).inbound;
        const grown = growth(before, after);
        before = after;
        const alive = after.filter((stream) => stream.kind === kind && grows(grown.get(stream.mid) ?? NOTHING));
        return alive.filter(wanted).length;
      },
      { message: `${count} ${kind} streams that grow`, intervals: [500] },
    )
    .toBe(count);
}

const NOTHING = { bytes: 0, frames: 0 };
