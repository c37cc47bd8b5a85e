/** A small application on the published packages, unmodified: it joins, shows who is there, and receives on request. */
import {
  createRecvTransceivers,
  createVpaas,
  createVpaasSignals,
  type Roster,
  type Vpaas,
  type VpaasError,
} from '@pexip/vpaas-sdk';

interface JoinOptions {
  api: string;
  meetingId: string;
  participantId: string;
  secret: string;
}

class VpaasPage {
  roster: Roster = {};
  errors: VpaasError[] = [];
  reconnections = 0;
  private vpaas: Vpaas | undefined;

  async join({ api, meetingId, participantId, secret }: JoinOptions): Promise<void> {
    const signals = createVpaasSignals();
    signals.onRosterUpdate.add((roster) => {
      this.roster = roster;
    });
    signals.onError.add((error) => {
      this.errors.push(error);
    });
    signals.onReconnected.add(() => {
      this.reconnections += 1;
    });
    signals.onRemoteStreams.add((config) => {
      const track = config.transceiver?.receiver.track;
      if (track) play(track);
    });
    this.vpaas = createVpaas({ vpaasSignals: signals, config: {} });
    await this.vpaas.joinMeeting({ apiAddress: api, meetingId, participantId, participantSecret: secret });
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 1280, height: 720 } });
    this.vpaas.connect({
      mediaInits: [
        { content: 'main', direction: 'sendonly', kindOrTrack: firstOf(stream.getAudioTracks()), streams: [stream] },
        {
          content: 'main',
          direction: 'sendonly',
          kindOrTrack: firstOf(stream.getVideoTracks()),
          streams: [stream],
          sendEncodings: [
            { rid: 'l', scaleResolutionDownBy: 4, maxWidth: 320, maxHeight: 180 },
            { rid: 'm', scaleResolutionDownBy: 2, maxWidth: 640, maxHeight: 360 },
            { rid: 'h', maxWidth: 1280, maxHeight: 720 },
          ],
        },
        ...createRecvTransceivers('audio', 9, 'main'),
        ...createRecvTransceivers('video', 9, 'main'),
      ],
    });
  }

  /** Asks for a stream; the m-line on which it comes. */
  async request(producerId: string, streamId: string, rid: string | null, receiveMid: string | null): Promise<string> {
    if (this.vpaas === undefined) throw new Error('not joined');
    const ids = { producer_id: producerId, stream_id: streamId };
    const answer = await this.vpaas.requestStream({ ...ids, rid, receive_mid: receiveMid });
    return answer.receive_mid;
  }

  async stop(receiveMid: string): Promise<void> {
    await this.vpaas?.disconnectStream({ receive_mid: receiveMid });
  }

  async present(): Promise<void> {
    this.vpaas?.present(await navigator.mediaDevices.getDisplayMedia({ video: true }));
  }

  stopPresenting(): void {
    this.vpaas?.stopPresenting();
  }

  leave(): void {
    this.vpaas?.disconnect();
  }
}

function firstOf(tracks: MediaStreamTrack[]): MediaStreamTrack {
  const [track] = tracks;
  if (track === undefined) throw new Error('no track');
  return track;
}

function play(track: MediaStreamTrack): void {
  const element = document.createElement(track.kind === 'audio' ? 'audio' : 'video');
  element.autoplay = true;
  element.srcObject = new MediaStream([track]);
  document.body.append(element);
}

declare global {
  interface Window {
    vpaasPage: VpaasPage;
  }
}
window.vpaasPage = new VpaasPage();
export type { VpaasPage };
