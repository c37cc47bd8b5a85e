/** Screens and second cameras, beside the cameras. */
import { expect } from '@playwright/test';

import { meetingTest } from '../harness/fixtures.ts';
import { serverForThisFile, TWO_UNITS } from '../harness/server.ts';

const test = meetingTest(serverForThisFile(TWO_UNITS));

test('a shared screen is seen while cameras go on, and goes when it stops', async ({ meeting }) => {
  const ana = await meeting.join('Ana');
  const bo = await meeting.join('Bo');
  await ana.button('share').click();
  await bo.sees(bo.screenOf(ana), ({ width }) => width === 1280);
  await bo.sees(bo.tileOf(ana));
  await expect(ana.button('sharing-note')).toBeVisible();
  await ana.button('stop-share').click();
  await expect(bo.tiles('screen')).toHaveCount(0);
  await bo.sees(bo.tileOf(ana));
});

test('two people share at once: both screens and both cameras are seen by a third', async ({ meeting }) => {
  const ana = await meeting.join('Ana');
  const bo = await meeting.join('Bo');
  const chi = await meeting.join('Chi');
  await ana.button('share').click();
  await bo.button('share').click();
  await chi.sees(chi.screenOf(ana));
  await chi.sees(chi.screenOf(bo));
  await chi.seesAll([ana, bo]);
  await expect(chi.button('screen-tab')).toHaveCount(2);
});

test('one person shares two screens', async ({ meeting }) => {
  const ana = await meeting.join('Ana');
  const bo = await meeting.join('Bo');
  await ana.button('share').click();
  await bo.sees(bo.screenOf(ana));
  await ana.choose('share-menu', 'share-another');
  await expect(bo.tiles('screen')).toHaveCount(2);
  for (const index of [0, 1]) await bo.sees(bo.tiles('screen').nth(index));
});

test('a second camera is seen beside the first, as the same person', async ({ meeting }) => {
  const ana = await meeting.join('Ana');
  const bo = await meeting.join('Bo');
  await bo.seesAll([ana]);
  await ana.button('cam-menu').click();
  await ana.button('add-camera').last().click();
  await expect(bo.tiles('camera')).toHaveCount(2);
  const participants = await bo
    .tiles('camera')
    .evaluateAll((tiles) => tiles.map((t) => t.getAttribute('data-participant')));
  expect(new Set(participants)).toEqual(new Set([await ana.participantId()]));
  for (const index of [0, 1]) await bo.sees(bo.tiles('camera').nth(index));
  await ana.choose('cam-menu', 'remove-camera');
  await expect(bo.tiles('camera')).toHaveCount(1);
  await bo.sees(bo.tileOf(ana));
});

test('sharing as the first medium, the camera later (S4-3)', async ({ meeting }) => {
  const ana = await meeting.open('Ana');
  const bo = await meeting.join('Bo');
  await ana.page.getByTestId('name-input').fill('Ana');
  await ana.button('cam').click();
  await ana.button('mic').click();
  await ana.button('join').click();
  await ana.isIn();
  await expect(bo.tileOf(ana)).toHaveAttribute('data-picture', 'false');
  await ana.button('share').click();
  await bo.sees(bo.screenOf(ana));
  await ana.button('cam').click();
  await bo.sees(bo.tileOf(ana));
  await ana.button('mic').click();
  await bo.hears(1);
});
