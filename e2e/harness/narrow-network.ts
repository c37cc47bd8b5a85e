/**
 * A network of its own for one browser, with a link that can be made narrow: a network namespace of Linux, joined to
 * this machine by a pair of virtual interfaces, and a token bucket with a queue on the way to the browser.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { type Browser, chromium } from '@playwright/test';

import { CHROMIUM, CHROMIUM_FLAGS } from './browsers.ts';

/** Address of this machine on the link, and of the browser. */
export const HOST = '10.77.41.1';
const GUEST = '10.77.41.2';

/** Bytes that pass at once, and how long a packet waits at most: a home router's short queue. */
const BURST_BYTES = 6_000;
const QUEUE_MS = 200;

export class NarrowNetwork {
  private readonly folder = mkdtempSync(path.join(os.tmpdir(), 'althing-net-'));

  private constructor(private readonly name: string) {}

  /** Why there can be none here; undefined where there can. */
  static missing(): string | undefined {
    if (process.getuid?.() !== 0) return 'a network namespace needs root';
    for (const tool of ['ip', 'tc']) {
      if (spawnSync(tool, ['-V']).status !== 0) return `${tool} is not installed (iproute2)`;
    }
    try {
      const network = NarrowNetwork.open();
      try {
        network.limit(1_000);
      } finally {
        network.close();
      }
      return undefined;
    } catch (error) {
      return `no network namespace with a limited link can be made: ${String(error)}`;
    }
  }

  static open(): NarrowNetwork {
    forgetThoseOfEndedProcesses();
    const network = new NarrowNetwork(`althing${process.pid}`);
    const guest = `${network.name}g`.slice(-15);
    network.ip('netns', 'add', network.name);
    network.ip('link', 'add', network.host, 'type', 'veth', 'peer', 'name', guest);
    network.ip('link', 'set', guest, 'netns', network.name);
    network.ip('addr', 'add', `${HOST}/30`, 'dev', network.host);
    network.ip('link', 'set', network.host, 'up');
    for (const inside of [
      ['addr', 'add', `${GUEST}/30`, 'dev', guest],
      ['link', 'set', guest, 'up'],
      ['link', 'set', 'lo', 'up'],
    ]) {
      network.ip('-n', network.name, ...inside);
    }
    return network;
  }

  /** A browser behind the link. Pages of `origin` may use cameras, as if they came by HTTPS. */
  async launch(origin: string): Promise<Browser> {
    const program = path.join(this.folder, 'chromium');
    writeFileSync(program, `#!/bin/sh\nexec ip netns exec ${this.name} ${CHROMIUM} "$@"\n`);
    chmodSync(program, 0o755);
    const args = [...CHROMIUM_FLAGS, `--unsafely-treat-insecure-origin-as-secure=${origin}`];
    return chromium.launch({ executablePath: program, args, headless: true });
  }

  /** From now on so much passes to the browser, in kbit/s; undefined: everything. */
  limit(kbps: number | undefined): void {
    spawnSync('tc', ['qdisc', 'del', 'dev', this.host, 'root'], { stdio: 'ignore' });
    if (kbps === undefined) return;
    const bucket = ['rate', `${kbps}kbit`, 'burst', `${BURST_BYTES}`, 'latency', `${QUEUE_MS}ms`];
    execFileSync('tc', ['qdisc', 'add', 'dev', this.host, 'root', 'tbf', ...bucket]);
  }

  /** Takes it away; both interfaces go with the namespace. */
  close(): void {
    this.ip('netns', 'del', this.name);
    rmSync(this.folder, { recursive: true, force: true });
  }

  private get host(): string {
    return `${this.name}h`.slice(-15);
  }

  private ip(...args: string[]): void {
    execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'inherit'] });
  }
}

/** A run that was killed leaves its namespace, and with it the address on this machine. */
function forgetThoseOfEndedProcesses(): void {
  const list = spawnSync('ip', ['netns', 'list'], { encoding: 'utf8' }).stdout;
  for (const [name, pid] of list.matchAll(/^althing(\d+)/gm)) {
    if (!existsSync(`/proc/${pid}`)) spawnSync('ip', ['netns', 'del', name], { stdio: 'ignore' });
  }
}
