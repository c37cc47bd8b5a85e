/** The meeting app as a person uses it. Finds things as `web/apps/meet/TESTIDS.md` says. */
import { type Browser, type BrowserContextOptions, expect, type Locator, type Page } from '@playwright/test';

import { type Inbound, report, watchPeerConnections } from './stats.ts';

export const DESKTOP = { width: 1280, height: 720 };

interface JoinOptions extends BrowserContextOptions {
  /** Runs before the page is loaded. */
  prepare?: (page: Page) => Promise<void>;
}

/** Somebody in the meeting, in a browser of their own. */
export class Person {
  private constructor(
    readonly name: string,
    readonly page: Page,
  ) {}

  /** Opens the link in a clean browser: the screen before joining. */
  static async open(browser: Browser, link: string, name: string, options: JoinOptions = {}): Promise<Person> {
    const { prepare, ...contextOptions } = options;
    const context = await browser.newContext({ viewport: DESKTOP, ...contextOptions });
    const page = await context.newPage();
    await watchPeerConnections(page);
    await prepare?.(page);
    await page.goto(link);
    return new Person(name, page);
  }

  /** Opens the link, gives the name, joins. */
  static async join(browser: Browser, link: string, name: string, options: JoinOptions = {}): Promise<Person> {
    const person = await Person.open(browser, link, name, options);
    await person.enter();
    return person;
  }

  /** From the screen before joining into the meeting. */
  async enter(): Promise<void> {
    await this.page.getByTestId('name-input').fill(this.name);
    await expect(this.page.getByTestId('preview')).toHaveAttribute('data-camera', 'live');
    await this.page.getByTestId('join').click();
    await this.isIn();
  }

  /** Waits until the meeting is on the screen. */
  async isIn(): Promise<void> {
    await expect(this.page.getByTestId('meeting')).toBeVisible();
  }

  async close(): Promise<void> {
    await this.page.context().close();
  }

  get toolbar(): Locator {
    return this.page.getByRole('toolbar', { name: 'Meeting controls' });
  }

  button(testId: string): Locator {
    return this.page.getByTestId(testId);
  }

  /** Tiles of others (`camera`, `screen`). */
  tiles(kind?: 'camera' | 'screen'): Locator {
    const ofKind = kind === undefined ? '' : `[data-kind="${kind}"]`;
    return this.page.locator(`[data-testid="tile"][data-own="false"]${ofKind}`);
  }

  /** The tile of one other person's camera. */
  tileOf(other: Person): Locator {
    return this.tiles('camera').filter({ has: this.page.locator('.tile__name', { hasText: exactly(other.name) }) });
  }

  /** The tile of a screen that another person shares. */
  screenOf(other: Person): Locator {
    return this.tiles('screen').filter({ hasText: other.name });
  }

  /** The own participant id. */
  async participantId(): Promise<string> {
    const own = this.page.locator('[data-testid="tile"][data-own="true"][data-kind="self"]');
    return (await own.getAttribute('data-participant')) ?? '';
  }

  /** What arrives for the picture of a tile, by the browser's own count. */
  async inboundOf(tile: Locator): Promise<Inbound> {
    const track = await tile.locator('video').evaluate((video: HTMLVideoElement) => {
      const stream = video.srcObject instanceof MediaStream ? video.srcObject : undefined;
      return stream?.getVideoTracks()[0]?.id ?? '';
    });
    return this.inboundOfTrack(track);
  }

  /** What arrives on a received track. */
  async inboundOfTrack(track: string): Promise<Inbound> {
    const found = (await report(this.page)).inbound.find((stream) => stream.track === track);
    return found ?? NOTHING;
  }

  /** Waits until the picture of a tile goes on: frames are decoded while we look. */
  async sees(tile: Locator, wanted: (stream: Inbound) => boolean = () => true): Promise<void> {
    let last = -1;
    await expect
      .poll(
        async () => {
          if ((await tile.count()) !== 1) return `${await tile.count()} such tiles`;
          if ((await tile.locator('video').count()) !== 1) return 'no picture';
          const stream = await this.inboundOf(tile);
          const grows = last >= 0 && stream.framesDecoded > last;
          last = stream.framesDecoded;
          if (!grows) return `no new frame after ${last}`;
          return wanted(stream) ? 'seen' : `${stream.width}x${stream.height}`;
        },
        { message: `${this.name} sees it`, intervals: [400] },
      )
      .toBe('seen');
  }

  /** Waits until so many others are heard: packets come, with energy in them. */
  async hears(count: number): Promise<void> {
    let last = new Map<string, number>();
    await expect
      .poll(
        async () => {
          const sounds = (await report(this.page)).inbound.filter((stream) => stream.kind === 'audio');
          const heard = sounds.filter((s) => s.packets > (last.get(s.track) ?? s.packets) && s.audioEnergy > 0);
          last = new Map(sounds.map((stream) => [stream.track, stream.packets]));
          return heard.length;
        },
        { message: `${this.name} hears ${count}`, intervals: [400] },
      )
      .toBe(count);
  }

  /** Waits until these and nobody else are in the meeting, each seen. */
  async seesAll(others: Person[]): Promise<void> {
    await expect(this.tiles('camera')).toHaveCount(others.length);
    for (const other of others) await this.sees(this.tileOf(other));
  }

  /** Opens the menu of a tool and chooses. */
  async choose(menu: string, item: string, index = 0): Promise<void> {
    await this.button(menu).click();
    await this.button(item).nth(index).click();
  }

  /** Presses a button of a tile, which shows when the pointer is over it. */
  async pressOn(tile: Locator, testId: string): Promise<void> {
    await tile.hover();
    await tile.getByTestId(testId).click();
  }
}

const NOTHING: Inbound = {
  mid: '',
  track: '',
  kind: 'video',
  bytes: 0,
  packets: 0,
  framesDecoded: 0,
  width: 0,
  height: 0,
  audioLevel: 0,
  audioEnergy: 0,
  codec: '',
  nacks: 0,
  plis: 0,
  retransmitted: 0,
  discarded: 0,
};

function exactly(text: string): RegExp {
  return new RegExp(`^${text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`);
}

/** Everybody in one new meeting, each in a browser of their own. */
export async function meetingOf(browser: Browser, link: string, names: string[]): Promise<Person[]> {
  const people = [];
  for (const name of names) people.push(await Person.join(browser, link, name));
  return people;
}

/** Everybody leaves: their browsers are closed. */
export async function closeAll(people: Person[]): Promise<void> {
  for (const person of people.splice(0)) await person.close();
}
