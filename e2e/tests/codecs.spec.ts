/** S2-75: a call in each codec, between two clients that offer to send nothing else. */
import { expect, test } from '@playwright/test';

import { expectSounds, expectVideos } from '../harness/expect-media.ts';
import { pageForThisFile } from '../harness/pages.ts';
import { guest, newRoom } from '../harness/platform.ts';
import { joinRaw, requestAll } from '../harness/raw.ts';
import { serverForThisFile } from '../harness/server.ts';
import { report } from '../harness/stats.ts';

const server = serverForThisFile();
const pageUrl = pageForThisFile('raw');

const CALLS = [
  { video: 'VP8', audio: 'opus' },
  { video: 'VP9', audio: 'G722' },
  { video: 'H264', audio: 'PCMU' },
  { video: 'AV1', audio: 'PCMA' },
];

for (const { video, audio } of CALLS) {
  test(`a call in ${video} and ${audio}`, async ({ context }) => {
    const room = await newRoom(server().url);
    const pages = [];
    for (let i = 0; i < 2; i++) {
      const participant = await guest(server().url, room);
      const slots = { audio: 1, video: 1 };
      pages.push(await joinRaw(context, pageUrl(), { api: server().url, ...participant, audio, video, slots }));
    }
    for (const page of pages) {
      await requestAll(page, 2);
      await expectVideos(page, 1);
      await expectSounds(page, 1);
      const codecs = (await report(page)).inbound.map((stream) => stream.codec).sort();
      expect(codecs).toEqual([video.toLowerCase(), audio.toLowerCase()].sort());
    }
  });
}

test('media is encrypted with AES-GCM, which costs the program a fifth of the browsers’ first choice', async ({
  context,
}) => {
  const participant = await guest(server().url, await newRoom(server().url));
  const options = { api: server().url, ...participant, audio: 'opus', video: 'VP8', slots: { audio: 0, video: 0 } };
  const page = await joinRaw(context, pageUrl(), options);
  await expect.poll(async () => (await report(page)).transport?.srtpCipher).toMatch(/^(SRTP_)?AEAD_AES_(256|128)_GCM$/);
});

test('where no UDP passes, media goes over TCP', async ({ context }) => {
  const room = await newRoom(server().url);
  const pages = [];
  for (const protocols of ['udp', 'tcp'] as const) {
    const participant = await guest(server().url, room);
    const slots = { audio: 1, video: 1 };
    const options = { api: server().url, ...participant, audio: 'opus', video: 'VP8', slots, protocols };
    pages.push(await joinRaw(context, pageUrl(), options));
  }
  for (const page of pages) {
    await requestAll(page, 2);
    await expectVideos(page, 1);
    await expectSounds(page, 1);
  }
  const last = pages.at(-1);
  expect(last && (await report(last)).transport?.protocol).toBe('tcp');
});
