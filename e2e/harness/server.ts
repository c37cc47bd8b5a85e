/** The real program, started on free ports with a data folder of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { createSocket } from 'node:dgram';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { test } from '@playwright/test';

const ROOT = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));
const PROGRAM = process.env['ALTHING_PROGRAM'] ?? path.join(ROOT, 'target', 'debug', 'althing');

/** Everybody of a meeting on another media unit than the one before: whoever takes part must not notice. */
export const TWO_UNITS = ['--units', '2', '--room-unit-peers', '1'];

/** All media over the one port that the server says: for tests that lay something in the way to it. */
export const ONE_UNIT = ['--units', '1'];

/** How long the program may take to be ready, and to stop. */
const READY_MS = 20_000;
const STOP_MS = 15_000;
/** The end of the log that is shown with a failed test. */
const LOG_CHARS = 200_000;

export class Server {
  private child: ChildProcess | undefined;
  private output = '';

  private constructor(
    readonly dataDir: string,
    readonly httpPort: number,
    readonly mediaPort: number,
    private readonly args: string[],
    private readonly listen: string,
  ) {}

  /** Starts a program with an empty data folder and waits until it is ready. */
  static async start(args: string[] = [], listen = '127.0.0.1'): Promise<Server> {
    const dataDir = mkdtempSync(path.join(os.tmpdir(), 'althing-e2e-'));
    const server = new Server(dataDir, await freePort(), await freePort(), args, listen);
    await server.launch();
    return server;
  }

  /** Where it serves: a secure context for browsers, as it is this machine. */
  get url(): string {
    return `http://127.0.0.1:${this.httpPort}`;
  }

  /** Everything it has logged. */
  get log(): string {
    return this.output;
  }

  private async launch(): Promise<void> {
    const args = ['serve', '--data-dir', this.dataDir, '--http', `${this.listen}:${this.httpPort}`, '--https', 'off'];
    args.push('--media-port', `${this.mediaPort}`, ...this.args);
    const child = spawn(PROGRAM, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { RUST_LOG: 'info', ...process.env },
    });
    this.child = child;
    const keep = (data: Buffer) => {
      this.output = (this.output + data.toString()).slice(-LOG_CHARS);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', (error) => keep(Buffer.from(`${PROGRAM}: ${error.message}\n`)));
    const deadline = Date.now() + READY_MS;
    while (!(await this.isReady())) {
      if (child.exitCode !== null || Date.now() > deadline) {
        throw new Error(`the program is not ready (exit code ${child.exitCode}):\n${this.output}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  private async isReady(): Promise<boolean> {
    try {
      return (await fetch(`${this.url}/readyz`)).ok;
    } catch {
      return false;
    }
  }

  /** Stops it as a service manager would, or at once. The data folder stays. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<number | null> {
    const child = this.child;
    this.child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    child.kill(signal);
    const code = await ended;
    clearTimeout(late);
    return code;
  }

  /** Makes the media unit with the most people fail. Only debug builds can. */
  failUnit(): void {
    this.child?.kill('SIGUSR1');
  }

  /** Starts it again with the same ports and data. */
  async startAgain(): Promise<void> {
    await this.launch();
  }

  /** Stops it and removes its data. */
  async dispose(): Promise<void> {
    await this.stop();
    rmSync(this.dataDir, { recursive: true, force: true });
  }
}

/** A program for all tests of one file; its log is attached to a test that fails. */
export function serverForThisFile(args: string[] = [], listen?: string): () => Server {
  let server: Server | undefined;
  test.beforeAll(async () => {
    server = await Server.start(args, listen);
  });
  // eslint-disable-next-line no-empty-pattern
  test.afterEach(async ({}, info) => {
    if (info.status === info.expectedStatus || server === undefined) return;
    await info.attach('althing.log', { body: server.log, contentType: 'text/plain' });
    console.log(`--- end of the program's log ---\n${server.log.slice(-4000)}`);
  });
  test.afterAll(() => server?.dispose());
  return () => {
    if (server === undefined) throw new Error('the program is started before the first test');
    return server;
  };
}

/** Below the range from which systems take the ports of outgoing connections: those would hold one at random. */
const PORTS = { from: 12_000, below: 30_000 };

/** Media units that the program starts by itself, or that a test asks for: each takes one port more. */
const UNITS = Math.max(os.availableParallelism(), 2);

/** A port that is free for UDP and TCP, as are those after it: media may go over any. */
async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = PORTS.from + Math.floor(Math.random() * (PORTS.below - PORTS.from));
    const ports = Array.from({ length: UNITS }, (_, unit) => port + unit);
    const free = await Promise.all(ports.map(async (p) => (await isFreeForTcp(p)) && (await isFreeForUdp(p))));
    if (free.every(Boolean)) return port;
  }
  throw new Error('no port is free');
}

async function isFreeForTcp(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '0.0.0.0', () => probe.close(() => resolve(true)));
  });
}

async function isFreeForUdp(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createSocket('udp4');
    probe.once('error', () => resolve(false));
    probe.bind(port, '0.0.0.0', () => probe.close(() => resolve(true)));
  });
}
