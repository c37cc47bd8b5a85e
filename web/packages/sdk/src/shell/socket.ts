/** One WebSocket: text in and out, nothing decided. */
import type { ClientMessage, Envelope, ServerMessage } from '@althing/wire';

export interface SocketHost {
  onOpen(): void;
  onMessage(ref: string | null, message: ServerMessage): void;
  onClosed(code: number): void;
}

export class Socket {
  private readonly socket: WebSocket | null;
  private closed = false;

  constructor(url: string, host: SocketHost) {
    this.socket = connect(url);
    if (this.socket === null) {
      queueMicrotask(() => host.onClosed(1006));
      return;
    }
    this.socket.addEventListener('open', () => this.closed || host.onOpen());
    this.socket.addEventListener('message', (event) => {
      const parsed = this.closed ? null : parse(event.data);
      if (parsed !== null) host.onMessage(parsed.ref ?? null, parsed);
    });
    this.socket.addEventListener('close', (event) => this.closed || host.onClosed(event.code));
  }

  send(id: string, message: ClientMessage): void {
    const envelope: Envelope<ClientMessage> = { ...message, id };
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(envelope));
  }

  /** Nothing more is told of this socket. */
  close(code: number): void {
    this.closed = true;
    this.socket?.close(code);
  }
}

/** A URL that is none is like a server that is not there. */
function connect(url: string): WebSocket | null {
  try {
    return new WebSocket(url);
  } catch {
    return null;
  }
}

/** What is no message is left out: the server is of another version, and the next message may be good. */
function parse(data: unknown): Envelope<ServerMessage> | null {
  if (typeof data !== 'string') return null;
  try {
    const value: unknown = JSON.parse(data);
    return typeof value === 'object' && value !== null && 'type' in value ? (value as Envelope<ServerMessage>) : null;
  } catch {
    return null;
  }
}
