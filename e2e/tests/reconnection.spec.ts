/** What breaks heals by itself: nobody clicks. */
import { expect } from '@playwright/test';

import { meetingTest } from '../harness/fixtures.ts';
import { Person } from '../harness/meet.ts';
import { ONE_UNIT, serverForThisFile } from '../harness/server.ts';
import { report } from '../harness/stats.ts';
import { changePath, UdpPath, usePath } from '../harness/udp-path.ts';

const server = serverForThisFile(ONE_UNIT);
const test = meetingTest(server);

test('a page that is loaded anew rejoins as the same participant', async ({ meeting }) => {
  const ana = await meeting.join('Ana');
  const bo = await meeting.join('Bo');
  await ana.seesAll([bo]);
  const id = await bo.participantId();
  await bo.page.reload();
  if (await appears(bo, 'join')) await bo.button('join').click();
  await bo.isIn();
  await bo.seesAll([ana]);
  await ana.seesAll([bo]);
  expect(await bo.participantId()).toBe(id);
});

test('a restart of the program brings everybody back', async ({ meeting }) => {
  const ana = await meeting.join('Ana');
  const bo = await meeting.join('Bo');
  await ana.seesAll([bo]);
  const ids = [await ana.participantId(), await bo.participantId()];
  expect(await server().stop()).toBe(0);
  for (const person of [ana, bo]) await expect(person.button('banner-reconnecting')).toBeVisible();
  await server().startAgain();
  for (const [person, other] of [
    [ana, bo],
    [bo, ana],
  ] as const) {
    await person.seesAll([other]);
    await person.hears(1);
    await expect(person.button('banner-reconnecting')).toBeHidden();
  }
  expect([await ana.participantId(), await bo.participantId()]).toEqual(ids);
});

test('a killed program, too', async ({ meeting }) => {
  const ana = await meeting.join('Ana');
  const bo = await meeting.join('Bo');
  await ana.seesAll([bo]);
  await server().stop('SIGKILL');
  await server().startAgain();
  await ana.seesAll([bo]);
  await bo.seesAll([ana]);
});

test('a change of the network path is healed by an ICE restart of the same participant', async ({ meeting }) => {
  const wifi = await UdpPath.open(server().mediaPort);
  const mobile = await UdpPath.open(server().mediaPort);
  const ana = await meeting.join('Ana', { prepare: (page) => usePath(page, wifi) });
  const bo = await meeting.join('Bo');
  await ana.seesAll([bo]);
  await bo.seesAll([ana]);
  expect(wifi.forwarded).toBeGreaterThan(0);
  const id = await ana.participantId();
  const before = (await report(ana.page)).transport;

  await changePath(ana.page, mobile);
  wifi.cut();
  await expect.poll(async () => (await report(ana.page)).transport?.ufrag).not.toBe(before?.ufrag);
  await ana.seesAll([bo]);
  await bo.seesAll([ana]);
  expect(mobile.forwarded).toBeGreaterThan(0);
  expect(await ana.participantId()).toBe(id);
  expect(await ana.page.evaluate(() => window.peerConnections.length)).toBe(1);
  wifi.close();
  mobile.close();
});

test('two tabs with one participant: the newer one wins, and the older one says so', async ({ meeting }) => {
  const ana = await meeting.join('Ana');
  const bo = await meeting.join('Bo');
  await bo.seesAll([ana]);
  const id = await ana.participantId();
  // A duplicated tab has a copy of the page's session storage.
  const [copy] = await Promise.all([
    ana.page.context().waitForEvent('page'),
    ana.page.evaluate(() => void window.open(location.href)),
  ]);
  await copy.getByTestId('join').or(copy.getByTestId('meeting')).first().waitFor();
  if (await copy.getByTestId('join').isVisible()) await copy.getByTestId('join').click();
  await expect(copy.getByTestId('meeting')).toBeVisible();
  await expect(ana.page.getByTestId('error-screen')).toHaveAttribute('data-kind', 'replaced');
  await expect(bo.tiles('camera')).toHaveCount(1);
  await expect(bo.tiles('camera')).toHaveAttribute('data-participant', id);
  await bo.sees(bo.tiles('camera'));
});

/** Whether a button comes up before the meeting does. */
async function appears(person: Person, testId: string): Promise<boolean> {
  await person.button(testId).or(person.page.getByTestId('meeting')).first().waitFor();
  return person.button(testId).isVisible();
}
