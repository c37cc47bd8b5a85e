/** Every screen and state from made-up snapshots: the gallery of the web client, which is no part of the product. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { expect, test } from '@playwright/test';

import { SIZES, takePicture, THEMES, writeIndex } from '../harness/camera.ts';
import { serveFolder } from '../harness/pages.ts';

const APP = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', '..', 'web', 'apps', 'meet');

let folder = '';
let site: { url: string; close: () => void } | undefined;

test.beforeAll(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'althing-gallery-'));
  const args = ['exec', '--', 'vite', 'build', '--mode', 'gallery', '--logLevel', 'error', '--outDir', folder];
  execFileSync('npm', args, { cwd: APP, stdio: ['ignore', 'ignore', 'inherit'] });
  site = await serveFolder(folder);
});

test.afterAll(() => {
  site?.close();
  rmSync(folder, { recursive: true, force: true });
  writeIndex();
});

for (const [size, viewport] of Object.entries(SIZES)) {
  for (const theme of THEMES) {
    test(`gallery, ${size}, ${theme}`, async ({ browser }) => {
      test.setTimeout(300_000);
      const isPhone = size === 'phone';
      const options = { viewport, colorScheme: theme, hasTouch: isPhone, isMobile: isPhone };
      const context = await browser.newContext(options);
      const page = await context.newPage();
      const errors: string[] = [];
      page.on('pageerror', (error) => errors.push(error.message));
      await page.goto(`${site!.url}/gallery.html`);
      const scenes = await page.getByRole('link').allTextContents();
      expect(scenes.length).toBeGreaterThan(20);
      for (const scene of scenes) {
        await page.goto(`${site!.url}/gallery.html?scene=${scene}&theme=${theme}`);
        await expect(page.locator('#root > *').first()).toBeAttached();
        await takePicture(page, scene, size, theme);
      }
      expect(errors).toEqual([]);
      await context.close();
    });
  }
}
