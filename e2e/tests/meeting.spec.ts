/** The main job: people open a link, and everybody sees and hears everybody. */
import { expect } from '@playwright/test';

import { meetingTest } from '../harness/fixtures.ts';
import { DESKTOP, Person } from '../harness/meet.ts';
import { serverForThisFile, TWO_UNITS } from '../harness/server.ts';
import { report, watchPeerConnections } from '../harness/stats.ts';

const server = serverForThisFile(TWO_UNITS);
const test = meetingTest(server);

test('from the first page to a meeting of three tabs: everybody sees and hears everybody', async ({
  browser,
  meeting,
}) => {
  const page = await browser.newPage({ viewport: DESKTOP });
  await watchPeerConnections(page);
  await page.goto(server().url);
  await page.getByTestId('new-meeting').click();
  await expect(page.getByTestId('prejoin')).toBeVisible();
  expect(new URL(page.url()).pathname).toMatch(/^\/m\/.+/);
  await page.close();

  const people = [await meeting.join('Ana'), await meeting.join('Bo'), await meeting.join('Chi')];
  for (const person of people) {
    const others = people.filter((other) => other !== person);
    await expect(person.tiles('camera')).toHaveCount(2);
    for (const other of others) {
      await person.sees(person.tileOf(other), ({ width, height }) => width >= 320 && width * 9 === height * 16);
    }
    await person.hears(2);
    await expect(person.button('people-count')).toHaveText('3');
  }

  await test.step('media is encrypted with AES-GCM over DTLS', async () => {
    const transport = (await report(people[0]!.page)).transport;
    expect(transport?.dtlsState).toBe('connected');
    expect(transport?.srtpCipher).toMatch(/^(SRTP_)?AEAD_AES_(256|128)_GCM$/);
  });

  await test.step('one leaves and comes again', async () => {
    const [ana, bo, chi] = people as [Person, Person, Person];
    await chi.button('leave').click();
    await expect(chi.page.getByTestId('end-screen')).toBeVisible();
    await expect(ana.tiles('camera')).toHaveCount(1);
    await chi.button('rejoin').click();
    if (await chi.button('join').isVisible()) await chi.button('join').click();
    await chi.isIn();
    await chi.seesAll([ana, bo]);
    await ana.seesAll([bo, chi]);
  });
});

test('microphone and camera off are shown to others, and come back', async ({ meeting }) => {
  const ana = await meeting.join('Ana');
  const bo = await meeting.join('Bo');
  await ana.seesAll([bo]);
  await bo.hears(1);

  await ana.button('mic').click();
  await expect(bo.tileOf(ana)).toHaveAttribute('data-muted', 'true');
  await bo.hears(0);
  await ana.button('mic').click();
  await expect(bo.tileOf(ana)).toHaveAttribute('data-muted', 'false');
  await bo.hears(1);

  await ana.button('cam').click();
  await expect(bo.tileOf(ana)).toHaveAttribute('data-picture', 'false');
  await ana.button('cam').click();
  await expect(bo.tileOf(ana)).toHaveAttribute('data-picture', 'true');
  await bo.sees(bo.tileOf(ana));
});

test('another camera and another microphone during the meeting', async ({ meeting }) => {
  const ana = await meeting.join('Ana');
  const bo = await meeting.join('Bo');
  await bo.seesAll([ana]);
  const before = { id: await ana.participantId(), sent: await cameraLabel(ana) };

  await ana.button('cam-menu').click();
  await ana.button('cam-device').and(ana.page.locator('[aria-checked="false"]')).last().click();
  await expect.poll(() => cameraLabel(ana)).not.toBe(before.sent);
  await bo.sees(bo.tileOf(ana));

  await ana.button('mic-menu').click();
  await ana.button('mic-device').and(ana.page.locator('[aria-checked="false"]')).first().click();
  await bo.hears(1);
  expect(await ana.participantId()).toBe(before.id);
  // One peer connection lives through it all (S2-15).
  expect(await ana.page.evaluate(() => window.peerConnections.length)).toBe(1);
});

test('who comes late sees and hears everything', async ({ meeting }) => {
  const ana = await meeting.join('Ana');
  const bo = await meeting.join('Bo');
  await ana.button('share').click();
  await bo.sees(bo.screenOf(ana));
  await bo.button('mic').click();

  const chi = await meeting.join('Chi');
  await chi.sees(chi.screenOf(ana));
  await chi.seesAll([ana, bo]);
  await expect(chi.tileOf(bo)).toHaveAttribute('data-muted', 'true');
  // Ana, and the sound of her screen.
  await chi.hears(2);
});

test('chat reaches everybody, and who comes later', async ({ meeting }) => {
  const ana = await meeting.join('Ana');
  const bo = await meeting.join('Bo');
  await ana.button('chat-toggle').click();
  await ana.button('chat-input').fill('Does everybody see this?');
  await ana.button('chat-send').click();
  await expect(ana.button('chat-message').last()).toHaveAttribute('data-delivery', 'sent');
  await bo.button('chat-toggle').click();
  await expect(bo.button('chat-message')).toContainText('Does everybody see this?');

  const chi = await meeting.join('Chi');
  await chi.button('chat-toggle').click();
  await expect(chi.button('chat-messages')).toContainText('Does everybody see this?');
  await expect(chi.button('chat-messages')).toContainText('Ana');
});

test('keys M and V switch microphone and camera', async ({ meeting }) => {
  const ana = await meeting.join('Ana');
  const bo = await meeting.join('Bo');
  await bo.seesAll([ana]);
  await ana.page.getByTestId('stage').click({ position: { x: 5, y: 5 } });
  await ana.page.keyboard.press('m');
  await expect(bo.tileOf(ana)).toHaveAttribute('data-muted', 'true');
  await ana.page.keyboard.press('v');
  await expect(bo.tileOf(ana)).toHaveAttribute('data-picture', 'false');
});

function cameraLabel(person: Person): Promise<string> {
  return person.page.evaluate(() => {
    const senders = window.peerConnections.at(-1)?.getSenders() ?? [];
    return senders.find((sender) => sender.track?.kind === 'video')?.track?.label ?? '';
  });
}
