/** Which browsers, with which flags. */
import { accessSync, constants } from 'node:fs';
import path from 'node:path';

import puppeteer, { type Browser } from 'puppeteer-core';

/** The first of these programs that is on the path. */
function program(override: string | undefined, names: string[]): string {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter);
  const candidates = override ? [override] : names.flatMap((name) => folders.map((folder) => path.join(folder, name)));
  const found = candidates.find((candidate) => {
    try {
      accessSync(candidate, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  if (found === undefined) throw new Error(`none of ${names.join(', ')} is installed; scripts/setup-e2e gets it`);
  return found;
}

export const CHROMIUM = program(process.env['ALTHING_CHROMIUM'], ['chromium', 'chromium-browser', 'google-chrome']);

/** Cameras and microphones that need no hardware, and sound that needs no click. */
export const CHROMIUM_FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // A tab that is not in front goes on like the others: all participants of a test share one browser.
  '--disable-background-timer-throttling',
  '--disable-backgrounding-occluded-windows',
  '--disable-renderer-backgrounding',
  // Addresses of this machine, loopback too, so that no network is needed.
  '--allow-loopback-in-peer-connection',
  '--use-fake-ui-for-media-stream',
  // Of the three, the second speaks a format (16-bit depth) that a browser shows but does not send.
  '--use-fake-device-for-media-stream=device-count=3',
  '--autoplay-policy=no-user-gesture-required',
];

/** Firefox, over WebDriver BiDi, with a fake camera and microphone. */
export async function launchFirefox(): Promise<Browser> {
  return puppeteer.launch({
    browser: 'firefox',
    executablePath: program(process.env['ALTHING_FIREFOX'], ['firefox-esr', 'firefox']),
    headless: true,
    extraPrefsFirefox: {
      'media.navigator.streams.fake': true,
      'media.navigator.permission.disabled': true,
      'media.peerconnection.ice.obfuscate_host_addresses': false,
      'media.peerconnection.ice.loopback': true,
      'media.autoplay.default': 0,
    },
  });
}
