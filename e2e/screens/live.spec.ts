/** The real program with several browsers in a meeting, on a desktop and a phone, light and dark. */
import { type Browser, expect, type Page, test } from '@playwright/test';

import { SIZES, takePicture, THEMES, writeIndex } from '../harness/camera.ts';
import { Person } from '../harness/meet.ts';
import { newRoom } from '../harness/platform.ts';
import { useScenery } from '../harness/scenery.ts';
import { serverForThisFile } from '../harness/server.ts';

const server = serverForThisFile();
test.describe.configure({ mode: 'serial' });

let others: Person[] = [];
let link = '';

test.beforeAll(async ({ browser }) => {
  link = `${server().url}/m/${await newRoom(server().url)}`;
  for (const [index, name] of ['Bo Lindqvist', 'Chi Okafor'].entries()) {
    others.push(await Person.join(browser, link, name, { prepare: (page) => useScenery(page, index + 1) }));
  }
});

test.afterAll(async () => {
  for (const person of others) await person.close();
  others = [];
  writeIndex();
});

for (const [size, viewport] of Object.entries(SIZES)) {
  for (const theme of THEMES) {
    test(`${size}, ${theme}`, async ({ browser }) => {
      test.setTimeout(240_000);
      const camera = new Camera(size, theme);
      const options = { viewport, colorScheme: theme, hasTouch: size === 'phone', isMobile: size === 'phone' };
      await takeDoors(browser, camera, options);
      const ana = await Person.open(browser, link, 'Ana Prado', {
        ...options,
        prepare: (page) => useScenery(page, 4),
      });
      await takeMeeting(ana, camera);
      await takeTrouble(ana, camera);
      await ana.close();
    });
  }
}

type Options = NonNullable<Parameters<typeof Person.open>[3]>;

/** The first page, and the screens before a meeting. */
async function takeDoors(browser: Browser, camera: Camera, options: Options) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  await useScenery(page, 4);
  await page.goto(server().url);
  await expect(page.getByTestId('new-meeting')).toBeVisible();
  await camera.take(page, 'start');
  await page.goto(link);
  await expect(page.getByTestId('preview')).toHaveAttribute('data-camera', 'live');
  await page.getByTestId('name-input').fill('Ana Prado');
  await camera.take(page, 'prejoin');
  await page.getByTestId('cam').click();
  await page.getByTestId('mic').click();
  await camera.take(page, 'prejoin-off');
  await page.getByTestId('settings').click();
  await camera.take(page, 'prejoin-settings');
  await context.close();

  const denied = await browser.newContext(options);
  const other = await denied.newPage();
  await other.addInitScript(() => {
    navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('denied', 'NotAllowedError'));
  });
  await other.goto(link);
  await expect(other.getByTestId('device-help')).toBeVisible();
  await camera.take(other, 'prejoin-denied');
  await other.goto(`${server().url}/m/no-such-room-here`);
  await other.getByTestId('name-input').fill('Ana');
  await other.route('**/meet/v1/**', (route) => route.abort());
  await other.getByTestId('join').click();
  await expect(other.getByTestId('joining').or(other.getByTestId('error-screen'))).toBeVisible();
  await camera.take(other, 'joining');
  await denied.close();
}

/** A meeting in its states. */
async function takeMeeting(ana: Person, camera: Camera) {
  const { page } = ana;
  const isPhone = camera.size === 'phone';
  const [bo] = others;
  await ana.enter();
  await ana.seesAll(others);
  await camera.take(page, 'meeting');

  await pressOneOf(ana, ['layout-toggle', 'layout-toggle-phone']);
  await camera.take(page, 'meeting-speaker');
  await pressOneOf(ana, ['layout-toggle', 'layout-toggle-phone']);

  await bo!.button('chat-toggle').click();
  await bo!.button('chat-input').fill('Here is the link to the numbers.');
  await bo!.button('chat-send').click();
  await bo!.button('panel-close').click();
  await pressOneOf(ana, ['chat-toggle', 'chat-toggle-phone']);
  await ana.button('chat-input').fill('Thank you, I have them now.');
  await ana.button('chat-send').click();
  await expect(ana.button('chat-message').last()).toHaveAttribute('data-delivery', 'sent');
  await camera.take(page, 'meeting-chat');
  await ana.button('panel-close').click();
  await pressOneOf(ana, ['people-toggle', 'people-toggle-phone']);
  await camera.take(page, 'meeting-people');
  await ana.button('panel-close').click();

  await bo!.button('share').click();
  await ana.sees(ana.screenOf(bo!));
  await camera.take(page, 'meeting-screen');
  await others[1]!.button('share').click();
  await expect(ana.button('screen-tab')).toHaveCount(2);
  await ana.sees(ana.screenOf(others[1]!));
  await camera.take(page, 'meeting-screens');
  for (const person of others) await person.button('stop-share').click();
  await expect(ana.tiles('screen')).toHaveCount(0);
  if (!isPhone) {
    await ana.button('share').click();
    await expect(ana.button('sharing-note')).toBeVisible();
    await camera.take(page, 'meeting-sharing');
    await ana.button('stop-share').click();
  }

  for (const [index, testId] of ['mic', 'cam'].entries()) {
    await bo!.button(testId).click();
    if (index === 1) await expect(ana.tileOf(bo!)).toHaveAttribute('data-picture', 'false');
  }
  await ana.button('mic').click();
  await camera.take(page, 'meeting-muted');
  for (const testId of ['mic', 'cam']) await bo!.button(testId).click();
  await ana.button('mic').click();

  if (!isPhone) {
    await ana.button('cam-menu').click();
    await camera.take(page, 'meeting-devices');
    await page.keyboard.press('Escape');
  }
  for (const [testId, state] of [
    ['more-invite', 'invite'],
    ['settings', 'settings'],
    ['statistics', 'statistics'],
    ['shortcuts', 'shortcuts'],
  ] as const) {
    await ana.button('more').click();
    if (!(await ana.button(testId).isVisible())) {
      await page.keyboard.press('Escape');
      continue;
    }
    await ana.button(testId).click();
    await camera.take(page, state);
    await ana.button('dialog-close').first().click();
  }
  for (const person of others) await person.button('leave').click();
  await expect(ana.button('alone')).toBeVisible();
  await camera.take(page, 'alone');
  for (const person of others) {
    await person.button('rejoin').click();
    if (await person.button('join').isVisible()) await person.button('join').click();
  }
  await ana.seesAll(others);
}

/** What breaks, and the end. */
async function takeTrouble(ana: Person, camera: Camera) {
  await server().stop();
  await expect(ana.button('banner-reconnecting')).toBeVisible();
  await camera.take(ana.page, 'reconnecting');
  await server().startAgain();
  await ana.seesAll(others);
  await ana.button('leave').click();
  await expect(ana.button('end-screen')).toBeVisible();
  await camera.take(ana.page, 'left');
}

/** Presses the button that this size has, in the menu where it is there. */
async function pressOneOf(person: Person, testIds: string[]) {
  for (const testId of testIds) {
    if (await person.button(testId).isVisible()) return person.button(testId).click();
  }
  await person.button('more').click();
  for (const testId of testIds) {
    if (await person.button(testId).isVisible()) return person.button(testId).click();
  }
  throw new Error(`none of ${testIds.join(', ')} is there`);
}

/** Takes pictures of one size and theme. */
class Camera {
  constructor(
    readonly size: string,
    private readonly theme: string,
  ) {}

  async take(page: Page, state: string): Promise<void> {
    await page.mouse.move(1, 1);
    await takePicture(page, `live-${state}`, this.size, this.theme);
  }
}
