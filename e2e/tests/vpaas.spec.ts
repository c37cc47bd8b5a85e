/** A page on the published packages `@pexip/vpaas-sdk` and `@pexip/vpaas-api` 18.0.5, unmodified, from an origin of its own. */
import { type BrowserContext, expect, type Page, test } from '@playwright/test';

import { expectSounds, expectVideos } from '../harness/expect-media.ts';
import { pageForThisFile } from '../harness/pages.ts';
import { type Participant, Platform } from '../harness/platform.ts';
import { projectKey } from '../harness/project-key.ts';
import { serverForThisFile } from '../harness/server.ts';
import { report, watchPeerConnections } from '../harness/stats.ts';

const server = serverForThisFile();
const pageUrl = pageForThisFile('vpaas');

test('two pages join, list each other and receive with and without rid and receive_mid', async ({ context }) => {
  const { participants, meetingId } = await meetingOf(2);
  const [one, two] = await joinAll(context, participants);

  const streams = await streamsIn(one, 2);
  expect(streams.map(({ type, semantic }) => `${type} ${semantic}`).sort()).toEqual(['audio main', 'video main']);
  expect(streams.every(({ producerId }) => producerId === participants[1]?.participantId)).toBe(true);
  const video = only(streams, 'video');
  expect(video.layers.map((layer) => layer.rid)).toEqual(['l', 'm', 'h']);

  await test.step('without rid and receive_mid the server chooses', async () => {
    for (const { producerId, streamId } of streams) await request(one, producerId, streamId, null, null);
    await expectVideos(one, 1);
    await expectSounds(one, 1);
  });

  await test.step('a rid is obeyed', async () => {
    const mid = await request(two, ...(await videoOf(two)), 'l', null);
    await expectVideos(two, 1, (stream) => stream.mid === mid && stream.height === 180);
  });

  await test.step('a receive_mid is obeyed, and another rid on it', async () => {
    const taken = (await report(two)).inbound.map((stream) => stream.mid);
    const free = await freeMid(two, 'video', taken);
    expect(await request(two, ...(await videoOf(two)), 'm', free)).toBe(free);
    await expectVideos(two, 1, (stream) => stream.mid === free && stream.height === 360);
  });

  const platform = await Platform.login(server().url, projectKey(server().dataDir));
  expect((await platform.call('GET', `/v1/meetings/${meetingId}`)).body['status']).toBe('running');
});

test('a presentation is listed, received, and gone when it stops', async ({ context }) => {
  const { participants } = await meetingOf(2);
  const [one, two] = await joinAll(context, participants);
  await streamsIn(one, 2);
  await two.evaluate(() => window.vpaasPage.present());
  const presentation = (await streamsIn(one, 3)).find((stream) => stream.semantic === 'presentation');
  expect(presentation?.type).toBe('video');
  const mid = await request(one, presentation?.producerId ?? '', presentation?.streamId ?? '', null, null);
  await expectVideos(one, 1, (stream) => stream.mid === mid);
  await two.evaluate(() => window.vpaasPage.stopPresenting());
  await streamsIn(one, 2);
});

test('a restart of the program brings the page back with its streams', async ({ context }) => {
  const { participants } = await meetingOf(2);
  const pages = await joinAll(context, participants);
  for (const page of pages) {
    for (const { producerId, streamId } of await streamsIn(page, 2))
      await request(page, producerId, streamId, null, null);
    await expectVideos(page, 1);
  }
  await server().stop();
  await server().startAgain();
  // The packages ask for nothing again: the server binds what was bound, by m-line.
  for (const page of pages) {
    await expect.poll(() => page.evaluate(() => window.vpaasPage.reconnections)).toBeGreaterThan(0);
    await expectVideos(page, 1);
    await expectSounds(page, 1);
    expect(await page.evaluate(() => window.vpaasPage.errors)).toEqual([]);
  }
});

test('who leaves is listed no more', async ({ context }) => {
  const { participants } = await meetingOf(2);
  const [one, two] = await joinAll(context, participants);
  await streamsIn(one, 2);
  await two.evaluate(() => window.vpaasPage.leave());
  await streamsIn(one, 0);
});

async function meetingOf(count: number): Promise<{ meetingId: string; participants: Participant[] }> {
  const platform = await Platform.login(server().url, projectKey(server().dataDir));
  const meetingId = await platform.createMeeting();
  const participants = [];
  for (let i = 0; i < count; i++) participants.push(await platform.createParticipant(meetingId));
  return { meetingId, participants };
}

async function joinAll(context: BrowserContext, participants: Participant[]): Promise<[Page, Page]> {
  const pages: Page[] = [];
  for (const participant of participants) {
    const page = await context.newPage();
    await watchPeerConnections(page);
    await page.goto(pageUrl());
    await page.evaluate((options) => window.vpaasPage.join(options), { api: server().url, ...participant });
    pages.push(page);
  }
  return pages as [Page, Page];
}

interface Listed {
  producerId: string;
  streamId: string;
  type: string;
  semantic: string;
  layers: { rid: string }[];
}

/** The streams of the roster, once there are so many. */
async function streamsIn(page: Page, count: number): Promise<Listed[]> {
  let streams: Listed[] = [];
  await expect
    .poll(async () => {
      const roster = await page.evaluate(() => window.vpaasPage.roster);
      streams = Object.entries(roster).flatMap(([producerId, entry]) =>
        Object.entries(entry?.streams ?? {}).map(([streamId, stream]) => {
          return { producerId, streamId, layers: [], ...(stream as object) } as unknown as Listed;
        }),
      );
      return streams.length;
    })
    .toBe(count);
  return streams;
}

function only(streams: Listed[], type: string): Listed {
  const [found] = streams.filter((stream) => stream.type === type);
  if (found === undefined) throw new Error(`no ${type} is listed`);
  return found;
}

async function videoOf(page: Page): Promise<[string, string]> {
  const { producerId, streamId } = only(await streamsIn(page, 2), 'video');
  return [producerId, streamId];
}

function request(page: Page, producerId: string, streamId: string, rid: string | null, mid: string | null) {
  return page.evaluate((args) => window.vpaasPage.request(...args), [producerId, streamId, rid, mid] as const);
}

/** A receiving m-line of this kind on which nothing comes yet. */
async function freeMid(page: Page, kind: string, taken: string[]): Promise<string> {
  const mids = await page.evaluate((wanted) => {
    const transceivers = window.peerConnections.at(-1)?.getTransceivers() ?? [];
    const free = transceivers.filter((t) => t.direction === 'recvonly' && t.receiver.track.kind === wanted);
    return free.map((t) => t.mid ?? '');
  }, kind);
  const free = mids.find((mid) => !taken.includes(mid));
  if (free === undefined) throw new Error('every m-line is taken');
  return free;
}
