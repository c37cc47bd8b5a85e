/** The page without any library (`pages/raw`), driven from a test. */
import type { BrowserContext, Page } from '@playwright/test';

import type { JoinOptions } from '../pages/raw/main.ts';
import { watchPeerConnections } from './stats.ts';

/** Opens the page and joins with it. */
export async function joinRaw(context: BrowserContext, pageUrl: string, options: JoinOptions): Promise<Page> {
  const page = await context.newPage();
  await watchPeerConnections(page);
  await page.goto(pageUrl);
  await page.evaluate((given) => window.raw.join(given), options);
  return page;
}

/** Waits for a roster of so many streams and asks for all of them. */
export async function requestAll(page: Page, streams: number): Promise<Record<string, string>> {
  await page.waitForFunction((count) => window.raw.roster.length === count, streams, { polling: 200 });
  return page.evaluate(() => window.raw.requestAll());
}
