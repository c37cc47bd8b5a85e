/** Takes the pictures of `docs/screens`: small ones, WebP as the browser makes it. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import type { Page } from '@playwright/test';

const FOLDER = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', '..', 'docs', 'screens');

/** A picture of the documents is no larger. */
const BYTES_MAX = 120_000;

/** How long moving things may take to come to rest. */
const REST_MS = 1_500;

export const SIZES = { desktop: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } };
export const THEMES = ['light', 'dark'] as const;

/** Takes a picture of a state; its file is named after all three. */
export async function takePicture(page: Page, state: string, size: string, theme: string): Promise<void> {
  await page.evaluate(rest, REST_MS);
  const session = await page.context().newCDPSession(page);
  for (const quality of [75, 55, 35]) {
    const { data } = await session.send('Page.captureScreenshot', { format: 'webp', quality });
    const picture = Buffer.from(data, 'base64');
    if (picture.length > BYTES_MAX && quality > 35) continue;
    mkdirSync(FOLDER, { recursive: true });
    writeFileSync(path.join(FOLDER, `${state}-${size}-${theme}.webp`), picture);
    break;
  }
  await session.detach();
}

/** Runs in the page: fonts are there, and what moves has come to rest, but for what moves for ever. */
async function rest(atMostMs: number): Promise<void> {
  const moving = document.getAnimations().filter((animation) => animation.effect?.getTiming().iterations !== Infinity);
  const settled = Promise.allSettled([document.fonts.ready, ...moving.map((animation) => animation.finished)]);
  await Promise.race([settled, new Promise((resolve) => setTimeout(resolve, atMostMs))]);
}

/** Writes the page that lists all pictures. */
export function writeIndex(): void {
  const names = readdirSync(FOLDER).filter((name) => name.endsWith('.webp'));
  const states = [...new Set(names.map((name) => name.replace(/-(desktop|phone)-(light|dark)\.webp$/, '')))].sort();
  const cell = (name: string, text: string) => (names.includes(name) ? `[${text}](${name})` : '');
  const rows = states.map((state) => {
    const cells = Object.keys(SIZES).flatMap((size) => THEMES.map((t) => cell(`${state}-${size}-${t}.webp`, t)));
    return `| ${state} | ${cells.join(' | ')} |`;
  });
  const text =
    '<!-- Written by `make screens`. Do not edit. -->\n\n# Screens\n\n' +
    'Every screen and state at 1440×900 and 390×844. Those that begin with `live-` are the real program with several\n' +
    'browsers in a meeting; the others are the same views with made-up snapshots, for states that are hard to bring about.\n\n' +
    '| state | desktop | | phone | |\n|---|---|---|---|---|\n';
  writeFileSync(path.join(FOLDER, 'README.md'), `${text}${rows.join('\n')}\n`);
}
