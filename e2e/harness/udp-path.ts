/**
 * A network path that a test can cut: a relay of datagrams between browsers and the media port. To the program each
 * browser behind a path is one remote address; a new path gives it a new one, as a change of network does.
 */
import { createSocket, type Socket } from 'node:dgram';

import type { Page } from '@playwright/test';

declare global {
  interface Window {
    /** The port that candidates in answers are rewritten to. */
    mediaPathPort: number;
  }
}

/** Packets of pictures are longer than those of sound and of feedback. */
const MEDIA_BYTES_MIN = 300;

export class UdpPath {
  private readonly upstream = new Map<number, Socket>();
  private isCut = false;
  private dropEvery = 0;
  private media = 0;
  private readonly harm = { up: { every: 0, count: 0 }, down: { every: 0, count: 0 } };
  /** Datagrams that went through, both ways. */
  forwarded = 0;

  private constructor(
    private readonly front: Socket,
    private readonly mediaPort: number,
  ) {}

  /** Opens a path to this media port on this machine. */
  static async open(mediaPort: number): Promise<UdpPath> {
    const front = createSocket('udp4');
    await new Promise<void>((resolve) => front.bind(0, '127.0.0.1', resolve));
    const path = new UdpPath(front, mediaPort);
    front.on('message', (data, client) => path.fromClient(data, client.port));
    return path;
  }

  get port(): number {
    return this.front.address().port;
  }

  private fromClient(data: Buffer, clientPort: number): void {
    if (this.isCut) return;
    let socket = this.upstream.get(clientPort);
    if (socket === undefined) {
      socket = createSocket('udp4');
      this.upstream.set(clientPort, socket);
      socket.on('message', (answer) => {
        if (this.isCut || this.isLost(answer) || this.isHarmed('down', answer)) return;
        this.forwarded += 1;
        this.front.send(answer, clientPort, '127.0.0.1');
      });
    }
    if (this.isHarmed('up', data)) return;
    this.forwarded += 1;
    socket.send(data, this.mediaPort, '127.0.0.1');
  }

  /** Whether this datagram to the client is one of those that get lost: media only, not checks and handshakes. */
  private isLost(datagram: Buffer): boolean {
    const first = datagram[0] ?? 0;
    const isMedia = first >= 128 && first < 192 && datagram.length > MEDIA_BYTES_MIN;
    if (!isMedia || this.dropEvery === 0) return false;
    this.media += 1;
    return this.media % this.dropEvery === 0;
  }

  /** From now on every so manyth packet of a picture to the client is lost; 0: none. */
  lose(every: number): void {
    this.dropEvery = every;
  }

  /** From now on every so manyth packet in this direction is lost, of sound and pictures alike; 0: none. */
  loseOfAll(direction: 'up' | 'down', every: number): void {
    this.harm[direction].every = every;
  }

  /** Feedback passes (RFC 5761 §4), checks and handshakes too. */
  private isHarmed(direction: 'up' | 'down', datagram: Buffer): boolean {
    const [first = 0, second = 0] = datagram;
    const harm = this.harm[direction];
    if (first < 128 || first >= 192 || (second >= 192 && second < 224) || harm.every === 0) return false;
    harm.count += 1;
    return harm.count % harm.every === 0;
  }

  /** From now on nothing passes. */
  cut(): void {
    this.isCut = true;
  }

  close(): void {
    this.isCut = true;
    this.front.close();
    for (const socket of this.upstream.values()) socket.close();
    this.upstream.clear();
  }
}

/** Sends the page's media over this path: its candidates take the place of the program's. Before the page loads. */
export async function usePath(page: Page, path: UdpPath): Promise<void> {
  await page.addInitScript((port) => {
    window.mediaPathPort = port;
    const rewritten = (line: string): string[] => {
      const match = /^(a=candidate:\S+ \d+) (udp|tcp) (\d+) \S+ \d+(.*)$/i.exec(line);
      if (match === null) return [line];
      // Only the path: no other address, no TCP.
      const [, head, protocol, priority, tail] = match;
      return protocol?.toLowerCase() === 'udp'
        ? [`${head} udp ${priority} 127.0.0.1 ${window.mediaPathPort}${tail}`]
        : [];
    };
    const Original = window.RTCPeerConnection;
    window.RTCPeerConnection = class extends Original {
      override setRemoteDescription(description: RTCSessionDescriptionInit): Promise<void> {
        const lines = (description.sdp ?? '').split('\r\n').flatMap(rewritten);
        return super.setRemoteDescription({ type: description.type, sdp: lines.join('\r\n') });
      }
    };
  }, path.port);
}

/** From its next answer on, the page uses this path. */
export async function changePath(page: Page, path: UdpPath): Promise<void> {
  await page.evaluate((port) => {
    window.mediaPathPort = port;
  }, path.port);
}
