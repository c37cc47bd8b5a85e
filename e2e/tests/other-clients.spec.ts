/** Clients that share no code with Chromium take part in the same meeting. */
import { expect, type Page } from '@playwright/test';

import { Aiortc } from '../harness/aiortc.ts';
import { launchFirefox } from '../harness/browsers.ts';
import { meetingTest } from '../harness/fixtures.ts';
import { guest } from '../harness/platform.ts';
import { serverForThisFile, TWO_UNITS } from '../harness/server.ts';
import { keepPeerConnections, report } from '../harness/stats.ts';

const server = serverForThisFile(TWO_UNITS);
const test = meetingTest(server);

test('Firefox sees, hears, is seen and is heard', async ({ meeting }) => {
  const ana = await meeting.join('Ana');
  const firefox = await launchFirefox();
  try {
    const page = await enter(firefox, meeting.link, 'Fox');
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
  const bo = await meeting.join('Bo');
  const participant = await guest(server().url, meeting.room);
  const client = Aiortc.join(server().url, participant);
  try {
    await expect(ana.tiles('camera')).toHaveCount(2);
    const theirs = ana.tiles('camera').and(ana.page.locator(`[data-participant="${participant.participantId}"]`));
    await ana.sees(theirs, ({ width, height }) => width === 320 && height === 240);
    await ana.hears(2);
    await expect.poll(() => client.received('video').map((stream) => stream.frames > 20)).toEqual([true, true]);
    // Browsers send each packet of speech with the one before it (RED), of which nothing is needed on a good path. They
    // get it so from each other; aiortc, which does not know it, gets the packets alone.
    await expect.poll(() => redundancy(ana.page), 'shares of redundant packets').toEqual([0, 1]);
    expect(await ana.page.evaluate(preferredSound)).toBe('audio/red');
    await expect.poll(() => client.received('audio').map((stream) => stream.energy > 0)).toEqual([true, true]);
  } finally {
    await client.leave();
  }
  await expect(ana.tiles('camera')).toHaveCount(1);
  await ana.sees(ana.tileOf(bo));
});

for (const by of ['by its encodings', 'by the answer, where encodings cannot say it']) {
  test(`who cannot decode a camera’s codec gets another while it is there: it changes ${by}`, async ({ meeting }) => {
    const ana = await meeting.open('Ana');
    if (by !== 'by its encodings') await ana.page.addInitScript(withoutCodecs);
    await ana.page.goto(`${meeting.link}?codec=av1`);
    await ana.enter();
    const bo = await meeting.join('Bo');
    await bo.sees(bo.tileOf(ana), (stream) => stream.codec === 'av1');
    const client = Aiortc.join(server().url, await guest(server().url, meeting.room));
    try {
      await expect.poll(() => client.received('video').map((stream) => stream.frames > 20)).toEqual([true, true]);
      await bo.sees(bo.tileOf(ana), (stream) => stream.codec === 'h264');
    } finally {
      await client.leave();
    }
    await bo.sees(bo.tileOf(ana), (stream) => stream.codec === 'av1');
  });
}

/** Runs in the page: a browser older than `codec` of an encoding passes it over. */
function withoutCodecs(): void {
  const original = RTCRtpSender.prototype.setParameters;
  RTCRtpSender.prototype.setParameters = function (parameters, ...rest) {
    const encodings = parameters.encodings.map((encoding) => ({ ...encoding, codec: undefined }));
    return original.call(this, Object.assign(parameters, { encodings }), ...rest);
  };
}

test('nor do cameras of Firefox leave anybody out', async ({ meeting }) => {
  const bo = await meeting.join('Bo');
  const firefox = await launchFirefox();
  try {
    await enter(firefox, `${meeting.link}?codec=vp9`, 'Fox');
    const fox = bo.tiles('camera').filter({ hasText: 'Fox' });
    await bo.sees(fox, (stream) => stream.codec === 'vp9');
    const client = Aiortc.join(server().url, await guest(server().url, meeting.room));
    try {
      await expect.poll(() => client.received('video').map((stream) => stream.frames > 20)).toEqual([true, true]);
      await bo.sees(fox, (stream) => stream.codec === 'vp8');
    } finally {
      await client.leave();
    }
    await bo.sees(fox, (stream) => stream.codec === 'vp9');
  } finally {
    await firefox.close();
  }
});

/** Joins with Firefox. */
async function enter(firefox: Awaited<ReturnType<typeof launchFirefox>>, link: string, name: string) {
  const page = await firefox.newPage();
  await page.setViewport({ width: 1280, height: 720 });
  await page.evaluateOnNewDocument(keepPeerConnections);
  await page.goto(link);
  await page.locator('[data-testid="name-input"]').fill(name);
  await page.waitForSelector('[data-testid="preview"][data-camera="live"]');
  await page.locator('[data-testid="join"]').click();
  await page.waitForSelector('[data-testid="meeting"]');
  return page;
}

/** Of each sound, how many of its packets came with one that was there already, per packet: 0 without redundancy. */
async function redundancy(page: Page): Promise<number[]> {
  const sounds = (await report(page)).inbound.filter((stream) => stream.kind === 'audio' && stream.packets > 100);
  return sounds.map((stream) => Math.round(stream.discarded / stream.packets)).sort();
}

/** Runs in the page: the codec that the microphone is sent in. */
function preferredSound(): string | undefined {
  const senders = window.peerConnections.at(-1)?.getSenders() ?? [];
  const microphone = senders.find((sender) => sender.track?.kind === 'audio');
  return microphone?.getParameters().codecs[0]?.mimeType;
}

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
