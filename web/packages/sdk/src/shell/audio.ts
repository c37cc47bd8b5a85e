/** Plays the received sounds: one hidden element each, on the chosen speaker, each as loud as wished. */
import type { StreamKey } from '../types';

interface Playing {
  readonly element: HTMLAudioElement;
  readonly track: MediaStreamTrack;
}

export class AudioOut {
  private readonly playing = new Map<StreamKey, Playing>();
  private readonly volumes = new Map<string, number>();
  private speakerId = '';
  private blocked = false;
  /** Any click or key will do, whether or not it is on the button that asks for it. */
  private readonly onGesture = (): void => void this.unblock();

  constructor(private readonly onBlocked: (blocked: boolean) => void) {}

  /** Plays exactly these. */
  update(tracks: ReadonlyMap<StreamKey, MediaStreamTrack>): void {
    for (const [key, { element, track }] of this.playing) {
      if (tracks.get(key) === track) continue;
      element.srcObject = null;
      element.remove();
      this.playing.delete(key);
    }
    for (const [key, track] of tracks) {
      if (!this.playing.has(key)) this.play(key, track);
    }
  }

  setVolume(participantId: string, volume: number): void {
    const bounded = Math.min(1, Math.max(0, volume));
    this.volumes.set(participantId, bounded);
    for (const [key, { element }] of this.playing) {
      if (key.startsWith(`${participantId}/`)) element.volume = bounded;
    }
  }

  setSpeaker(deviceId: string): void {
    if (deviceId === this.speakerId) return;
    this.speakerId = deviceId;
    for (const { element } of this.playing.values()) this.applySpeaker(element);
  }

  /** From a click: plays what the browser had refused to play. */
  async unblock(): Promise<void> {
    const all = [...this.playing.values()].map(({ element }) => element.play());
    const results = await Promise.allSettled(all);
    this.setBlocked(results.some(isRefused));
  }

  close(): void {
    this.update(new Map());
    this.setBlocked(false);
  }

  private play(key: StreamKey, track: MediaStreamTrack): void {
    const element = document.createElement('audio');
    element.autoplay = true;
    element.dataset['althing'] = key;
    element.srcObject = new MediaStream([track]);
    element.volume = this.volumes.get(key.slice(0, key.indexOf('/'))) ?? 1;
    element.hidden = true;
    // In the document, for Safari plays detached elements only now and then.
    document.body.append(element);
    this.playing.set(key, { element, track });
    this.applySpeaker(element);
    element.play().catch((error: unknown) => {
      if (error instanceof DOMException && error.name === 'NotAllowedError') this.setBlocked(true);
    });
  }

  private applySpeaker(element: HTMLAudioElement): void {
    if (!('setSinkId' in element)) return;
    if (this.speakerId === '' && element.sinkId === '') return;
    // A speaker that is gone: the sound stays where it is.
    element.setSinkId(this.speakerId).catch(() => undefined);
  }

  private setBlocked(blocked: boolean): void {
    if (blocked === this.blocked) return;
    this.blocked = blocked;
    for (const gesture of ['pointerup', 'keydown']) {
      if (blocked) document.addEventListener(gesture, this.onGesture);
      else document.removeEventListener(gesture, this.onGesture);
    }
    this.onBlocked(blocked);
  }
}

function isRefused(result: PromiseSettledResult<void>): boolean {
  return (
    result.status === 'rejected' && result.reason instanceof DOMException && result.reason.name === 'NotAllowedError'
  );
}
