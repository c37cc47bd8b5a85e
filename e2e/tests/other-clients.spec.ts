/** Clients that share no code with Chromium take part in the same meeting. */
import { expect } from '@playwright/test';

import { Aiortc } from '../harness/aiortc.ts';
import { launchFirefox } from '../harness/browsers.ts';
import { meetingTest } from '../harness/fixtures.ts';
import { guest } from '../harness/platform.ts';
import { serverForThisFile, TWO_UNITS } from '../harness/server.ts';
import { keepPeerConnections } from '../harness/stats.ts';

const server = serverForThisFile(TWO_UNITS);
const test = meetingTest(server);

test('Firefox sees, hears, is seen and is heard', async ({ meeting }) => {
  const ana = await meeting.join('Ana');
  const firefox = await launchFirefox();
  try {
    const page = await firefox.newPage();
    await page.setViewport({ width: 1280, height: 720 });
    await page.evaluateOnNewDocument(keepPeerConnections);
    await page.goto(meeting.link);
    await page.locator('[data-testid="name-input"]').fill('Fox');
    await page.waitForSelector('[data-testid="preview"][data-camera="live"]');
    await page.locator('[data-testid="join"]').click();
    await page.waitForSelector('[data-testid="meeting"]');

    await expect(ana.tiles('camera')).toHaveCount(1);
    await ana.sees(ana.tiles('camera'));
    await ana.hears(1);

    let before = { frames: 0, sounds: 0 };
    await expect
      .poll(async () => {
        const now = await page.evaluate(received);
        const grows = before.frames > 0 && now.frames > before.frames && now.sounds > before.sounds;
        before = now;
        return grows;
      })
      .toBe(true);
  } finally {
    await firefox.close();
  }
});

test('an aiortc client sees, hears, is seen and is heard', async ({ meeting }) => {
  const ana = await meeting.join('Ana');
  const client = Aiortc.join(server().url, await guest(server().url, meeting.room));
  try {
    await expect(ana.tiles('camera')).toHaveCount(1);
    await ana.sees(ana.tiles('camera'), ({ width, height }) => width === 320 && height === 240);
    await ana.hears(1);
    await expect.poll(() => client.received('video').map((stream) => stream.frames > 20)).toEqual([true]);
    await expect.poll(() => client.received('audio').map((stream) => stream.energy > 0)).toEqual([true]);
  } finally {
    await client.leave();
  }
  await expect(ana.tiles('camera')).toHaveCount(0);
});

/** Runs in the page: pictures decoded and packets of sound received, until now. */
async function received(): Promise<{ frames: number; sounds: number }> {
  const sum = { frames: 0, sounds: 0 };
  const stats = await window.peerConnections.at(-1)?.getStats();
  stats?.forEach((entry) => {
    if (entry.type !== 'inbound-rtp') return;
    if (entry.kind === 'video') sum.frames += entry.framesDecoded ?? 0;
    else sum.sounds += entry.packetsReceived ?? 0;
  });
  return sum;
}
