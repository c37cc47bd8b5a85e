/**
 * A client without any library: WebSocket, `RTCPeerConnection` and the messages of the platform API. It offers exactly
 * what a test asks for, which the web client does not do.
 */

interface JoinOptions {
  api: string;
  meetingId: string;
  participantId: string;
  secret: string;
  /** The one codec to send in, by the name of its MIME subtype; null: send nothing of this kind. */
  audio: string | null;
  video: string | null;
  /** Receiving m-lines of each kind. */
  slots: { audio: number; video: number };
  /** The transport policy of the browser. */
  protocols?: 'udp' | 'tcp';
}

interface Stream {
  producerId: string;
  streamId: string;
  type: 'audio' | 'video';
  codec: string;
  semantic: string;
  layers: { rid: string; width: number; height: number }[];
}

type Message = { type: string; ref?: string } & Record<string, unknown>;

class RawClient {
  pc: RTCPeerConnection | undefined;
  socket: WebSocket | undefined;
  roster: Stream[] = [];
  /** What has come over the WebSocket, by type. */
  received: Message[] = [];
  closeCode: number | undefined;
  private count = 0;
  private readonly waiting = new Map<string, (message: Message) => void>();

  async join(options: JoinOptions): Promise<void> {
    const details = await this.rest(options, `/v1/meetings/${options.meetingId}/join`, {
      participant_id: options.participantId,
      participant_secret: options.secret,
    });
    await this.open(details['location'] as string);
    const answer = await this.ask({
      type: 'authenticate',
      token: details['token'] as string,
      participant_id: options.participantId,
    });
    if (answer.type !== 'success') throw new Error(JSON.stringify(answer));
    await this.connect(options);
  }

  private async rest(options: JoinOptions, path: string, body: unknown): Promise<Record<string, unknown>> {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(options.api + path, { method: 'POST', headers, body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as Record<string, unknown>;
  }

  private open(location: string): Promise<void> {
    const socket = new WebSocket(location);
    this.socket = socket;
    socket.onmessage = (event) => this.handle(JSON.parse(event.data as string) as Message);
    socket.onclose = (event) => {
      this.closeCode = event.code;
    };
    return new Promise((resolve, reject) => {
      socket.onopen = () => resolve();
      socket.onerror = () => reject(new Error(`no WebSocket at ${location}`));
    });
  }

  private handle(message: Message): void {
    this.received.push(message);
    if (message.type === 'roster_update') this.roster = streamsOf(message);
    const key = message.ref ?? message.type;
    this.waiting.get(key)?.(message);
    this.waiting.delete(key);
  }

  /** Sends a message and waits for what carries its id as `ref`. */
  ask(message: Message): Promise<Message> {
    const id = `m${++this.count}`;
    const answer = new Promise<Message>((resolve) => this.waiting.set(id, resolve));
    this.socket?.send(JSON.stringify({ ...message, id }));
    return answer;
  }

  private async connect(options: JoinOptions): Promise<void> {
    const pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
    this.pc = pc;
    const constraints = { audio: options.audio !== null, video: options.video !== null && { width: 640, height: 360 } };
    const stream = await navigator.mediaDevices.getUserMedia(constraints);
    for (const kind of ['audio', 'video'] as const) {
      const codec = options[kind];
      const track = stream.getTracks().find((t) => t.kind === kind);
      if (codec === null || track === undefined) continue;
      pc.addTransceiver(track, { direction: 'sendonly', streams: [stream] }).setCodecPreferences(only(kind, codec));
    }
    for (const kind of ['audio', 'video'] as const) {
      for (let i = 0; i < options.slots[kind]; i++) pc.addTransceiver(kind, { direction: 'recvonly' });
    }
    pc.ontrack = ({ track }) => play(track);
    await this.offer(options);
  }

  /** Offers and applies the answer. */
  async offer(options?: Pick<JoinOptions, 'protocols'>): Promise<void> {
    const pc = this.pc;
    if (pc === undefined) throw new Error('not connected');
    await pc.setLocalDescription();
    const answer = new Promise<Message>((resolve) => this.waiting.set('media_offer', resolve));
    this.socket?.send(JSON.stringify({ type: 'media_offer', sdp: pc.localDescription?.sdp }));
    let sdp = (await answer)['sdp'] as string;
    if (options?.protocols) sdp = onlyProtocol(sdp, options.protocols);
    await pc.setRemoteDescription({ type: 'answer', sdp });
  }

  /** Asks for every stream of the roster; the m-lines on which they come. */
  async requestAll(): Promise<Record<string, string>> {
    const mids: Record<string, string> = {};
    for (const stream of this.roster) {
      const answer = await this.request(stream.producerId, stream.streamId, null, null);
      mids[stream.streamId] = answer['receive_mid'] as string;
    }
    return mids;
  }

  request(producerId: string, streamId: string, rid: string | null, receiveMid: string | null): Promise<Message> {
    const ids = { producer_id: producerId, stream_id: streamId };
    return this.ask({ type: 'request_stream', ...ids, rid, receive_mid: receiveMid });
  }

  close(): void {
    this.pc?.close();
    this.socket?.close(1000);
  }
}

function streamsOf(message: Message): Stream[] {
  const participants = message['participants'] as Record<string, { streams: Record<string, Omit<Stream, 'streamId'>> }>;
  return Object.entries(participants).flatMap(([producerId, { streams }]) =>
    Object.entries(streams).map(([streamId, stream]) => ({ ...stream, producerId, streamId })),
  );
}

/** The codecs of this name, with what carries their repair. */
function only(kind: 'audio' | 'video', name: string): RTCRtpCodec[] {
  const all = RTCRtpReceiver.getCapabilities(kind)?.codecs ?? [];
  const wanted = all.filter((codec) => codec.mimeType.toLowerCase() === `${kind}/${name.toLowerCase()}`);
  if (wanted.length === 0) throw new Error(`this browser has no ${name}`);
  return [...wanted, ...all.filter((codec) => codec.mimeType.toLowerCase() === `${kind}/rtx`)];
}

function onlyProtocol(sdp: string, protocol: string): string {
  const keep = (line: string) => !line.startsWith('a=candidate:') || line.split(' ')[2]?.toLowerCase() === protocol;
  return sdp.split('\r\n').filter(keep).join('\r\n');
}

/** A browser decodes only what is played. */
function play(track: MediaStreamTrack): void {
  const element = document.createElement(track.kind === 'audio' ? 'audio' : 'video');
  element.autoplay = true;
  element.srcObject = new MediaStream([track]);
  document.body.append(element);
}

const raw = new RawClient();
declare global {
  interface Window {
    raw: RawClient;
  }
}
window.raw = raw;
export type { JoinOptions, RawClient };
