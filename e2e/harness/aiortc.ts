/** A participant made with aiortc, an implementation of WebRTC that shares nothing with browsers. */
import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import type { Participant } from './platform.ts';

const E2E = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

interface Received {
  kind: 'audio' | 'video';
  frames: number;
  width: number;
  height: number;
  energy: number;
}

export class Aiortc {
  private latest: { connection: string; received: Record<string, Received> } = { connection: 'new', received: {} };
  private errors = '';

  private constructor(private readonly child: ChildProcess) {}

  /** Starts the client; it joins, sends, and asks for every stream it hears of. */
  static join(api: string, participant: Participant): Aiortc {
    const { meetingId, participantId, secret } = participant;
    const options = JSON.stringify({ api, meeting_id: meetingId, participant_id: participantId, secret });
    const python = path.join(E2E, '.venv', 'bin', 'python');
    const child = spawn(python, [path.join(E2E, 'aiortc', 'client.py'), options], { stdio: 'pipe' });
    const client = new Aiortc(child);
    createInterface({ input: child.stdout }).on('line', (line) => client.read(line));
    child.stderr.on('data', (data: Buffer) => {
      client.errors += data.toString();
    });
    return client;
  }

  private read(line: string): void {
    const message = JSON.parse(line) as typeof this.latest & { error?: unknown };
    if (message.error) this.errors += `${line}\n`;
    else this.latest = message;
  }

  /** What it decodes now, by kind; throws when the client has complained. */
  received(kind: 'audio' | 'video'): Received[] {
    if (this.errors !== '') throw new Error(`aiortc: ${this.errors}`);
    return Object.values(this.latest.received).filter((entry) => entry.kind === kind && entry.frames > 0);
  }

  /** Ends the client. */
  async leave(): Promise<void> {
    if (this.child.exitCode !== null) return;
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.stdin?.end();
    const late = setTimeout(() => this.child.kill('SIGKILL'), 10_000);
    await ended;
    clearTimeout(late);
  }
}
