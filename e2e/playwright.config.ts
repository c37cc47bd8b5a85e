import { defineConfig } from '@playwright/test';

import { CHROMIUM, CHROMIUM_FLAGS } from './harness/browsers.ts';
import { NarrowNetwork } from './harness/narrow-network.ts';

/** Tests that need a network of their own, where none can be made. */
const withoutNetwork: string[] = [];
const missing = NarrowNetwork.missing();
if (missing !== undefined) {
  withoutNetwork.push('**/narrow.spec.ts');
  // Once: workers read this file, too.
  if (process.env['TEST_WORKER_INDEX'] === undefined) console.log(`without narrow.spec.ts: ${missing}`);
}

export default defineConfig({
  // Real-time media wants the processor for itself: one test at a time, in one browser that stays open.
  workers: 1,
  fullyParallel: false,
  retries: 0,
  forbidOnly: true,
  // Deadlines are generous: a condition that comes late on a busy machine is no fault.
  timeout: 180_000,
  expect: { timeout: 45_000 },
  outputDir: '.out',
  reporter: [['list']],
  use: {
    browserName: 'chromium',
    headless: true,
    launchOptions: { executablePath: CHROMIUM, args: CHROMIUM_FLAGS },
    // A trace costs more processor time than a meeting has to spare; ask for one with TRACE=1.
    trace: process.env['TRACE'] ? 'retain-on-failure' : 'off',
    screenshot: 'only-on-failure',
    video: 'off',
  },
  projects: [
    { name: 'tests', testDir: 'tests', testIgnore: withoutNetwork },
    { name: 'screens', testDir: 'screens' },
  ],
});
