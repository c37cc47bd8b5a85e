// How long from *Join* to the first picture of somebody else, in Chromium, over the real program in its release build.
// Prints a table, and one line of JSON. A benchmark, not a test: nothing fails because it is slow.
//
//   make bench-join BENCH="--joins 30"
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { chromium } from '@playwright/test';

const { values } = parseArgs({ options: { joins: { type: 'string', default: '20' }, url: { type: 'string' } } });
const joins = Number(values.joins);
/** What a join is made of, in order. */
const STEPS = ['guest', 'details', 'socket', 'offer', 'answer', 'connected', 'picture'];
const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', '..');
const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--allow-loopback-in-peer-connection',
  '--use-fake-ui-for-media-stream',
  '--use-fake-device-for-media-stream',
  '--autoplay-policy=no-user-gesture-required',
];

const server = values.url ? { url: values.url, stop: async () => {} } : await startServer();
const browser = await chromium.launch({
  executablePath: process.env.ALTHING_CHROMIUM ?? '/usr/bin/chromium',
  args: flags,
});
try {
  const { name } = await (await fetch(`${server.url}/meet/v1/rooms`, { method: 'POST' })).json();
  const link = `${server.url}/m/${name}`;
  await join(await browser.newContext(), link, 'Sender');
  const times = [];
  for (let i = 0; i < joins; i++) {
    const context = await browser.newContext();
    times.push(await join(context, link, `Viewer ${i + 1}`, true));
    await context.close();
  }
  report(times);
} finally {
  await browser.close();
  await server.stop();
}

/** Joins; with `measure`, milliseconds from the click to each step, the last of which is the first remote picture. */
async function join(context, link, name, measure = false) {
  const page = await context.newPage();
  await page.addInitScript(keepMarks);
  await page.goto(link);
  await page.getByTestId('name-input').fill(name);
  await page.waitForSelector('[data-testid="preview"][data-camera="live"]');
  await page.getByTestId('join').click();
  await page.getByTestId('meeting').waitFor();
  if (!measure) return {};
  await page.waitForFunction(() => {
    const video = document.querySelector('[data-testid="tile"][data-own="false"] video');
    video?.requestVideoFrameCallback((now) => (window.marks.picture ??= now));
    return window.marks.picture !== undefined;
  });
  const marks = await page.evaluate(() => window.marks);
  return Object.fromEntries(STEPS.map((step) => [step, marks[step] - marks.click]));
}

/** Runs in the page: remembers when each step of a join was done for the first time. */
function keepMarks() {
  window.marks = {};
  const mark = (name) => (window.marks[name] ??= performance.now());
  const isJoin = (target) => target instanceof Element && target.closest('[data-testid="join"]');
  addEventListener('click', (event) => isJoin(event.target) && mark('click'), true);
  const { fetch } = window;
  window.fetch = async (...request) => {
    const answer = await fetch(...request);
    const url = String(request[0]?.url ?? request[0]);
    if (url.endsWith('/participants')) mark('guest');
    if (url.endsWith('/join')) mark('details');
    return answer;
  };
  window.WebSocket = class extends WebSocket {
    constructor(...args) {
      super(...args);
      this.addEventListener('open', () => mark('socket'));
    }
  };
  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...args) {
      super(...args);
      this.addEventListener('connectionstatechange', () => this.connectionState === 'connected' && mark('connected'));
    }
    async setLocalDescription(...args) {
      await super.setLocalDescription(...args);
      mark('offer');
    }
    async setRemoteDescription(...args) {
      mark('answer');
      await super.setRemoteDescription(...args);
    }
  };
}

function quantile(numbers, part) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return Math.round(sorted[Math.min(sorted.length - 1, Math.ceil(part * sorted.length) - 1)]);
}

function report(joined) {
  const steps = Object.fromEntries(
    STEPS.map((step) => {
      const times = joined.map((marks) => marks[step]);
      return [step, { median_ms: quantile(times, 0.5), p95_ms: quantile(times, 0.95), max_ms: quantile(times, 1) }];
    }),
  );
  console.log(
    `\nfrom Join to the first remote picture, ${joined.length} joins, one machine, load ${os.loadavg()[0].toFixed(1)}`,
  );
  console.log('  done            median     95 %  slowest');
  for (const [step, { median_ms, p95_ms, max_ms }] of Object.entries(steps)) {
    console.log(`  ${step.padEnd(12)} ${[median_ms, p95_ms, max_ms].map((ms) => `${ms} ms`.padStart(9)).join('')}`);
  }
  const { picture } = steps;
  console.log(JSON.stringify({ benchmark: 'first-frame', joins: joined.length, ...picture, steps }));
}

async function startServer() {
  const port = await freePort();
  const dataDir = mkdtempSync(path.join(os.tmpdir(), 'althing-bench-'));
  const program = process.env.ALTHING_PROGRAM ?? path.join(root, 'target', 'release', 'althing');
  const args = ['serve', '--data-dir', dataDir, '--http', `127.0.0.1:${port}`, '--https', 'off', '--log', 'warn'];
  const child = spawn(program, [...args, '--media-port', '0'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const url = `http://127.0.0.1:${port}`;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`${program} ended with ${child.exitCode}`);
    if (
      await fetch(`${url}/readyz`).then(
        (answer) => answer.ok,
        () => false,
      )
    )
      break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const stop = async () => {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await ended;
    rmSync(dataDir, { recursive: true, force: true });
  };
  return { url, stop };
}

function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
